import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { PasReport } from '../../../health/shm/report.ts'
import type { TreeStanding } from '../../../health/shm/tree-standing.ts'
import { StructureFeed } from '../../../web/structure/structure-feed.ts'
import { pasReport } from '../../support/pas-report.ts'

const STANDING: TreeStanding = {
  root: '/a',
  state: 'ready',
  watching: true,
  progress: null,
  scanned_at: 1000,
  trouble: null,
  history: [],
}

/** A server that answers what it is told to, at once or when it is let. */
class Server {
  asked = 0
  scans = 0
  seen = true
  report: PasReport | null = pasReport()
  standing = STANDING
  failure: string | null = null
  refusal: string | null = null
  held: PromiseWithResolvers<void> | null = null

  ask = async () => {
    this.asked++
    await this.held?.promise
    if (this.failure !== null) throw new Error(this.failure)
    return { report: structuredClone(this.report), standing: structuredClone(this.standing) }
  }

  scan = async () => {
    this.scans++
    if (this.refusal !== null) throw new Error(this.refusal)
  }

  isSeen = () => this.seen
}

describe('what is asked of a source tree', () => {
  let server: Server
  let feed: StructureFeed
  let stop: () => void

  beforeEach(() => {
    vi.useFakeTimers()
    server = new Server()
    feed = new StructureFeed(server)
    stop = () => {}
  })
  afterEach(() => {
    stop()
    vi.useRealTimers()
  })

  const begin = async () => {
    stop = feed.start()
    await vi.advanceTimersByTimeAsync(0)
  }

  it('is asked at once and every two seconds, until it ends', async () => {
    await begin()
    expect(server.asked).toBe(1)
    expect(feed.report.value?.score).toBe(pasReport().score)
    await vi.advanceTimersByTimeAsync(1999)
    expect(server.asked).toBe(1)
    await vi.advanceTimersByTimeAsync(4001)
    expect(server.asked).toBe(4)
    stop()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(server.asked).toBe(4)
  })

  it('is asked every half second while it is scanned', async () => {
    server.standing = { ...STANDING, state: 'scanning' }
    await begin()
    expect(feed.isScanning).toBe(true)
    await vi.advanceTimersByTimeAsync(1500)
    expect(server.asked).toBe(4)
    server.standing = { ...STANDING, progress: { phase: 'read', done: 1, total: 9 } }
    await vi.advanceTimersByTimeAsync(1000)
    expect(server.asked).toBe(6)
    server.standing = STANDING
    await vi.advanceTimersByTimeAsync(500)
    expect(feed.isScanning).toBe(false)
    await vi.advanceTimersByTimeAsync(1999)
    expect(server.asked).toBe(7)
  })

  it('is not asked while nobody sees it, and at once when somebody does', async () => {
    await begin()
    server.seen = false
    await vi.advanceTimersByTimeAsync(60_000)
    expect(server.asked).toBe(1)
    server.seen = true
    await feed.look()
    expect(server.asked).toBe(2)
    await vi.advanceTimersByTimeAsync(2000)
    expect(server.asked).toBe(3)
  })

  it('keeps a report that did not change, so that nothing is drawn anew', async () => {
    await begin()
    const first = feed.report.value
    await vi.advanceTimersByTimeAsync(2000)
    expect(feed.report.value).toBe(first)
    server.standing = { ...STANDING, scanned_at: 1001 }
    await vi.advanceTimersByTimeAsync(2000)
    expect(feed.report.value).not.toBe(first)
    const second = feed.report.value
    server.report = pasReport({ ids: { ...pasReport().ids, tree: 'other' } })
    await vi.advanceTimersByTimeAsync(2000)
    expect(feed.report.value).not.toBe(second)
    server.report = null
    await vi.advanceTimersByTimeAsync(2000)
    expect(feed.report.value).toBeNull()
  })

  it('keeps what was known while the server cannot be asked, says why, and goes on asking', async () => {
    await begin()
    const known = feed.report.value
    server.failure = 'Tokenscope is not answering.'
    await vi.advanceTimersByTimeAsync(2000)
    expect(feed.trouble.value).toBe(server.failure)
    expect(feed.report.value).toBe(known)
    expect(feed.standing.value).toEqual(STANDING)
    server.failure = null
    await vi.advanceTimersByTimeAsync(2000)
    expect(feed.trouble.value).toBeNull()
  })

  it('scans when it is told to, and asks at once how that goes', async () => {
    await begin()
    server.standing = { ...STANDING, state: 'scanning' }
    await feed.scan()
    expect([server.scans, server.asked]).toEqual([1, 2])
    expect(feed.isScanning).toBe(true)
  })

  it('asks again after a scan that was ordered while an answer was under way', async () => {
    server.held = Promise.withResolvers()
    await begin()
    await feed.scan()
    expect(server.asked).toBe(1)
    server.standing = { ...STANDING, state: 'scanning' }
    server.held.resolve()
    await vi.advanceTimersByTimeAsync(0)
    expect(server.asked).toBe(2)
    expect(feed.isScanning).toBe(true)
  })

  it('says why it is not scanned', async () => {
    await begin()
    server.refusal = 'No source tree is scored. Start Tokenscope with --shm DIR.'
    await feed.scan()
    expect(feed.trouble.value).toBe(server.refusal)
    expect(server.asked).toBe(1)
  })
})
