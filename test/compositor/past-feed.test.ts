import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import type { PastBatch } from '../../compositor/messages.ts'
import { PastFeed } from '../../compositor/past-feed.ts'
import { StandInPast } from '../support/stand-in-past.ts'

function feedOf(count: number, seq = 0) {
  const messages = Array.from({ length: count }, (_, i) => Uint8Array.of(i))
  const past = new StandInPast(messages, seq)
  const batches: PastBatch[] = []
  const said: string[] = []
  const feed = new PastFeed({
    past,
    send: batch => batches.push(batch),
    say: (level, text) => said.push(`${level}: ${text}`),
  })
  /** Is done with each batch as it comes, until the end. */
  const take = async (ended: { mock: { calls: unknown[] } }) => {
    for (let done = 0; ended.mock.calls.length === 0; await turn()) {
      for (; done < batches.length; done++) feed.done()
    }
  }
  return { past, batches, said, feed, take }
}

/** Many turns, in which all happens that can. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await turn()
}

describe('the feed of what was recorded', () => {
  it('hands out all of it in order, the last batch with the seq that it goes up to', async () => {
    const { past, batches, feed, take } = feedOf(20, 7)
    const ended = vi.fn()
    feed.open(ended)
    expect(feed.active).toBe(true)
    await take(ended)
    expect(ended.mock.calls).toEqual([[7]])
    expect(batches.map(({ bytes, upto }) => [...bytes, upto])).toEqual([
      ...Array.from({ length: 20 }, (_, i) => [i, 0]),
      [7],
    ])
    expect([past.opened, past.closed, feed.active]).toEqual([1, 1, false])
  })

  it('hands out two batches at most that are not done with, and ends when all are', async () => {
    const { batches, feed } = feedOf(3)
    const ended = vi.fn()
    feed.open(ended)
    for (let done = 0; done < 4; done++) {
      await settle()
      expect(batches.length).toBe(Math.min(4, done + 2))
      expect(ended).not.toHaveBeenCalled()
      feed.done()
    }
    await settle()
    expect(ended).toHaveBeenCalledTimes(1)
  })

  it('begins anew for each reader, and says nothing to one that is gone', async () => {
    const { past, batches, feed, take } = feedOf(5)
    const gone = vi.fn()
    feed.open(gone)
    await settle()
    feed.close()
    const ended = vi.fn()
    batches.length = 0
    feed.open(ended)
    await take(ended)
    expect(batches.length).toBe(6)
    expect(gone).not.toHaveBeenCalled()
    expect([past.opened, past.closed]).toEqual([2, 2])
  })

  it('is at its end at once where nothing was recorded, and after three readers that ended over it', async () => {
    const nothing = new PastFeed({ past: null, send: () => {}, say: () => {} })
    const ended = vi.fn()
    nothing.open(ended)
    expect(ended.mock.calls).toEqual([[0]])
    const { past, batches, said, feed, take } = feedOf(5, 9)
    const endOver = async () => {
      feed.open(() => {})
      await settle()
      feed.close()
    }
    for (let round = 0; round < 2; round++) {
      await endOver()
      await endOver()
      // One that gets all of it says that nothing is wrong with it.
      batches.length = 0
      const whole = vi.fn()
      feed.open(whole)
      await take(whole)
    }
    expect(said).toEqual([])
    for (let i = 0; i < 3; i++) await endOver()
    expect(said).toEqual([
      expect.stringMatching(/^warn: .* is not shown until Tokenscope restarts: .* 3 times/),
    ])
    const opened = past.opened
    feed.open(ended)
    expect([ended.mock.calls.at(-1), past.opened]).toEqual([[0], opened])
  })
})
