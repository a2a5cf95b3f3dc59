import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteReader, ByteWriter, ProtocolError } from '../../broadcast/protocol/byte-codec.ts'
import { readTokenGist, ticksOf, writeState, writeToken } from '../../broadcast/protocol.ts'
import { BlockBuilder, type EntryBlock, readBlock } from '../../store/entry-block.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { anyEvent, entryOf } from '../support/log-events.ts'
import { rounds } from '../support/rounds.ts'

const KEY = { handle: 300, id: 'g_a', began: ticksOf(1_700_000_000) }

describe('blocks of entries', () => {
  test('hold any entries of a generation, and say what is in them', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 60 }), fc.boolean(), (events, compressed) => {
        const builder = new BlockBuilder(KEY, { ord: 5, nextToken: 9, compressed })
        const own = events.map(event => ({ ...event, generation: KEY.id }))
        for (const event of own) {
          if (event.type === 'neural_state') builder.state(event)
          else builder.token(event, [7, 65_535])
        }
        const blocks = builder.blocks()
        const read = blocks.flatMap(block => readBlock(block, KEY.id, KEY.began))
        expect(read).toEqual(own.map((event, i) => entryOf(event, 6 + i, [7, 65_535])))
        expect(blocks[0]?.ord).toBe(5)
        expect(blocks[0]?.first_token).toBe(read.find(entry => entry.type === 'token_activation')?.index ?? 9)
      }),
      { numRuns: rounds(2000) },
    )
  })

  test('are cut between entries, and compressed where that makes them smaller', () => {
    const builder = new BlockBuilder(KEY)
    const text = 'many words '.repeat(100)
    for (let i = 0; i < 300; i++) builder.token(tokenEvent(KEY.id, i, text), [0, 0])
    builder.token(tokenEvent(KEY.id, 300, 'x'.repeat(200_000)), [0, 0])
    builder.state(stateEvent(KEY.id, 'done'))
    const blocks = builder.blocks()
    expect(blocks.length).toBeGreaterThan(6)
    let ord = 0
    for (const block of blocks) {
      const tokens = readBlock(block, KEY.id, KEY.began).filter(entry => entry.type === 'token_activation')
      expect(block).toMatchObject({
        ord,
        tokens: tokens.length,
        first_token: tokens[0]?.index ?? 301,
        handle: 300,
      })
      ord += block.entries
    }
    expect(ord).toBe(302)
    expect(blocks.at(-1)).toMatchObject({ entries: 1, tokens: 0 })
    expect(blocks.slice(0, -1).every(({ codec, data }) => codec === 1 && data.length < 5000)).toBe(true)
  })

  test('that are damaged are refused', () => {
    const builder = new BlockBuilder(KEY)
    for (let i = 0; i < 300; i++) builder.token(tokenEvent(KEY.id, i), [0, 0])
    const [block] = builder.blocks() as [EntryBlock]
    expect(() => readBlock({ ...block, codec: 7 }, KEY.id, 0)).toThrow(/codec 7/)
    expect(() => readBlock({ ...block, data: block.data.subarray(0, 50) }, KEY.id, 0)).toThrow()
    expect(() => readBlock({ ...block, handle: 5, codec: 0, data: raw() }, KEY.id, 0)).toThrow(ProtocolError)
  })
})

/** A token alone, of a handle that nobody told. */
function raw(): Uint8Array {
  const out = new ByteWriter()
  writeToken(out, tokenEvent(KEY.id, 0), [0, 0], KEY, false)
  return out.written
}

test('the gist of an entry is what the whole of it says', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyEvent, fc.boolean())), events => {
      const out = new ByteWriter()
      for (const [event, opens] of events) {
        if (event.type === 'neural_state') writeState(out, event, KEY)
        else writeToken(out, event, [3, 4], KEY, opens)
      }
      const input = new ByteReader(out.written)
      for (const [event] of events) {
        const gist = readTokenGist(input, KEY.began)
        if (event.type === 'neural_state') expect(gist).toBeNull()
        else {
          const { index, token_text: text, logprob } = event
          expect(gist).toEqual({ index, text, logprob, timestamp: ticksOf(event.timestamp) / 10_000 })
        }
      }
      expect(input.at).toBe(input.end)
    }),
    { numRuns: rounds(2000) },
  )
})
