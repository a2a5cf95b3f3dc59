import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BinaryReader } from '../../broadcast/protocol.ts'
import { TokenLog } from '../../broadcast/token-log.ts'
import { Feed } from '../../compositor/feed.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import type { Batch } from '../../compositor/messages.ts'
import type { LogEntry } from '../../events/generation.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function feedOf(options: { maxEntries?: number } = {}) {
  const log = new TokenLog({ place: mapPosition, ...options })
  const batches: Batch[] = []
  const one = new Feed(log, batch => batches.push(batch))
  one.start()
  const say = (generation: string, count: number) => {
    for (let index = 0; index < count; index++) log.append(tokenEvent(generation, index), 0)
  }
  /** Lets time pass, and takes each batch as soon as it comes. */
  const take = async (ms: number): Promise<LogEntry[]> => {
    const reader = new BinaryReader()
    const entries: LogEntry[] = []
    await vi.advanceTimersByTimeAsync(ms)
    for (let at = 0; at < batches.length; at++) {
      entries.push(...reader.read(batches[at]?.bytes as Uint8Array))
      one.done()
      await vi.advanceTimersByTimeAsync(ms)
    }
    batches.length = 0
    return entries
  }
  return { log, batches, feed: one, say, take }
}

const seqsOf = (entries: LogEntry[]) => entries.map(({ seq }) => seq)
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe('the feed of the compositor', () => {
  it('hands out every entry once, in order, however much it is', async () => {
    const { feed, log, say, take } = feedOf()
    say('g_a', 20_000)
    feed.hurry(true)
    feed.open(0, () => {})
    expect(seqsOf(await take(100))).toEqual(range(1, log.head))
    expect(feed.doneTo).toBe(log.head)
    say('g_b', 10)
    expect(seqsOf(await take(100))).toEqual(range(20_001, 20_010))
    feed.stop()
  })

  it('hands out two batches at most that are not done with', async () => {
    const { feed, batches, say } = feedOf()
    say('g_a', 60_000)
    feed.hurry(true)
    feed.open(0, () => {})
    await vi.advanceTimersByTimeAsync(1000)
    expect(batches.length).toBe(2)
    expect(feed.doneTo).toBe(0)
    feed.done()
    expect(feed.doneTo).toBe(batches[0]?.upto)
    await vi.advanceTimersByTimeAsync(1000)
    expect(batches.length).toBe(3)
    feed.stop()
  })

  it('tells a reader that begins late what goes on there', async () => {
    const { feed, log, say, take } = feedOf({ maxEntries: 50 })
    say('g_a', 1000)
    feed.hurry(true)
    feed.open(0, () => {})
    const entries = await take(100)
    expect(seqsOf(entries)).toEqual(range(951, 1000))
    expect(new Set(entries.map(({ generation }) => generation))).toEqual(new Set(['g_a']))
    // It let go of what told g_b while nobody read.
    feed.hurry(false)
    say('g_b', 1000)
    feed.hurry(true)
    expect(seqsOf(await take(100))).toEqual(range(log.tail, log.head))
    feed.stop()
  })

  it('gathers for long while nobody waits, yet not for longer than the log keeps it', async () => {
    const { feed, batches, log, say } = feedOf()
    feed.open(0, () => {})
    say('g_a', 10)
    await vi.advanceTimersByTimeAsync(9_999)
    expect(batches).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(batches.map(({ upto }) => upto)).toEqual([10])
    feed.done()
    say('g_a', 16_384)
    await vi.advanceTimersByTimeAsync(0)
    expect(batches.length).toBe(2)
    feed.done()
    say('g_a', 10)
    feed.hurry(true)
    await vi.advanceTimersByTimeAsync(16)
    feed.done()
    await vi.advanceTimersByTimeAsync(16)
    expect(batches.at(-1)?.upto).toBe(log.head)
    feed.stop()
  })

  it('begins anew for another reader, and hands out nothing without one', async () => {
    const { feed, batches, log, say, take } = feedOf()
    feed.hurry(true)
    say('g_a', 100)
    await vi.advanceTimersByTimeAsync(1000)
    expect(batches).toEqual([])
    feed.open(0, () => {})
    await take(100)
    feed.close()
    say('g_a', 100)
    await vi.advanceTimersByTimeAsync(1000)
    expect(batches).toEqual([])
    expect(feed.doneTo).toBe(0)
    log.append(stateEvent('g_a', 'done'), 0)
    feed.open(0, () => {})
    expect(seqsOf(await take(100))).toEqual(range(1, 201))
    feed.stop()
    say('g_b', 1)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(batches).toEqual([])
  })

  it('says when the past was sent, before anything after it', async () => {
    const { feed, batches, log, say } = feedOf()
    say('g_a', 20_000)
    feed.hurry(true)
    const past: number[][] = []
    feed.open(15_000, () => past.push(batches.map(({ upto }) => upto)))
    expect(past).toEqual([])
    for (let turn = 0; turn < 20; turn++) {
      await vi.advanceTimersByTimeAsync(100)
      feed.done()
    }
    expect(past.map(uptos => uptos.at(-1))).toEqual([15_000])
    expect(batches.map(({ upto }) => upto).filter(upto => upto <= 15_000)).toEqual(past[0])
    expect(batches.at(-1)?.upto).toBe(log.head)
    feed.stop()
  })

  it('says at once that the past was sent where none is kept, and nothing to a reader that is gone', async () => {
    const { feed, say, take } = feedOf({ maxEntries: 100 })
    const past = vi.fn()
    say('g_a', 1000)
    feed.hurry(true)
    feed.open(900, past)
    expect(past).toHaveBeenCalledTimes(1)
    feed.close()
    feed.open(950, past)
    feed.close()
    await take(100)
    expect(past).toHaveBeenCalledTimes(1)
    feed.open(1000, past)
    // All of the past goes before it could be sent.
    say('g_b', 200)
    expect(seqsOf(await take(100))).toEqual(range(1101, 1200))
    expect(past).toHaveBeenCalledTimes(2)
    feed.stop()
  })

  it('begins after the entry that its reader knows, and tells it what goes on there', async () => {
    const { feed, log, say, take } = feedOf()
    say('g_a', 100)
    feed.hurry(true)
    const past = vi.fn()
    feed.open(60, past, 60)
    expect([feed.doneTo, past.mock.calls.length]).toEqual([60, 1])
    expect(seqsOf(await take(100))).toEqual(range(61, 100))
    feed.close()
    feed.open(80, past, log.head)
    expect([feed.doneTo, past.mock.calls.length]).toEqual([log.head, 2])
    expect(await take(100)).toEqual([])
    feed.stop()
  })
})
