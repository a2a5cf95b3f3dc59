import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { Authenticator } from '../../broadcast/authentication.ts'
import type { HubOptions } from '../../broadcast/hub.ts'
import { JSON_SUBPROTOCOL } from '../../broadcast/protocol.ts'
import { CLOSE_CODES, type CloseName } from '../../events/close-codes.ts'
import type { Tokenscope } from '../../main.ts'
import { HubServer } from '../support/hub-server.ts'
import { startScope } from '../support/scope.ts'

const SUBSCRIBE = '{"type":"subscribe"}'

let cleanup: AsyncDisposableStack

beforeEach(() => {
  cleanup = new AsyncDisposableStack()
})
afterEach(async () => {
  vi.useRealTimers()
  await cleanup.disposeAsync()
})

/** A whole server; `stop` may be called by the test. */
async function scope(overrides: Parameters<typeof startScope>[0] = {}): Promise<Tokenscope> {
  const tokenscope = await startScope(overrides)
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= tokenscope.stop()
    return stopped
  }
  cleanup.defer(stop)
  return { ...tokenscope, stop }
}

/** A hub whose clocks are the test's. */
async function hubOfOtherTimes(hub: Partial<HubOptions> = {}): Promise<HubServer> {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  })
  const server = await HubServer.start({ hub })
  cleanup.defer(() => server.stop())
  return server
}

/** A viewer, and what it was closed with. */
function connect({ url }: { url: string }, options: WebSocket.ClientOptions = {}) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/scope/v1/stream`, JSON_SUBPROTOCOL, options)
  cleanup.defer(() => socket.terminate())
  socket.on('error', () => {})
  const closed = new Promise<number>(resolve => socket.on('close', resolve))
  return { socket, closed, opened: once(socket, 'open') }
}

/** Connects and waits for the greeting. */
async function greeted(server: { url: string }, options?: WebSocket.ClientOptions) {
  const viewer = connect(server, options)
  await once(viewer.socket, 'message')
  return viewer
}

/** Admits whoever has the token `good`, for ten seconds. */
const authenticator: Authenticator = {
  atUpgrade: () => null,
  byToken: async token => (token === 'good' ? { until: Date.now() + 10_000 } : null),
}

/** Each way in which a viewer comes to be closed with a code, from outside. */
const WAYS: Record<CloseName, Record<string, () => Promise<number>>> = {
  GOING_AWAY: {
    'a server that stops': async () => {
      const server = await scope()
      const { closed } = await greeted(server)
      await server.stop()
      return closed
    },
  },
  TOO_BIG: {
    'a message of 64 KiB and a byte': async () => {
      const { socket, closed } = await greeted(await scope())
      socket.send(JSON.stringify({ type: 'ping' }).padEnd(65_537))
      return closed
    },
  },
  TOKEN_EXPIRED: {
    'an admission that ends': async () => {
      const server = await hubOfOtherTimes({ authenticator })
      const { socket, closed, opened } = connect(server)
      await opened
      socket.send('{"type":"auth","token":"good"}')
      await once(socket, 'message')
      vi.advanceTimersByTime(10_000)
      return closed
    },
  },
  TOO_SLOW: {
    'a minute without an answer': async () => {
      const server = await hubOfOtherTimes()
      const { socket, closed } = await greeted(server, { autoPong: false })
      socket.send(SUBSCRIBE)
      await once(socket, 'ping')
      vi.advanceTimersByTime(62_000)
      return closed
    },
  },
  TOO_MANY: {
    'one more viewer than there are places': async () => {
      const server = await scope({ maxClients: 1 })
      await greeted(server)
      return connect(server).closed
    },
    'messages too fast': async () => {
      const { socket, closed } = await greeted(await scope())
      for (let i = 0; i < 1000; i++) socket.send('{"type":"ping"}')
      return closed
    },
  },
  UNAUTHORIZED: {
    'ten seconds without a token': async () => {
      const server = await hubOfOtherTimes({ authenticator })
      const { closed, opened } = connect(server)
      await opened
      vi.advanceTimersByTime(10_000)
      return closed
    },
    'a wrong token': async () => {
      const server = await HubServer.start({ hub: { authenticator } })
      cleanup.defer(() => server.stop())
      const { socket, closed, opened } = connect(server)
      await opened
      socket.send('{"type":"auth","token":"bad"}')
      return closed
    },
  },
  PROTOCOL_ABUSE: {
    'ten malformed messages': async () => {
      const { socket, closed } = await greeted(await scope())
      for (let i = 0; i < 10; i++) socket.send('{')
      return closed
    },
  },
}

const EVERY_WAY = Object.entries(WAYS).flatMap(([name, ways]) =>
  Object.entries(ways).map(([way, provoke]) => ({ name: name as CloseName, way, provoke })),
)

describe('a viewer is closed', () => {
  it.each(EVERY_WAY)('with $name by $way', async ({ name, provoke }) => {
    expect(await provoke()).toBe(CLOSE_CODES[name].code)
  })
})

describe('the table of close codes', () => {
  it('holds what is provoked here, and nothing else', () => {
    expect(Object.keys(WAYS).toSorted()).toEqual(Object.keys(CLOSE_CODES).toSorted())
    expect(Object.entries(WAYS).filter(([, ways]) => Object.keys(ways).length === 0)).toEqual([])
  })

  it('gives each code once', () => {
    const codes = Object.values(CLOSE_CODES).map(({ code }) => code)
    expect(new Set(codes).size).toBe(codes.length)
  })
})
