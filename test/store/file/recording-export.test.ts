import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TokenEvent } from '../../../events/generation.ts'
import { BlockBuilder } from '../../../store/entry-block.ts'
import { anyRecording } from '../../support/any-recording.ts'
import { type PutRecording, saying } from '../../support/filled-records.ts'
import { stateEvent, tokenEvent } from '../../support/hub-events.ts'
import { RecordsShelf } from '../../support/records-shelf.ts'
import { rounds } from '../../support/rounds.ts'

const runs = { numRuns: rounds(2000) }
const ids = ['g_A', 'g_B', 'g_C']

describe('csv and txt', () => {
  test('csv reads back as what was told, by the rules of RFC 4180', () => {
    using here = new RecordsShelf()
    fc.assert(
      fc.property(anyRecording('g_A'), recording => {
        here.clear()
        here.put({ exchange: null, recordings: [recording] })
        const [head, ...records] = parseCsv(here.export('g_A', 'csv').toString())
        expect(head?.join()).toBe('index,kind,token_id,token_text,timestamp,logprob,confidence,entropy,top')
        const tokens = recording.events.filter(event => event.type === 'token_activation')
        expect(records).toEqual(
          tokens.map(
            ({ index, kind, token_id, token_text, timestamp, logprob, confidence, entropy, top }) => [
              String(index),
              kind,
              String(token_id ?? ''),
              token_text.toWellFormed(),
              String(Math.round(timestamp * 10_000) / 10_000),
              String(logprob ?? ''),
              String(confidence ?? ''),
              String(entropy ?? ''),
              top.length === 0 ? '' : JSON.stringify(top),
            ],
          ),
        )
      }),
      runs,
    )
  })

  test('txt is the text of the message, or all text where there is none', () => {
    using here = new RecordsShelf()
    const said = (id: string, kinds: [TokenEvent['kind'], string][]): PutRecording => ({
      events: [
        ...kinds.map(([kind, text], index) => ({ ...tokenEvent(id, index, text), kind })),
        stateEvent(id, 'done'),
      ],
    })
    here.put({
      exchange: null,
      recordings: [
        said('g_A', [
          ['reasoning', 'hm'],
          ['message', 'h\ud83d'],
          ['reasoning', '!'],
          ['message', '\ude42i\ud83d'],
        ]),
        said('g_B', [
          ['reasoning', 'hm'],
          ['tool_call', '{}'],
          ['message', ''],
        ]),
        said('g_C', []),
      ],
    })
    expect(ids.map(id => here.export(id, 'txt').toString())).toEqual(['h🙂i\ufffd', 'hm{}', ''])
  })
})

describe('an export', () => {
  test('comes in pieces of at most 256 KiB, however long a line is', () => {
    using here = new RecordsShelf()
    const texts = [
      'x'.repeat(300_000),
      '漢'.repeat(200_000),
      ...Array.from({ length: 20_000 }, (_, i) => ` ${i}`),
    ]
    here.put({ exchange: null, recordings: [saying('g_A', texts)] })
    for (const form of ['jsonl', 'csv', 'txt'] as const) {
      const pieces = [...here.reader.export('g_A', form)]
      expect(Math.max(...pieces.map(piece => piece.length))).toBe(256 * 1024)
      expect(pieces.slice(0, -1).every(piece => piece.length === 256 * 1024)).toBe(true)
    }
    expect(here.export('g_A', 'txt').toString()).toBe(texts.join(''))
  })

  test('is of one moment, though the generation goes on, ends, and its blocks are put together', () => {
    using here = new RecordsShelf()
    const texts = Array.from({ length: 30_000 }, (_, i) => ` ${i}`)
    const events = [stateEvent('g_A', 'generating'), ...texts.map((text, i) => tokenEvent('g_A', i, text))]
    const cuts = Array.from({ length: 300 }, (_, i) => (i + 1) * 100)
    const id = here.file.put({ events, cuts })
    const before = here.export('g_A')
    const pieces = here.reader.export('g_A', 'jsonl')
    const taken = [pieces.next().value as Uint8Array]
    // What the end of a generation does to it.
    const all = [...events, tokenEvent('g_A', 30_000, 'late'), stateEvent('g_A', 'done')]
    const builder = new BlockBuilder({ handle: 1, id: 'g_A', began: 1_700_000_000 * 10_000 })
    for (const event of all) {
      if (event.type === 'neural_state') builder.state(event)
      else builder.token(event, [0, 0])
    }
    here.file.database.exec(`BEGIN; DELETE FROM entry_blocks WHERE generation = ${id}`)
    for (const block of builder.blocks()) here.file.putBlock(id, block)
    here.file.database.exec(`UPDATE generations SET entries = ${all.length} WHERE id = ${id}; COMMIT`)
    for (const piece of pieces) taken.push(piece)
    expect(Buffer.concat(taken).equals(before)).toBe(true)
    expect(here.export('g_A').length).toBeGreaterThan(before.length)
  })

  test('breaks off if the generation is removed meanwhile', () => {
    using here = new RecordsShelf()
    const id = here.file.put(
      saying(
        'g_A',
        Array.from({ length: 10_000 }, (_, i) => ` ${i}`),
      ),
    )
    const pieces = here.reader.export('g_A', 'jsonl')
    pieces.next()
    here.file.database.exec(`DELETE FROM generations WHERE id = ${id}; DELETE FROM entry_blocks`)
    expect(() => pieces.next()).toThrow('Generation g_A was removed while it was exported.')
  })
})

/** Records of a CSV by RFC 4180, with nothing let pass that it does not allow. */
function parseCsv(text: string): string[][] {
  const records: string[][] = []
  let record: string[] = []
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy
  while (field.lastIndex < text.length) {
    const match = field.exec(text)
    if (match === null) throw new Error('no field is here')
    record.push(match[1] === undefined ? (match[2] as string) : match[1].replaceAll('""', '"'))
    if (match[3] === ',') continue
    records.push(record)
    record = []
  }
  return records
}
