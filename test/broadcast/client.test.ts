import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  acks,
  asked,
  FakeSocket,
  faultsOfOwners,
  hello,
  last,
  SUBSCRIBE,
  snapshot,
  start,
  token,
} from '../support/scope-client.ts'

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
