import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  BIN_SUBPROTOCOL,
  JSON_SUBPROTOCOL,
  type Position,
  type SnapshotMessage,
} from '../../broadcast/protocol.ts'
import { TokenLog } from '../../broadcast/token-log.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import { stateEvent } from '../support/hub-events.ts'
import { FakeViewer } from '../support/hub-socket.ts'
import { expectWhole, newLog, range, typesOf, watching } from '../support/hub-watching.ts'

const KIB = 1024

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('a viewer that subscribes', () => {
  it('gets nothing before it does', () => {
    const { log, say } = newLog()
    const viewer = new FakeViewer(log)
    const { socket } = viewer
    say(5)
    viewer.pump()
    expect(socket.acts).toEqual([])
    expect(viewer.cursor).toBe(0)
  })

  it('gets a snapshot first, then entries after it', () => {
    const { log, say } = newLog()
    say(3, 2)
    const viewer = new FakeViewer(log)
    const { socket } = viewer
    viewer.subscribe()
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
    const viewer = new FakeViewer(log)
    const { socket } = viewer
    viewer.subscribe(['g_b'])
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
    viewer.subscribe(['g_b'])
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
    const viewer = new FakeViewer(log)
    const { socket } = viewer
    viewer.subscribe(null, { epoch: log.epoch, seq: 100 })
    viewer.settle()
    expect(socket.seqs).toEqual(range(101, log.head))
    expect(typesOf(socket)).not.toContain('snapshot')
  })

  it('at the head gives nothing but what comes', () => {
    const { log, say } = newLog()
    const viewer = new FakeViewer(log)
    const { socket } = viewer
    viewer.subscribe(null, { epoch: log.epoch, seq: log.head })
    expect(socket.frames).toEqual([])
    say(1)
    viewer.pump()
    expect(socket.seqs).toEqual([log.head])
  })

  it('from 0 gives the whole log', () => {
    const { log } = newLog()
    const viewer = new FakeViewer(log)
    const { socket } = viewer
    viewer.subscribe(null, { epoch: log.epoch, seq: 0 })
    expect(socket.seqs).toEqual([1, 2])
  })

  it('further back than 4 MiB gives everything that is kept, without a gap', () => {
    const { log, say } = newLog()
    say(700, 10_000)
    expect(log.bytesAfter(0, JSON_SUBPROTOCOL)).toBeGreaterThan(4 * KIB * KIB)
    const viewer = new FakeViewer(log)
    const { socket } = viewer
    viewer.subscribe(null, { epoch: log.epoch, seq: 0 })
    viewer.settle()
    expect(socket.seqs).toEqual(range(1, log.head))
    expect(viewer.skips).toEqual([])
  })

  it('older than 10 s gives everything that is kept, without a gap', () => {
    const { log, say } = newLog()
    say(50)
    vi.advanceTimersByTime(3_600_000)
    const viewer = new FakeViewer(log)
    const { socket } = viewer
    viewer.subscribe(null, { epoch: log.epoch, seq: 1 })
    expect(socket.seqs).toEqual(range(2, log.head))
  })

  it('that is no longer kept is a gap, expired, then a snapshot, then entries after it', () => {
    const { log, say } = newLog({ maxEntries: 10 })
    say(30)
    const viewer = new FakeViewer(log)
    const { socket } = viewer
    viewer.subscribe(null, { epoch: log.epoch, seq: 5 })
    const head = log.head
    expect(socket.messages[0]).toEqual({ type: 'gap', from: 6, to: head, reason: 'expired' })
    expect(socket.messages[1]).toMatchObject({ type: 'snapshot', upto: head, last: true })
    expect(viewer.skips).toEqual([{ reason: 'expired', entries: head - 5 }])
    say(2)
    viewer.pump()
    expect(socket.seqs).toEqual([head + 1, head + 2])
  })

  it.each([0, 1])('is kept to the last entry: %d before the ring', before => {
    const { log, say } = newLog({ maxEntries: 10 })
    say(30)
    const viewer = new FakeViewer(log)
    const { socket } = viewer
    viewer.subscribe(null, { epoch: log.epoch, seq: log.tail - 1 - before })
    if (before === 0) expect(socket.seqs).toEqual(range(log.tail, log.head))
    else expect(typesOf(socket)).toEqual(['gap', 'snapshot'])
  })

  it.each([
    ['another epoch', (log: TokenLog) => ({ epoch: 'other.1', seq: log.head })],
    ['a seq beyond the head', (log: TokenLog) => ({ epoch: log.epoch, seq: log.head + 1 })],
  ])('of %s is a gap from null to null, then a snapshot', (_what, since) => {
    const { log, say } = newLog()
    const viewer = new FakeViewer(log)
    const { socket } = viewer
    viewer.subscribe(null, since(log))
    expect(socket.messages[0]).toEqual({ type: 'gap', from: null, to: null, reason: 'epoch' })
    expect(socket.messages[1]).toMatchObject({ type: 'snapshot', upto: 2, last: true })
    expect(viewer.skips).toEqual([{ reason: 'epoch', entries: 0 }])
    say(1)
    viewer.pump()
    expect(socket.seqs).toEqual([3])
  })

  it('that makes no progress for 10 s is given up', () => {
    const { log, say } = newLog()
    say(100, 10_000)
    const viewer = new FakeViewer(log)
    const { socket } = viewer
    viewer.subscribe(null, { epoch: log.epoch, seq: 0 })
    vi.advanceTimersByTime(10_001)
    expect(viewer.skips).toEqual([])
    socket.answer()
    expect(viewer.skips.map(({ reason }) => reason)).toEqual(['slow_consumer'])
    viewer.settle()
    expectWhole(socket, 0, log.head)
  })
})

describe('a viewer of the binary protocol', () => {
  it.each<[string, (log: TokenLog) => Position | null]>([
    ['a snapshot', () => null],
    ['since', log => ({ epoch: log.epoch, seq: 4 })],
    ['another epoch', () => ({ epoch: 'gone.1', seq: 4 })],
  ])('is told what handles stand for after %s, and then gets entries', (_what, since) => {
    const { log, say } = newLog()
    say(4)
    const viewer = new FakeViewer(log, BIN_SUBPROTOCOL)
    viewer.subscribe(null, since(log))
    say(2)
    viewer.pump()
    const from = since(log)?.epoch === log.epoch ? 5 : 7
    expect(viewer.socket.entries).toEqual(range(from, 8).map(seq => log.entry(seq)))
  })

  it('is told nothing where there is nothing to tell', () => {
    const log = new TokenLog({ place: mapPosition })
    const viewer = new FakeViewer(log, BIN_SUBPROTOCOL)
    viewer.subscribe(null, { epoch: log.epoch, seq: 0 })
    expect(viewer.socket.acts).toEqual([])
    log.append(stateEvent('g_a'), 0)
    viewer.pump()
    expect(viewer.socket.entries).toEqual([log.entry(1)])
  })

  it('gets text for what is no entry', () => {
    const { viewer, socket } = watching({}, BIN_SUBPROTOCOL)
    viewer.tell({ type: 'pong', epoch: 'e.1', seq: 1 })
    expect(socket.acts).toMatchObject([{ kind: 'frame', binary: false }])
  })

  it('gets only the generations it named', () => {
    const { log, say } = newLog()
    const viewer = new FakeViewer(log, BIN_SUBPROTOCOL)
    viewer.subscribe(['g_b'])
    for (let i = 0; i < 3; i++) {
      say(2, 10, 'g_a')
      say(2, 10, 'g_b')
    }
    viewer.pump()
    expect(viewer.socket.seqs).toEqual([5, 6, 9, 10, 13, 14])
    expect(viewer.cursor).toBe(log.head)
  })

  it('more than 4 MiB behind gets one gap and a snapshot, and understands what follows', () => {
    const { log, say } = newLog()
    const viewer = new FakeViewer(log, BIN_SUBPROTOCOL)
    const { socket } = viewer
    viewer.subscribe()
    say(30, 10_000)
    viewer.pump()
    log.append(stateEvent('g_c'), 0)
    say(600, 10_000, 'g_c')
    socket.answer()
    viewer.settle()
    say(3, 10, 'g_c')
    viewer.settle()
    expect(viewer.skips.map(({ reason }) => reason)).toEqual(['slow_consumer'])
    expect(socket.entries.at(-1)).toEqual(log.entry(log.head))
  })
})

describe('what a viewer tells about itself', () => {
  it('is who it is and where it stands', () => {
    const { log, say } = newLog()
    const viewer = new FakeViewer(log)
    const { socket } = viewer
    expect(viewer.viewer.report()).toMatchObject({
      client: 'c_1',
      address: '127.0.0.1',
      protocol: JSON_SUBPROTOCOL,
      state: 'connecting',
      cursor: null,
      acknowledged: null,
      applied: null,
      rtt_ms: null,
    })
    viewer.subscribe(['g_b', 'g_a', 'g_b'])
    vi.advanceTimersByTime(25)
    socket.answer()
    say(3)
    viewer.pump()
    viewer.viewer.onAck(99)
    expect(viewer.viewer.report()).toEqual({
      client: 'c_1',
      address: '127.0.0.1',
      protocol: JSON_SUBPROTOCOL,
      generations: ['g_a', 'g_b'],
      state: 'live',
      connected_at: expect.any(Number),
      cursor: 5,
      acknowledged: 2,
      applied: 5,
      lag: 3,
      unacknowledged_bytes: expect.any(Number),
      delivered: 3,
      frames: 1,
      skipped: 0,
      gaps: 0,
      snapshots: 1,
      rtt_ms: 25,
    })
    expect(viewer.viewer.report().unacknowledged_bytes).toBeGreaterThan(0)
  })

  it('is behind, held and what it was moved past', () => {
    const { log, say, viewer, socket } = watching()
    say(101)
    viewer.pump()
    // It has not been asked yet.
    expect(viewer.viewer.report()).toMatchObject({ state: 'live', lag: 101 })
    viewer.tick()
    expect(viewer.viewer.report()).toMatchObject({ state: 'behind', lag: 101 })
    say(100, 10_000)
    viewer.pump()
    expect(viewer.viewer.report()).toMatchObject({ state: 'held', lag: 201 })
    const { cursor } = viewer
    vi.advanceTimersByTime(10_001)
    socket.answer()
    viewer.settle()
    expect(viewer.viewer.report()).toMatchObject({
      state: 'live',
      generations: '*',
      lag: 0,
      unacknowledged_bytes: 0,
      gaps: 1,
      snapshots: 2,
      skipped: log.head - cursor,
    })
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
    viewer.viewer.close('GOING_AWAY')
    socket.emit('pong', Buffer.from('2'))
    expect(socket.acts).toEqual([])
  })
})
