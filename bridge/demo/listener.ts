/** The port of the demo server: opened, refused for a while, opened again, closed. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { reasonOf, TokenscopeError } from '../../events/errors.ts'

const RETRY_MS = 50

export class Listener {
  readonly #server: Server
  readonly #host: string
  #port: number
  readonly #stopped = new AbortController()
  #refusal: Promise<void> | null = null

  /** `port` 0 is any free one, the same again after a refusal. */
  constructor(server: Server, host: string, port: number) {
    this.#server = server
    this.#host = host
    this.#port = port
  }

  /** Listens; gives the base URL. Rejects with PORT_TAKEN if it cannot. */
  async start(): Promise<string> {
    try {
      await this.#listen()
    } catch (cause) {
      throw new TokenscopeError(
        'PORT_TAKEN',
        `the demo model cannot listen on ${this.#host}:${this.#port}: ${reasonOf(cause)}; choose another port`,
        { cause },
      )
    }
    this.#port = (this.#server.address() as AddressInfo).port
    return `http://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${this.#port}`
  }

  /**
   * Resets a connection and lets no other in for `ms`; Infinity until it is stopped. Answers under way go on.
   * While it refuses already, it only resets.
   */
  refuse(socket: Socket, ms: number): void {
    // First the port: who sees the reset and comes again at once is to be refused.
    if (this.#server.listening) this.#refusal = this.#reopen(ms)
    socket.resetAndDestroy()
  }

  /** Closes the port and all connections. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#refusal
    const closed = this.#server.listening ? once(this.#server, 'close') : null
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #reopen(ms: number): Promise<void> {
    const { signal } = this.#stopped
    this.#server.close()
    try {
      if (ms === Number.POSITIVE_INFINITY) await once(signal, 'abort')
      else await setTimeout(ms, undefined, { signal })
      // Another program may have the port for a moment.
      while (!signal.aborted) {
        try {
          await this.#listen()
          return
        } catch {
          await setTimeout(RETRY_MS, undefined, { signal })
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  async #listen(): Promise<void> {
    this.#server.listen(this.#port, this.#host)
    await once(this.#server, 'listening')
  }
}
