import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { TokenscopeError } from '../events/errors.ts'
import { BIN_SUBPROTOCOL, JSON_SUBPROTOCOL } from './protocol.ts'

/** What a client may say at once; more is closed with 1009. */
const MAX_MESSAGE_BYTES = 64 * 1024
/** How long somebody may take to answer a close. */
const CLOSE_PATIENCE_MS = 5000

/** Answers an upgrade that cannot be had. */
export type Refuse = (error: TokenscopeError) => void

/** Makes a WebSocket of an HTTP upgrade. */
export class Handshake {
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // It would take eight times the CPU, or, with a context kept, 240 KB a viewer.
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: chosenOf,
    // Its types do not know it yet.
    ...{ closeTimeout: CLOSE_PATIENCE_MS },
  })
  readonly #refusals = new WeakMap<IncomingMessage, Refuse>()

  constructor() {
    this.#server.on('headers', (headers, request) => {
      const id = request.headers['x-correlation-id']
      if (id !== undefined) headers.push(`X-Correlation-ID: ${id}`)
    })
    this.#server.on('wsClientError', (error, _socket, request) => {
      this.#refusals.get(request)?.(
        new TokenscopeError('BAD_REQUEST', `No WebSocket handshake: ${error.message}.`),
      )
    })
  }

  /**
   * Completes an upgrade.
   *
   * @param refuse told BAD_REQUEST if it is no WebSocket's
   * @returns null if it came to nothing: it was refused, or the client has gone
   */
  complete(request: IncomingMessage, socket: Duplex, head: Buffer, refuse: Refuse): WebSocket | null {
    let made: WebSocket | null = null
    this.#refusals.set(request, refuse)
    // It calls back before it returns.
    this.#server.handleUpgrade(request, socket, head, webSocket => {
      made = webSocket
    })
    return made
  }

  /** Makes none any more. */
  close(): void {
    this.#server.close()
  }
}

/** Of the protocols that are spoken here the one that the client likes best, which it offers first. */
function chosenOf(offered: Set<string>): string | false {
  for (const protocol of offered) {
    if (protocol === BIN_SUBPROTOCOL || protocol === JSON_SUBPROTOCOL) return protocol
  }
  return false
}
