import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { createScopeClient, type ScopeClient, type ScopeClientOptions } from '../../broadcast/client.ts'
import type { ClientMessage } from '../../broadcast/protocol.ts'
import type { LogEntry } from '../../events/generation.ts'
import { BinaryTeller } from '../support/binary-log.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'

// The client as it is in Node: over its own WebSocket, and a server that a test speaks for, byte by byte.

const HELLO = { type: 'hello', epoch: 'a.1', head: 0, protocol: '', layouts: ['map'], demo: false }
const EMPTY = { type: 'snapshot', upto: 0, part: 0, last: true, generations: [] }

const state = (seq: number): LogEntry => ({ ...stateEvent('g_1'), seq })
const token = (seq: number): LogEntry => ({ ...tokenEvent('g_1', seq), seq, position: [seq, 7] })

/** What one connection asked, and what it is told. */
class Connection {
  readonly socket: WebSocket
  readonly asked: ClientMessage[] = []
  readonly told = new BinaryTeller()

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('error', () => {})
  }

  say(...messages: object[]): void {
    for (const message of messages) this.socket.send(JSON.stringify(message))
  }

  tell(...entries: LogEntry[]): void {
    this.socket.send(this.told.entries(entries))
  }
}

let server: WebSocketServer
let url: string
let connections: Connection[]
let client: ScopeClient
let entries: LogEntry[]
let wake: (() => void)[]

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>(resolve => wake.push(resolve))
}
const stir = () => {
  for (const one of wake.splice(0)) one()
}
const nth = async (n: number): Promise<Connection> => {
  await until(() => connections.length > n)
  return connections[n] as Connection
}
const asked = (connection: Connection, type: ClientMessage['type']) =>
  connection.asked.filter(message => message.type === type)

function start(options: Partial<ScopeClientOptions> = {}): void {
  client = createScopeClient({
    url,
    random: () => 0,
    onMessage: message => {
      if (message.type === 'neural_state' || message.type === 'token_activation') entries.push(message)
      stir()
    },
    onState: stir,
    ...options,
  })
}

beforeEach(async () => {
  connections = []
  entries = []
  wake = []
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', socket => {
    const connection = new Connection(socket)
    socket.on('message', data => {
      connection.asked.push(JSON.parse(String(data)))
      stir()
    })
    connections.push(connection)
    stir()
  })
  await once(server, 'listening')
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/scope/v1/stream`
})

afterEach(async () => {
  client.close()
  for (const one of server.clients) one.terminate()
  await new Promise(resolve => server.close(resolve))
})

describe('the client over Node’s WebSocket', () => {
  it('reads entries in binary and the rest in JSON, and acknowledges the last', async () => {
    start()
    const one = await nth(0)
    expect(one.socket.protocol).toBe('tokenscope.bin.v1')
    one.say(HELLO, EMPTY)
    one.tell(state(1), token(2))
    one.tell(token(3))
    await until(() => entries.length === 3)
    expect(entries).toEqual([state(1), token(2), token(3)])
    await until(() => asked(one, 'ack').some(message => (message as { seq: number }).seq === 3))
    expect(client.applied).toEqual({ epoch: 'a.1', seq: 3 })
  })

  it('knows handles of its own connection only', async () => {
    start()
    const one = await nth(0)
    one.say(HELLO, EMPTY)
    one.tell(state(1), token(2))
    await until(() => entries.length === 2)
    one.socket.terminate()
    const two = await nth(1)
    await until(() => two.asked.length > 0)
    expect(two.asked[0]).toMatchObject({ type: 'subscribe', since: { epoch: 'a.1', seq: 2 } })
    two.say(HELLO)
    // Whoever starts in the middle of the log is told what handles stand for.
    two.socket.send(one.told.generations())
    two.socket.send(one.told.entries([token(3)]))
    await until(() => entries.length === 3)
    // Without it, what comes cannot be read.
    two.socket.terminate()
    const three = await nth(2)
    three.say(HELLO)
    three.socket.send(one.told.entries([token(4)]))
    const four = await nth(3)
    await until(() => four.asked.length > 0)
    expect(four.asked[0]).toMatchObject({ since: { epoch: 'a.1', seq: 3 } })
    expect(entries).toHaveLength(3)
  })

  it('forgets handles at a reset, which has them told anew', async () => {
    start()
    const one = await nth(0)
    one.say(HELLO, EMPTY)
    one.tell(state(1))
    one.say({ type: 'reset', epoch: 'a.2', upto: 1 })
    one.socket.send(one.told.generations())
    one.tell(token(2))
    await until(() => entries.length === 2)
    expect(client.applied).toEqual({ epoch: 'a.2', seq: 2 })
    one.say({ type: 'reset', epoch: 'a.3', upto: 2 })
    one.tell(token(3))
    const two = await nth(1)
    await until(() => two.asked.length > 0)
    expect(two.asked[0]).toMatchObject({ since: { epoch: 'a.3', seq: 2 } })
  })

  it.each([
    ['bytes that break off', (socket: WebSocket) => socket.send(Buffer.from([2, 200, 0, 0, 0, 1]))],
    ['text that is no JSON', (socket: WebSocket) => socket.send('{"type":"hel')],
    ['JSON that is no message', (socket: WebSocket) => socket.send('[null]')],
  ])('comes back after %s, and goes on where it was', async (_, spoil) => {
    start()
    const one = await nth(0)
    one.say(HELLO, EMPTY)
    one.tell(state(1), token(2))
    spoil(one.socket)
    one.tell(token(3))
    const two = await nth(1)
    await until(() => two.asked.length > 0)
    expect(two.asked[0]).toMatchObject({ since: { epoch: 'a.1', seq: 2 } })
    expect(entries.map(({ seq }) => seq)).toEqual([1, 2])
  })

  it('skips what it does not know', async () => {
    start()
    const one = await nth(0)
    one.say(HELLO, { type: 'weather', rain: true }, EMPTY)
    one.socket.send(Buffer.from([77, 2, 0, 0, 0, 1, 2]))
    one.tell(state(1))
    await until(() => entries.length === 1)
    expect(client.state.kind).toBe('open')
    expect(connections).toHaveLength(1)
  })

  it('speaks JSON, entries included', async () => {
    start({ protocol: 'json' })
    const one = await nth(0)
    expect(one.socket.protocol).toBe('tokenscope.json.v1')
    one.say(HELLO, [EMPTY, state(1), token(2)])
    await until(() => entries.length === 2)
    expect(entries).toEqual([state(1), token(2)])
  })

  it('ends with the code that it was closed with', async () => {
    start()
    const one = await nth(0)
    one.socket.close(4508, 'abuse')
    await until(() => client.state.kind === 'closed')
    expect(client.state).toEqual({ kind: 'closed', code: 4508, reason: 'abuse' })
  })
})
