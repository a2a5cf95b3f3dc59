import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { JSON_SUBPROTOCOL } from '../../broadcast/protocol.ts'
import { FakeViewer, isEntry, messagesIn } from '../support/hub-socket.ts'
import { expectWhole, newLog, range, watching } from '../support/hub-watching.ts'

const KIB = 1024
const WINDOW = 256 * KIB

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('the window', () => {
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant('say' as const), count: fc.nat(40), length: fc.nat(8000) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('shout' as const), length: fc.nat(400_000) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('answer' as const), count: fc.nat(4) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(6000) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('clog' as const), bytes: fc.nat(128 * KIB) }) },
  )

  it('holds 256 KiB at most, and everything is delivered or said to be a gap', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), steps => {
        const { log, say, viewer, socket } = watching()
        /** Bytes of snapshots and of gaps sent, by where in the stream they ended. */
        const aside: { end: number; bytes: number }[] = []
        socket.onFrame = frame => {
          const isData = messagesIn(frame).some(isEntry)
          if (!isData) aside.push({ end: socket.sent + frame.length, bytes: frame.length })
          else {
            const free = aside
              .filter(({ end }) => end > socket.acked)
              .reduce((sum, { bytes }) => sum + bytes, 0)
            const before = socket.sent - socket.acked - free
            if (before > 0) expect(before + frame.length).toBeLessThanOrEqual(WINDOW)
            else if (frame.length > WINDOW) expect(messagesIn(frame).length).toBe(1)
          }
        }
        for (const act of steps) {
          if (act.do === 'say') say(act.count, act.length)
          else if (act.do === 'shout') say(1, act.length)
          else if (act.do === 'answer') socket.answer(act.count)
          else if (act.do === 'tick') viewer.tick()
          else if (act.do === 'wait') vi.advanceTimersByTime(act.ms)
          else socket.bufferedAmount = act.bytes
          viewer.pump()
        }
        socket.bufferedAmount = 0
        if (socket.closes.length > 0) return
        viewer.settle()
        expectWhole(socket, 2, log.head)
      }),
      { numRuns: 150 },
    )
  })

  it('lets a single entry that is larger through once nothing is outstanding', () => {
    const { log, say, viewer, socket } = watching()
    say(1)
    say(1, 500_000)
    say(1)
    viewer.pump()
    expect(viewer.cursor).toBe(3)
    viewer.tick()
    socket.answer(1)
    expect(viewer.cursor).toBe(4)
    viewer.settle()
    expect(socket.seqs).toEqual(range(3, log.head))
  })

  it('leaves a socket alone that holds much already', () => {
    const { log, say, viewer, socket } = watching()
    socket.bufferedAmount = 64 * KIB
    say(5)
    viewer.pump()
    expect(socket.frames).toEqual([])
    socket.bufferedAmount = 0
    viewer.tick()
    expect(socket.seqs).toEqual(range(3, log.head))
  })

  it('is all that a stalled viewer is ever sent, however much is appended', () => {
    const { say, viewer, socket } = watching()
    for (let round = 0; round < 100; round++) {
      say(100, 500)
      viewer.pump()
      if (round % 10 === 0) {
        vi.advanceTimersByTime(500)
        viewer.tick()
      }
    }
    expect(socket.sent - socket.acked).toBeLessThanOrEqual(WINDOW)
    expect(viewer.skips).toEqual([])
    expect(socket.closes).toEqual([])
  })
})

describe('a viewer that asks more than it reads', () => {
  it('is not read from while much waits for it, and is again once it has taken it', () => {
    const { viewer, socket } = watching()
    const pong = { type: 'pong', epoch: 'e.1', seq: 1 } as const
    socket.bufferedAmount = WINDOW
    viewer.tell(pong)
    expect(socket.isPaused).toBe(false)
    socket.bufferedAmount = WINDOW + 1
    viewer.tell(pong)
    expect(socket.isPaused).toBe(true)
    viewer.tick()
    expect(socket.isPaused).toBe(true)
    socket.bufferedAmount = 0
    viewer.tick()
    expect(socket.isPaused).toBe(false)
  })

  it('is given no second snapshot before it has read the first, and then the one that it asked for last', () => {
    const { log, say } = newLog()
    say(100, 10_000)
    const viewer = new FakeViewer(log)
    const { socket } = viewer
    for (let round = 0; round < 50; round++) {
      say(1, 10, 'g_a')
      viewer.subscribe([round % 2 === 0 ? 'g_a' : 'g_b'])
      viewer.tick()
    }
    const snapshots = () =>
      socket.messages.flatMap(one => (one.type === 'snapshot' && one.last ? [one.upto] : []))
    expect(snapshots()).toEqual([103])
    viewer.settle()
    expect(snapshots()).toEqual([103, log.head])
    expect(socket.entries).toEqual([])
    say(1, 10, 'g_a')
    say(1, 10, 'g_b')
    viewer.settle()
    expect(socket.entries.map(({ generation }) => generation)).toEqual(['g_b'])
  })
})

describe('a viewer that asks for something else while it cannot take it', () => {
  it('is said to have been served nothing of that yet', () => {
    const { log, say, viewer, socket } = watching()
    say(10)
    viewer.pump()
    expect(viewer.viewer.served).toBe(log.head)
    socket.bufferedAmount = 1000 * KIB
    viewer.subscribe(['g_b'], { epoch: log.epoch, seq: 3 })
    expect(viewer.viewer.served).toBe(0)
    socket.bufferedAmount = 0
    viewer.tick()
    expect(viewer.viewer.served).toBe(log.head)
  })
})

describe('a slow viewer', () => {
  it('more than 4 MiB behind gets one gap and a snapshot, then entries after it', () => {
    const { log, say, viewer, socket } = watching()
    say(30, 10_000)
    viewer.pump()
    const served = viewer.cursor
    say(600, 10_000)
    expect(log.bytesAfter(served, JSON_SUBPROTOCOL)).toBeGreaterThan(4 * KIB * KIB)
    viewer.pump()
    expect(viewer.skips).toEqual([])
    viewer.settle()
    const { head } = log
    expect(viewer.skips).toEqual([{ reason: 'slow_consumer', entries: head - served }])
    expect(socket.messages.filter(({ type }) => type === 'gap')).toEqual([
      { type: 'gap', from: served + 1, to: head, reason: 'slow_consumer' },
    ])
    say(3)
    viewer.pump()
    viewer.settle()
    expect(socket.seqs).toEqual([...range(3, served), ...range(head + 1, head + 3)])
    expectWhole(socket, 2, log.head)
    expect(viewer.skips.length).toBe(1)
  })

  it('has what it is moved past counted as skipped, and not as late', () => {
    const { log, say, viewer, socket } = watching()
    say(1000, 6000)
    viewer.pump()
    viewer.settle()
    say(3)
    viewer.pump()
    const late = viewer.meter.observations('tokenscope_pipeline_latency_seconds').length
    expect(late).toBe(socket.entries.length)
    expect(viewer.skips).toEqual([{ reason: 'slow_consumer', entries: log.head - 2 - late }])
  })

  it('less than 4 MiB behind gets everything', () => {
    const { log, say, viewer, socket } = watching()
    say(380, 10_000)
    expect(log.bytesAfter(2, JSON_SUBPROTOCOL)).toBeLessThan(4 * KIB * KIB)
    viewer.settle()
    expect(socket.seqs).toEqual(range(3, log.head))
    expect(viewer.skips).toEqual([])
  })

  it('more than 10 s behind gets one gap and a snapshot', () => {
    const { log, say, viewer, socket } = watching()
    say(100, 5000)
    viewer.pump()
    const served = viewer.cursor
    expect(served).toBeLessThan(log.head)
    vi.advanceTimersByTime(10_001)
    viewer.settle()
    expect(viewer.skips).toEqual([{ reason: 'slow_consumer', entries: log.head - served }])
    say(3)
    viewer.settle()
    expectWhole(socket, 2, log.head)
    expect(viewer.skips.length).toBe(1)
  })

  it('exactly 10 s behind gets everything', () => {
    const { log, say, viewer, socket } = watching()
    say(100, 5000)
    viewer.pump()
    vi.advanceTimersByTime(10_000)
    viewer.settle()
    expect(socket.seqs).toEqual(range(3, log.head))
    expect(viewer.skips).toEqual([])
  })

  it('that the ring has overtaken gets a gap and a snapshot', () => {
    const { log, say, viewer, socket } = watching({ maxEntries: 50 })
    say(30, 20_000)
    viewer.pump()
    say(100)
    viewer.settle()
    expect(viewer.skips.map(({ reason }) => reason)).toEqual(['slow_consumer'])
    expectWhole(socket, 2, log.head)
  })

  it('is not behind for having had nothing to read', () => {
    const { log, say, viewer, socket } = watching()
    vi.advanceTimersByTime(3_600_000)
    say(1)
    viewer.pump()
    expect(socket.seqs).toEqual([log.head])
    expect(viewer.skips).toEqual([])
  })
})

describe('a silent viewer', () => {
  /** Lets seconds pass, as the hub does. */
  const pass = (viewer: FakeViewer, seconds: number, answering = false) => {
    for (let second = 0; second < seconds; second++) {
      vi.advanceTimersByTime(1000)
      viewer.tick()
      if (answering) viewer.socket.answer()
    }
  }

  it('is closed with 4008 after 60 s with data outstanding, and cut if it does not answer that either', () => {
    const { say, viewer, socket } = watching()
    say(1)
    viewer.pump()
    pass(viewer, 60)
    expect(socket.closes).toEqual([])
    pass(viewer, 1)
    expect(socket.closes).toEqual([4008])
    expect(socket.acts.some(({ kind }) => kind === 'terminate')).toBe(false)
    pass(viewer, 1)
    expect(socket.acts.filter(({ kind }) => kind === 'terminate').length).toBe(1)
  })

  it('is left in peace while nothing is outstanding', () => {
    const { viewer, socket } = watching()
    pass(viewer, 300, true)
    expect(socket.closes).toEqual([])
  })

  it('is closed with 4008 after 60 s if it answers no ping, though it was sent nothing', () => {
    const { viewer, socket } = watching()
    pass(viewer, 61)
    expect(socket.closes).toEqual([])
    pass(viewer, 1)
    expect(socket.closes).toEqual([4008])
  })

  it('is left in peace once it has acknowledged what moved no seq, too', () => {
    const { viewer, socket } = watching()
    for (let second = 0; second < 3; second++) {
      viewer.tell({ type: 'pong', epoch: 'a.1', seq: 2 })
      pass(viewer, 1)
      socket.answer()
    }
    pass(viewer, 300, true)
    expect(socket.closes).toEqual([])
  })

  it('has its minute counted from when there was something to answer', () => {
    const { say, viewer, socket } = watching()
    pass(viewer, 59, true)
    say(1)
    viewer.pump()
    pass(viewer, 60)
    expect(socket.closes).toEqual([])
    pass(viewer, 1)
    expect(socket.closes).toEqual([4008])
  })

  it('is heard with each pong', () => {
    const { say, viewer, socket } = watching()
    for (let round = 0; round < 5; round++) {
      say(200, 5000)
      viewer.pump()
      pass(viewer, 50)
      socket.answer(1)
    }
    expect(socket.closes).toEqual([])
  })

  it('is not silent for answering only the newest of several pings', () => {
    const { viewer, socket } = watching()
    // A page that was busy for three seconds, while it was told something each second.
    for (let second = 0; second < 3; second++) {
      viewer.tell({ type: 'pong', epoch: 'a.1', seq: 2 })
      pass(viewer, 1)
    }
    for (let second = 0; second < 120; second++) {
      while (socket.unanswered.length > 1) socket.unanswered.shift()
      socket.answer()
      pass(viewer, 1)
    }
    expect(socket.closes).toEqual([])
  })
})
