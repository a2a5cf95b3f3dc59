import { once } from 'node:events'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { Authenticator } from '../../broadcast/authentication.ts'
import { Gate, type GateOptions } from '../../broadcast/gate.ts'
import type { HubServer } from '../support/hub-server.ts'
import { errorsOf, HubStage, say, servedTo } from '../support/hub-stage.ts'
import { RawExchange } from '../support/raw-exchange.ts'

const CLOSED = 'tokenscope_broadcast_closed_total'
const stage = new HubStage()

afterEach(async () => {
  vi.useRealTimers()
  await stage.clear()
})

/** A hub with a gate that holds for this machine, too. */
async function gated(options: GateOptions): Promise<{ server: HubServer; gate: Gate }> {
  const gate = new Gate({ exempt: () => false, ...options })
  return { gate, server: await stage.startHub({ hub: { gate } }) }
}

describe('where all places are taken', () => {
  it('a viewer is closed with 4029 and told nothing else', async () => {
    const { server, gate } = await gated({ maxClients: 2 })
    await stage.connect(server)
    await stage.connect(server)
    const third = stage.reach(server)
    expect(await third.closed).toEqual({ code: 4029, reason: 'all 2 places for viewers are taken' })
    expect(third.messages).toEqual([])
    expect(server.hub.viewers).toBe(2)
    expect(gate.inside).toBe(2)
    await server.meter.until(meter => meter.total(CLOSED) === 1)
    expect(server.meter.total(CLOSED, { code: '4029' })).toBe(1)
  })

  it('one that goes makes room, once', async () => {
    const { server, gate } = await gated({ maxClients: 1 })
    for (let i = 0; i < 5; i++) {
      const spectator = await stage.connect(server)
      expect(gate.inside).toBe(1)
      spectator.close()
      await server.meter.until(() => server.hub.viewers === 0)
      expect(gate.inside).toBe(0)
    }
  })

  it('a handshake that fails takes none', async () => {
    const { server, gate } = await gated({ maxClients: 1 })
    const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }
    const keyless = new RawExchange(server.url, { method: 'GET', path: '/scope/v1/stream', headers })
    await keyless.ended
    expect(keyless.received.toString()).toMatch(/^HTTP\/1\.1 400 /)
    expect(gate.inside).toBe(0)
    await stage.connect(server)
  })
})

describe('a viewer that comes too fast', () => {
  it('is refused with 429 and when to come back', async () => {
    const { server, gate } = await gated({ maxClients: 100, connectsPerMinute: 1, connectBurst: 2 })
    await stage.connect(server)
    await stage.connect(server)
    const third = stage.reach(server)
    const [, response] = await once(third.socket, 'unexpected-response')
    expect(response.statusCode).toBe(429)
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0)
    expect(Number(response.headers['retry-after'])).toBeLessThanOrEqual(60)
    expect(gate.inside).toBe(2)
  })
})

/** Knows the tokens `good`, which holds for an hour, and `slow`, which takes until it is let go. */
class Doorkeeper implements Authenticator {
  upgrades = false
  /** Lets the slow one go; null while nobody asks. */
  release: (() => void) | null = null

  atUpgrade() {
    return this.upgrades ? { until: null } : null
  }

  async byToken(token: string) {
    if (token === 'slow') {
      await new Promise<void>(resolve => {
        this.release = resolve
      })
    }
    return token === 'good' || token === 'slow' ? { until: Date.now() + 3_600_000 } : null
  }
}

describe('where an authenticator stands', () => {
  it('a viewer is told nothing of the log before it is admitted', async () => {
    const authenticator = new Doorkeeper()
    const server = await stage.startHub({ hub: { authenticator } })
    say(server, 'g_a', 0, 3)
    const spectator = stage.reach(server)
    await once(spectator.socket, 'open')
    spectator.send({ type: 'subscribe' })
    spectator.send({ type: 'ping' })
    await spectator.until(() => errorsOf(spectator).length === 2)
    server.hub.greetAll()
    say(server, 'g_a', 3, 3)
    spectator.send({ type: 'auth', token: 'good' })
    await spectator.until(messages => messages.some(({ type }) => type === 'hello'))
    expect(await servedTo(spectator)).toBe(0)
    expect(spectator.messages.map(({ type }) => type)).toEqual(['error', 'error', 'hello', 'pong'])
    expect(errorsOf(spectator).map(({ code }) => code)).toEqual(['UNAUTHORIZED', 'UNAUTHORIZED'])
    spectator.send({ type: 'subscribe' })
    await spectator.until(messages => messages.some(({ type }) => type === 'snapshot'))
  })

  it('one that its upgrade admits is greeted at once', async () => {
    const authenticator = new Doorkeeper()
    authenticator.upgrades = true
    const server = await stage.startHub({ hub: { authenticator } })
    const spectator = await stage.watch(server)
    expect(spectator.messages.map(({ type }) => type)).toEqual(['hello', 'snapshot'])
  })

  it('one without a token is closed with 4501 after 10 s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const server = await stage.startHub({ hub: { authenticator: new Doorkeeper() } })
    const spectator = stage.reach(server)
    await once(spectator.socket, 'open')
    await server.meter.until(() => server.hub.viewers === 1)
    vi.advanceTimersByTime(10_000)
    expect((await spectator.closed).code).toBe(4501)
    expect(spectator.messages).toEqual([])
    await server.meter.until(meter => meter.total(CLOSED) === 1)
    expect(server.meter.total(CLOSED, { code: '4501' })).toBe(1)
  })

  it('one with a wrong token is closed with 4501', async () => {
    const server = await stage.startHub({ hub: { authenticator: new Doorkeeper() } })
    const spectator = stage.reach(server)
    await once(spectator.socket, 'open')
    spectator.send({ type: 'auth', token: 'bad' })
    expect((await spectator.closed).code).toBe(4501)
  })

  it('one whose token ends is closed with 4001', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    const server = await stage.startHub({ hub: { authenticator: new Doorkeeper() } })
    const spectator = stage.reach(server)
    await once(spectator.socket, 'open')
    spectator.send({ type: 'auth', token: 'good' })
    await spectator.until(messages => messages.some(({ type }) => type === 'hello'))
    vi.advanceTimersByTime(3_599_999)
    expect(await servedTo(spectator)).toBe(0)
    vi.advanceTimersByTime(1)
    expect((await spectator.closed).code).toBe(4001)
    await server.meter.until(meter => meter.total(CLOSED) === 1)
    expect(server.meter.total(CLOSED, { code: '4001' })).toBe(1)
  })

  it('one that goes while its token is being looked at is let in nowhere', async () => {
    const authenticator = new Doorkeeper()
    const server = await stage.startHub({ hub: { authenticator } })
    const spectator = stage.reach(server)
    await once(spectator.socket, 'open')
    spectator.send({ type: 'auth', token: 'slow' })
    while (authenticator.release === null) await new Promise(setImmediate)
    spectator.close()
    await server.meter.until(() => server.hub.viewers === 0)
    authenticator.release?.()
    await new Promise(setImmediate)
    expect(server.hub.clients()).toEqual([])
  })
})

describe('where none stands', () => {
  it('a token is no harm', async () => {
    const server = await stage.startHub()
    const spectator = await stage.connect(server)
    spectator.send({ type: 'auth', token: 'good' })
    expect(await servedTo(spectator)).toBe(0)
    expect(spectator.messages.map(({ type }) => type)).toEqual(['hello', 'pong'])
    expect(spectator.socket.readyState).toBe(WebSocket.OPEN)
  })
})
