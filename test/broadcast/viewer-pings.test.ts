import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeViewer, isEntry, messagesIn } from '../support/hub-socket.ts'
import { newLog, range, watching } from '../support/hub-watching.ts'

const KIB = 1024

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('pings', () => {
  it('carry the seq up to which the viewer was served, at least every 64 KiB', () => {
    const { log, say, viewer, socket } = watching()
    say(200, 2000)
    viewer.pump()
    socket.answer()
    viewer.settle()
    let bytes = 0
    let served = 2
    for (const act of socket.acts) {
      if (act.kind === 'frame') {
        bytes += act.bytes.length
        expect(bytes).toBeLessThanOrEqual(64 * KIB)
        served = messagesIn(act.bytes).filter(isEntry).at(-1)?.seq ?? served
      } else if (act.kind === 'ping') {
        expect(act.payload).toBe(String(served))
        bytes = 0
      }
    }
    expect(served).toBe(log.head)
  })

  it('come between the parts of a snapshot, too, so that nobody on a slow line is taken for silent', () => {
    const { log, say } = newLog()
    say(20, 60 * KIB)
    const viewer = new FakeViewer(log)
    const { socket } = viewer
    viewer.subscribe()
    const parts = socket.frames.length
    expect(parts).toBeGreaterThan(15)
    expect(socket.pings).toEqual([...Array.from({ length: parts - 1 }, () => '0'), String(log.head)])
    while (socket.unanswered.length > 0) {
      vi.advanceTimersByTime(40_000)
      viewer.tick()
      socket.answer(2)
    }
    expect(socket.closes).toEqual([])
    // What it had not been served with then tells nothing of how far behind it is.
    expect(new Set(viewer.lags)).toEqual(new Set([0]))
  })

  it('leave somebody who takes a snapshot slowly, but takes it, what comes after it', () => {
    const { log, say } = newLog()
    say(20, 60 * KIB)
    const viewer = new FakeViewer(log)
    const { socket } = viewer
    viewer.subscribe()
    const upto = log.head
    say(5)
    viewer.pump()
    while (socket.unanswered.length > 0) {
      vi.advanceTimersByTime(4000)
      socket.answer(1)
    }
    expect(socket.seqs).toEqual(range(upto + 1, log.head))
    expect(viewer.skips).toEqual([])
  })

  it('tell nothing of how far behind somebody is who has not subscribed', () => {
    const { log, say } = newLog()
    say(10)
    const viewer = new FakeViewer(log)
    viewer.tick()
    viewer.socket.answer()
    expect(viewer.lags).toEqual([])
  })

  it('come every second when nothing happens', () => {
    const { log, viewer, socket } = watching()
    for (let second = 1; second <= 5; second++) {
      vi.advanceTimersByTime(1000)
      viewer.tick()
      expect(socket.pings).toEqual(Array.from({ length: second }, () => String(log.head)))
      socket.answer()
    }
  })

  it('come every second while none is answered', () => {
    const { viewer, socket } = watching()
    for (let second = 0; second < 5; second++) viewer.tick()
    expect(socket.pings.length).toBe(5)
  })

  it('are not heaped up: a client of ws that wakes to over 60 cuts itself off', () => {
    const { viewer, socket } = watching()
    for (let second = 0; second < 58; second++) {
      vi.advanceTimersByTime(1000)
      viewer.tick()
    }
    expect(socket.pings.length).toBe(50)
    socket.answer(1)
    viewer.tick()
    expect(socket.pings.length).toBe(51)
  })

  it('are not sent on a socket that is closing', () => {
    const { viewer, socket } = watching()
    socket.close(1000)
    socket.acts.length = 0
    viewer.tick()
    expect(socket.pings).toEqual([])
  })
})

describe('pongs', () => {
  it('release what waits, and tell how far behind the viewer was', () => {
    const { log, say, viewer, socket } = watching()
    say(100, 10_000)
    viewer.pump()
    const served = viewer.cursor
    expect(served).toBeLessThan(log.head)
    const first = Number(socket.unanswered[0]?.payload)
    socket.answer(1)
    expect(viewer.cursor).toBeGreaterThan(served)
    expect(viewer.lags).toEqual([log.head - first])
    viewer.settle()
    expect(socket.seqs).toEqual(range(3, log.head))
  })

  it('may answer only the newest of several pings', () => {
    const { log, say, viewer, socket } = watching()
    say(500, 2000)
    viewer.pump()
    const served = viewer.cursor
    expect(served).toBeLessThan(log.head)
    expect(socket.unanswered.length).toBeGreaterThan(1)
    while (socket.unanswered.length > 1) socket.unanswered.shift()
    socket.answer(1)
    expect(viewer.cursor).toBeGreaterThan(served)
    viewer.settle()
    expect(socket.seqs).toEqual(range(3, log.head))
  })

  it.each(['', 'hello', '-1', 'NaN'])('that answer no ping of ours acknowledge nothing: %j', payload => {
    const { say, viewer, socket } = watching()
    say(100, 10_000)
    viewer.pump()
    const served = viewer.cursor
    socket.emit('pong', Buffer.from(payload))
    expect(viewer.cursor).toBe(served)
    expect(viewer.lags).toEqual([])
  })

  it.each(['Infinity', '1e999', '99999999999'])('from beyond the head are no lag below zero: %j', payload => {
    const { log, viewer, socket } = watching()
    viewer.tick()
    socket.emit('pong', Buffer.from(payload))
    for (const lag of viewer.lags) {
      expect(lag).toBeGreaterThanOrEqual(0)
      expect(lag).toBeLessThanOrEqual(log.head)
    }
  })
})

describe('a ping that falls due', () => {
  it('goes out with the next frame, and once', () => {
    const { log, say, viewer, socket } = watching()
    viewer.viewer.tick(log.head)
    expect(socket.acts).toEqual([])
    say(3)
    viewer.pump()
    viewer.viewer.pingIfDue()
    expect(socket.acts.map(({ kind }) => kind)).toEqual(['frame', 'ping'])
    expect(socket.pings).toEqual([String(log.head)])
    socket.answer()
    say(1)
    viewer.pump()
    expect(socket.pings.length).toBe(1)
  })

  it('goes out by itself where no frame comes', () => {
    const { log, viewer, socket } = watching()
    viewer.viewer.tick(log.head)
    viewer.viewer.pingIfDue()
    viewer.viewer.pingIfDue()
    expect(socket.pings).toEqual([String(log.head)])
  })
})

describe('a viewer that is not held', () => {
  it('is left to the next round by its pongs and its turn', () => {
    const { log, say, viewer, socket } = watching()
    viewer.tick()
    say(3)
    socket.answer()
    viewer.viewer.tick(log.head)
    expect(socket.frames).toEqual([])
    viewer.pump()
    expect(socket.seqs).toEqual([3, 4, 5])
  })

  it('is served up to the target and not beyond', () => {
    const { log, say, viewer, socket } = watching()
    say(10)
    viewer.viewer.pump(7)
    expect(socket.seqs).toEqual(range(3, 7))
    viewer.viewer.pump(5)
    expect(viewer.cursor).toBe(7)
    viewer.viewer.pump(log.head)
    expect(socket.seqs).toEqual(range(3, 12))
  })
})
