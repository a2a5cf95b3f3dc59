import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  createScopeClient,
  type Delivery,
  type ScopeClientOptions,
  type ScopeMessage,
  type ScopeSocket,
} from '../../broadcast/client.ts'
import { CLOSE_CODES } from '../../events/close-codes.ts'

/** A WebSocket whose other end is the test. */
class FakeSocket implements ScopeSocket {
  static all: FakeSocket[] = []
  readyState = 0
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  binaryType = 'blob'
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
const SUBSCRIBE = { type: 'subscribe', generations: '*', layout: 'map' }
const acks = (socket: FakeSocket) => socket.sent.filter(({ type }) => type === 'ack').map(({ seq }) => seq)
const asked = (socket: FakeSocket) => socket.sent.filter(({ type }) => type === 'subscribe')

function start(options: Partial<ScopeClientOptions> = {}) {
  const seen: { message: ScopeMessage; delivery: Delivery }[] = []
  const states: string[] = []
  const client = createScopeClient({
    url: 'ws://x/scope/v1/stream',
    WebSocket: FakeSocket,
    random: () => 1,
    ...options,
    onMessage: (message, delivery) => {
      seen.push({ message, delivery: { ...delivery } })
      options.onMessage?.(message, delivery)
    },
    onState: state => {
      states.push(state.kind)
      options.onState?.(state)
    },
  })
  const seqs = () => seen.flatMap(({ message }) => (message.type === 'token_activation' ? [message.seq] : []))
  return { client, seen, states, seqs }
}

/** Collects what owners throw, until globals are unstubbed. */
function faultsOfOwners(): Error[] {
  const faults: Error[] = []
  vi.stubGlobal('queueMicrotask', (task: () => void) => {
    try {
      task()
    } catch (error) {
      faults.push(error as Error)
    }
  })
  return faults
}

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.all = []
})
afterEach(() => vi.useRealTimers())

describe('a fresh connection', () => {
  it('asks for the binary protocol, subscribes without a position, and is open once it is greeted', () => {
    const { states } = start()
    expect(last()).toMatchObject({ protocol: 'tokenscope.bin.v1', binaryType: 'arraybuffer' })
    last().open()
    expect(last().sent).toEqual([SUBSCRIBE])
    expect(states).toEqual(['connecting'])
    last().say(hello())
    expect(last().sent).toEqual([SUBSCRIBE])
    expect(states).toEqual(['connecting', 'open'])
    last().say(hello())
    expect(states).toEqual(['connecting', 'open'])
  })

  it('speaks JSON where that is asked for, and follows some generations only', () => {
    start({ protocol: 'json', generations: ['g_1', 'g_2'] })
    expect(last().protocol).toBe('tokenscope.json.v1')
    expect(last().open().sent).toEqual([{ ...SUBSCRIBE, generations: ['g_1', 'g_2'] }])
  })

  it('begins where another client ended', () => {
    const { client, seqs } = start({ since: { epoch: 'a.1', seq: 7 }, historyEntries: 10 })
    expect(client.applied).toEqual({ epoch: 'a.1', seq: 7 })
    last().open().say(hello(), token(8))
    expect(last().sent[0]).toEqual({ ...SUBSCRIBE, since: { epoch: 'a.1', seq: 7 } })
    expect(seqs()).toEqual([8])
  })

  it('takes one object or an array of them, and no entry before the snapshot', () => {
    const { client, seqs } = start()
    last()
      .open()
      .say(hello(), token(3), [snapshot(5), token(6)], token(7))
    expect(seqs()).toEqual([6, 7])
    expect(client.applied).toEqual({ epoch: 'a.1', seq: 7 })
  })

  it('gives a snapshot when it is whole', () => {
    const { seen } = start()
    const one = { generation: 'g_1', state: 'generating', tokens: 9 }
    const part = (text: string, from: number | undefined, n: number, end: boolean) => ({
      ...snapshot(9, n, end),
      generations: [from === undefined ? { ...one, text } : { ...one, text, text_from: from }],
    })
    const socket = last().open()
    socket.say(hello(), part('one ', undefined, 0, false), part('two ', 4, 1, false))
    expect(seen.map(({ message }) => message.type)).toEqual(['hello'])
    socket.say(part('three', 8, 2, true))
    expect(seen[1]?.message).toEqual({
      ...snapshot(9),
      generations: [{ ...one, text: 'one two three' }],
    })
  })

  it('asks for history once, after the last part of the snapshot', () => {
    start({ historyEntries: 100 })
    const socket = last().open()
    socket.say(hello(), snapshot(250, 0, false))
    expect(asked(socket)).toHaveLength(1)
    socket.say(snapshot(250, 1))
    expect(asked(socket)[1]).toMatchObject({ since: { epoch: 'a.1', seq: 150 } })
    socket.say(snapshot(260))
    expect(asked(socket)).toHaveLength(2)
  })

  it('asks for no history of an empty log', () => {
    start({ historyEntries: 100 })
    last().open().say(hello(), snapshot(0))
    expect(asked(last())).toHaveLength(1)
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

  it('does not ask again when the history is no longer kept, and has lost nothing by that', () => {
    const { client, seen } = start({ historyEntries: 100 })
    const socket = last().open()
    socket.say(hello(), snapshot(250), token(251))
    socket.say({ type: 'gap', from: 151, to: 251, reason: 'expired' }, snapshot(251), token(252))
    expect(asked(socket)).toHaveLength(2)
    expect(client.applied).toEqual({ epoch: 'a.1', seq: 252 })
    expect(seen.map(({ message }) => message.type)).toEqual([
      'hello',
      'snapshot',
      'token_activation',
      'token_activation',
    ])
  })

  it('asks for history again if the connection broke before it began', () => {
    start({ historyEntries: 100 })
    last().open().say(hello(), snapshot(250), token(251))
    last().close(1006)
    vi.advanceTimersByTime(500)
    last().open()
    expect(last().sent[0]).toMatchObject({ since: { epoch: 'a.1', seq: 150 } })
  })

  it('goes on with history where a break left it', () => {
    const { seqs } = start({ historyEntries: 100 })
    last().open().say(hello(), snapshot(250), token(151), token(152))
    last().close(1006)
    vi.advanceTimersByTime(500)
    last().open()
    expect(last().sent[0]).toMatchObject({ since: { epoch: 'a.1', seq: 152 } })
    last().say(hello(), token(153), token(251))
    expect(seqs()).toEqual([151, 152, 153, 251])
  })

  it('says nothing more to an owner that closed it', () => {
    const { client, seqs } = start({ onMessage: ({ type }) => type === 'token_activation' && client.close() })
    last()
      .open()
      .say(hello(), snapshot(0), [token(1), token(2)])
    expect(seqs()).toEqual([1])
  })

  it('says nothing more to an owner that closed it on hearing that it is open, or of a gap', () => {
    const open = start({ onState: ({ kind }) => kind === 'open' && open.client.close() })
    last().open().say(hello(), snapshot(0))
    expect(open.seen).toEqual([])
    const gap = start({ onMessage: ({ type }) => type === 'gap' && gap.client.close() })
    last().open().say(hello(), snapshot(5), { type: 'gap', from: 6, to: 90, reason: 'expired' }, snapshot(90))
    expect(gap.seen.map(({ message }) => message.type)).toEqual(['hello', 'snapshot', 'gap'])
    // What it was not given it has not applied.
    expect(gap.client.applied).toEqual({ epoch: 'a.1', seq: 5 })
  })

  it('opens no socket for an owner that closed it on hearing that it connects', () => {
    let attempts = 0
    const { client } = start({
      onState: ({ kind }) => kind === 'connecting' && ++attempts === 2 && client.close(),
    })
    last().close(1006)
    vi.advanceTimersByTime(60_000)
    expect(attempts).toBe(2)
    expect(FakeSocket.all).toHaveLength(1)
    expect(client.state.kind).toBe('closed')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('goes on for an owner that fails on each change of state', () => {
    const faults = faultsOfOwners()
    const { client, seqs } = start({
      onState: ({ kind }) => {
        throw new Error(`ill when ${kind}`)
      },
    })
    last().open().say(hello(), snapshot(0), token(1))
    last().close(1006)
    vi.advanceTimersByTime(500)
    last().open().say(hello(), token(2))
    vi.unstubAllGlobals()
    expect(client.state.kind).toBe('open')
    expect(seqs()).toEqual([1, 2])
    expect(faults.map(({ message }) => message)).toEqual([
      'ill when connecting',
      'ill when open',
      'ill when waiting',
      'ill when connecting',
      'ill when open',
    ])
  })

  it('keeps all that comes from an owner that fails on one message', () => {
    const faults = faultsOfOwners()
    const seqs: number[] = []
    const { client } = start({
      onMessage: message => {
        if (message.type !== 'token_activation') return
        if (message.seq === 2) throw new Error('the owner is ill')
        seqs.push(message.seq)
      },
    })
    last()
      .open()
      .say(hello(), snapshot(0), [token(1), token(2), token(3)])
    vi.unstubAllGlobals()
    expect(seqs).toEqual([1, 3])
    expect(client.state.kind).toBe('open')
    expect(faults).toMatchObject([{ message: 'the owner is ill' }])
  })
})

describe('a client with a token', () => {
  it('shows it first, asks for it anew each time, and subscribes once it is let in', () => {
    let asked = 0
    start({ token: () => `word ${++asked}` })
    last().open()
    expect(last().sent).toEqual([{ type: 'auth', token: 'word 1' }])
    last().say(hello())
    expect(last().sent).toEqual([{ type: 'auth', token: 'word 1' }, SUBSCRIBE])
    last().close(4001)
    vi.advanceTimersByTime(500)
    expect(last().open().sent).toEqual([{ type: 'auth', token: 'word 2' }])
  })

  it('shows the same one where it is no question', () => {
    start({ token: 'word' })
    expect(last().open().sent).toEqual([{ type: 'auth', token: 'word' }])
  })

  it('tries again later if there is none at the moment', () => {
    const { client } = start({
      token: () => {
        throw new Error('the vault is shut')
      },
    })
    last().open()
    expect(client.state).toMatchObject({ kind: 'waiting', reason: 'no token to show: the vault is shut' })
  })
})

describe('an acknowledgement', () => {
  it('is told at once, then at most four times a second, and the last one always', () => {
    start()
    const socket = last().open()
    socket.say(hello(), snapshot(5))
    expect(acks(socket)).toEqual([5])
    for (let seq = 6; seq <= 105; seq++) {
      socket.say(token(seq))
      vi.advanceTimersByTime(10)
    }
    expect(acks(socket)).toHaveLength(5)
    vi.advanceTimersByTime(250)
    expect(acks(socket).at(-1)).toBe(105)
    vi.advanceTimersByTime(5000)
    expect(acks(socket)).toHaveLength(5)
    socket.say(token(106))
    expect(acks(socket).at(-1)).toBe(106)
  })

  it('tells of all that one message brought, and of nothing before there is a position', () => {
    start()
    const socket = last().open()
    socket.say(hello())
    expect(acks(socket)).toEqual([])
    socket.say([snapshot(0), token(1), token(2), token(3)])
    expect(acks(socket)).toEqual([3])
  })

  it('is told anew on each connection, and before the last one ends', () => {
    const { client } = start()
    last().open().say(hello(), snapshot(5))
    last().close(1006)
    vi.advanceTimersByTime(500)
    last().open().say(hello())
    expect(acks(last())).toEqual([5])
    last().say(token(6))
    client.close()
    expect(acks(last())).toEqual([5, 6])
  })

  it('tells what was applied of a message amid which the owner closes it', () => {
    const { client } = start({
      onMessage: message => message.type === 'token_activation' && message.seq === 2 && client.close(),
    })
    last()
      .open()
      .say(hello(), snapshot(0), [token(1), token(2), token(3)])
    expect(acks(last())).toEqual([0, 2])
  })

  it('is never of another log', () => {
    start({ since: { epoch: 'a.1', seq: 900 } })
    const socket = last().open()
    socket.say(hello('b.1', 2000), { type: 'gap', from: null, to: null, reason: 'epoch' })
    vi.advanceTimersByTime(1000)
    socket.say(snapshot(2000))
    expect(acks(socket)).toEqual([2000])
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
    const { client } = start({
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

  it('starts over with short waits once a connection has held for five seconds', () => {
    const { client } = start()
    const wait = () => (client.state.kind === 'waiting' ? client.state.retryAt - Date.now() : null)
    for (const failed of [500, 1000, 2000, 4000]) {
      last().close(1006)
      vi.advanceTimersByTime(failed)
    }
    // A hello alone proves nothing.
    last().open().say(hello(), snapshot(0))
    last().close(1006)
    expect(wait()).toBe(8000)
    vi.advanceTimersByTime(8000)
    last().open().say(hello())
    vi.advanceTimersByTime(5000)
    // What that one proved, the failures after it have not.
    for (const failed of [500, 1000, 2000]) {
      last().close(1006)
      expect(wait()).toBe(failed)
      vi.advanceTimersByTime(failed)
    }
  })

  it('comes back when a draining server asks it to, within a minute', () => {
    const { client } = start()
    last().open().say(hello(), snapshot(0), { type: 'drain', retry_in_ms: 2300 })
    last().close(1001)
    expect(client.state).toMatchObject({ kind: 'waiting', retryAt: Date.now() + 2300, code: 1001 })
    vi.advanceTimersByTime(2299)
    expect(FakeSocket.all).toHaveLength(1)
    vi.advanceTimersByTime(1)
    expect(FakeSocket.all).toHaveLength(2)
    last().open().say(hello(), snapshot(0), { type: 'drain', retry_in_ms: 1e12 })
    last().close(1001)
    expect(client.state).toMatchObject({ kind: 'waiting', retryAt: Date.now() + 60_000 })
    vi.advanceTimersByTime(60_000)
    last().close(1006)
    expect(client.state).toMatchObject({ kind: 'waiting', retryAt: Date.now() + 500 })
  })

  it.each(Object.values(CLOSE_CODES))('follows what the table says of $code', ({ code, comeBack }) => {
    const { client } = start()
    last().open().close(code)
    expect(client.state.kind).toBe(comeBack ? 'waiting' : 'closed')
  })

  it('ends with 4500 to 4999 and with no other code', () => {
    const ends: number[] = []
    for (let code = 1000; code <= 5100; code++) {
      const { client } = start()
      last().open().close(code)
      if (client.state.kind === 'closed') ends.push(code)
      else client.close()
    }
    expect([ends.length, ends[0], ends.at(-1)]).toEqual([500, 4500, 4999])
  })

  it('does not come back after its end, whoever wakes it', () => {
    const { client } = start()
    last().open().close(4501)
    expect(client.state).toMatchObject({ kind: 'closed', code: 4501 })
    client.wake()
    vi.advanceTimersByTime(60_000)
    expect(FakeSocket.all).toHaveLength(1)
  })

  it('waits at least a second after 4029, whoever wakes it', () => {
    const { client } = start({ random: () => 0 })
    last().open().close(4029)
    expect(client.state).toMatchObject({ kind: 'waiting', retryAt: Date.now() + 1000, code: 4029 })
    client.wake()
    vi.advanceTimersByTime(999)
    client.wake()
    expect(FakeSocket.all).toHaveLength(1)
    vi.advanceTimersByTime(1)
    expect(FakeSocket.all).toHaveLength(2)
    expect(client.state).toEqual({ kind: 'connecting', code: 4029 })
  })

  it('spreads what comes after that second', () => {
    const { client } = start()
    for (const wait of [1500, 2000, 3000]) {
      last().open().close(4029)
      expect(client.state).toMatchObject({ kind: 'waiting', retryAt: Date.now() + wait })
      vi.advanceTimersByTime(wait)
    }
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
    expect(asked(socket).at(-1)).toMatchObject({ since: { epoch: 'b.1', seq: 0 } })
  })

  it('forgets a gap whose snapshot was cut, and tells what the server has instead', () => {
    const { seen, seqs } = start()
    last().open().say(hello(), snapshot(5), { type: 'gap', from: 6, to: 90, reason: 'slow_consumer' })
    last().say(snapshot(90, 0, false))
    last().close(1006)
    vi.advanceTimersByTime(500)
    last().open().say(hello(), token(6), token(7))
    expect(seqs()).toEqual([6, 7])
    expect(seen.map(({ message }) => message.type)).not.toContain('gap')
  })

  it('takes no entry between a gap and its snapshot', () => {
    const { client, seqs } = start()
    last().open().say(hello(), snapshot(5), { type: 'gap', from: 6, to: 90, reason: 'slow_consumer' })
    last().say(token(91), snapshot(90, 0, false), token(92))
    expect(client.applied?.seq).toBe(5)
    last().say(snapshot(90, 1), token(91))
    expect(seqs()).toEqual([91])
  })

  it('goes on from where a reset says', () => {
    const { client, seqs } = start()
    last().open().say(hello('a.1'), snapshot(7), { type: 'reset', epoch: 'a.2', upto: 7 }, token(8))
    expect(client.applied).toEqual({ epoch: 'a.2', seq: 8 })
    expect(seqs()).toEqual([8])
  })

  it('begins anew where a reset takes back what was applied', () => {
    const { client } = start()
    last().open().say(hello('a.1'), snapshot(9), { type: 'reset', epoch: 'a.2', upto: 7 })
    expect(client.state.kind).toBe('waiting')
    vi.advanceTimersByTime(500)
    // The server will say that this epoch is gone, and what is true now.
    expect(last().open().sent[0]).toMatchObject({ since: { epoch: 'a.1', seq: 9 } })
  })
})

describe('somebody who looks again', () => {
  it('has a waiting client connect at once', () => {
    const { client } = start()
    last().open().close(1006)
    client.wake()
    expect(FakeSocket.all).toHaveLength(2)
    vi.advanceTimersByTime(500)
    expect(FakeSocket.all).toHaveLength(2)
  })

  it('has a connection that died meanwhile left within three seconds', () => {
    const { client } = start()
    last().open().say(hello(), snapshot(0))
    client.wake()
    expect(last().sent.at(-1)).toEqual({ type: 'ping' })
    vi.advanceTimersByTime(3000)
    expect(client.state.kind).toBe('waiting')
  })

  it('does not keep a dead connection by looking often', () => {
    const { client } = start()
    last().open().say(hello(), snapshot(0))
    for (let i = 0; i < 3; i++) {
      client.wake()
      vi.advanceTimersByTime(1000)
    }
    expect(client.state).toMatchObject({ kind: 'waiting', reason: 'no sign of life' })
  })

  it('is kept waiting for no more than a second by 4029, even if the clock was set back', () => {
    const { client } = start()
    last().open().close(4029)
    vi.setSystemTime(Date.now() - 3_600_000)
    client.wake()
    vi.advanceTimersByTime(1000)
    expect(FakeSocket.all).toHaveLength(2)
  })

  it('has a handshake begun before the machine slept begun anew, and no other', () => {
    const { client } = start()
    client.wake()
    expect(FakeSocket.all).toHaveLength(1)
    vi.setSystemTime(Date.now() + 3_600_000)
    client.wake()
    expect(FakeSocket.all).toHaveLength(2)
    expect(client.state.kind).toBe('connecting')
  })
})

describe('silence', () => {
  it('is broken by a ping, and a server that does not answer is left', () => {
    const { client } = start()
    const socket = last().open()
    socket.say(hello(), snapshot(0))
    vi.advanceTimersByTime(15_000)
    expect(socket.sent.at(-1)).toEqual({ type: 'ping' })
    socket.say({ type: 'pong', epoch: 'a.1', seq: 0 })
    vi.advanceTimersByTime(15_000 + 7999)
    expect(client.state.kind).toBe('open')
    vi.advanceTimersByTime(1)
    expect(client.state.kind).toBe('waiting')
    expect(socket.readyState).toBe(3)
  })

  it('of a handshake that never ends is not waited out', () => {
    const { client } = start()
    vi.advanceTimersByTime(10_000)
    expect(client.state.kind).toBe('waiting')
  })

  it('of a server that opens and says nothing is not waited out either', () => {
    const { client } = start()
    last().open()
    vi.advanceTimersByTime(10_000)
    expect(client.state.kind).toBe('waiting')
  })
})

describe('a pong', () => {
  const pong = (seq: number) => ({ type: 'pong', epoch: 'a.1', seq })

  it('moves a client on that follows some generations only', () => {
    const { client } = start({ generations: ['g_1'] })
    last().open().say(hello(), snapshot(0), token(2), pong(40))
    expect(client.applied?.seq).toBe(40)
    last().say(pong(30))
    expect(client.applied?.seq).toBe(40)
  })

  it('moves nobody over a snapshot that is not whole', () => {
    const { client, seen } = start({ generations: ['g_1'] })
    last().open().say(hello(), snapshot(3), { type: 'gap', from: 4, to: 40, reason: 'slow_consumer' })
    last().say(snapshot(40, 0, false), pong(40))
    expect(client.applied?.seq).toBe(3)
    expect(seen.map(({ message }) => message.type)).toEqual(['hello', 'snapshot'])
    const other = start()
    last()
      .open()
      .say(hello(), snapshot(9, 0, false), pong(9))
    expect(other.seen.map(({ message }) => message.type)).toEqual(['hello'])
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
