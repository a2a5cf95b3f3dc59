import { expect, test } from 'vitest'
import { createUtf8Decoder } from '../../bridge/utf8-decoder.ts'
import { byteByByte, cutInTwo } from '../support/stream-corpus.ts'

function decoded(pieces: readonly Buffer[]): string {
  const decoder = createUtf8Decoder()
  return pieces.map(piece => decoder.decode(piece)).join('') + decoder.end()
}

test.each([
  ['one byte order mark', Buffer.from('\ufeffa'), 'a'],
  ['two, of which one is text', Buffer.from('\ufeff\ufeffa'), '\ufeffa'],
  ['one that is not at the beginning', Buffer.from('a\ufeff'), 'a\ufeff'],
  ['nothing but one', Buffer.from('\ufeff'), ''],
  ['a part of one', Buffer.from([0xef, 0xbb]), '\ufffd'],
  ['characters of one to four bytes', Buffer.from('aé漢🦉'), 'aé漢🦉'],
  ['a character that is not finished', Buffer.from([0x61, 0xf0, 0x9f, 0xa6]), 'a\ufffd'],
  [
    'bytes that are no UTF-8',
    Buffer.from([0xff, 0x61, 0xc3, 0x28, 0xed, 0xa0, 0x80]),
    '\ufffda\ufffd(\ufffd\ufffd\ufffd',
  ],
  ['nothing', Buffer.alloc(0), ''],
])('%s, however it is divided', (_name, bytes, text) => {
  expect(decoded([bytes])).toBe(text)
  expect(decoded(byteByByte(bytes))).toBe(text)
  for (const pieces of cutInTwo(bytes)) expect(decoded(pieces)).toBe(text)
})
