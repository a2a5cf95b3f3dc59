import { connect, type Socket } from 'node:net'

export interface RawRequest {
  method?: string
  path?: string
  headers?: Record<string, string>
  body?: unknown
  /** Of HTTP; 1.1 if not given. */
  version?: '1.0' | '1.1'
}

/** How a connection ended: in order or by a reset, or not at all, with what the server does so far. */
export type RawEnd = 'fin' | 'reset'

/** One request on a socket of its own, with every byte that came back. */
export class RawExchange {
  readonly #socket: Socket
  readonly #received: Buffer[] = []
  /** Settles when the connection has ended, however. */
  readonly ended: Promise<RawEnd>

  constructor(
    url: string,
    { method = 'POST', path = '/v1/chat/completions', headers = {}, body, version = '1.1' }: RawRequest,
  ) {
    const { hostname, port, pathname } = new URL(url)
    this.#socket = connect(Number(port), hostname)
    this.#socket.setNoDelay(true)
    this.#socket.on('data', (data: Buffer) => this.#received.push(data))
    this.ended = new Promise(resolve => {
      this.#socket.once('end', () => resolve('fin'))
      this.#socket.once('error', () => resolve('reset'))
    })
    const payload = body === undefined ? '' : JSON.stringify(body)
    const fields = {
      host: 'demo',
      connection: 'close',
      'content-length': Buffer.byteLength(payload),
      ...headers,
    }
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
    const prefix = pathname === '/' ? '' : pathname
    this.#socket.write(`${method} ${prefix}${path} HTTP/${version}\r\n${lines.join('')}\r\n${payload}`)
  }

  get received(): Buffer {
    return Buffer.concat(this.#received)
  }

  /** Status line and headers; empty while they have not come. */
  get head(): string {
    const text = this.received.toString('latin1')
    const end = text.indexOf('\r\n\r\n')
    return end === -1 ? '' : text.slice(0, end)
  }

  /** What each HTTP chunk held so far, a broken one included; a body that is not chunked is one. */
  get chunks(): Buffer[] {
    let rest = this.received.subarray(this.head.length + 4)
    if (!/transfer-encoding: chunked/i.test(this.head)) return [rest]
    const chunks: Buffer[] = []
    while (rest.length > 0) {
      const line = rest.indexOf('\r\n')
      if (line === -1) break
      const size = Number.parseInt(rest.subarray(0, line).toString('latin1'), 16)
      if (size === 0) break
      chunks.push(rest.subarray(line + 2, line + 2 + size))
      rest = rest.subarray(line + 2 + size + 2)
    }
    return chunks
  }

  /** Whether the last chunk of HTTP, which is empty, has come. */
  get hasLastChunk(): boolean {
    return this.received.subarray(-5).toString('latin1') === '0\r\n\r\n'
  }

  get body(): Buffer {
    return Buffer.concat(this.chunks)
  }

  /** Resolves as soon as `found` holds for what has come. */
  async until(found: (exchange: this) => boolean): Promise<void> {
    while (!found(this)) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#socket.once('data', () => resolve())
      await Promise.race([
        promise,
        this.ended.then(() => Promise.reject(new Error('the connection has ended'))),
      ])
    }
  }

  close(): void {
    this.#socket.destroy()
  }
}
