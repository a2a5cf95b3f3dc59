import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP relay in front of a server that can lose its connections, and the way to the server, at will. */
export class Cutter {
  readonly #target: URL
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #open = true

  private constructor(target: string) {
    this.#target = new URL(target)
    this.#server = createServer(near => {
      if (!this.#open) {
        near.destroy()
        return
      }
      const far = connect(Number(this.#target.port), this.#target.hostname)
      for (const socket of [near, far]) {
        this.#sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => {
          this.#sockets.delete(socket)
          near.destroy()
          far.destroy()
        })
      }
      near.pipe(far)
      far.pipe(near)
    })
  }

  static async before(target: string): Promise<Cutter> {
    const cutter = new Cutter(target)
    cutter.#server.listen(0, '127.0.0.1')
    await once(cutter.#server, 'listening')
    return cutter
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Cuts every connection and lets no new one through. */
  cut(): void {
    this.#open = false
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Lets connections through again. */
  mend(): void {
    this.#open = true
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
