import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { SnapshotMessage } from '../../broadcast/protocol.ts'
import { TokenLog, type TokenLogOptions } from '../../broadcast/token-log.ts'
import { mapPosition } from '../../compositor/map.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { type FakeSocket, fakeViewer, isEntry, messagesIn } from '../support/hub-socket.ts'

const KIB = 1024
const WINDOW = 256 * KIB
const KINDS = ['g_a', 'g_b'] as const

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** A log in which both generations run, and how to append tokens to it. */
function newLog(options: Partial<TokenLogOptions> = {}) {
  const log = new TokenLog({ place: mapPosition, ...options })
  for (const generation of KINDS) log.append(stateEvent(generation), 0)
  let index = 0
  const say = (count: number, length = 10, generation: string = 'g_a') => {
    for (let i = 0; i < count; i++) log.append(tokenEvent(generation, index++, 'x'.repeat(length)), 0)
  }
  return { log, say }
}

/** A viewer at the head that has acknowledged everything so far. */
function watching(options: Partial<TokenLogOptions> = {}) {
  const { log, say } = newLog(options)
  const { viewer, socket, source } = fakeViewer(log)
  viewer.subscribe(null, null)
  socket.answer()
  socket.acts.length = 0
  source.lags.length = 0
  return { log, say, viewer, socket, source }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
}

function typesOf(socket: FakeSocket): string[] {
  return socket.messages.map(({ type }) => type)
}

/** Acknowledges and ticks until nothing more comes. */
function settle(viewer: { tick(): void; cursor: number }, socket: FakeSocket): void {
  for (let quiet = 0; quiet < 2; quiet++) {
    const before = socket.frames.length
    viewer.tick()
    socket.answer()
    if (socket.frames.length > before) quiet = -1
  }
}

/** That entries came once, in order, and that what did not come was said to be a gap with a snapshot. */
function expectWhole(socket: FakeSocket, from: number, head: number): void {
  let at = from
  let gap: number | null = null
  for (const message of socket.messages) {
    if (message.type === 'gap') {
      expect(gap).toBeNull()
      expect([message.from, message.reason]).toEqual([at + 1, 'slow_consumer'])
      gap = message.to as number
    } else if (message.type === 'snapshot') {
      expect(message.upto).toBe(gap)
      if (!message.last) continue
      at = message.upto
      gap = null
    } else if (isEntry(message)) {
      expect([gap, message.seq]).toEqual([null, at + 1])
      at = message.seq
    }
  }
  expect([gap, at]).toEqual([null, head])
}

describe('a viewer that subscribes', () => {
  it('gets nothing before it does', () => {
    const { log, say } = newLog()
    const { viewer, socket } = fakeViewer(log)
    say(5)
    viewer.pump()
    expect(socket.acts).toEqual([])
    expect(viewer.cursor).toBe(0)
  })

  it('gets a snapshot first, then entries after it', () => {
    const { log, say } = newLog()
    say(3, 2)
    const { viewer, socket } = fakeViewer(log)
    viewer.subscribe(null, null)
    say(2)
    viewer.pump()
    expect(typesOf(socket)).toEqual(['snapshot', 'token_activation', 'token_activation'])
    const snapshot = socket.messages[0] as SnapshotMessage
    expect(snapshot).toMatchObject({ upto: 5, part: 0, last: true })
    expect(snapshot.generations.map(({ text }) => text)).toEqual(['xxxxxx', ''])
    expect(socket.seqs).toEqual([6, 7])
    expect(viewer.cursor).toBe(7)
  })

  it('gets only the generations it named, with holes in seq and no gap', () => {
    const { log, say } = newLog()
    const { viewer, socket } = fakeViewer(log)
    viewer.subscribe(new Set(['g_b']), null)
    for (let i = 0; i < 3; i++) {
      say(1, 10, 'g_a')
      say(1, 10, 'g_b')
      viewer.pump()
    }
    say(1, 10, 'g_a')
    viewer.pump()
    expect(socket.seqs).toEqual([4, 6, 8])
    expect(typesOf(socket)).not.toContain('gap')
    expect(viewer.cursor).toBe(log.head)
  })

  it('may subscribe anew, with another filter', () => {
    const { say, viewer, socket } = watching()
    viewer.subscribe(new Set(['g_b']), null)
    say(1, 10, 'g_a')
    say(1, 10, 'g_b')
    viewer.pump()
    expect(typesOf(socket)).toEqual(['snapshot', 'token_activation'])
    expect(socket.entries[0]?.generation).toBe('g_b')
  })
})

describe('since', () => {
  it('gives what was missed, in order, once each, without a snapshot', () => {
    const { log, say } = newLog()
    say(500, 50)
    const { viewer, socket } = fakeViewer(log)
    viewer.subscribe(null, { epoch: log.epoch, seq: 100 })
    settle(viewer, socket)
    expect(socket.seqs).toEqual(range(101, log.head))
    expect(typesOf(socket)).not.toContain('snapshot')
  })

  it('at the head gives nothing but what comes', () => {
    const { log, say } = newLog()
    const { viewer, socket } = fakeViewer(log)
    viewer.subscribe(null, { epoch: log.epoch, seq: log.head })
    expect(socket.frames).toEqual([])
    say(1)
    viewer.pump()
    expect(socket.seqs).toEqual([log.head])
  })

  it('from 0 gives the whole log', () => {
    const { log } = newLog()
    const { viewer, socket } = fakeViewer(log)
    viewer.subscribe(null, { epoch: log.epoch, seq: 0 })
    expect(socket.seqs).toEqual([1, 2])
  })

  it('further back than 4 MiB gives everything that is kept, without a gap', () => {
    const { log, say } = newLog()
    say(700, 10_000)
    expect(log.bytesAfter(0)).toBeGreaterThan(4 * KIB * KIB)
    const { viewer, socket, source } = fakeViewer(log)
    viewer.subscribe(null, { epoch: log.epoch, seq: 0 })
    settle(viewer, socket)
    expect(socket.seqs).toEqual(range(1, log.head))
    expect(source.skips).toEqual([])
  })

  it('older than 10 s gives everything that is kept, without a gap', () => {
    const { log, say } = newLog()
    say(50)
    vi.advanceTimersByTime(3_600_000)
    const { viewer, socket } = fakeViewer(log)
    viewer.subscribe(null, { epoch: log.epoch, seq: 1 })
    expect(socket.seqs).toEqual(range(2, log.head))
  })

  it('that is no longer kept is a gap, expired, then a snapshot, then entries after it', () => {
    const { log, say } = newLog({ maxEntries: 10 })
    say(30)
    const { viewer, socket, source } = fakeViewer(log)
    viewer.subscribe(null, { epoch: log.epoch, seq: 5 })
    const head = log.head
    expect(socket.messages[0]).toEqual({ type: 'gap', from: 6, to: head, reason: 'expired' })
    expect(socket.messages[1]).toMatchObject({ type: 'snapshot', upto: head, last: true })
    expect(source.skips).toEqual([{ reason: 'expired', entries: head - 5 }])
    say(2)
    viewer.pump()
    expect(socket.seqs).toEqual([head + 1, head + 2])
  })

  it.each([0, 1])('is kept to the last entry: %d before the ring', before => {
    const { log, say } = newLog({ maxEntries: 10 })
    say(30)
    const { viewer, socket } = fakeViewer(log)
    viewer.subscribe(null, { epoch: log.epoch, seq: log.tail - 1 - before })
    if (before === 0) expect(socket.seqs).toEqual(range(log.tail, log.head))
    else expect(typesOf(socket)).toEqual(['gap', 'snapshot'])
  })

  it.each([
    ['another epoch', (log: TokenLog) => ({ epoch: 'other.1', seq: log.head })],
    ['a seq beyond the head', (log: TokenLog) => ({ epoch: log.epoch, seq: log.head + 1 })],
  ])('of %s is a gap from null to null, then a snapshot', (_what, since) => {
    const { log, say } = newLog()
    const { viewer, socket, source } = fakeViewer(log)
    viewer.subscribe(null, since(log))
    expect(socket.messages[0]).toEqual({ type: 'gap', from: null, to: null, reason: 'epoch' })
    expect(socket.messages[1]).toMatchObject({ type: 'snapshot', upto: 2, last: true })
    expect(source.skips).toEqual([{ reason: 'epoch', entries: 0 }])
    say(1)
    viewer.pump()
    expect(socket.seqs).toEqual([3])
  })

  it('that makes no progress for 10 s is given up', () => {
    const { log, say } = newLog()
    say(100, 10_000)
    const { viewer, socket, source } = fakeViewer(log)
    viewer.subscribe(null, { epoch: log.epoch, seq: 0 })
    vi.advanceTimersByTime(10_001)
    expect(source.skips).toEqual([])
    socket.answer()
    expect(source.skips.map(({ reason }) => reason)).toEqual(['slow_consumer'])
    settle(viewer, socket)
    expectWhole(socket, 0, log.head)
  })
})

describe('pings', () => {
  it('carry the seq up to which the viewer was served, at least every 64 KiB', () => {
    const { log, say, viewer, socket } = watching()
    say(200, 2000)
    viewer.pump()
    socket.answer()
    settle(viewer, socket)
    let bytes = 0
    let served = 2
    for (const act of socket.acts) {
      if (act.kind === 'frame') {
        expect(bytes).toBeLessThan(64 * KIB)
        bytes += act.bytes.length
        served = messagesIn(act.bytes).filter(isEntry).at(-1)?.seq ?? served
      } else if (act.kind === 'ping') {
        expect(act.payload).toBe(String(served))
        bytes = 0
      }
    }
    expect(served).toBe(log.head)
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
    const { log, say, viewer, socket, source } = watching()
    say(100, 10_000)
    viewer.pump()
    const served = viewer.cursor
    expect(served).toBeLessThan(log.head)
    const first = Number(socket.unanswered[0]?.payload)
    socket.answer(1)
    expect(viewer.cursor).toBeGreaterThan(served)
    expect(source.lags).toEqual([log.head - first])
    settle(viewer, socket)
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
    settle(viewer, socket)
    expect(socket.seqs).toEqual(range(3, log.head))
  })

  it.each(['', 'hello', '-1', 'NaN'])('that answer no ping of ours acknowledge nothing: %j', payload => {
    const { say, viewer, socket, source } = watching()
    say(100, 10_000)
    viewer.pump()
    const served = viewer.cursor
    socket.emit('pong', Buffer.from(payload))
    expect(viewer.cursor).toBe(served)
    expect(source.lags).toEqual([])
  })

  it.each(['Infinity', '1e999', '99999999999'])('from beyond the head are no lag below zero: %j', payload => {
    const { log, viewer, socket, source } = watching()
    viewer.tick()
    socket.emit('pong', Buffer.from(payload))
    for (const lag of source.lags) {
      expect(lag).toBeGreaterThanOrEqual(0)
      expect(lag).toBeLessThanOrEqual(log.head)
    }
  })
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
        settle(viewer, socket)
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
    settle(viewer, socket)
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
    const { say, viewer, socket, source } = watching()
    for (let round = 0; round < 100; round++) {
      say(100, 500)
      viewer.pump()
      if (round % 10 === 0) {
        vi.advanceTimersByTime(500)
        viewer.tick()
      }
    }
    expect(socket.sent - socket.acked).toBeLessThanOrEqual(WINDOW)
    expect(source.skips).toEqual([])
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
    const { viewer, socket } = fakeViewer(log)
    for (let round = 0; round < 50; round++) {
      say(1, 10, 'g_a')
      viewer.subscribe(new Set([round % 2 === 0 ? 'g_a' : 'g_b']), null)
      viewer.tick()
    }
    const snapshots = () =>
      socket.messages.flatMap(one => (one.type === 'snapshot' && one.last ? [one.upto] : []))
    expect(snapshots()).toEqual([103])
    settle(viewer, socket)
    expect(snapshots()).toEqual([103, log.head])
    expect(socket.entries).toEqual([])
    say(1, 10, 'g_a')
    say(1, 10, 'g_b')
    settle(viewer, socket)
    expect(socket.entries.map(({ generation }) => generation)).toEqual(['g_b'])
  })
})

describe('a slow viewer', () => {
  it('more than 4 MiB behind gets one gap and a snapshot, then entries after it', () => {
    const { log, say, viewer, socket, source } = watching()
    say(30, 10_000)
    viewer.pump()
    const served = viewer.cursor
    say(600, 10_000)
    expect(log.bytesAfter(served)).toBeGreaterThan(4 * KIB * KIB)
    viewer.pump()
    expect(source.skips).toEqual([])
    settle(viewer, socket)
    const { head } = log
    expect(source.skips).toEqual([{ reason: 'slow_consumer', entries: head - served }])
    expect(socket.messages.filter(({ type }) => type === 'gap')).toEqual([
      { type: 'gap', from: served + 1, to: head, reason: 'slow_consumer' },
    ])
    say(3)
    viewer.pump()
    settle(viewer, socket)
    expect(socket.seqs).toEqual([...range(3, served), ...range(head + 1, head + 3)])
    expectWhole(socket, 2, log.head)
    expect(source.skips.length).toBe(1)
  })

  it('less than 4 MiB behind gets everything', () => {
    const { log, say, viewer, socket, source } = watching()
    say(380, 10_000)
    expect(log.bytesAfter(2)).toBeLessThan(4 * KIB * KIB)
    settle(viewer, socket)
    expect(socket.seqs).toEqual(range(3, log.head))
    expect(source.skips).toEqual([])
  })

  it('more than 10 s behind gets one gap and a snapshot', () => {
    const { log, say, viewer, socket, source } = watching()
    say(100, 5000)
    viewer.pump()
    const served = viewer.cursor
    expect(served).toBeLessThan(log.head)
    vi.advanceTimersByTime(10_001)
    settle(viewer, socket)
    expect(source.skips).toEqual([{ reason: 'slow_consumer', entries: log.head - served }])
    say(3)
    settle(viewer, socket)
    expectWhole(socket, 2, log.head)
    expect(source.skips.length).toBe(1)
  })

  it('exactly 10 s behind gets everything', () => {
    const { log, say, viewer, socket, source } = watching()
    say(100, 5000)
    viewer.pump()
    vi.advanceTimersByTime(10_000)
    settle(viewer, socket)
    expect(socket.seqs).toEqual(range(3, log.head))
    expect(source.skips).toEqual([])
  })

  it('that the ring has overtaken gets a gap and a snapshot', () => {
    const { log, say, viewer, socket, source } = watching({ maxEntries: 50 })
    say(30, 20_000)
    viewer.pump()
    say(100)
    settle(viewer, socket)
    expect(source.skips.map(({ reason }) => reason)).toEqual(['slow_consumer'])
    expectWhole(socket, 2, log.head)
  })

  it('is not behind for having had nothing to read', () => {
    const { log, say, viewer, socket, source } = watching()
    vi.advanceTimersByTime(3_600_000)
    say(1)
    viewer.pump()
    expect(socket.seqs).toEqual([log.head])
    expect(source.skips).toEqual([])
  })
})

describe('a silent viewer', () => {
  /** Lets seconds pass, as the hub does. */
  const pass = (viewer: { tick(): void }, seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      vi.advanceTimersByTime(1000)
      viewer.tick()
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
    pass(viewer, 300)
    expect(socket.closes).toEqual([])
  })

  it('is left in peace once it has acknowledged what moved no seq, too', () => {
    const { viewer, socket } = watching()
    for (let second = 0; second < 3; second++) {
      viewer.tell({ type: 'pong', epoch: 'a.1', seq: 2 })
      pass(viewer, 1)
      socket.answer()
    }
    pass(viewer, 300)
    expect(socket.closes).toEqual([])
  })

  it('has its minute counted from when there was something to answer', () => {
    const { say, viewer, socket } = watching()
    pass(viewer, 59)
    say(1)
    viewer.pump()
    pass(viewer, 59)
    expect(socket.closes).toEqual([])
    pass(viewer, 3)
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

describe('a viewer that has gone', () => {
  it('is written to no more', () => {
    const { say, viewer, socket } = watching()
    socket.terminate()
    socket.acts.length = 0
    say(5)
    viewer.pump()
    viewer.tick()
    viewer.tell({ type: 'error', code: 'INTERNAL', message: 'late' })
    viewer.close('GOING_AWAY')
    socket.emit('pong', Buffer.from('2'))
    expect(socket.acts).toEqual([])
  })
})
