import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { isConnectError } from '../../bridge/connect-error.ts'
import { type AnswerHead, type Sending, Transport, type UpstreamRequest } from '../../bridge/transport.ts'

/** What came of a request. */
class Answer {
  head: AnswerHead | null = null
  readonly chunks: Buffer[] = []
  /** `end`, or the error that broke it. */
  outcome: 'end' | Error | null = null
  takesMore = true
  sending!: Sending
  #wake: (() => void)[] = []

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1')
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>(resolve => this.#wake.push(resolve))
  }

  async over(): Promise<'end' | Error> {
    await this.until(() => this.outcome !== null)
    return this.outcome as 'end' | Error
  }

  send(transport: Transport, request: Partial<UpstreamRequest> = {}): this {
    const tell = (what: () => void) => {
      if (this.outcome !== null) throw new Error('told after the end')
      what()
      for (const wake of this.#wake.splice(0)) wake()
    }
    this.sending = transport.send(
      { method: 'POST', path: '/v1/x', headers: [], body: Buffer.from('{}'), ...request },
      {
        head: head => tell(() => (this.head = head)),
        chunk: bytes => {
          tell(() => this.chunks.push(Buffer.from(bytes)))
          return this.takesMore
        },
        end: () => tell(() => (this.outcome = 'end')),
        broken: error => tell(() => (this.outcome = error)),
      },
    )
    return this
  }
}

/** One connection as the server sees it. */
class Far {
  readonly socket: Socket
  received = ''
  /** Whether the other side closed its half, whether it was reset. */
  ended = false
  reset = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', data => {
      this.received += data.toString('latin1')
    })
    socket.on('end', () => {
      this.ended = true
    })
    socket.on('error', () => {
      this.reset = true
    })
  }

  /** Requests that came whole, with bodies of `{}` or none. */
  get requests(): number {
    return this.received.split(/\r\n\r\n/).length - 1
  }

  async until(condition: (far: this) => boolean): Promise<void> {
    while (!condition(this)) await setImmediate()
  }
}

let server: Server
let transport: Transport
let fars: Far[]
/** Called with each connection. */
let onConnection: (far: Far) => void

beforeEach(async () => {
  fars = []
  onConnection = () => {}
  server = createServer({ allowHalfOpen: true }, socket => {
    const far = new Far(socket)
    fars.push(far)
    onConnection(far)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  transport = new Transport(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
})
afterEach(async () => {
  vi.useRealTimers()
  await transport.close()
  for (const { socket } of fars) socket.destroy()
  server.close()
})

const far = async (index = 0): Promise<Far> => {
  while (fars.length <= index) await setImmediate()
  return fars[index] as Far
}
const asked = async (index = 0, requests = 1): Promise<Far> => {
  const one = await far(index)
  await one.until(({ requests: count }) => count >= requests)
  return one
}
/** Whatever is on its way between two sockets of this process has come after so many turns. */
const settle = async () => {
  for (let i = 0; i < 50; i++) await setImmediate()
}
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const STREAM = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
/** Answers each request of a connection with the next of these. */
const answering =
  (...answers: string[]) =>
  (one: Far) => {
    let answered = 0
    one.socket.on('data', () => {
      while (one.requests > answered && answered < answers.length)
        one.socket.write(answers[answered++] as string, 'latin1')
    })
  }

describe('what is sent', () => {
  test('is the request with Host first and its own headers as they are', async () => {
    const answer = new Answer().send(transport, { headers: ['X-A', '1', 'x-a', '2', 'content-length', '2'] })
    const { received, socket } = await asked()
    const { host } = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    expect(received.split('\r\n').slice(0, 5)).toEqual([
      'POST /v1/x HTTP/1.1',
      `Host: ${host}`,
      'X-A: 1',
      'x-a: 2',
      'content-length: 2',
    ])
    expect(received).toMatch(/\r\n\r\n\{\}$/)
    socket.write(OK)
    expect(await answer.over()).toBe('end')
  })

  test.each<[string, Partial<UpstreamRequest>, RegExp]>([
    ['a POST without a body', { body: null }, /Content-Length: 0\r\n/],
    ['held bytes', { body: Buffer.from('abc') }, /Content-Length: 3\r\n[\s\S]*\r\n\r\nabc$/],
    [
      'a stream',
      { body: Readable.from([Buffer.from('abc')]) },
      /Transfer-Encoding: chunked\r\n[\s\S]*3\r\nabc\r\n/,
    ],
    [
      'a stream of a DELETE',
      { method: 'DELETE', body: Readable.from([Buffer.from('abc')]) },
      /Transfer-Encoding: chunked\r\n[\s\S]*3\r\nabc\r\n/,
    ],
  ])('has its length told: %s', async (_name, request, expected) => {
    const answer = new Answer().send(transport, request)
    const one = await far()
    await one.until(({ received }) => expected.test(received))
    one.socket.write(OK)
    await answer.over()
  })

  test('of a GET has no length where it has no body', async () => {
    const answer = new Answer().send(transport, { method: 'GET', body: null })
    const { received, socket } = await asked()
    expect(received).not.toMatch(/content-length|transfer-encoding/i)
    socket.write(OK)
    await answer.over()
  })

  test('cannot be a header that breaks out of its line', async () => {
    const answer = new Answer().send(transport, { headers: ['x', 'a\r\nb: c'] })
    expect(await answer.over()).toMatchObject({ code: 'ERR_INVALID_CHAR' })
    expect(isConnectError(answer.outcome)).toBe(false)
  })
})

describe('what comes back', () => {
  const take = async (bytes: string, method = 'POST') => {
    onConnection = answering(bytes)
    const answer = new Answer().send(transport, { method, body: null })
    return { answer, outcome: await answer.over() }
  }

  test('has the bytes of its phrase, its headers and its trailers', async () => {
    const { answer } = await take(
      'HTTP/1.1 200 \xe9t\xe9\r\nX-a: \xe9\r\nx-A: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Why: not\r\n\r\n',
    )
    expect(answer.head).toMatchObject({ status: 200, statusText: '\xe9t\xe9' })
    expect(answer.head?.headers).toEqual(['X-a', '\xe9', 'x-A', '2', 'Transfer-Encoding', 'chunked'])
    expect(answer.head?.trailers?.()).toEqual(['X-Why', 'not'])
    expect(answer.text).toBe('ok')
  })

  test('is the answer alone where others announce it', async () => {
    const { answer } = await take(
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}`,
    )
    expect([answer.head?.status, answer.text]).toEqual([200, 'ok'])
  })

  test.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'],
  ])('has no body: %s %j', async (method, bytes) => {
    const { answer, outcome } = await take(bytes, method)
    expect([outcome, answer.text]).toEqual(['end', ''])
  })

  test.each([
    ['garbage', 'this is no HTTP\r\n\r\n', /^HPE_/],
    ['a head of 200 KB', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200_000)}\r\n\r\n`, /^HPE_HEADER_OVERFLOW$/],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', /^HPE_/],
    ['a bad chunk', `${STREAM}zz\r\n`, /^HPE_INVALID_CHUNK_SIZE$/],
  ])('is broken by %s', async (_name, bytes, code) => {
    const { outcome } = await take(bytes)
    expect(outcome).toMatchObject({ code: expect.stringMatching(code) })
    expect(isConnectError(outcome)).toBe(false)
  })

  test('is broken by a switch of protocols that nobody asked for', async () => {
    const { outcome } = await take('HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n')
    expect(outcome).toBeInstanceOf(Error)
  })

  test('keeps all of a thousand headers', async () => {
    const lines = Array.from({ length: 1500 }, (_, i) => `a: ${i % 10}\r\n`).join('')
    const { answer } = await take(`HTTP/1.1 200 OK\r\n${lines}Content-Length: 0\r\n\r\n`)
    expect(answer.head?.headers.length).toBe(3002)
  })

  test.each(['FIN', 'RST'])('is given whole up to a break (%s) that comes while it is paused', async way => {
    const answer = new Answer()
    answer.takesMore = false
    answer.send(transport)
    const { socket } = await asked()
    const block = 'x'.repeat(1000)
    socket.write(STREAM)
    socket.write(`3e8\r\n${block}\r\n`)
    await answer.until(() => answer.chunks.length === 1)
    for (let i = 0; i < 9; i++) socket.write(`3e8\r\n${block}\r\n`)
    // It is read as far as there is room, and waits there. A reset takes away what was not read.
    await settle()
    if (way === 'FIN') socket.end('3e8\r\n')
    else socket.resetAndDestroy()
    await settle()
    while (answer.outcome === null) {
      answer.sending.resume()
      await setImmediate()
    }
    expect(answer.outcome).toMatchObject({ code: 'ECONNRESET' })
    expect(answer.text.length).toBe(10_000)
  })

  test('is broken by what its listener cannot bear, and nothing else is', async () => {
    onConnection = answering(OK, OK)
    const fault = new Error('too much')
    const broken = new Promise(resolve => {
      transport.send(
        { method: 'GET', path: '/', headers: [], body: null },
        {
          head: () => {
            throw fault
          },
          chunk: () => true,
          end: () => resolve('end'),
          broken: resolve,
        },
      )
    })
    expect(await broken).toBe(fault)
    expect(await new Answer().send(transport).over()).toBe('end')
  })

  test('that comes before the body was sent is the answer, and ends the sending', async () => {
    onConnection = ({ socket }) => socket.once('data', () => socket.write(OK))
    const body = new Readable({ read() {} })
    body.push('some')
    const answer = new Answer().send(transport, { body })
    expect(await answer.over()).toBe('end')
    await once(body, 'close')
    expect(answer.text).toBe('ok')
  })

  test('is broken where the body breaks', async () => {
    const body = new Readable({ read() {} })
    body.push('some')
    const answer = new Answer().send(transport, { body })
    await (await far()).until(({ received }) => received.includes('some'))
    body.destroy(new Error('the app has gone'))
    expect(await answer.over()).toMatchObject({ message: 'the app has gone' })
  })
})

describe('connections', () => {
  test('are used again', async () => {
    onConnection = answering(OK, OK, OK)
    for (let i = 0; i < 3; i++) expect(await new Answer().send(transport).over()).toBe('end')
    expect(fars.length).toBe(1)
  })

  test.each(['FIN', 'RST'])(
    'that the server closes (%s) just as they are used again: sent once more',
    async way => {
      onConnection = one => {
        one.socket.on('data', () => {
          if (fars.indexOf(one) > 0 || one.requests === 1) one.socket.write(OK)
          else if (way === 'FIN') one.socket.destroy()
          else one.socket.resetAndDestroy()
        })
      }
      await new Answer().send(transport).over()
      const second = new Answer().send(transport, { path: '/second' })
      expect(await second.over()).toBe('end')
      expect(second.text).toBe('ok')
      expect(fars.map(({ requests }) => requests)).toEqual([2, 1])
    },
  )

  test('that break on a new one, or after a byte of an answer, are broken', async () => {
    onConnection = one => {
      one.socket.on('data', () => {
        if (fars.indexOf(one) === 1) one.socket.destroy()
        else if (one.requests === 1) one.socket.write(OK)
        else one.socket.end('HTTP/1.1 200')
      })
    }
    await new Answer().send(transport).over()
    expect(await new Answer().send(transport).over()).toBeInstanceOf(Error)
    expect(fars.length).toBe(1)
    expect(await new Answer().send(transport).over()).toMatchObject({ code: 'ECONNRESET' })
    expect(fars.length).toBe(2)
  })

  test('that the server closes and lets nobody in any more: broken by what closed it', async () => {
    onConnection = one => {
      one.socket.on('data', () => {
        if (one.requests === 1) one.socket.write(OK)
        else {
          server.close()
          one.socket.resetAndDestroy()
        }
      })
    }
    await new Answer().send(transport).over()
    const outcome = await new Answer().send(transport).over()
    expect(outcome).toMatchObject({ code: 'ECONNRESET' })
    expect(isConnectError(outcome)).toBe(false)
  })

  test('are new for a body that cannot be sent twice', async () => {
    onConnection = answering(OK, OK)
    await new Answer().send(transport).over()
    const answer = new Answer().send(transport, { body: Readable.from([Buffer.from('abc')]) })
    const one = await far(1)
    await one.until(({ received }) => received.includes('abc'))
    expect(await answer.over()).toBe('end')
    expect(fars.length).toBe(2)
  })

  test('are new for what must not come twice, which nothing sends again', async () => {
    onConnection = answering(OK)
    await new Answer().send(transport).over()
    const once = new Answer().send(transport, { repeatable: false })
    const second = await asked(1)
    second.socket.end(OK)
    expect(await once.over()).toBe('end')
    expect([fars.length, (await far()).requests]).toEqual([2, 1])
  })

  test('that do not come about are told from those that break', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    closed.close()
    await once(closed, 'close')
    for (const host of ['127.0.0.1', 'localhost', 'no.such.host.invalid']) {
      const nowhere = new Transport(new URL(`http://${host}:${port}`))
      const outcome = await new Answer().send(nowhere).over()
      expect([host, isConnectError(outcome)]).toEqual([host, true])
      await nowhere.close()
    }
  })

  test('are waited for no longer than 2 s, the handshake of TLS included', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const secure = new Transport(new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`))
    const answer = new Answer().send(secure)
    // It takes the connection and says nothing.
    await (await far()).until(({ received }) => received.length > 0)
    vi.advanceTimersByTime(1999)
    await setImmediate()
    expect(answer.outcome).toBeNull()
    vi.advanceTimersByTime(1)
    expect(isConnectError(await answer.over())).toBe(true)
    await secure.close()
  })

  test('are all closed at the end, and what was on its way is broken by then', async () => {
    const answers = [new Answer().send(transport), new Answer().send(transport)]
    await Promise.all([asked(0), asked(1)])
    answers.push(new Answer().send(transport))
    await transport.close()
    expect(answers.map(({ outcome }) => outcome instanceof Error)).toEqual([true, true, true])
    expect(await new Answer().send(transport).over()).toBeInstanceOf(Error)
  })
})

describe('letting go', () => {
  const reason = new Error('nobody waits')

  test('closes the half of the connection at once, and is over when the server closes the other', async () => {
    const answer = new Answer().send(transport)
    const one = await asked()
    answer.sending.abort(reason)
    await one.until(({ ended }) => ended)
    await settle()
    expect([answer.outcome, one.reset]).toEqual([null, false])
    one.socket.end()
    expect(await answer.over()).toBe(reason)
    expect(answer.head).toBeNull()
  })

  test('resets a server that goes on writing', async () => {
    const answer = new Answer().send(transport)
    const one = await asked()
    one.socket.write(`${STREAM}2\r\nok\r\n`)
    await answer.until(() => answer.chunks.length === 1)
    answer.sending.abort(reason)
    await one.until(({ ended }) => ended)
    expect(answer.outcome).toBeNull()
    one.socket.write('2\r\nno\r\n')
    expect(await answer.over()).toBe(reason)
    while (!one.reset) {
      one.socket.write('2\r\nno\r\n')
      await setImmediate()
    }
    expect(answer.text).toBe('ok')
  })

  test.each([0, 1, 2, 5, 20, 50])(
    'resets a server that wrote %i turns before, to a slow listener',
    async turns => {
      const answer = new Answer()
      answer.takesMore = false
      answer.send(transport)
      const one = await asked()
      one.socket.write(`${STREAM}2\r\nok\r\n`)
      await answer.until(() => answer.chunks.length === 1)
      one.socket.write(`${(1 << 20).toString(16)}\r\n${'x'.repeat(1 << 20)}\r\n`)
      for (let i = 0; i < turns; i++) await setImmediate()
      answer.sending.abort(reason)
      expect(await answer.over()).toBe(reason)
      while (!one.reset) {
        one.socket.write('x')
        await setImmediate()
      }
      expect(answer.text).toBe('ok')
    },
  )

  test('is over after 10 s with a server that does nothing, or at a second word', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const [patient, impatient] = [new Answer().send(transport), new Answer().send(transport)]
    await Promise.all([asked(0), asked(1)])
    patient.sending.abort(reason)
    impatient.sending.abort(reason)
    await Promise.all(fars.map(one => one.until(({ ended }) => ended)))
    impatient.sending.abort(new Error('at once'))
    expect(await impatient.over()).toBe(reason)
    vi.advanceTimersByTime(9999)
    await settle()
    expect(patient.outcome).toBeNull()
    vi.advanceTimersByTime(1)
    expect(await patient.over()).toBe(reason)
  })

  test('is over at once while the request is not sent whole, or the answer is there whole', async () => {
    const early = new Answer().send(transport)
    early.sending.abort(reason)
    expect(await early.over()).toBe(reason)

    const body = new Readable({ read() {} })
    body.push('some')
    const half = new Answer().send(transport, { body })
    while (!fars.some(({ received }) => received.includes('some'))) await setImmediate()
    half.sending.abort(reason)
    expect(await half.over()).toBe(reason)
    expect(body.destroyed).toBe(true)
  })

  test('is nothing once the answer is over', async () => {
    onConnection = answering(OK)
    const answer = new Answer().send(transport)
    await answer.over()
    answer.sending.abort(reason)
    answer.sending.resume()
    await settle()
    expect(answer.outcome).toBe('end')
  })

  test('is understood by a server of Node, which closes at once', async () => {
    const node = createHttpServer((_request, response) => void response.writeHead(200).write('x'))
    node.listen(0, '127.0.0.1')
    await once(node, 'listening')
    const to = new Transport(new URL(`http://127.0.0.1:${(node.address() as AddressInfo).port}`))
    const answer = new Answer().send(to)
    await answer.until(() => answer.chunks.length === 1)
    answer.sending.abort(reason)
    expect(await answer.over()).toBe(reason)
    await to.close()
    node.close()
  })
})

describe('asking for something small', () => {
  const get = (signal = new AbortController().signal) =>
    transport.get('/small', { signal, maxBytes: 10, headers: { 'x-a': '1' } })

  test('gives status and body', async () => {
    onConnection = answering(OK)
    expect(await get()).toEqual({ status: 200, body: Buffer.from('ok') })
    expect(fars[0]?.received).toMatch(
      /^GET \/small HTTP\/1\.1\r\n[\s\S]*accept: application\/json\r\nx-a: 1\r\n/,
    )
  })

  test('rejects an answer that is too long, and whatever the signal says', async () => {
    onConnection = answering('HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890')
    await expect(get()).rejects.toThrow('over 10 bytes')
    onConnection = () => {}
    const abort = new AbortController()
    const waiting = get(abort.signal)
    const gone = expect(waiting).rejects.toThrow('enough')
    await asked(1)
    abort.abort(new Error('enough'))
    await gone
    await expect(get(abort.signal)).rejects.toThrow('enough')
  })
})
