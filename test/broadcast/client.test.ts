import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  createScopeClient,
  type Delivery,
  type ScopeMessage,
  type ScopeSocket,
} from '../../broadcast/client.ts'

/** A WebSocket whose other end is the test. */
class FakeSocket implements ScopeSocket {
  static all: FakeSocket[] = []
  readyState = 0
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  readonly sent: Record<string, unknown>[] = []
  readonly url: string
  readonly protocol: string

  constructor(url: string, protocol: string) {
    this.url = url
    this.protocol = protocol
    FakeSocket.all.push(this)
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data))
  }

  close(code = 1000): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.onclose?.({ code, reason: '' } as never)
  }

  open(): this {
    this.readyState = 1
    this.onopen?.({} as never)
    return this
  }

  say(...messages: unknown[]): void {
    for (const message of messages) this.onmessage?.({ data: JSON.stringify(message) } as never)
  }
}

const last = () => FakeSocket.all.at(-1) as FakeSocket
const hello = (epoch = 'a.1', head = 0) => ({
  type: 'hello',
  epoch,
  head,
  protocol: 'p',
  layouts: [],
  demo: false,
})
const snapshot = (upto: number, part = 0, end = true) => ({
  type: 'snapshot',
  upto,
  part,
  last: end,
  generations: [],
})
const token = (seq: number) => ({ type: 'token_activation', seq, generation: 'g_1', index: seq })

function start(options: { historyEntries?: number; random?: () => number } = {}) {
  const seen: { message: ScopeMessage; delivery: Delivery }[] = []
  const states: string[] = []
  const client = createScopeClient({
    url: 'ws://x/scope/v1/stream',
    WebSocket: FakeSocket,
    random: () => 1,
    ...options,
    onMessage: (message, delivery) => seen.push({ message, delivery: { ...delivery } }),
    onState: state => states.push(state.kind),
  })
  const seqs = () => seen.flatMap(({ message }) => (message.type === 'token_activation' ? [message.seq] : []))
  return { client, seen, states, seqs }
}

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.all = []
})
afterEach(() => vi.useRealTimers())

describe('a fresh connection', () => {
  it('speaks the subprotocol and subscribes without a position', () => {
    const { states } = start()
    expect(last().protocol).toBe('tokenscope.json.v1')
    last().open()
    expect(last().sent).toEqual([{ type: 'subscribe', generations: '*', layout: 'map' }])
    expect(states).toEqual(['connecting', 'open'])
  })

  it('takes one object or an array of them, and no entry before the snapshot', () => {
    const { client, seqs } = start()
    last()
      .open()
      .say(hello(), token(3), [snapshot(5), token(6)], token(7))
    expect(seqs()).toEqual([6, 7])
    expect(client.applied).toEqual({ epoch: 'a.1', seq: 7 })
  })

  it('asks for history once, after the last part of the snapshot', () => {
    start({ historyEntries: 100 })
    const socket = last().open()
    socket.say(hello(), snapshot(250, 0, false))
    expect(socket.sent).toHaveLength(1)
    socket.say(snapshot(250, 1))
    expect(socket.sent[1]).toMatchObject({ since: { epoch: 'a.1', seq: 150 } })
    socket.say(snapshot(260))
    expect(socket.sent).toHaveLength(2)
  })

  it('asks for no history of an empty log', () => {
    start({ historyEntries: 100 })
    last().open().say(hello(), snapshot(0))
    expect(last().sent).toHaveLength(1)
  })

  it('marks history as replay, and gives what came live meanwhile once', () => {
    const { seen, seqs, client } = start({ historyEntries: 3 })
    const socket = last().open()
    socket.say(hello(), snapshot(5), token(6), token(7))
    socket.say([token(3), token(4), token(5), token(6), token(7), token(8)])
    expect(seqs()).toEqual([6, 7, 3, 4, 5, 8])
    const replayed = seen.filter(({ delivery }) => delivery.replay)
    expect(replayed.map(({ message }) => (message as { seq: number }).seq)).toEqual([3, 4, 5])
    expect(client.applied?.seq).toBe(8)
    socket.say(token(9))
    expect(seqs().at(-1)).toBe(9)
  })

  it('does not ask again when the history is no longer kept', () => {
    const { client } = start({ historyEntries: 100 })
    const socket = last().open()
    socket.say(hello(), snapshot(250), { type: 'gap', from: 151, to: 251, reason: 'expired' }, snapshot(251))
    expect(socket.sent).toHaveLength(2)
    expect(client.applied).toEqual({ epoch: 'a.1', seq: 251 })
  })

  it('asks for history again if the connection broke before it began', () => {
    start({ historyEntries: 100 })
    last().open().say(hello(), snapshot(250), token(251))
    last().close(1006)
    vi.advanceTimersByTime(500)
    last().open()
    expect(last().sent[0]).toMatchObject({ since: { epoch: 'a.1', seq: 150 } })
  })
})

describe('after a break', () => {
  it('resumes after the last entry applied, without a hole and without doubles', () => {
    const { seqs } = start()
    last().open().say(hello(), snapshot(5), token(6), token(7))
    last().close(1006)
    vi.advanceTimersByTime(500)
    expect(FakeSocket.all).toHaveLength(2)
    last().open()
    expect(last().sent[0]).toMatchObject({ since: { epoch: 'a.1', seq: 7 } })
    last().say(hello(), [token(6), token(7), token(8)], token(10))
    expect(seqs()).toEqual([6, 7, 8, 10])
  })

  it('waits with full jitter, up to a bound that doubles from 0.5 s to 20 s', () => {
    const waits: number[] = []
    const client = createScopeClient({
      url: 'ws://x',
      WebSocket: FakeSocket,
      random: () => 1,
      onMessage: () => {},
      onState: state => {
        if (state.kind === 'waiting') waits.push(state.retryAt - Date.now())
      },
    })
    for (let i = 0; i < 8; i++) {
      last().close(1006)
      vi.advanceTimersByTime(waits.at(-1) as number)
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000])
    client.close()
    const none = start({ random: () => 0 })
    last().close(1006)
    vi.advanceTimersByTime(0)
    expect(none.states).toEqual(['connecting', 'waiting', 'connecting'])
  })

  it('starts over with short waits once the server has said hello', () => {
    const { client } = start()
    for (let i = 0; i < 4; i++) {
      last().close(1006)
      vi.advanceTimersByTime(20_000)
    }
    last().open().say(hello(), snapshot(0))
    last().close(1006)
    expect(client.state).toMatchObject({ kind: 'waiting', retryAt: Date.now() + 500 })
  })

  it('comes back when a draining server asks it to', () => {
    const { client } = start()
    last().open().say(hello(), snapshot(0), { type: 'drain', retry_in_ms: 2300 })
    last().close(1001)
    expect(client.state).toMatchObject({ kind: 'waiting', retryAt: Date.now() + 2300 })
    vi.advanceTimersByTime(2299)
    expect(FakeSocket.all).toHaveLength(1)
    vi.advanceTimersByTime(1)
    expect(FakeSocket.all).toHaveLength(2)
  })

  it.each([4008, 4029, 1011])('comes back after code %i', code => {
    const { client } = start()
    last().open().close(code)
    expect(client.state.kind).toBe('waiting')
  })

  it.each([4501, 4508, 4500])('does not come back after code %i', code => {
    const { client } = start()
    last().open().close(code)
    expect(client.state).toMatchObject({ kind: 'closed', code })
    client.wake()
    vi.advanceTimersByTime(60_000)
    expect(FakeSocket.all).toHaveLength(1)
  })

  it('connects at once when woken', () => {
    const { client } = start()
    last().open().close(1006)
    client.wake()
    expect(FakeSocket.all).toHaveLength(2)
    vi.advanceTimersByTime(500)
    expect(FakeSocket.all).toHaveLength(2)
  })

  it('takes another epoch as a fresh start, history and all', () => {
    const { client, seen } = start({ historyEntries: 10 })
    last().open().say(hello('a.1'), snapshot(0), token(1))
    last().close(1006)
    vi.advanceTimersByTime(500)
    const socket = last().open()
    socket.say(hello('b.1'), { type: 'gap', from: null, to: null, reason: 'epoch' }, snapshot(4))
    expect(client.applied).toEqual({ epoch: 'b.1', seq: 4 })
    expect(seen.some(({ message }) => message.type === 'gap')).toBe(true)
    expect(socket.sent.at(-1)).toMatchObject({ since: { epoch: 'b.1', seq: 0 } })
  })

  it('goes on from where a reset says', () => {
    const { client, seqs } = start()
    last().open().say(hello('a.1'), snapshot(9), { type: 'reset', epoch: 'a.2', upto: 7 }, token(8))
    expect(client.applied).toEqual({ epoch: 'a.2', seq: 8 })
    expect(seqs()).toEqual([8])
  })
})

describe('silence', () => {
  it('is broken by a ping, and a server that does not answer is left', () => {
    const { client } = start()
    const socket = last().open()
    socket.say(hello(), snapshot(0))
    vi.advanceTimersByTime(15_000)
    expect(socket.sent.at(-1)).toEqual({ type: 'ping' })
    socket.say({ type: 'pong', epoch: 'a.1', seq: 4 })
    expect(client.applied?.seq).toBe(4)
    vi.advanceTimersByTime(15_000 + 8000)
    expect(client.state.kind).toBe('waiting')
    expect(socket.readyState).toBe(3)
  })

  it('of a handshake that never ends is not waited out', () => {
    const { client } = start()
    vi.advanceTimersByTime(10_000)
    expect(client.state.kind).toBe('waiting')
  })

  it('is asked about at once when woken', () => {
    const { client } = start()
    last().open().say(hello(), snapshot(0))
    client.wake()
    expect(last().sent.at(-1)).toEqual({ type: 'ping' })
  })
})

it('ends for good when closed, and hears nothing afterwards', () => {
  const { client, seen } = start()
  const socket = last().open()
  client.close()
  socket.say(hello())
  vi.advanceTimersByTime(60_000)
  expect(client.state.kind).toBe('closed')
  expect(FakeSocket.all).toHaveLength(1)
  expect(seen).toEqual([])
})
