/** What a client is given and what it gives: see `createScopeClient`. */
import type { ClientMessage, Position, TokenVisualizationMessage } from '../protocol/messages.ts'
import type { LayoutName, PickQuestion } from '../protocol/view.ts'
import type { Delivery, ScopeMessage } from './log-cursor.ts'
import type { WholeView } from './view-assembly.ts'
import type { Viewport } from './views.ts'

/** `code` is what the last connection was closed with; null where it was not closed but given up. */
export type ScopeState =
  | { kind: 'connecting'; code: number | null }
  /** The server has said hello. */
  | { kind: 'open' }
  /** `retryAt` in Unix milliseconds. */
  | { kind: 'waiting'; retryAt: number; reason: string; code: number | null }
  | { kind: 'closed'; code: number; reason: string }

/** What is needed of a WebSocket; the global one of browsers and of Node fits. */
export interface ScopeSocket {
  readonly readyState: number
  binaryType: string
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(data: string): void
  close(code?: number, reason?: string): void
}

export type SocketClass = new (url: string, protocol: string) => ScopeSocket

export interface ScopeClientOptions {
  /** `ws://…/scope/v1/stream` */
  url: string
  /** How entries come; `bin`, if not given, takes a sixth of the bytes at most and half of the time to read. */
  protocol?: 'bin' | 'json'
  /** Tells the server who this is; asked anew for each connection. */
  token?: string | (() => string)
  /** Ids to follow; everything where not given. */
  generations?: '*' | string[]
  /** Where to begin: `applied` of another client, for example of this program's last run. */
  since?: Position
  /** Entries before the first snapshot whose detail is asked for once; 0 for none. */
  historyEntries?: number
  /** The layout whose tokens `onPlaced` is told of; see `follow`. */
  layout?: LayoutName
  WebSocket?: SocketClass
  /** 0 … 1, for the jitter. */
  random?: () => number
  onMessage(message: ScopeMessage, delivery: Delivery): void
  onState?(state: ScopeState): void
  /** Told what has just been laid out. Where `after` is beyond the last `upto`, something was left out: ask `view`. */
  onPlaced?(placed: TokenVisualizationMessage): void
}

export interface ScopeClient {
  readonly state: ScopeState
  /** The last entry that was applied; null before the first snapshot. */
  readonly applied: Position | null
  /** Sends if connected; says whether it did. */
  send(message: ClientMessage): boolean
  /**
   * What is in a viewport, with the content of all of its tiles, those among them that came before. Waits for a
   * connection, and asks again where one breaks.
   *
   * @returns rejects with a ViewError: SUPERSEDED once a newer one is asked for, CLOSED, or the server's code. So who
   *   shows what moves asks again when the last one was answered, not each time it moved.
   */
  view(question: Viewport): Promise<WholeView>
  /**
   * The token at a place: the only one in `tokens`, if there is one. Otherwise as `view`; each is answered.
   *
   * @returns rejects with RESTARTED, too: the server was, and the place is another one, unless it is on the map
   */
  pick(question: PickQuestion): Promise<WholeView>
  /** Tells `onPlaced` of another layout from now on; of `map` there is nothing to tell. */
  follow(layout: LayoutName): void
  /**
   * To be called when somebody looks again, or the network is back: connects at once if it waits, and asks
   * for a sign of life if it believes to be connected. One that was told there is no room waits that second.
   */
  wake(): void
  /**
   * Ends it for good: nothing is told any more. Node's own WebSocket keeps a program running until the server has
   * answered the close or the connection is gone.
   */
  close(): void
}
