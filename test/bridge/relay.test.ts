import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { createRelay } from '../../bridge/pass-through.ts'
import type { AnswerListener } from '../../bridge/transport.ts'

const BLOCK = Buffer.alloc(8 * 1024, 'x')

/** A relay to an app that nobody listens along to. */
function relayTo(response: ServerResponse): AnswerListener {
  return createRelay({
    response,
    tap: null,
    added: [],
    replaced: [],
    signal: new AbortController().signal,
    resume: () => {},
    fail: () => {},
    done: () => {},
  })
}

/**
 * Serves one answer that breaks just when some of it waits for a slow app, but so little that the stream
 * does not call for a drain.
 */
async function serveBreak(): Promise<{ port: number; written: Promise<number>; stop: () => void }> {
  let tell: (bytes: number) => void
  const written = new Promise<number>(resolve => {
    tell = resolve
  })
  const server = createServer((_request, response) => {
    const relay = relayTo(response)
    relay.head({ status: 200, statusText: 'OK', headers: ['X-Long', 'yes'] }, 0)
    let bytes = 0
    const fill = () => {
      if (response.writableLength === 0) {
        relay.chunk(BLOCK, 0)
        bytes += BLOCK.length
        setImmediate(fill)
      } else {
        expect(response.writableNeedDrain).toBe(false)
        relay.broken(new Error('gone'), 0)
        tell(bytes)
      }
    }
    setImmediate(fill)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return { port: (server.address() as AddressInfo).port, written, stop }
}

test('a break while a little waits for a slow app gives it all of it, and then the break', async () => {
  const { port, written, stop } = await serveBreak()
  const request = httpRequest({ port, host: '127.0.0.1' }).end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const total = await written
  let bytes = 0
  response.on('error', () => {})
  response.on('data', (data: Buffer) => {
    bytes += data.length
  })
  await new Promise(resolve => response.on('close', resolve))
  expect([bytes, response.complete]).toEqual([total, false])
  stop()
})

test('bytes that came in the same turn as the break are not lost', async () => {
  const server = createServer((_request, response) => {
    const relay = relayTo(response)
    relay.head({ status: 200, statusText: 'OK', headers: [] }, 0)
    relay.chunk(BLOCK, 0)
    relay.broken(new Error('gone'), 0)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const request = httpRequest({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }).end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let bytes = 0
  response.on('error', () => {})
  response.on('data', (data: Buffer) => {
    bytes += data.length
  })
  await new Promise(resolve => response.on('close', resolve))
  expect([bytes, response.complete]).toEqual([BLOCK.length, false])
  server.close()
})

test('an HTTP/1.0 app, for which the connection’s end is the answer’s, is reset', async () => {
  const { port, written, stop } = await serveBreak()
  const socket = connect(port, '127.0.0.1')
  socket.pause()
  socket.write('GET / HTTP/1.0\r\n\r\n')
  await written
  socket.resume()
  const [error] = await once(socket, 'error')
  expect((error as NodeJS.ErrnoException).code).toBe('ECONNRESET')
  stop()
})
