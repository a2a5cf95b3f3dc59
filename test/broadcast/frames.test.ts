import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Frame, FrameCache, type Snapshot } from '../../broadcast/frames.ts'
import { LIMITS } from '../../broadcast/limits.ts'
import {
  BIN_SUBPROTOCOL,
  JSON_SUBPROTOCOL,
  type SnapshotGeneration,
  type SnapshotMessage,
  type Subprotocol,
} from '../../broadcast/protocol.ts'
import { type Filter, TokenLog, type TokenLogOptions } from '../../broadcast/token-log.ts'
import type { WireFrame } from '../../broadcast/wire.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { messagesIn } from '../support/hub-socket.ts'
import { keptEntries, readBinary } from '../support/log-events.ts'

const KIB = 1024
const PROTOCOLS = [JSON_SUBPROTOCOL, BIN_SUBPROTOCOL] as const

function newLog(options: Partial<TokenLogOptions> = {}): TokenLog {
  return new TokenLog({ place: mapPosition, ...options })
}

/** A log of tokens whose texts have these lengths, of generations in turn. */
function logOf(lengths: number[], generations = ['g_a']): TokenLog {
  const log = newLog()
  lengths.forEach((length, i) => {
    log.append(tokenEvent(generations[i % generations.length] as string, i, 'x'.repeat(length)), 0)
  })
  return log
}

function filterOf(...ids: string[]): Filter {
  return { key: ids.join(), has: id => ids.includes(id) }
}

function payloadOf({ bytes, headerBytes }: WireFrame): Buffer {
  return bytes.subarray(headerBytes)
}

/** Every frame from `after` to the head. */
function framesFrom(log: TokenLog, protocol: Subprotocol, after: number, filter: Filter | null): Frame[] {
  const cache = new FrameCache(log)
  const frames: Frame[] = []
  for (let cursor = after; cursor < log.head; ) {
    const frame = cache.frame(protocol, cursor, log.head, filter)
    expect(frame.to).toBeGreaterThan(cursor)
    frames.push(frame)
    cursor = frame.to
  }
  return frames
}

describe('a frame', () => {
  it('is text in JSON and binary in the binary protocol, with the header of its size', () => {
    const log = logOf([1, 2, 3])
    const cache = new FrameCache(log)
    const json = cache.frame(JSON_SUBPROTOCOL, 0, 3, null)
    const binary = cache.frame(BIN_SUBPROTOCOL, 0, 3, null)
    for (const frame of [json, binary]) expect(frame).toMatchObject({ to: 3, entries: 3, tokens: 3 })
    expect([json.binary, binary.binary]).toEqual([false, true])
    expect([json.bytes[0], json.bytes.readUInt16BE(2)]).toEqual([0x81, payloadOf(json).length])
    expect([binary.bytes[0], binary.bytes[1]]).toEqual([0x82, payloadOf(binary).length])
    expect(messagesIn(payloadOf(json))).toEqual(keptEntries(log))
    expect(readBinary(null, payloadOf(binary))).toEqual(keptEntries(log))
  })

  it('is empty and leads to the end where nothing passes the filter', () => {
    const cache = new FrameCache(logOf([1, 2, 3]))
    for (const protocol of PROTOCOLS) {
      const frame = cache.frame(protocol, 0, 2, filterOf('g_other'))
      expect(frame).toMatchObject({ to: 2, entries: 0, tokens: 0 })
      expect(payloadOf(frame).length).toBe(0)
    }
  })

  it('ends where it is told to, however much there is', () => {
    const log = logOf([1, 2, 3, 4])
    for (const protocol of PROTOCOLS) {
      expect(new FrameCache(log).frame(protocol, 1, 3, null)).toMatchObject({ to: 3, entries: 2 })
    }
  })

  it('is at most 64 KiB, unless a single entry is larger, and followed by the next', () => {
    const lengths = fc.array(
      fc.oneof({ weight: 6, arbitrary: fc.nat(20_000) }, { weight: 1, arbitrary: fc.nat(90_000) }),
      { minLength: 1, maxLength: 40 },
    )
    const filters = fc.constantFrom(null, filterOf('g_a'), filterOf('g_a', 'g_c'))
    fc.assert(
      fc.property(lengths, fc.constantFrom(...PROTOCOLS), filters, (list, protocol, filter) => {
        const log = logOf(list, ['g_a', 'g_b', 'g_c'])
        const frames = framesFrom(log, protocol, 0, filter)
        for (const frame of frames) {
          if (frame.entries > 1) expect(frame.bytes.length).toBeLessThanOrEqual(64 * KIB)
        }
        const expected = keptEntries(log).filter(({ generation }) => filter?.has(generation) ?? true)
        const full = frames.filter(({ entries }) => entries > 0)
        const found =
          protocol === BIN_SUBPROTOCOL
            ? readBinary(null, Buffer.concat(full.map(payloadOf)))
            : full.flatMap(frame => messagesIn(payloadOf(frame)))
        expect(JSON.stringify(found)).toBe(JSON.stringify(expected))
      }),
      { numRuns: 60 },
    )
  })

  it.each(PROTOCOLS)('takes in two entries when they just fit, in %s', protocol => {
    const sizeOf = (length: number, count: number) => {
      const log = logOf(Array.from({ length: count }, () => length))
      return log.collect(protocol, 0, count, 1e9, null).payload.length
    }
    // Two entries that are just as large together as a frame may be, a few bytes more or less.
    const half = LIMITS.frameBytes / 2 - Math.ceil((sizeOf(32_000, 2) - 64_000) / 2)
    const fits: boolean[] = []
    for (let last = -4; last <= 4; last++) {
      const frame = new FrameCache(logOf([half, half + last])).frame(protocol, 0, 2, null)
      const whole = sizeOf(half, 2) + last
      expect(frame.entries).toBe(whole <= LIMITS.frameBytes ? 2 : 1)
      expect(payloadOf(frame).length).toBeLessThanOrEqual(LIMITS.frameBytes)
      fits.push(frame.entries === 2)
    }
    expect(new Set(fits)).toEqual(new Set([true, false]))
  })
})

describe('the frame cache', () => {
  it('gives the same frame for the same cursor, end, protocol and filter', () => {
    const log = logOf([1, 2, 3], ['g_a', 'g_b'])
    const cache = new FrameCache(log)
    const asked: [Subprotocol, number, number, Filter | null][] = []
    for (const protocol of PROTOCOLS) {
      for (const after of [0, 1]) {
        for (const upTo of [3, 2]) {
          asked.push([protocol, after, upTo, null])
          asked.push([protocol, after, upTo, filterOf('g_a')])
          asked.push([protocol, after, upTo, filterOf('g_b')])
          asked.push([protocol, after, upTo, filterOf('')])
        }
      }
    }
    const frames = asked.map(place => cache.frame(...place))
    expect(new Set(frames).size).toBe(asked.length)
    asked.forEach(([protocol, after, upTo, filter], i) => {
      const equal = filter === null ? null : filterOf(...filter.key.split(','))
      for (let again = 0; again < 2; again++)
        expect(cache.frame(protocol, after, upTo, equal)).toBe(frames[i])
    })
  })

  it('asks the log once, however often it is asked itself', () => {
    const log = logOf([1, 2, 3])
    const collect = vi.spyOn(log, 'collect')
    const cache = new FrameCache(log)
    for (let i = 0; i < 1000; i++) {
      cache.frame(BIN_SUBPROTOCOL, 0, 3, null)
      cache.frame(JSON_SUBPROTOCOL, i % 2, 3, null)
    }
    expect(collect).toHaveBeenCalledTimes(3)
  })

  it('gives what is new once the end has moved, and lets go of the old', () => {
    const log = logOf([1, 2, 3])
    const cache = new FrameCache(log)
    const old = cache.frame(BIN_SUBPROTOCOL, 1, 3, null)
    log.append(stateEvent('g_a', 'done'), 0)
    expect(cache.frame(BIN_SUBPROTOCOL, 1, 4, null)).toMatchObject({ to: 4, entries: 3, tokens: 2 })
    expect(cache.frame(BIN_SUBPROTOCOL, 1, 3, null)).not.toBe(old)
  })

  it('does not grow with the number of places that viewers resume from', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const log = logOf(Array.from({ length: 6000 }, () => 100))
    const cache = new FrameCache(log)
    const frames: WeakRef<Buffer>[] = []
    for (let cursor = 0; cursor < 4000; cursor++) {
      frames.push(new WeakRef(cache.frame(JSON_SUBPROTOCOL, cursor, 6000, null).bytes))
    }
    const kept = () => frames.filter(frame => frame.deref() !== undefined).length
    // What a turn of the event loop has looked at is let go of by the next.
    for (let tries = 0; tries < 10 && kept() > 100; tries++) {
      await turn()
      collect()
    }
    expect(kept()).toBeLessThanOrEqual(100)
    expect(cache.frame(JSON_SUBPROTOCOL, 0, 6000, null).to).toBeGreaterThan(0)
  })
})

describe('frames of large entries', () => {
  it('are kept up to 16 MiB together, the last ones', () => {
    const cache = new FrameCache(logOf(Array.from({ length: 8 }, () => 5 * KIB * KIB)))
    const frame = (after: number) => cache.frame(BIN_SUBPROTOCOL, after, 8, null)
    const made = Array.from({ length: 8 }, (_, after) => frame(after))
    expect([7, 6, 5].filter(after => frame(after) === made[after])).toEqual([7, 6, 5])
    expect([4, 3, 2, 1, 0].filter(after => frame(after) === made[after])).toEqual([])
  })
})

describe('definitions', () => {
  it('tell what the handles after a cursor stand for, in one binary frame for all', () => {
    const log = logOf([1, 2, 3, 4], ['g_a', 'g_b'])
    const cache = new FrameCache(log)
    const frame = cache.definitions(2) as WireFrame
    expect(frame.binary).toBe(true)
    const entries = payloadOf(cache.frame(BIN_SUBPROTOCOL, 2, 4, null))
    expect(readBinary(payloadOf(frame), entries)).toEqual(keptEntries(log).slice(2))
    expect(() => readBinary(null, entries)).toThrow('generation 1')
    expect(cache.definitions(2)).toBe(frame)
    log.append(stateEvent('g_a', 'done'), 0)
    log.append(stateEvent('g_b', 'done'), 0)
    expect(cache.definitions(5)).not.toBe(frame)
  })

  it('are null where there is nothing to tell', () => {
    const log = newLog()
    const cache = new FrameCache(log)
    expect(cache.definitions(0)).toBeNull()
    log.append(stateEvent('g_a', 'done'), 0)
    expect([cache.definitions(0), cache.definitions(1)]).toEqual([null, null])
  })
})

describe('a snapshot', () => {
  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  const messagesOf = ({ frames }: Snapshot) =>
    frames.map(frame => {
      expect(frame.binary).toBe(false)
      return JSON.parse(payloadOf(frame).toString()) as SnapshotMessage
    })

  const partsOf = (log: TokenLog) => messagesOf(new FrameCache(log).snapshot(null))

  /** The generations of all parts, each in one piece again. */
  function joined(parts: SnapshotMessage[]): SnapshotGeneration[] {
    const whole: SnapshotGeneration[] = []
    for (const { text_from, ...piece } of parts.flatMap(({ generations }) => generations)) {
      const last = whole.at(-1)
      if (text_from === undefined) {
        whole.push(piece)
        continue
      }
      expect([last?.generation, last?.text.length]).toEqual([piece.generation, text_from])
      whole[whole.length - 1] = { ...piece, text: `${last?.text}${piece.text}` }
    }
    return whole
  }

  /** A log with generations of texts given in pieces. */
  function logOfTexts(lists: string[][]): TokenLog {
    const log = newLog()
    lists.forEach((pieces, g) => {
      log.append(stateEvent(`g_${g}`), 0)
      for (const [i, piece] of pieces.entries()) log.append(tokenEvent(`g_${g}`, i, piece), 0)
    })
    return log
  }

  it('of an empty log is one empty part', () => {
    expect(partsOf(newLog())).toEqual([{ type: 'snapshot', upto: 0, part: 0, last: true, generations: [] }])
  })

  it('holds only the generations that were asked for, at the head', () => {
    const log = newLog()
    for (const id of ['g_a', 'g_b', 'g_c']) {
      log.append(stateEvent(id), 0)
      const snapshot = new FrameCache(log).snapshot(filterOf('g_b', 'g_none'))
      expect(snapshot.upto).toBe(log.head)
      const found = messagesOf(snapshot).flatMap(({ generations }) => generations)
      expect(found.map(({ generation }) => generation)).toEqual(id === 'g_a' ? [] : ['g_b'])
    }
  })

  it('numbers its parts, marks the last, and holds every text whole, divided only where it fits no part', () => {
    const piece = fc.tuple(fc.constantFrom('x', '🙂', 'a🙂', '\ud83d', '漢'), fc.nat(30_000))
    const texts = fc.array(fc.array(piece, { maxLength: 6 }), { maxLength: 12 })
    fc.assert(
      fc.property(texts, lists => {
        const log = logOfTexts(lists.map(pieces => pieces.map(([unit, count]) => unit.repeat(count))))
        const parts = partsOf(log)
        expect(parts.map(({ part }) => part)).toEqual(parts.map((_, i) => i))
        expect(parts.map(({ last }) => last)).toEqual(parts.map((_, i) => i === parts.length - 1))
        expect(parts.every(part => part.type === 'snapshot' && part.upto === log.head)).toBe(true)
        expect(JSON.stringify(joined(parts))).toBe(JSON.stringify(log.generations()))
        for (const { generations } of parts) {
          const units = generations.reduce((sum, { text }) => sum + text.length, 0)
          expect(units).toBeLessThanOrEqual(64 * KIB)
        }
        const divided = parts.flatMap(({ generations }) =>
          generations.filter(one => one.text_from !== undefined),
        )
        for (const { generation } of divided) {
          const whole = log.generations().find(one => one.generation === generation)
          expect(whole?.text.length).toBeGreaterThan(64 * KIB)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('cuts no surrogate pair, wherever the cut falls', () => {
    for (const before of [64 * KIB - 2, 64 * KIB - 1, 64 * KIB]) {
      const parts = partsOf(logOfTexts([['x'.repeat(before), '🙂', 'y'.repeat(10)]]))
      expect(parts.length).toBe(2)
      const texts = parts.map(({ generations }) => generations[0]?.text ?? '')
      expect(texts.join('')).toBe(`${'x'.repeat(before)}🙂${'y'.repeat(10)}`)
      expect(texts.every(text => text.isWellFormed())).toBe(true)
      expect(parts[1]?.generations[0]?.text_from).toBe(texts[0]?.length)
    }
  })

  it('divides many generations with little text, too', () => {
    const log = newLog()
    for (let i = 0; i < 1000; i++) log.append(stateEvent(`g_${i}`), 0)
    const parts = partsOf(log)
    expect(parts.length).toBe(10)
    expect(joined(parts)).toEqual(log.generations())
  })

  it('is shared while the head stays', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const cache = new FrameCache(logOf([1]))
    const first = cache.snapshot(null)
    vi.advanceTimersByTime(1e6)
    expect(cache.snapshot(null)).toBe(first)
  })

  it.each([
    ['everything', null],
    ['a filter', filterOf('g_a', 'g_b')],
  ])('of %s is of the head, until making them takes a tenth of the time', (_, filter) => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const log = newLog({ maxEntries: 3 })
    const cache = new FrameCache(log)
    const { generations } = log
    vi.spyOn(log, 'generations').mockImplementation(chosen => {
      vi.advanceTimersByTime(20)
      return generations.call(log, chosen)
    })
    let index = 0
    const append = () => log.append(tokenEvent('g_a', index++), 0)
    log.append(stateEvent('g_a'), 0)
    // 20 ms each, of which 2 are given back meanwhile: after the sixth the 100 ms are spent.
    for (let i = 0; i < 6; i++) {
      append()
      expect(cache.snapshot(filter).upto).toBe(log.head)
    }
    const last = cache.snapshot(filter)
    const other = cache.snapshot(filterOf('g_b'))
    expect(other).not.toBe(last)
    append()
    vi.advanceTimersByTime(10)
    expect(cache.snapshot(filter)).toBe(last)

    append()
    append()
    expect([log.tail, cache.snapshot(filter)]).toEqual([last.upto + 1, last])
    // The entry after the old one is gone: who was given that would miss it.
    append()
    const next = cache.snapshot(filter)
    expect(next.upto).toBe(log.head)

    // Ten times as old as it took to make, and no older.
    append()
    vi.advanceTimersByTime(199)
    expect(cache.snapshot(filter)).toBe(next)
    vi.advanceTimersByTime(1)
    expect(cache.snapshot(filter).upto).toBe(log.head)
  })

  it('of a text of 100,000 tokens is whole, in several parts', () => {
    const log = newLog({ maxEntries: 10 })
    log.append(stateEvent('g_a'), 0)
    const pieces = Array.from({ length: 100_000 }, (_, i) => ` ${i}`)
    for (const [i, piece] of pieces.entries()) log.append(tokenEvent('g_a', i, piece), 0)
    const parts = partsOf(log)
    expect(parts.length).toBe(Math.ceil(pieces.join('').length / (64 * KIB)))
    expect(joined(parts)).toMatchObject([{ generation: 'g_a', text: pieces.join(''), tokens: 100_000 }])
  })
})
