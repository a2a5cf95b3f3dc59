import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteReader, ByteWriter, ProtocolError } from '../../broadcast/protocol/byte-codec.ts'
import {
  BinaryReader,
  type GenerationKey,
  ticksOf,
  writeEntriesHead,
  writeGenerations,
  writeState,
  writeToken,
} from '../../broadcast/protocol.ts'
import { confidenceOf, entropyOf } from '../../events/confidence.ts'
import type { Alternative, LogEntry, TokenEvent, TokenKind } from '../../events/generation.ts'
import { codePoints } from '../support/code-points.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'

const BEGAN = ticksOf(1_700_000_000)
const KEY: GenerationKey = { handle: 1, id: 'g_01JPROTOCOL000000000000000', began: BEGAN }

/** Any text, half surrogate pairs and byte order marks included. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  codePoints({ maxLength: 200 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
    .map(units => String.fromCharCode(...units)),
  fc.constantFrom('\ufeff', '\ufeffx', '\ud83d', '\ude00', '😀', '\ufffd', 'é'.repeat(200), ''),
)
/** A multiple of a tick, from a year before to a year after the generation began. */
const timestamp = fc
  .integer({ min: BEGAN - 315_360_000_000, max: BEGAN + 315_360_000_000 })
  .map(ticks => ticks / 10_000)
const f32 = fc.float({ min: -100, max: 0, noNaN: true }).map(value => (value === 0 ? 0 : value))
const f64 = fc.double({ min: -1e300, max: 0, noNaN: true }).map(value => (value === 0 ? 0 : value))

function tokens(logprob: fc.Arbitrary<number>): fc.Arbitrary<TokenEvent> {
  return fc
    .record({
      index: fc.integer({ min: 0, max: 2 ** 21 - 1 }),
      token_id: fc.option(fc.integer({ min: -1, max: 2 ** 20 - 1 })),
      token_text: text,
      kind: fc.constantFrom<TokenKind>('message', 'reasoning', 'tool_call'),
      timestamp,
      logprob: fc.option(logprob),
      top: fc.array(fc.record({ text, logprob }), { maxLength: 20 }),
    })
    .map(fields => ({
      ...tokenEvent(KEY.id, 0),
      ...fields,
      confidence: confidenceOf(fields.logprob),
      entropy: entropyOf(fields.top as Alternative[]),
    }))
}
const position = fc.tuple(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 0, max: 65_535 }))

/** One message with these entries, which `write` puts after its head. */
function entriesMessage(firstSeq: number, write: (out: ByteWriter) => void): Uint8Array {
  const body = new ByteWriter(1)
  write(body)
  const out = new ByteWriter()
  writeEntriesHead(out, firstSeq, body.length)
  out.raw(body.written)
  return out.written
}

function generationsMessage(keys: GenerationKey[]): Uint8Array {
  const out = new ByteWriter()
  writeGenerations(out, keys)
  return out.written
}

describe('a token', () => {
  test('comes back as it was written, whatever is in it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.oneof(tokens(f32), tokens(f64)), position), { minLength: 1, maxLength: 10 }),
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 20 }),
        fc.boolean(),
        (list, firstSeq, opens) => {
          const bytes = entriesMessage(firstSeq, out => {
            for (const [i, [token, place]] of list.entries()) {
              writeToken(out, token, place, KEY, opens && i === 0)
            }
          })
          const reader = new BinaryReader()
          if (!opens) reader.read(generationsMessage([KEY]))
          expect(reader.read(bytes)).toEqual(
            list.map(([token, place], i) => ({ ...token, seq: firstSeq + i, position: place })),
          )
        },
      ),
      { numRuns: 500 },
    )
  })

  test('takes at most 24 bytes besides its texts, and 28 where a logprob is no f32', () => {
    const textBytes = (token: TokenEvent) => {
      const alone = new ByteWriter()
      alone.text(token.token_text)
      return alone.length
    }
    const plain = (logprob: fc.Arbitrary<number>) =>
      fc
        .tuple(tokens(logprob), fc.integer({ min: 0, max: 2 ** 21 - 1 }), fc.integer({ min: 0, max: 13_000 }))
        // Within 3.7 hours of its generation's beginning, without alternatives, its text as short as tokens are.
        .map(([token, handle, seconds]) => ({
          handle,
          token: {
            ...token,
            top: [],
            timestamp: BEGAN / 10_000 + seconds,
            token_text: token.token_text.slice(0, 16),
          },
        }))
    for (const [logprob, most] of [
      [f32, 24],
      [f64, 28],
    ] as const) {
      fc.assert(
        fc.property(plain(logprob), position, ({ token, handle }, place) => {
          const out = new ByteWriter()
          writeToken(out, token, place, { ...KEY, handle }, false)
          expect(out.length - textBytes(token)).toBeLessThanOrEqual(most)
        }),
      )
    }
  })

  test.each([
    [2 ** 52 - 1, 2 ** 52 - 1],
    [1 - 2 ** 52, 1 - 2 ** 52],
    [2 ** 52, null],
    [Number.MAX_SAFE_INTEGER, null],
    [Number.MIN_SAFE_INTEGER, null],
  ])('has its id if that fits, and can be read in any case: %d', (id, read) => {
    const token = { ...tokenEvent(KEY.id, 0), token_id: id }
    const bytes = entriesMessage(1, out => writeToken(out, token, [0, 0], KEY, true))
    expect(new BinaryReader().read(bytes)).toMatchObject([{ token_id: read }])
  })

  test('rounds its time to a tick of 0.1 ms', () => {
    const token = { ...tokenEvent(KEY.id, 0), timestamp: 1_700_000_000.123_46 }
    const bytes = entriesMessage(1, out => writeToken(out, token, [0, 0], KEY, true))
    expect(new BinaryReader().read(bytes)).toMatchObject([{ timestamp: 1_700_000_000.123_5 }])
  })
})

describe('a state', () => {
  test('comes back whole and tells what its handle stands for', () => {
    const state = stateEvent(KEY.id, 'cancelling', {
      error: { kind: 'connection', code: 'ECONNRESET', message: 'gone \ud83d 😀', retryable: true },
      progress: 0.25,
    })
    const bytes = entriesMessage(7, out => {
      writeState(out, state, KEY)
      writeToken(out, tokenEvent(KEY.id, 3), [1, 2], KEY, false)
    })
    expect(new BinaryReader().read(bytes)).toEqual([
      { ...state, seq: 7 },
      { ...tokenEvent(KEY.id, 3), seq: 8, position: [1, 2] },
    ])
  })
})

describe('a reader', () => {
  test('skips messages and entries of types that it does not know', () => {
    const unknownEntry = (out: ByteWriter) => {
      out.u8(3)
      const sized = out.beginSized()
      out.raw(new Uint8Array(300))
      out.endSized(sized)
    }
    const known = entriesMessage(10, out => {
      writeState(out, stateEvent(KEY.id), KEY)
      unknownEntry(out)
      writeToken(out, tokenEvent(KEY.id, 0), [0, 0], KEY, false)
    })
    const frame = new ByteWriter()
    frame.u8(200)
    frame.u32(3)
    frame.raw(new Uint8Array([1, 2, 3]))
    frame.raw(known)
    const entries = new BinaryReader().read(frame.written)
    expect(entries.map(({ seq }: LogEntry) => seq)).toEqual([10, 12])
  })

  test('refuses a handle that nobody told', () => {
    const bytes = entriesMessage(5, out => writeToken(out, tokenEvent(KEY.id, 0), [0, 0], KEY, false))
    expect(() => new BinaryReader().read(bytes)).toThrow(/entry 5 is of generation 1, which nobody told/)
  })

  test('forgets a generation that has ended, whose handle is told anew if more comes of it', () => {
    const reader = new BinaryReader()
    const ended = entriesMessage(1, out => {
      writeState(out, stateEvent(KEY.id), KEY)
      writeState(out, stateEvent(KEY.id, 'done'), KEY)
    })
    expect(reader.read(ended)).toHaveLength(2)
    const unopened = entriesMessage(3, out => writeToken(out, tokenEvent(KEY.id, 0), [0, 0], KEY, false))
    expect(() => reader.read(unopened)).toThrow(ProtocolError)
    const opened = entriesMessage(3, out => writeToken(out, tokenEvent(KEY.id, 0), [0, 0], KEY, true))
    expect(reader.read(opened)).toMatchObject([{ seq: 3, generation: KEY.id }])
  })

  test('takes any bytes: entries, or a ProtocolError, and nothing else', () => {
    const whole = entriesMessage(1, out => {
      writeState(out, stateEvent(KEY.id), KEY)
      writeToken(
        out,
        { ...tokenEvent(KEY.id, 0), logprob: -0.1, top: [{ text: 'a', logprob: -0.1 }] },
        [3, 4],
        KEY,
        false,
      )
    })
    const damaged = fc
      .tuple(
        fc.nat(whole.length),
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 5 }),
      )
      .map(([length, changes]) => {
        const bytes = whole.slice(0, length)
        for (const [at, value] of changes) if (at < length) bytes[at] = value
        return bytes
      })
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 100 })), bytes => {
        try {
          new BinaryReader().read(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('reads what lies anywhere in a larger buffer', () => {
    const bytes = entriesMessage(1, out => writeToken(out, tokenEvent(KEY.id, 9, 'ß'), [5, 6], KEY, true))
    const larger = new Uint8Array(bytes.length + 7)
    larger.set(bytes, 7)
    expect(new BinaryReader().read(larger.subarray(7))).toMatchObject([{ index: 9, token_text: 'ß' }])
    expect(new BinaryReader().read(larger.slice(7).buffer)).toMatchObject([{ index: 9 }])
  })
})

describe('numbers', () => {
  test('of any size come back', () => {
    const integer = fc.maxSafeNat()
    const signed = fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 })
    fc.assert(
      fc.property(integer, signed, fc.nat(2 ** 32 - 1), fc.nat(65_535), (a, b, c, d) => {
        const out = new ByteWriter(1)
        out.varint(a)
        out.zigzag(b)
        out.u32(c)
        out.u16(d)
        const input = new ByteReader(out.written)
        expect([input.varint(), input.zigzag(), input.u32(), input.u16()]).toEqual([a, b, c, d])
        expect(input.at).toBe(input.end)
      }),
    )
  })

  test('beyond 53 bits are refused', () => {
    expect(() => new ByteReader(new Uint8Array(9).fill(0xff)).varint()).toThrow(ProtocolError)
  })
})
