import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import {
  payloadBytes,
  pingFrame,
  type WireFrame,
  wireFrame,
  withPing,
  writeFrame,
  writePing,
} from '../../broadcast/wire.ts'

/** The header of a server's unfragmented frame, by RFC 6455 §5.2 alone. */
function headerByRfc(opcode: number, bytes: number): number[] {
  const first = 0x80 | opcode
  if (bytes < 126) return [first, bytes]
  if (bytes < 65_536) return [first, 126, bytes >> 8, bytes & 0xff]
  return [first, 127, 0, 0, 0, 0, 0, (bytes >> 16) & 0xff, (bytes >> 8) & 0xff, bytes & 0xff]
}

describe('a frame', () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000])(
    'of %d bytes has the header of RFC 6455 and the payload in one Buffer',
    bytes => {
      const payload = Buffer.alloc(bytes, 'x')
      for (const binary of [true, false]) {
        const frame = wireFrame(payload, binary)
        const header = headerByRfc(binary ? 2 : 1, bytes)
        expect([...frame.bytes.subarray(0, header.length)]).toEqual(header)
        expect(frame.bytes.subarray(header.length).equals(payload)).toBe(true)
        expect(frame).toMatchObject({ headerBytes: header.length, binary })
        expect(payloadBytes(frame)).toBe(bytes)
      }
    },
  )

  it('may take a ping along, which stands behind it', () => {
    const frame = wireFrame(Buffer.from('hello'), false)
    const pinged = withPing(frame, '1042')
    expect([...pinged.bytes]).toEqual([...frame.bytes, 0x89, 4, ...Buffer.from('1042')])
    expect(payloadBytes(pinged)).toBe(5)
    expect(frame.ping).toBeUndefined()
  })

  it('keeps what more is known of it', () => {
    const frame = { ...wireFrame(Buffer.from('hello'), true), to: 7 }
    expect(withPing(frame, '7')).toMatchObject({ binary: true, to: 7, ping: '7' })
  })
})

/** What a client of ws received, in order. */
type Received = ['message', string] | ['ping', string] | ['close', number]

/** A server's socket and all that its client receives. */
class Pair {
  readonly #http: Server = createServer()
  readonly #server: WebSocketServer
  readonly received: Received[] = []
  server!: WebSocket
  client!: WebSocket

  private constructor(deflate: boolean) {
    this.#server = new WebSocketServer({
      server: this.#http,
      perMessageDeflate: deflate ? { threshold: 0 } : false,
    })
  }

  static async open(deflate = false): Promise<Pair> {
    const pair = new Pair(deflate)
    pair.#http.listen(0, '127.0.0.1')
    await once(pair.#http, 'listening')
    const accepted = once(pair.#server, 'connection')
    pair.client = new WebSocket(`ws://127.0.0.1:${(pair.#http.address() as AddressInfo).port}`)
    pair.client.on('message', (data, isBinary) =>
      pair.received.push(['message', `${isBinary ? 'b' : 't'}:${(data as Buffer).toString('latin1')}`]),
    )
    pair.client.on('ping', data => pair.received.push(['ping', data.toString()]))
    pair.client.on('close', code => pair.received.push(['close', code]))
    const [server] = (await accepted) as [WebSocket]
    pair.server = server
    if (pair.client.readyState !== WebSocket.OPEN) await once(pair.client, 'open')
    return pair
  }

  /** The TCP socket under the server's end. */
  get tcp(): Socket {
    return (this.server as unknown as { _socket: Socket })._socket
  }

  end(): void {
    this.client.terminate()
    this.#server.close()
    this.#http.close()
    this.#http.closeAllConnections()
  }
}

const pairs: Pair[] = []

afterEach(() => {
  for (const pair of pairs.splice(0)) pair.end()
})

async function open(deflate = false): Promise<Pair> {
  const pair = await Pair.open(deflate)
  pairs.push(pair)
  return pair
}

/** Counts the writes to a socket. */
function countWrites(tcp: Socket): () => number {
  let writes = 0
  const write = tcp.write.bind(tcp)
  tcp.write = ((...args: Parameters<typeof write>) => {
    writes++
    return write(...args)
  }) as typeof tcp.write
  return () => writes
}

/** Makes the inside of a ws socket something else than expected, in a way that ws itself does not mind. */
function disguise({ server }: Pair): void {
  Object.assign(server, { _isServer: 1 })
}

describe('a write', () => {
  it('is one write to the TCP socket, and arrives as the message that it is', async () => {
    const { server, client, tcp, received } = await open()
    const writes = countWrites(tcp)
    writeFrame(server, wireFrame(Buffer.from('text'), false))
    writeFrame(server, wireFrame(Buffer.from('bytes'), true))
    writePing(server, pingFrame('8'))
    writeFrame(server, withPing(wireFrame(Buffer.from('more'), true), '9'))
    expect(writes()).toBe(4)
    server.close(4000)
    await once(client, 'close')
    expect(received).toEqual([
      ['message', 't:text'],
      ['message', 'b:bytes'],
      ['ping', '8'],
      ['message', 'b:more'],
      ['ping', '9'],
      ['close', 4000],
    ])
  })

  it('goes the official way where ws is not as expected', async () => {
    const pair = await open()
    disguise(pair)
    const writes = countWrites(pair.tcp)
    writeFrame(pair.server, withPing(wireFrame(Buffer.from('more'), true), '9'))
    writePing(pair.server, pingFrame('10'))
    // Header and payload of the message, header and payload of each ping.
    expect(writes()).toBe(6)
    pair.server.close(4000)
    await once(pair.client, 'close')
    expect(pair.received).toEqual([
      ['message', 'b:more'],
      ['ping', '9'],
      ['ping', '10'],
      ['close', 4000],
    ])
  })

  it('does not overtake what ws is compressing', async () => {
    const { server, client, received } = await open(true)
    const long = 'x'.repeat(100_000)
    server.send(long, { compress: true })
    writeFrame(server, wireFrame(Buffer.from('behind'), false))
    server.close(4000)
    await once(client, 'close')
    expect(received).toEqual([
      ['message', `t:${long}`],
      ['message', 't:behind'],
      ['close', 4000],
    ])
  })

  it('does not come in between the fragments of a message', async () => {
    const { server, client, received } = await open()
    server.send('one ', { fin: false })
    server.send('message', { fin: true })
    server.send('half ', { fin: false })
    writeFrame(server, wireFrame(Buffer.from('and half'), false))
    writeFrame(server, wireFrame(Buffer.from('behind'), false))
    server.close(4000)
    await once(client, 'close')
    expect(received).toEqual([
      ['message', 't:one message'],
      ['message', 't:half and half'],
      ['message', 't:behind'],
      ['close', 4000],
    ])
  })

  const act = fc.oneof(
    fc.record({ do: fc.constant('frame' as const), bytes: fc.nat(70_000), binary: fc.boolean() }),
    fc.record({ do: fc.constant('pinged' as const), bytes: fc.nat(300), binary: fc.boolean() }),
    fc.record({ do: fc.constant('send' as const), bytes: fc.nat(300) }),
    fc.record({ do: fc.constant('ping' as const) }),
  )
  it.each([false, true])('is in order with all else on the socket (the official way: %s)', async official => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 30 }), async acts => {
        const pair = await open()
        const { server, client, received } = pair
        if (official) disguise(pair)
        const expected: Received[] = []
        acts.forEach((one, i) => {
          const text = String(i).padEnd('bytes' in one ? one.bytes : 0, '.')
          const wire = (binary: boolean): WireFrame => wireFrame(Buffer.from(text), binary)
          if (one.do === 'ping') {
            if (i % 2 === 0) server.ping(text)
            else writePing(server, pingFrame(text))
            expected.push(['ping', text])
          } else if (one.do === 'send') {
            server.send(text)
            expected.push(['message', `t:${text}`])
          } else {
            writeFrame(server, one.do === 'pinged' ? withPing(wire(one.binary), `p${i}`) : wire(one.binary))
            expected.push(['message', `${one.binary ? 'b' : 't'}:${text}`])
            if (one.do === 'pinged') expected.push(['ping', `p${i}`])
          }
        })
        server.close(4000)
        writeFrame(server, wireFrame(Buffer.from('too late'), false))
        writePing(server, pingFrame('too late'))
        await once(client, 'close')
        expect(received).toEqual([...expected, ['close', 4000]])
        pair.end()
      }),
      { numRuns: 20 },
    )
  })

  it('counts in bufferedAmount', async () => {
    const { server, client } = await open()
    client.pause()
    const frame = wireFrame(Buffer.alloc(1024 * 1024), true)
    for (let i = 0; i < 64 && server.bufferedAmount === 0; i++) writeFrame(server, frame)
    const before = server.bufferedAmount
    expect(before).toBeGreaterThan(0)
    writeFrame(server, frame)
    expect(server.bufferedAmount - before).toBe(frame.bytes.length)
  })

  it('does nothing on a socket that is closed', async () => {
    const { server, client, tcp } = await open()
    client.terminate()
    await once(server, 'close')
    const writes = countWrites(tcp)
    writeFrame(server, wireFrame(Buffer.from('late'), false))
    expect(writes()).toBe(0)
  })

  it("goes the official way on a client's socket, which has to mask", async () => {
    const { server, client } = await open()
    const arrived = once(server, 'message')
    writeFrame(client, wireFrame(Buffer.from('masked'), false))
    const [data] = (await arrived) as [Buffer]
    expect(data.toString()).toBe('masked')
  })
})
