import { beforeEach, describe, expect, it } from 'vitest'
import { Inbox } from '../../broadcast/inbox.ts'
import type { ClientMessage, ServerMessage } from '../../broadcast/protocol.ts'
import { TokenscopeError } from '../../events/errors.ts'
import { HubServer } from '../support/hub-server.ts'
import { Spectator } from '../support/spectator.ts'

let heard: ClientMessage[]
let told: ServerMessage[]
let closed: string[]
let inbox: Inbox
let onMessage: (message: ClientMessage) => void

beforeEach(renew)

function renew(): void {
  heard = []
  told = []
  closed = []
  onMessage = message => heard.push(message)
  inbox = new Inbox({
    onMessage: message => onMessage(message),
    tell: message => told.push(message),
    close: code => closed.push(code),
  })
}

const read = (value: unknown, now = 0) => inbox.read(Buffer.from(JSON.stringify(value)), false, now)
const PING = { type: 'ping' }
const times = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('what a viewer sends', () => {
  it('is handed on, in order, one or several at once', () => {
    read({ type: 'ack', seq: 1 })
    read([{ type: 'ack', seq: 2 }, PING, { type: 'unheard-of' }])
    expect(heard).toEqual([{ type: 'ack', seq: 1 }, { type: 'ack', seq: 2 }, PING])
    expect([told, closed]).toEqual([[], []])
  })

  it('is told to be malformed, and nothing of it is heard', () => {
    read([PING, { type: 'stop' }])
    expect(heard).toEqual([])
    expect(told).toMatchObject([
      { type: 'error', code: 'INVALID_MESSAGE', message: expect.stringMatching(/generation/) },
    ])
    read(PING)
    expect(heard).toEqual([PING])
  })

  it('may fail: that is told, and the rest is heard', () => {
    onMessage = message => {
      if (message.type === 'stop') throw new TokenscopeError('NOT_FOUND', 'There is no g_1 to stop.')
      if (message.type === 'ack') throw new RangeError('out of range')
      heard.push(message)
    }
    read([{ type: 'stop', generation: 'g_1' }, { type: 'ack', seq: 1 }, PING])
    expect(told).toEqual([
      { type: 'error', code: 'NOT_FOUND', message: 'There is no g_1 to stop.' },
      { type: 'error', code: 'INTERNAL', message: 'out of range' },
    ])
    expect(heard).toEqual([PING])
  })

  it('may fail for ever without being malformed', () => {
    onMessage = () => {
      throw new TokenscopeError('NOT_FOUND', 'There is none.')
    }
    for (const i of times(50)) read({ type: 'stop', generation: 'g_1' }, i)
    expect(told).toHaveLength(50)
    expect(closed).toEqual([])
  })
})

describe('too many messages', () => {
  it('are over 300 at once', () => {
    for (const _ of times(300)) read(PING)
    expect([heard.length, closed]).toEqual([300, []])
    read(PING)
    expect([heard.length, closed]).toEqual([300, ['TOO_MANY']])
  })

  it('are over 100 a second, for as long as somebody likes', () => {
    // One every 10 ms for a minute; the 300 are still there after it.
    for (const i of times(6000)) read(PING, i * 10)
    for (const _ of times(300)) read(PING, 60_000)
    expect([heard.length, closed]).toEqual([6300, []])
    read(PING, 60_000)
    expect(closed).toEqual(['TOO_MANY'])
  })

  it('are counted one by one where they come in an array', () => {
    const hundred = times(100).map(() => PING)
    for (const _ of times(3)) read(hundred)
    expect([heard.length, closed]).toEqual([300, []])
    read([PING, PING])
    expect([heard.length, closed]).toEqual([300, ['TOO_MANY']])
    renew()
    for (const _ of times(2)) read(hundred)
    read(hundred.slice(1))
    read([PING, PING])
    expect([heard.length, closed]).toEqual([299, ['TOO_MANY']])
  })

  it('may be malformed, unknown or empty ones', () => {
    for (const _ of times(301)) read([])
    expect(closed).toEqual(['TOO_MANY'])
  })

  it('are the last that is heard: whatever comes after them is not read', () => {
    for (const _ of times(301)) read(PING)
    read(PING, 1e9)
    inbox.read(Buffer.from('nonsense'), false, 1e9)
    expect([heard.length, told, closed]).toEqual([300, [], ['TOO_MANY']])
  })
})

describe('malformed messages', () => {
  const bad = (now: number) => inbox.read(Buffer.from('{'), false, now)

  it('are told nine times a minute, and end it at the tenth', () => {
    for (const i of times(9)) bad(i * 1000)
    expect([told.length, closed]).toEqual([9, []])
    bad(59_999)
    expect([told.length, closed]).toEqual([10, ['PROTOCOL_ABUSE']])
    read(PING, 60_000)
    expect(heard).toEqual([])
  })

  it('are forgotten after a minute, each by itself', () => {
    for (const i of times(100)) bad(i * 6700)
    expect([told.length, closed]).toEqual([100, []])
    for (const i of times(9)) bad(800_000 + i)
    expect(closed).toEqual([])
    bad(859_999)
    expect(closed).toEqual(['PROTOCOL_ABUSE'])
  })

  it('may be what somebody behind finds malformed', () => {
    onMessage = () => {
      throw new TokenscopeError('INVALID_MESSAGE', 'That cannot be.')
    }
    read(times(20).map(() => PING))
    // The tenth ends it: the rest of the array is not heard any more.
    expect([told.length, closed]).toEqual([10, ['PROTOCOL_ABUSE']])
  })
})

describe('at a hub', () => {
  it('a flood closes its own connection with 4029, and nobody else’s', async () => {
    const server = await HubServer.start()
    const other = await Spectator.watch(server.url)
    const viewer = await Spectator.watch(server.url)
    for (const _ of times(5000)) viewer.send(PING)
    expect(await viewer.closed).toMatchObject({ code: 4029 })
    const pongs = viewer.messages.filter(({ type }) => type === 'pong').length
    expect(pongs).toBeGreaterThanOrEqual(299)
    expect(pongs).toBeLessThan(5000)
    other.send(PING)
    await other.until(messages => messages.some(({ type }) => type === 'pong'))
    other.close()
    await server.stop()
  })
})
