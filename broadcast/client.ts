/**
 * A viewer's end of `/scope/v1/stream`, for the page and for Node: connects, subscribes, comes back after a
 * break and resumes where it was, so that its owner sees every entry once and in order.
 *
 * What it guarantees: `onMessage` is called for each entry whose seq is above the last one applied, and for
 * nothing twice. Where entries are lost for good it passes on the server's `gap`, then the snapshot that
 * replaces them.
 *
 *   connecting ──open──► open ──break──► waiting ──timer or wake()──► connecting
 *        └───────break──────────────────────┘      code ≥ 4500 or close() ──► closed
 */
import { mayComeBack } from '../events/close-codes.ts'
import type { LogEntry } from '../events/generation.ts'
import { type ClientMessage, JSON_SUBPROTOCOL, type Position, type ServerMessage } from './protocol.ts'

const FIRST_DELAY_MS = 500
const LONGEST_DELAY_MS = 20_000
/** Silence after which the server is asked whether it is there, and how long it may take to answer. */
const QUIET_MS = 15_000
const ANSWER_MS = 8_000
/** A socket that has not opened by then never will: some proxies swallow the handshake. */
const OPEN_MS = 10_000

/** A `reset`: the log goes on under another epoch, after `upto`. */
export interface ResetMessage {
  type: 'reset'
  epoch: string
  upto: number
}

/** What a client may be told. */
export type ScopeMessage = ServerMessage | ResetMessage

export type ScopeState =
  | { kind: 'connecting' }
  | { kind: 'open' }
  /** `retryAt` in Unix milliseconds. */
  | { kind: 'waiting'; retryAt: number; reason: string }
  | { kind: 'closed'; code: number; reason: string }

/** How a message came to be sent. */
export interface Delivery {
  /** The entry tells of a time that a snapshot already covers: detail to add, not news. */
  replay: boolean
}

/** What is needed of a WebSocket; the global one of browsers and of Node fits. */
export interface ScopeSocket {
  readonly readyState: number
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(data: string): void
  close(code?: number, reason?: string): void
}

export interface ScopeClientOptions {
  /** `ws://…/scope/v1/stream` */
  url: string
  WebSocket?: new (url: string, protocols: string) => ScopeSocket
  /** 0 … 1, for the jitter. */
  random?: () => number
  /** Entries before the first snapshot whose detail is asked for once; 0 for none. */
  historyEntries?: number
  /** Ids to follow; everything where not given. */
  generations?: string[]
  onMessage(message: ScopeMessage, delivery: Delivery): void
  onState?(state: ScopeState): void
}

export interface ScopeClient {
  readonly state: ScopeState
  /** The last entry that was applied; null before the first snapshot. */
  readonly applied: Position | null
  /** Sends if connected; says whether it did. */
  send(message: ClientMessage): boolean
  /** Connects at once if it waits; asks the server for a sign of life if it believes to be connected. */
  wake(): void
  /** Ends it for good. */
  close(): void
}

/** Creates a client and starts to connect. */
export function createScopeClient(options: ScopeClientOptions): ScopeClient {
  return new Client(options)
}

const STATIC: Delivery = { replay: false }
const REPLAY: Delivery = { replay: true }
const OPEN = 1

class Client implements ScopeClient {
  readonly #options: ScopeClientOptions
  #state: ScopeState = { kind: 'connecting' }
  #socket: ScopeSocket | null = null
  #epoch: string | null = null
  #applied: Position | null = null
  /** Everything up to here was in a snapshot. */
  #snapshotUpto = 0
  #wantsHistory: boolean
  /** The history asked for; `begun` once its first entry has come. */
  #history: { from: number; liveTo: number; begun: boolean } | null = null
  #attempt = 0
  #drainMs: number | null = null
  #retry: ReturnType<typeof setTimeout> | undefined
  #watch: ReturnType<typeof setTimeout> | undefined

  constructor(options: ScopeClientOptions) {
    this.#options = options
    this.#wantsHistory = this.#historyEntries > 0
    this.#connect()
  }

  get state(): ScopeState {
    return this.#state
  }

  get applied(): Position | null {
    return this.#applied
  }

  send(message: ClientMessage): boolean {
    if (this.#socket?.readyState !== OPEN) return false
    this.#socket.send(JSON.stringify(message))
    return true
  }

  wake(): void {
    if (this.#state.kind === 'waiting') this.#connect()
    else if (this.#state.kind === 'open') this.#askForLife()
  }

  close(): void {
    if (this.#state.kind === 'closed') return
    const socket = this.#socket
    this.#forget()
    this.#enter({ kind: 'closed', code: 1000, reason: 'closed here' })
    socket?.close(1000)
  }

  get #historyEntries(): number {
    return this.#options.historyEntries ?? 0
  }

  #connect(): void {
    this.#forget()
    this.#enter({ kind: 'connecting' })
    const Socket = this.#options.WebSocket ?? (globalThis.WebSocket as unknown as new () => ScopeSocket)
    let socket: ScopeSocket
    try {
      socket = new (Socket as new (url: string, protocols: string) => ScopeSocket)(
        this.#options.url,
        JSON_SUBPROTOCOL,
      )
    } catch (error) {
      this.#wait(String(error))
      return
    }
    this.#socket = socket
    // A socket that was given up on may still speak: only the present one is heard.
    const present = (handle: (event: never) => void) => (event: never) => {
      if (this.#socket === socket) handle(event)
    }
    socket.onopen = present(() => this.#opened())
    socket.onmessage = present((event: { data: unknown }) => this.#read(event.data))
    socket.onclose = present((event: { code: number; reason: string }) => this.#closed(event))
    socket.onerror = present(() => {}) // a close always follows
    this.#watch = setTimeout(() => this.#giveUp('no answer'), OPEN_MS)
  }

  #opened(): void {
    this.#enter({ kind: 'open' })
    this.#subscribe(this.#resumePoint())
    this.#heard()
  }

  /** Where to go on: history that was asked for but never began is asked for again. */
  #resumePoint(): Position | null {
    if (this.#applied === null || this.#history === null || this.#history.begun) return this.#applied
    return { epoch: this.#applied.epoch, seq: this.#history.from }
  }

  #subscribe(since: Position | null): void {
    const message: ClientMessage = {
      type: 'subscribe',
      generations: this.#options.generations ?? '*',
      layout: 'map',
    }
    if (since !== null) message.since = since
    this.send(message)
  }

  #read(data: unknown): void {
    this.#heard()
    if (typeof data !== 'string') return
    let value: unknown
    try {
      value = JSON.parse(data)
    } catch {
      this.#giveUp('the server sent something that is not JSON')
      return
    }
    const socket = this.#socket
    for (const message of Array.isArray(value) ? value : [value]) {
      this.#apply(message as ScopeMessage)
      if (this.#socket !== socket) return // the owner closed it meanwhile
    }
  }

  #apply(message: ScopeMessage): void {
    switch (message.type) {
      case 'neural_state':
      case 'token_activation':
        this.#entry(message)
        return
      case 'hello':
        this.#attempt = 0
        this.#epoch = message.epoch
        break
      case 'snapshot':
        this.#options.onMessage(message, STATIC)
        if (message.last) this.#snapshotDone(message.upto)
        return
      case 'gap':
        // Either way the history that was hoped for is gone; what is left comes as a snapshot.
        this.#history = null
        if (message.reason === 'epoch') {
          this.#applied = null
          this.#wantsHistory = this.#historyEntries > 0
        } else this.#wantsHistory = false
        break
      case 'reset':
        this.#epoch = message.epoch
        this.#applied = { epoch: message.epoch, seq: message.upto }
        this.#snapshotUpto = Math.min(this.#snapshotUpto, message.upto)
        this.#history = null
        break
      case 'pong':
        this.#served(message)
        break
      case 'drain':
        this.#drainMs = message.retry_in_ms
        break
      default:
    }
    this.#options.onMessage(message, STATIC)
  }

  #entry(entry: LogEntry): void {
    const applied = this.#applied
    if (applied === null) return // ahead of the snapshot, which will hold it
    const history = this.#history
    if (history !== null && !history.begun) {
      if (entry.seq > history.from && entry.seq <= this.#snapshotUpto) {
        history.begun = true
        history.liveTo = applied.seq
        applied.seq = history.from
      }
    }
    if (entry.seq <= applied.seq) return
    applied.seq = entry.seq
    const replay = entry.seq <= this.#snapshotUpto
    if (history?.begun && !replay) {
      // Came live between the question for history and its answer.
      if (entry.seq <= history.liveTo) return
      this.#history = null
    }
    this.#options.onMessage(entry, replay ? REPLAY : STATIC)
  }

  #snapshotDone(upto: number): void {
    const epoch = this.#epoch
    if (epoch === null) return
    this.#applied = { epoch, seq: upto }
    this.#snapshotUpto = upto
    if (!this.#wantsHistory) return
    this.#wantsHistory = false
    if (upto === 0) return
    const from = Math.max(0, upto - this.#historyEntries)
    this.#history = { from, liveTo: upto, begun: false }
    this.#subscribe({ epoch, seq: from })
  }

  /** With a filter seqs have holes: only the server knows how far this client has been served. */
  #served(position: Position): void {
    if (this.#history !== null || this.#applied?.epoch !== position.epoch) return
    this.#applied.seq = Math.max(this.#applied.seq, position.seq)
  }

  /** Something came: the connection lives. */
  #heard(): void {
    clearTimeout(this.#watch)
    this.#watch = setTimeout(() => this.#askForLife(), QUIET_MS)
  }

  #askForLife(): void {
    clearTimeout(this.#watch)
    this.#watch = setTimeout(() => this.#giveUp('no sign of life'), ANSWER_MS)
    this.send({ type: 'ping' })
  }

  /** Leaves a socket that may hang without waiting for its close. */
  #giveUp(reason: string): void {
    const socket = this.#socket
    this.#forget()
    socket?.close()
    this.#wait(reason)
  }

  #closed(event: { code: number; reason: string }): void {
    this.#forget()
    const reason = event.reason || `code ${event.code}`
    if (mayComeBack(event.code)) this.#wait(reason)
    else this.#enter({ kind: 'closed', code: event.code, reason })
  }

  #wait(reason: string): void {
    const delay = this.#drainMs ?? this.#backoff()
    this.#drainMs = null
    this.#retry = setTimeout(() => this.#connect(), delay)
    this.#enter({ kind: 'waiting', retryAt: Date.now() + delay, reason })
  }

  /** Full jitter: anything between nothing and a bound that doubles, so that viewers do not return as one. */
  #backoff(): number {
    const bound = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#attempt++)
    return (this.#options.random ?? Math.random)() * bound
  }

  #forget(): void {
    clearTimeout(this.#retry)
    clearTimeout(this.#watch)
    this.#socket = null
  }

  #enter(state: ScopeState): void {
    this.#state = state
    this.#options.onState?.(state)
  }
}
