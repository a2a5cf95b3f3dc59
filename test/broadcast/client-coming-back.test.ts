import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CLOSE_CODES } from '../../events/close-codes.ts'
import { asked, FakeSocket, hello, last, snapshot, start, token } from '../support/scope-client.ts'

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.all = []
})
afterEach(() => vi.useRealTimers())

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
