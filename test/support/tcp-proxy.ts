import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Where a connection is to break, counted in bytes of what the server sends. */
export interface Cut {
  bytes: number
  /** By a reset instead of an end. */
  reset: boolean
}

export interface TcpProxyOptions {
  target: string
  /** Asked at each connection; null: it is left alone. */
  cut?: () => Cut | null
  onCut?: () => void
  /** Sees what the server sends, as far as it is passed on. */
  onBytes?: (bytes: Buffer) => void
}

/** A TCP relay in front of a server that breaks connections at exact bytes of what the server sends. */
export class TcpProxy {
  /** Where new connections lead to. */
  target: string
  connections = 0
  cuts = 0
  readonly #options: TcpProxyOptions
  readonly #server: Server
  readonly #open = new Map<Socket, Socket>()

  private constructor(options: TcpProxyOptions) {
    this.#options = options
    this.target = options.target
    this.#server = createServer(near => this.#accept(near))
  }

  static async start(options: TcpProxyOptions): Promise<TcpProxy> {
    const proxy = new TcpProxy(options)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Connections that are there. */
  get open(): number {
    return this.#open.size
  }

  /** Resets every connection. */
  cutAll(): void {
    for (const [near, far] of [...this.#open]) {
      this.#open.delete(near)
      near.resetAndDestroy()
      far.resetAndDestroy()
      this.cuts++
    }
  }

  async stop(): Promise<void> {
    for (const [near, far] of this.#open) {
      near.destroy()
      far.destroy()
    }
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(near: Socket): void {
    this.connections++
    const { hostname, port } = new URL(this.target)
    const far = connect(Number(port), hostname)
    this.#open.set(near, far)
    const cut = this.#options.cut?.() ?? null
    let left = cut?.bytes ?? Number.POSITIVE_INFINITY
    for (const socket of [near, far]) {
      socket.setNoDelay(true)
      socket.on('error', () => {})
    }
    near.pipe(far)
    far.on('data', (bytes: Buffer) => {
      if (!this.#open.has(near)) return
      const passed = bytes.subarray(0, left)
      left -= passed.length
      this.#options.onBytes?.(passed)
      if (left === 0 && cut !== null) {
        this.#break(near, far, passed, cut)
        return
      }
      if (!near.write(passed)) far.pause()
    })
    near.on('drain', () => far.resume())
    far.on('end', () => near.end())
    const gone = () => {
      this.#open.delete(near)
      far.destroy()
    }
    near.on('close', gone)
    far.on('close', () => {
      if (!near.writableEnded) near.destroy()
    })
  }

  #break(near: Socket, far: Socket, last: Buffer, { reset }: Cut): void {
    this.#open.delete(near)
    if (reset) {
      near.write(last)
      near.resetAndDestroy()
      far.resetAndDestroy()
    } else {
      near.end(last, () => near.destroy())
      far.destroy()
    }
    this.cuts++
    this.#options.onCut?.()
  }
}
