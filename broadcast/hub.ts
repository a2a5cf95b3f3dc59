/**
 * The hub: carries the log to every viewer, at each one's own pace. It lets viewers in, hears them, and ends them;
 * when they are served is up to `Rounds`, what they are served to `Viewer`.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { CLOSE_CODES } from '../events/close-codes.ts'
import type { ComponentReport } from '../events/components.ts'
import { reasonOf, TokenscopeError } from '../events/errors.ts'
import type { Meter } from '../events/metrics.ts'
import { Audience, SLOTS } from './audience.ts'
import { Authentication, type Authenticator } from './authentication.ts'
import type { ClientReport } from './client-report.ts'
import { Delivery } from './delivery.ts'
import type { Gate } from './gate.ts'
import { GenerationFilter } from './generation-filter.ts'
import { Handshake, type Refuse } from './handshake.ts'
import { Inbox } from './inbox.ts'
import { Layouts } from './layouts.ts'
import { BIN_SUBPROTOCOL, type ClientMessage, JSON_SUBPROTOCOL } from './protocol.ts'
import { Rounds } from './rounds.ts'
import { inSlices } from './slices.ts'
import type { TokenLog } from './token-log.ts'
import { Viewer } from './viewer.ts'
import type { Views } from './views.ts'

const SLOT_MS = 1000 / SLOTS
/** An entry that has waited this long without a round: the hub stands still. */
const FROZEN_MS = 2000
/** How long a stop waits for closes to be answered. */
const STOP_PATIENCE_MS = 1000
/** Who is sent away by a stop comes back within this, from the first to the last: at least, and for each viewer. */
const RETURN_MS = { first: 500, spread: 2500, perViewer: 1, most: 10_000 }

export interface HubOptions {
  log: TokenLog
  meter: Meter
  /** Stops a generation for a viewer; throws a TokenscopeError if there is none to stop. */
  stop: (generation: string) => void
  /** Whether the demo model speaks now. */
  demo: () => boolean
  /** How many may be in; everybody, if not given. */
  gate?: Gate
  /** Who may watch; everybody, if not given. */
  authenticator?: Authenticator
  /** Answers questions about layouts; if not given, they are refused, and there is the map alone. */
  views?: Views
  /** Told, as a sentence, what went wrong with a viewer. */
  say?: (sentence: string) => void
}

export class Hub {
  readonly #log: TokenLog
  readonly #meter: Meter
  readonly #stop: HubOptions['stop']
  readonly #demo: HubOptions['demo']
  readonly #gate: Gate | null
  readonly #authenticator: Authenticator | undefined
  readonly #say: (sentence: string) => void
  readonly #handshake = new Handshake()
  readonly #audience = new Audience()
  readonly #delivery: Delivery
  readonly #rounds: Rounds<Viewer>
  readonly #layouts: Layouts<Viewer>
  /** Viewers that may not be told anything yet. */
  readonly #unknown = new Set<Viewer>()
  /** Those that there was no room for, until they have closed. */
  readonly #turnedAway = new Set<WebSocket>()
  readonly #observers = new Set<(viewers: number) => void>()
  #second: NodeJS.Timeout | null = null
  #wheel: NodeJS.Timeout | null = null
  #slot = 0
  #slotAt = 0
  #connections = 0
  #jsonViewers = 0
  #draining = false

  constructor(options: HubOptions) {
    this.#log = options.log
    this.#meter = options.meter
    this.#stop = options.stop
    this.#demo = options.demo
    this.#gate = options.gate ?? null
    this.#authenticator = options.authenticator
    this.#say = options.say ?? (() => {})
    this.#delivery = new Delivery(options.log, options.meter)
    this.#rounds = new Rounds({
      log: options.log,
      viewers: this.#audience,
      fault: (viewer, error) => this.#fault(viewer, error),
      ended: () => this.#delivery.count(),
    })
    this.#layouts = new Layouts(options.views ?? null, (viewer, error) => this.#fault(viewer, error))
  }

  /** Viewers connected now. */
  get viewers(): number {
    return this.#audience.size
  }

  /** Begins to follow the log. */
  start(): void {
    this.#rounds.start()
    this.#second = setInterval(() => this.#log.trim(), 1000)
  }

  /**
   * Tells every viewer to come back later, closes all with 1001 and stops following the log. Resolves when they are
   * gone; those that do not answer are cut off after a second.
   */
  async stop(): Promise<void> {
    this.#draining = true
    if (this.#second) clearInterval(this.#second)
    await this.#rounds.finish()
    if (this.#wheel) clearInterval(this.#wheel)
    // Spread over some seconds, so that a restarted server is not met by all of them at once.
    const { first, spread, perViewer, most } = RETURN_MS
    const within = Math.min(most, Math.max(spread, this.viewers * perViewer))
    await this.#forEach(viewer => {
      viewer.tell({ type: 'drain', retry_in_ms: Math.round(first + Math.random() * within) })
      viewer.close('GOING_AWAY')
    })
    await this.#untilGone()
    await this.#forEach(viewer => viewer.terminate())
    for (const socket of this.#turnedAway) socket.terminate()
    await this.#untilGone()
    this.#handshake.close()
  }

  /**
   * Takes over an HTTP upgrade that has passed the doors. If there is no room, the connection is made and closed
   * with 4029: a browser is told nothing of a refused upgrade.
   *
   * @param refuse told why it cannot be had: BAD_REQUEST, RATE_LIMITED, or DRAINING while stopping
   */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, refuse: Refuse): void {
    if (this.#draining) {
      refuse(new TokenscopeError('DRAINING', 'Tokenscope is stopping; come back later.'))
      return
    }
    const address = request.socket.remoteAddress
    const entry = this.#gate?.enter(address) ?? { kind: 'in' as const, leave: () => {} }
    if (entry.kind === 'hasty') {
      const { retryAfterSeconds } = entry
      const message = `Too many connections from ${address}; come back in ${retryAfterSeconds} s.`
      refuse(new TokenscopeError('RATE_LIMITED', message, { retryAfterSeconds }))
      return
    }
    let webSocket: WebSocket | null = null
    try {
      webSocket = this.#handshake.complete(request, socket, head, refuse)
    } finally {
      if (webSocket === null && entry.kind === 'in') entry.leave()
    }
    if (webSocket === null) return
    if (entry.kind === 'full') this.#turnAway(webSocket, entry.reason)
    else this.#accept(webSocket, request, entry.leave)
  }

  /** Calls `observer` with the number of viewers whenever it changes. */
  onViewers(observer: (viewers: number) => void): void {
    this.#observers.add(observer)
  }

  /** Greets every viewer again, for an upstream came or went. */
  greetAll(): void {
    void this.#forEach(viewer => {
      if (!this.#unknown.has(viewer)) this.#greet(viewer)
    })
  }

  /** How every viewer stands, for `/scope/v1/clients`; who has been there longest comes first. */
  clients(): ClientReport[] {
    return Array.from(this.#audience, viewer => viewer.report()).sort(
      (a, b) => a.connected_at - b.connected_at,
    )
  }

  /** For `/readyz`. */
  report(): ComponentReport {
    const { epoch, head } = this.#log
    const facts = { viewers: this.viewers, epoch, head }
    if (this.#draining) return { name: 'broadcast', status: 'failed', detail: 'closing', facts }
    const entries = `${this.viewers} viewers, ${head} entries in epoch ${epoch}`
    const waiting = this.#rounds.waitingMs
    if (waiting <= FROZEN_MS) return { name: 'broadcast', status: 'ok', detail: entries, facts }
    const detail = `frozen: ${entries}, the oldest undelivered one for ${(waiting / 1000).toFixed(1)} s`
    return { name: 'broadcast', status: 'failed', detail, facts }
  }

  async #untilGone(): Promise<void> {
    const patience = performance.now() + STOP_PATIENCE_MS
    while (this.viewers + this.#turnedAway.size > 0 && performance.now() < patience) {
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }

  #turnAway(socket: WebSocket, reason: string): void {
    this.#turnedAway.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#turnedAway.delete(socket)
      this.#countClosed(CLOSE_CODES.TOO_MANY.code)
    })
    socket.close(CLOSE_CODES.TOO_MANY.code, reason)
  }

  #accept(socket: WebSocket, request: IncomingMessage, leave: () => void): void {
    const viewer = new Viewer(socket, this.#delivery, {
      name: `c_${++this.#connections}`,
      address: request.socket.remoteAddress ?? null,
      protocol: socket.protocol === BIN_SUBPROTOCOL ? BIN_SUBPROTOCOL : JSON_SUBPROTOCOL,
    })
    const authentication = this.#authenticationOf(viewer)
    // In a function of its own: what listens to a socket holds on to all that is around it.
    this.#listen(socket, viewer, authentication, leave)
    this.#add(viewer)
    if (authentication === null) this.#greet(viewer)
    else {
      this.#unknown.add(viewer)
      authentication.begin(request)
    }
  }

  #authenticationOf(viewer: Viewer): Authentication | null {
    if (this.#authenticator === undefined) return null
    return new Authentication({
      authenticator: this.#authenticator,
      onAdmitted: () => {
        this.#unknown.delete(viewer)
        this.#greet(viewer)
      },
      tell: message => viewer.tell(message),
      fault: error => this.#say(`Who a viewer is could not be found out: ${reasonOf(error)}.`),
      close: code => viewer.close(code),
    })
  }

  #listen(socket: WebSocket, viewer: Viewer, authentication: Authentication | null, leave: () => void): void {
    const inbox = new Inbox({
      onMessage: message => {
        if (authentication?.take(message) !== true) this.#onMessage(viewer, message)
      },
      tell: message => viewer.tell(message),
      close: code => viewer.close(code),
    })
    let tooBig = false
    socket.on('message', (data, isBinary) => {
      // What is still read after the close has begun does nothing any more.
      if (socket.readyState === socket.OPEN) inbox.read(data as Buffer, isBinary)
    })
    socket.on('pong', payload => {
      this.#guard(viewer, () => viewer.onPong(Number(payload.toString('latin1')), this.#rounds.target))
      this.#layouts.wake(viewer)
    })
    // An error (a message over the limit, a broken frame) is always followed by a close.
    socket.on('error', error => {
      tooBig = (error as NodeJS.ErrnoException).code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
    })
    socket.on('close', code => {
      leave()
      authentication?.end()
      this.#unknown.delete(viewer)
      const name = tooBig ? 'TOO_BIG' : viewer.closedWith
      this.#countClosed(name === null ? code : CLOSE_CODES[name].code)
      this.#remove(viewer)
    })
  }

  #add(viewer: Viewer): void {
    if (this.viewers === 0) {
      // What nobody watched was not late.
      this.#rounds.reset()
      this.#delivery.beginObserving()
      this.#slotAt = performance.now()
      this.#wheel = setInterval(() => this.#turn(), SLOT_MS)
    }
    if (viewer.protocol === JSON_SUBPROTOCOL) this.#jsonViewers++
    this.#audience.add(viewer)
    this.#countViewers()
  }

  #remove(viewer: Viewer): void {
    this.#audience.delete(viewer)
    this.#layouts.leave(viewer)
    if (viewer.protocol === JSON_SUBPROTOCOL && --this.#jsonViewers === 0) this.#log.forget(JSON_SUBPROTOCOL)
    if (this.viewers === 0 && this.#wheel) clearInterval(this.#wheel)
    this.#countViewers()
  }

  #onMessage(viewer: Viewer, message: ClientMessage): void {
    switch (message.type) {
      case 'subscribe': {
        const { generations } = message
        const all = generations === undefined || generations === '*'
        const filter = all ? null : new GenerationFilter(generations)
        viewer.subscribe(filter, message.since ?? null, this.#rounds.target)
        this.#layouts.follow(viewer, message.layout ?? 'map')
        return
      }
      case 'viewport':
      case 'pick':
        this.#layouts.ask(viewer, message)
        return
      case 'layout':
        this.#layouts.follow(viewer, message.layout)
        return
      case 'stop':
        this.#stop(message.generation)
        return
      case 'ping':
        viewer.tell({ type: 'pong', epoch: this.#log.epoch, seq: viewer.served })
        return
      case 'ack':
        viewer.onAck(message.seq)
        return
      case 'auth':
        return
    }
  }

  #greet(viewer: Viewer): void {
    viewer.tell({
      type: 'hello',
      epoch: this.#log.epoch,
      head: this.#log.head,
      protocol: viewer.protocol,
      layouts: this.#layouts.names,
      demo: this.#demo(),
    })
  }

  /** Turns the wheel by the slots that are due: each slot's viewers are looked after once a second. */
  #turn(): void {
    const lateMs = performance.now() - this.#slotAt
    const due = Math.min(SLOTS, Math.floor(lateMs / SLOT_MS))
    this.#slotAt += due === SLOTS ? lateMs : due * SLOT_MS
    // What was said while this process stood still it has not heard yet.
    if (due === SLOTS) for (const viewer of this.#audience) viewer.excuse(lateMs)
    for (let i = 0; i < due; i++) {
      // Those of the slot before, whose pings no frame has taken along.
      for (const viewer of this.#audience.slot(this.#slot)) this.#guard(viewer, () => viewer.pingIfDue())
      this.#slot = (this.#slot + 1) % SLOTS
      for (const viewer of this.#audience.slot(this.#slot)) {
        this.#guard(viewer, () => {
          viewer.tick(this.#rounds.target)
          if (!this.#rounds.underWay) viewer.pingIfDue()
          this.#layouts.tick(viewer)
        })
      }
    }
    this.#delivery.count()
  }

  /** Does something for one viewer, which it alone pays for if it fails. */
  #guard(viewer: Viewer, work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#fault(viewer, error)
    }
  }

  #forEach(work: (viewer: Viewer) => void): Promise<number> {
    return inSlices(this.#audience, viewer => this.#guard(viewer, () => work(viewer)))
  }

  #fault(viewer: Viewer, error: unknown): void {
    this.#say(`A viewer was cut off, for it could not be served: ${reasonOf(error)}.`)
    viewer.terminate()
  }

  #countViewers(): void {
    this.#meter.set('tokenscope_broadcast_clients', {}, this.viewers)
    for (const observer of this.#observers) observer(this.viewers)
  }

  #countClosed(code: number): void {
    const label = COUNTED_CODES.has(code) ? String(code) : 'other'
    this.#meter.count('tokenscope_broadcast_closed_total', { code: label })
  }
}

/** Close codes with a label of their own: ours, and those of a viewer that went by itself or broke off. */
const COUNTED_CODES = new Set<number>([
  1000,
  1005,
  1006,
  ...Object.values(CLOSE_CODES).map(({ code }) => code),
])
