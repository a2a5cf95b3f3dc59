import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mediaTypeOf } from '../../bridge/dialects/index.ts'
import { createSseFraming, type SseEvent } from '../../bridge/sse-framing.ts'
import { type ReferenceStream, referenceEvents } from '../support/reference-framing.ts'
import { rounds } from '../support/rounds.ts'
import { byteByByte, cutAt, cutInTwo } from '../support/stream-corpus.ts'
import { WPT_CONTENT_TYPES, WPT_STREAMS } from './wpt-eventsource.ts'

const MEBI = 1024 * 1024

/** What the framing makes of a body that comes in pieces. */
function framed(pieces: readonly Buffer[], lastEventId?: string): ReferenceStream {
  const events: ReferenceStream['events'] = []
  const retries: number[] = []
  const framing = createSseFraming(
    {
      onEvent: event => events.push({ ...event, type: event.type ?? 'message' }),
      onRetry: ms => retries.push(ms),
      onOversized: () => expect.unreachable(),
    },
    lastEventId,
  )
  for (const piece of pieces) framing.feed(piece)
  framing.end()
  return { events, retries, lastEventId: framing.lastEventId }
}

describe('WPT', () => {
  test('all twenty files are here', () => {
    expect(new Set(WPT_STREAMS.map(({ file }) => file)).size).toBe(20)
  })

  test.each(WPT_STREAMS.map(one => [one.file, one.of ?? 'its stream', one] as const))(
    '%s: %s, however it is divided',
    (_file, _of, { bytes, lastEventId, events, retries, leaves }) => {
      const expected = { events, retries, lastEventId: leaves }
      expect(framed([bytes], lastEventId)).toEqual(expected)
      expect(framed(byteByByte(bytes), lastEventId)).toEqual(expected)
      for (const pieces of cutInTwo(bytes)) {
        expect(framed(pieces, lastEventId), `cut at ${pieces[0]?.length}`).toEqual(expected)
      }
      expect(referenceEvents(bytes, lastEventId)).toEqual(expected)
    },
  )

  test.each(WPT_CONTENT_TYPES)('%s: %s', (_file, contentType, isStream) => {
    expect(mediaTypeOf(contentType) === 'text/event-stream').toBe(isStream)
  })
})

describe('a stream of any bytes', () => {
  const piece = fc.oneof(
    ...['data', 'data:', 'event:', 'id:', 'id', 'retry:', ':', ' ', 'x', '7', '\0'].map(fc.constant),
    ...['\r', '\n', '\r\n', '\n\n', '\ufeff', 'ï»¿', 'ï', '…', '🦉'].map(fc.constant),
  )
  const body = fc.oneof(
    fc.array(piece, { maxLength: 40 }).map(parts => Buffer.from(parts.join(''))),
    fc
      .tuple(
        fc.array(piece, { maxLength: 20 }),
        fc.uint8Array({ maxLength: 8 }),
        fc.array(piece, { maxLength: 20 }),
      )
      .map(([before, bytes, after]) =>
        Buffer.concat([Buffer.from(before.join('')), bytes, Buffer.from(after.join(''))]),
      ),
  )
  const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { maxLength: 8 })

  test('gives what the standard says, however it is divided', () => {
    fc.assert(
      fc.property(body, places, (bytes, at) => {
        const expected = referenceEvents(bytes)
        expect(framed([bytes])).toEqual(expected)
        expect(framed(cutAt(bytes, at))).toEqual(expected)
        expect(framed(byteByByte(bytes))).toEqual(expected)
      }),
      { numRuns: rounds(20_000) },
    )
  })
})

describe('an id', () => {
  test('of a block without data is kept, and holds for what follows', () => {
    const { events, lastEventId } = framed([Buffer.from('id: 1\n\ndata: a\n\nid: 2\n\n')])
    expect(events).toEqual([{ type: 'message', data: 'a', lastEventId: '1' }])
    expect(lastEventId).toBe('2')
  })

  test('of a block that has not ended says nothing', () => {
    expect(framed([Buffer.from('data: a\n\nid: 2\ndata: b\n')], '1').lastEventId).toBe('1')
  })
})

describe('an event beyond 1 Mi characters', () => {
  function told(feed: (framing: { feed(bytes: Buffer): void }) => void) {
    const events: SseEvent[] = []
    let oversized = 0
    const framing = createSseFraming({
      onEvent: event => events.push(event),
      onOversized: () => {
        oversized++
      },
    })
    framing.feed(Buffer.from('data: before\n\n'))
    feed(framing)
    framing.feed(Buffer.from('\n\ndata: after\n\n'))
    framing.end()
    return { data: events.map(({ data }) => data), oversized }
  }

  test.each([
    ['in one piece', [Buffer.from(`data: ${'x'.repeat(MEBI + 1)}\n\n`)]],
    ['in a piece that has not ended', [Buffer.from(`data: ${'x'.repeat(MEBI + 1)}`)]],
    ['in pieces of 64 KiB', Array.from({ length: 20 }, () => Buffer.from(`data: ${'x'.repeat(65_536)}\n`))],
    ['of many empty lines', [Buffer.from('data\n'.repeat(MEBI + 2))]],
  ])('is the end of it: %s', (_name, pieces) => {
    const result = told(framing => {
      for (const one of pieces) framing.feed(one)
    })
    expect(result).toEqual({ data: ['before'], oversized: 1 })
  })

  test('is the end of it, byte by byte', () => {
    const byte = Buffer.from('x')
    const result = told(framing => {
      framing.feed(Buffer.from('data:'))
      for (let i = 0; i <= MEBI; i++) framing.feed(byte)
    })
    expect(result).toEqual({ data: ['before'], oversized: 1 })
  })

  test('may be as long as that', () => {
    const data = 'x'.repeat(MEBI - 64)
    const pieces = byteByByte(Buffer.from(`data:${data}\n\n`))
    expect(framed(pieces).events).toEqual([{ type: 'message', data, lastEventId: '' }])
  })

  test('is none where it is a comment, which is not held', () => {
    const comment = Buffer.from(`:${'x'.repeat(65_535)}`)
    const result = told(framing => {
      for (let i = 0; i < 40; i++) framing.feed(comment)
    })
    expect(result).toEqual({ data: ['before', 'after'], oversized: 0 })
  })
})
