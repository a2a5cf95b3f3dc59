import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameCache } from '../../broadcast/frames.ts'
import type { SnapshotMessage } from '../../broadcast/protocol.ts'
import { TokenLog } from '../../broadcast/token-log.ts'
import type { Frame } from '../../broadcast/viewer.ts'
import { mapPosition } from '../../compositor/map.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { messagesIn } from '../support/hub-socket.ts'

const KIB = 1024

function newLog(): TokenLog {
  return new TokenLog({ place: mapPosition })
}

/** A log of tokens whose texts have these lengths, of generations in turn. */
function logOf(lengths: number[], generations = ['g_a']): TokenLog {
  const log = newLog()
  lengths.forEach((length, i) => {
    log.append(tokenEvent(generations[i % generations.length] as string, i, 'x'.repeat(length)), 0)
  })
  return log
}

/** Every frame from `after` to the head. */
function framesFrom(log: TokenLog, after: number, filter: ReadonlySet<string> | null): Frame[] {
  const cache = new FrameCache(log)
  const frames: Frame[] = []
  for (let cursor = after; cursor < log.head; ) {
    const frame = cache.frame(cursor, filter)
    expect(frame.to).toBeGreaterThan(cursor)
    frames.push(frame)
    cursor = frame.to
  }
  return frames
}

describe('a frame', () => {
  it('is one object alone, and an array where there are several', () => {
    const log = newLog()
    const cache = new FrameCache(log)
    const first = log.append(stateEvent('g_a'), 0)
    expect(JSON.parse(cache.frame(0, null).bytes.toString())).toEqual(first)
    const second = log.append(tokenEvent('g_a', 0, '🙂'), 0)
    expect(JSON.parse(cache.frame(0, null).bytes.toString())).toEqual([first, second])
    expect(JSON.parse(cache.frame(1, null).bytes.toString())).toEqual(second)
    expect(cache.frame(0, null)).toMatchObject({ to: 2, entries: 2 })
  })

  it('is empty and leads to the head where nothing passes the filter', () => {
    const log = logOf([1, 2, 3])
    const frame = new FrameCache(log).frame(0, new Set(['g_other']))
    expect(frame).toEqual({ bytes: Buffer.alloc(0), to: 3, entries: 0 })
  })

  it('is at most 64 KiB, unless a single entry is larger', () => {
    const lengths = fc.array(
      fc.oneof({ weight: 6, arbitrary: fc.nat(20_000) }, { weight: 1, arbitrary: fc.nat(90_000) }),
      { minLength: 1, maxLength: 40 },
    )
    fc.assert(
      fc.property(lengths, list => {
        for (const frame of framesFrom(logOf(list), 0, null)) {
          if (frame.entries > 1) expect(frame.bytes.length).toBeLessThanOrEqual(64 * KIB)
        }
      }),
    )
  })

  it('is at most 64 KiB when its entries just fit', () => {
    const overhead = (logOf([0]).record(1)?.json.length ?? 0) + 0
    for (let last = -4; last <= 4; last++) {
      // Two entries that are 64 KiB together, a few bytes more or less.
      const log = logOf([32 * KIB - overhead, 32 * KIB - overhead + last])
      const frame = new FrameCache(log).frame(0, null)
      expect(frame.bytes.length).toBeLessThanOrEqual(64 * KIB)
      expect(frame.entries).toBe(last <= -3 ? 2 : 1)
    }
  })

  it('is followed by the next: together each entry once, in order, with or without a filter', () => {
    const generations = ['g_a', 'g_b', 'g_c']
    fc.assert(
      fc.property(
        fc.array(fc.nat(30_000), { minLength: 1, maxLength: 40 }),
        fc.option(fc.subarray(generations, { minLength: 1 })),
        fc.nat(39),
        (lengths, chosen, from) => {
          const log = logOf(lengths, generations)
          const after = Math.min(from, log.head)
          const filter = chosen === null ? null : new Set(chosen)
          const frames = framesFrom(log, after, filter)
          const expected: unknown[] = []
          for (let seq = after + 1; seq <= log.head; seq++) {
            const entry = log.record(seq)?.entry
            if (entry && (filter === null || filter.has(entry.generation))) expected.push(entry)
          }
          const full = frames.filter(({ entries }) => entries > 0)
          const found = full.flatMap(({ bytes }) => messagesIn(bytes))
          expect(JSON.stringify(found)).toBe(JSON.stringify(expected))
          expect(frames.reduce((sum, { entries }) => sum + entries, 0)).toBe(expected.length)
          for (const { bytes, entries } of full) expect(messagesIn(bytes).length).toBe(entries)
        },
      ),
    )
  })
})

describe('the frame cache', () => {
  it('gives the same Buffer for the same cursor while the head stays', () => {
    const log = logOf([1, 2, 3])
    const cache = new FrameCache(log)
    const { bytes } = cache.frame(0, null)
    cache.frame(1, null)
    expect(cache.frame(0, null).bytes).toBe(bytes)
  })

  it('gives what is new once the head has moved', () => {
    const log = logOf([1, 2, 3])
    const cache = new FrameCache(log)
    expect(cache.frame(1, null).to).toBe(3)
    log.append(stateEvent('g_a', 'done'), 0)
    expect(cache.frame(1, null)).toMatchObject({ to: 4, entries: 3 })
  })

  it('does not grow with the number of places that viewers resume from', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const log = logOf(Array.from({ length: 6000 }, () => 100))
    const cache = new FrameCache(log)
    const frames: WeakRef<Buffer>[] = []
    for (let cursor = 0; cursor < 4000; cursor++) frames.push(new WeakRef(cache.frame(cursor, null).bytes))
    const kept = () => frames.filter(frame => frame.deref() !== undefined).length
    // What a turn of the event loop has looked at is let go of by the next.
    for (let tries = 0; tries < 10 && kept() > 100; tries++) {
      await turn()
      collect()
    }
    expect(kept()).toBeLessThanOrEqual(100)
    expect(cache.frame(0, null).to).toBeGreaterThan(0)
  })
})

describe('a snapshot', () => {
  const partsOf = (log: TokenLog) => {
    const { upto, parts } = new FrameCache(log).snapshot(null)
    return { upto, parts: parts.map(part => JSON.parse(part.toString()) as SnapshotMessage) }
  }

  it('of an empty log is one empty part', () => {
    expect(partsOf(newLog())).toEqual({
      upto: 0,
      parts: [{ type: 'snapshot', upto: 0, part: 0, last: true, generations: [] }],
    })
  })

  it('is the same Buffers while the head stays, and new ones when it has moved', () => {
    const log = logOf([1])
    const cache = new FrameCache(log)
    const first = cache.snapshot(null)
    expect(cache.snapshot(null)).toBe(first)
    log.append(stateEvent('g_b'), 0)
    expect(cache.snapshot(null).upto).toBe(2)
  })

  it('holds only the generations that were asked for', () => {
    const log = newLog()
    for (const id of ['g_a', 'g_b', 'g_c']) log.append(stateEvent(id), 0)
    const { upto, parts } = new FrameCache(log).snapshot(new Set(['g_b', 'g_none']))
    expect(upto).toBe(3)
    const messages = parts.map(part => JSON.parse(part.toString()) as SnapshotMessage)
    expect(messages.flatMap(({ generations }) => generations.map(({ generation }) => generation))).toEqual([
      'g_b',
    ])
    expect(messages.at(-1)?.last).toBe(true)
  })

  it('numbers its parts, marks the last and never divides a text', () => {
    const texts = fc.array(fc.array(fc.nat(20_000), { maxLength: 6 }), { maxLength: 12 })
    fc.assert(
      fc.property(texts, lists => {
        const log = newLog()
        lists.forEach((lengths, g) => {
          log.append(stateEvent(`g_${g}`), 0)
          lengths.forEach((length, i) => {
            log.append(tokenEvent(`g_${g}`, i, String(i % 10).repeat(length)), 0)
          })
        })
        const { upto, parts } = partsOf(log)
        expect(upto).toBe(log.head)
        expect(parts.map(({ part }) => part)).toEqual(parts.map((_, i) => i))
        expect(parts.map(({ last }) => last)).toEqual(parts.map((_, i) => i === parts.length - 1))
        expect(parts.every(part => part.type === 'snapshot' && part.upto === upto)).toBe(true)
        const generations = parts.flatMap(part => part.generations)
        expect(JSON.stringify(generations)).toBe(JSON.stringify(log.generations()))
        for (const part of parts) {
          const texts = part.generations.map(({ text }) => text).filter(text => text !== '')
          if (texts.length > 1) expect(texts.join('').length).toBeLessThanOrEqual(64 * KIB)
        }
      }),
      { numRuns: 40 },
    )
  })
})
