/**
 * A viewer's end of `/scope/v1/stream`, for the page and for Node: connects, subscribes, comes back after a
 * break and resumes where it was, so that its owner sees every entry once and in order.
 *
 * What it guarantees: `onMessage` is called for each entry whose seq is above the last one applied, in the
 * order of the log and for nothing twice. Where entries will not come any more it is told of a `gap`, and
 * right after it of the snapshot that replaces them, whole.
 *
 *   connecting ──hello──► open ──break──► waiting ──timer or wake()──► connecting
 *        └────────break─────────────────────┘      code 4500…4999 or close() ──► closed
 */
import { CLOSE_CODES, mayComeBack } from '../events/close-codes.ts'
import { Acknowledgement } from './client/acknowledgement.ts'
import { Backoff } from './client/backoff.ts'
import { type Delivery, LogCursor, type ScopeMessage } from './client/log-cursor.ts'
import type {
  ScopeClient,
  ScopeClientOptions,
  ScopeSocket,
  ScopeState,
  SocketClass,
} from './client/scope-client.ts'
import type { WholeView } from './client/view-assembly.ts'
import { ClientViews, type Viewport } from './client/views.ts'
import type { LayoutName, PickQuestion } from './protocol/view.ts'
import {
  BIN_SUBPROTOCOL,
  BinaryReader,
  type ClientMessage,
  JSON_SUBPROTOCOL,
  type Position,
  type ServerMessage,
} from './protocol.ts'

export type { WholeTile } from './client/kept-tiles.ts'
export type { Delivery, ScopeMessage } from './client/log-cursor.ts'
export type { ScopeClient, ScopeClientOptions, ScopeSocket, ScopeState } from './client/scope-client.ts'
export type { WholeSnapshot } from './client/snapshot-assembly.ts'
export type { WholeView } from './client/view-assembly.ts'
export { ViewError, type Viewport } from './client/views.ts'

/** Silence after which the server is asked whether it is there, and how long it may take to answer. */
const QUIET_MS = 15_000
const ANSWER_MS = 8000
/** The same after a sleep, when somebody looks. */
const WAKING_ANSWER_MS = 3000
/** Without a hello by then there will be none: some proxies swallow the handshake. */
const OPEN_MS = 10_000
/** A connection that held this long was a good one. */
const PROVEN_MS = 5000
/** Who was told that there is no room does not ask again earlier. */
const NO_ROOM_MS = 1000
/** A server that stops may ask for a longer absence, but for none that looks like the end. */
const LONGEST_ABSENCE_MS = 60_000

/** Creates a client and starts to connect. */
export function createScopeClient(options: ScopeClientOptions): ScopeClient {
  return new Client(options)
}

const OPEN = 1

class Client implements ScopeClient {
  readonly #options: ScopeClientOptions
  readonly #cursor: LogCursor
  readonly #backoff: Backoff
  readonly #acknowledgement = new Acknowledgement(seq => this.send({ type: 'ack', seq }))
  #state: ScopeState = { kind: 'connecting', code: null }
  #socket: ScopeSocket | null = null
  readonly #views = new ClientViews(message => this.send(message))
  #layout: LayoutName
  /** Handles mean something on one connection only. */
  #reader = this.#newReader()
  #subscribed = false
  /** When the attempt began and when the server said hello, by the wall clock and by the one that never jumps. */
  #begunAt = 0
  #greetedAt: number | null = null
  #drainMs: number | null = null
  /** No attempt before this, whoever asks; Unix milliseconds. */
  #notBefore = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #watch: ReturnType<typeof setTimeout> | undefined
  /** When something came last, and whether `#watch` waits for the time since to be long. */
  #heardAt = 0
  #listening = false
  /** By when a sign of life has to come, once one was asked for; by the clock that never jumps. */
  #answerBy: number | null = null

  constructor(options: ScopeClientOptions) {
    this.#options = options
    this.#layout = options.layout ?? 'map'
    this.#backoff = new Backoff(options.random ?? Math.random)
    this.#cursor = new LogCursor({
      since: options.since === undefined ? null : { ...options.since },
      historyEntries: options.historyEntries ?? 0,
      filtered: Array.isArray(options.generations),
      subscribe: since => this.#subscribe(since),
      deliver: (message, delivery) => this.#deliver(message, delivery),
    })
    this.#connect(null)
  }

  get state(): ScopeState {
    return this.#state
  }

  get applied(): Position | null {
    const { position } = this.#cursor
    return position && { ...position }
  }

  send(message: ClientMessage): boolean {
    if (this.#socket?.readyState !== OPEN) return false
    this.#socket.send(JSON.stringify(message))
    return true
  }

  view(question: Viewport): Promise<WholeView> {
    return this.#views.view(question)
  }

  pick(question: PickQuestion): Promise<WholeView> {
    return this.#views.pick(question)
  }

  follow(layout: LayoutName): void {
    if (layout === this.#layout) return
    this.#layout = layout
    if (this.#subscribed) this.send({ type: 'layout', layout })
  }

  wake(): void {
    const state = this.#state
    if (state.kind === 'open') this.#askForLife(WAKING_ANSWER_MS)
    else if (state.kind === 'connecting') {
      // Timers stand still while the machine sleeps, and the handshake of before is dead.
      if (Date.now() - this.#begunAt > OPEN_MS) this.#connect(state.code)
    } else if (state.kind === 'waiting') {
      // Never longer than it was meant to be, should the clock have been set back.
      const left = Math.min(this.#notBefore - Date.now(), NO_ROOM_MS)
      if (left <= 0) this.#connect(state.code)
      else this.#waitUntil(Date.now() + left, state.reason, state.code)
    }
  }

  close(): void {
    if (this.#state.kind === 'closed') return
    this.#acknowledge()
    this.#acknowledgement.flush()
    this.#cursor.end()
    const socket = this.#socket
    this.#forget()
    this.#enter({ kind: 'closed', code: 1000, reason: 'closed here' })
    socket?.close(1000)
  }

  #connect(code: number | null): void {
    this.#forget()
    this.#cursor.reconnected()
    this.#acknowledgement.reset()
    this.#reader = this.#newReader()
    this.#subscribed = false
    this.#begunAt = Date.now()
    const state: ScopeState = { kind: 'connecting', code }
    this.#enter(state)
    if (this.#state !== state) return // the owner closed it on hearing that
    const { url, protocol } = this.#options
    const Socket = this.#options.WebSocket ?? (globalThis.WebSocket as unknown as SocketClass)
    let socket: ScopeSocket
    try {
      socket = new Socket(url, protocol === 'json' ? JSON_SUBPROTOCOL : BIN_SUBPROTOCOL)
    } catch (error) {
      this.#wait(String(error), null)
      return
    }
    socket.binaryType = 'arraybuffer'
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
    const { token } = this.#options
    if (token === undefined) {
      this.#begin()
      return
    }
    try {
      this.send({ type: 'auth', token: typeof token === 'function' ? token() : token })
    } catch (error) {
      this.#giveUp(`no token to show: ${error instanceof Error ? error.message : error}`)
    }
  }

  /** Subscribes, once a connection: at its beginning or, with a token, when the server has let this client in. */
  #begin(): void {
    if (this.#subscribed) return
    this.#subscribed = true
    this.#subscribe(this.#cursor.resumePoint)
  }

  #subscribe(since: Position | null): void {
    const message: ClientMessage = {
      type: 'subscribe',
      generations: this.#options.generations ?? '*',
      layout: this.#layout,
    }
    if (since !== null) message.since = { ...since }
    this.send(message)
  }

  #read(data: unknown): void {
    const socket = this.#socket
    try {
      for (const message of this.#messagesIn(data)) {
        this.#take(message)
        if (this.#socket !== socket) return // the owner closed it meanwhile
      }
    } catch (error) {
      if (this.#socket !== socket) return
      // Nothing that comes after it can be trusted; a new connection goes on where this one was.
      this.#giveUp(`the server said what cannot be read: ${error instanceof Error ? error.message : error}`)
      return
    }
    this.#heard()
    this.#acknowledge()
  }

  #acknowledge(): void {
    const { appliedHere } = this.#cursor
    if (appliedHere !== null) this.#acknowledgement.applied(appliedHere)
  }

  #messagesIn(data: unknown): ServerMessage[] {
    if (data instanceof ArrayBuffer) return this.#reader.read(data)
    const value: unknown = JSON.parse(String(data))
    return (Array.isArray(value) ? value : [value]) as ServerMessage[]
  }

  #take(message: ServerMessage): void {
    if (message.type === 'view') {
      this.#views.take(message)
      return
    }
    if (message.type === 'token_visualization') {
      apart(() => this.#options.onPlaced?.(message))
      return
    }
    if (message.type === 'error' && this.#views.refused(message)) return
    if (message.type === 'hello') this.#greeted(message.epoch)
    else if (message.type === 'drain') this.#drainMs = message.retry_in_ms
    // Handles are of an epoch.
    else if (message.type === 'reset') this.#reader = this.#newReader()
    this.#cursor.take(message)
  }

  /** Said first, to whom is let in, and again when another model answers. */
  #greeted(epoch: string): void {
    if (this.#state.kind === 'open') return
    this.#greetedAt = performance.now()
    this.#enter({ kind: 'open' })
    this.#begin()
    this.#views.opened(epoch)
  }

  #newReader(): BinaryReader {
    return new BinaryReader(part => this.#views.take(part))
  }

  #deliver(message: ScopeMessage, delivery: Delivery): void {
    apart(() => this.#options.onMessage(message, delivery))
  }

  /** Something came: the connection lives. */
  #heard(): void {
    if (this.#state.kind !== 'open') return
    this.#heardAt = performance.now()
    // A timer of its own for each of hundreds of messages a second would take longer than to read them.
    if (this.#listening) return
    clearTimeout(this.#watch)
    this.#answerBy = null
    this.#listening = true
    this.#watch = setTimeout(() => this.#listen(), QUIET_MS)
  }

  /** Asks for a sign of life if nothing was heard for so long. */
  #listen(): void {
    const left = this.#heardAt + QUIET_MS - performance.now()
    if (left <= 0) this.#askForLife(ANSWER_MS)
    else this.#watch = setTimeout(() => this.#listen(), Math.ceil(left))
  }

  #askForLife(patienceMs: number): void {
    clearTimeout(this.#watch)
    this.#listening = false
    const now = performance.now()
    // Who asks again while one has not been answered does not put off the end.
    this.#answerBy = Math.min(this.#answerBy ?? Number.POSITIVE_INFINITY, now + patienceMs)
    this.#watch = setTimeout(() => this.#giveUp('no sign of life'), Math.max(0, this.#answerBy - now))
    this.send({ type: 'ping' })
  }

  /** Leaves a socket that may hang without waiting for its close. */
  #giveUp(reason: string): void {
    const socket = this.#socket
    this.#forget()
    socket?.close()
    this.#wait(reason, null)
  }

  #closed({ code, reason }: { code: number; reason: string }): void {
    this.#forget()
    if (mayComeBack(code)) this.#wait(reason || `code ${code}`, code)
    else this.#enter({ kind: 'closed', code, reason })
  }

  #wait(reason: string, code: number | null): void {
    const now = Date.now()
    if (this.#greetedAt !== null && performance.now() - this.#greetedAt >= PROVEN_MS) this.#backoff.reset()
    this.#greetedAt = null
    const absence = this.#drainMs
    this.#drainMs = null
    this.#notBefore = code === CLOSE_CODES.TOO_MANY.code ? now + NO_ROOM_MS : 0
    if (absence !== null && absence >= 0)
      this.#waitUntil(now + Math.min(absence, LONGEST_ABSENCE_MS), reason, code)
    else this.#waitUntil(Math.max(now, this.#notBefore) + this.#backoff.next(), reason, code)
  }

  #waitUntil(retryAt: number, reason: string, code: number | null): void {
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#connect(code), Math.max(0, retryAt - Date.now()))
    this.#enter({ kind: 'waiting', retryAt, reason, code })
  }

  #forget(): void {
    clearTimeout(this.#retry)
    clearTimeout(this.#watch)
    this.#listening = false
    this.#answerBy = null
    this.#acknowledgement.reset()
    this.#views.broken()
    this.#socket = null
  }

  #enter(state: ScopeState): void {
    this.#state = state
    if (state.kind === 'closed') this.#views.ended()
    apart(() => this.#options.onState?.(state))
  }
}

/** The owner's fault is the owner's to hear of, and no reason to keep the rest from it. */
function apart(callOwner: () => void): void {
  try {
    callOwner()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
