/**
 * The hub: carries the log to every viewer, at each one's own pace.
 *
 * Frames are made once per distinct range of the log and written to every viewer that stands at its
 * beginning. The first token of a generation and every change of state leave at once; other tokens leave
 * at the end of the event-loop turn they came in, or, once writing takes a good part of the time, are
 * gathered for up to 40 ms. A viewer that cannot take more is left where it is; nobody waits for it.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { ComponentReport } from '../events/components.ts'
import { reasonOf, TokenscopeError } from '../events/errors.ts'
import type { Meter } from '../events/metrics.ts'
import { readClientMessages } from './client-message.ts'
import { FrameCache } from './frames.ts'
import { type ClientMessage, type GapReason, JSON_SUBPROTOCOL } from './protocol.ts'
import type { LogRecord, TokenLog } from './token-log.ts'
import { type Frame, type FrameSource, Viewer } from './viewer.ts'

const MAX_MESSAGE_BYTES = 64 * 1024
const MAX_GATHER_MS = 40
/** Writing may take a quarter of the time before tokens are gathered. */
const GATHER_FACTOR = 3
/** A flush cheaper than this is not worth waiting for. */
const CHEAP_FLUSH_MS = 0.5
const BAD_MESSAGES_PER_MINUTE = 10

/** Answers an upgrade that cannot be had. */
type Refuse = (error: TokenscopeError) => void

export interface HubOptions {
  log: TokenLog
  meter: Meter
  /** Stops a generation for a viewer; throws a TokenscopeError if there is none to stop. */
  stop: (generation: string) => void
  /** Whether the demo model speaks now. */
  demo: () => boolean
}

export class Hub implements FrameSource {
  readonly #log: TokenLog
  readonly #meter: Meter
  readonly #stop: HubOptions['stop']
  readonly #demo: HubOptions['demo']
  readonly #server: WebSocketServer
  readonly #viewers = new Set<Viewer>()
  readonly #frames: FrameCache
  readonly #refusals = new WeakMap<IncomingMessage, Refuse>()
  #observers = new Set<(viewers: number) => void>()
  #unlisten: (() => void) | null = null
  #second: NodeJS.Timeout | null = null
  #turn: NodeJS.Immediate | null = null
  #gather: NodeJS.Timeout | null = null
  #urgent = false
  #notBefore = 0
  /** Costs of the last flushes, ms: one of them alone may hold a pause of the whole process. */
  readonly #costs = [0, 0, 0, 0, 0]
  #flushes = 0
  /** Seq up to which the pipeline latency has been observed. */
  #observedTo = 0
  #draining = false

  constructor(options: HubOptions) {
    this.#log = options.log
    this.#meter = options.meter
    this.#stop = options.stop
    this.#demo = options.demo
    this.#frames = new FrameCache(options.log)
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
      handleProtocols: offered => (offered.has(JSON_SUBPROTOCOL) ? JSON_SUBPROTOCOL : false),
    })
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

  /** Viewers connected now. */
  get viewers(): number {
    return this.#viewers.size
  }

  /** Begins to follow the log. */
  start(): void {
    this.#unlisten = this.#log.onAppend(record => this.#onAppend(record))
    this.#second = setInterval(() => {
      for (const viewer of this.#viewers) viewer.tick()
    }, 1000)
  }

  /** Tells every viewer to come back later, closes all with 1001 and stops following the log. */
  async stop(): Promise<void> {
    this.#draining = true
    this.#flush()
    this.#unlisten?.()
    if (this.#second) clearInterval(this.#second)
    if (this.#turn) clearImmediate(this.#turn)
    if (this.#gather) clearTimeout(this.#gather)
    const viewers = [...this.#viewers]
    for (const viewer of viewers) {
      // Spread over some seconds, so that a restarted server is not met by all of them at once.
      viewer.tell({ type: 'drain', retry_in_ms: Math.round(500 + Math.random() * 2500) })
      viewer.close('GOING_AWAY')
    }
    const patience = performance.now() + 1000
    while (this.#viewers.size > 0 && performance.now() < patience) {
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    for (const viewer of this.#viewers) viewer.terminate()
    this.#server.close()
  }

  /**
   * Takes over an HTTP upgrade that has passed the doors.
   *
   * @param refuse told why it cannot be had: BAD_REQUEST, or DRAINING while stopping
   */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, refuse: Refuse): void {
    if (this.#draining) {
      refuse(new TokenscopeError('DRAINING', 'Tokenscope is stopping; come back later.'))
      return
    }
    this.#refusals.set(request, refuse)
    this.#server.handleUpgrade(request, socket, head, webSocket => this.#accept(webSocket))
  }

  /** Calls `observer` with the number of viewers whenever it changes. */
  onViewers(observer: (viewers: number) => void): void {
    this.#observers.add(observer)
  }

  /** Greets every viewer again, for an upstream came or went. */
  greetAll(): void {
    for (const viewer of this.#viewers) this.#greet(viewer)
  }

  /** For `/readyz`. */
  report(): ComponentReport {
    const { epoch, head } = this.#log
    return {
      name: 'broadcast',
      status: this.#draining ? 'failed' : 'ok',
      detail: this.#draining ? 'closing' : `${this.viewers} viewers, ${head} entries in epoch ${epoch}`,
      facts: { viewers: this.viewers, epoch, head },
    }
  }

  frame(after: number, filter: ReadonlySet<string> | null): Frame {
    return this.#frames.frame(after, filter)
  }

  snapshot(filter: ReadonlySet<string> | null): { upto: number; parts: Buffer[] } {
    return this.#frames.snapshot(filter)
  }

  delivered(to: number, entries: number): void {
    this.#meter.count('tokenscope_broadcast_messages_total', {}, entries)
    if (to <= this.#observedTo) return
    const now = performance.now()
    for (let seq = this.#observedTo + 1; seq <= to; seq++) {
      const record = this.#log.record(seq)
      if (record === undefined) continue
      this.#meter.observe('tokenscope_pipeline_latency_seconds', {}, (now - record.readAt) / 1000)
    }
    this.#observedTo = to
  }

  skipped(reason: GapReason, entries: number): void {
    this.#meter.count('tokenscope_broadcast_skipped_total', { reason }, entries)
  }

  lag(entries: number): void {
    this.#meter.observe('tokenscope_broadcast_lag_entries', {}, entries)
  }

  #accept(socket: WebSocket): void {
    const viewer = new Viewer(socket, this.#log, this)
    this.#viewers.add(viewer)
    this.#countViewers()
    // What nobody watched was not late.
    if (this.#viewers.size === 1) this.#observedTo = this.#log.head
    const badMessages: number[] = []
    socket.on('message', (data, isBinary) => {
      // What is still read after the close has begun does nothing any more.
      if (socket.readyState !== socket.OPEN) return
      try {
        for (const message of readClientMessages(data as Buffer, isBinary)) this.#onMessage(viewer, message)
      } catch (error) {
        const code = error instanceof TokenscopeError ? error.code : 'INTERNAL'
        viewer.tell({ type: 'error', code, message: reasonOf(error) })
        if (code !== 'INVALID_MESSAGE') return
        const now = performance.now()
        badMessages.push(now)
        while ((badMessages[0] as number) < now - 60_000) badMessages.shift()
        if (badMessages.length >= BAD_MESSAGES_PER_MINUTE) viewer.close('PROTOCOL_ABUSE')
      }
    })
    // An error (a message over the limit, a broken frame) is always followed by a close.
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#viewers.delete(viewer)
      this.#countViewers()
    })
    this.#greet(viewer)
  }

  #onMessage(viewer: Viewer, message: ClientMessage): void {
    switch (message.type) {
      case 'subscribe': {
        const { generations } = message
        const filter = generations === undefined || generations === '*' ? null : new Set(generations)
        viewer.subscribe(filter, message.since ?? null)
        return
      }
      case 'stop':
        this.#stop(message.generation)
        return
      case 'ping':
        viewer.tell({ type: 'pong', epoch: this.#log.epoch, seq: viewer.cursor })
        return
      case 'layout':
      case 'ack':
        return
    }
  }

  #greet(viewer: Viewer): void {
    viewer.tell({
      type: 'hello',
      epoch: this.#log.epoch,
      head: this.#log.head,
      protocol: JSON_SUBPROTOCOL,
      layouts: ['map'],
      demo: this.#demo(),
    })
  }

  #countViewers(): void {
    this.#meter.set('tokenscope_broadcast_clients', {}, this.#viewers.size)
    for (const observer of this.#observers) observer(this.#viewers.size)
  }

  #onAppend({ entry }: LogRecord): void {
    if (this.#viewers.size === 0) return
    if (entry.type === 'neural_state' || entry.index === 0) {
      if (this.#urgent) return
      this.#urgent = true
      // At the end of the turn, when what the apps wait for is on its way, and all that came in it shares a frame.
      if (this.#turn) clearImmediate(this.#turn)
      this.#turn = setImmediate(() => this.#flush())
    } else if (this.#turn === null && this.#gather === null && !this.#urgent) {
      const wait = this.#notBefore - performance.now()
      if (wait > 1) this.#gather = setTimeout(() => this.#flush(), wait)
      else this.#turn = setImmediate(() => this.#flush())
    }
  }

  #flush(): void {
    this.#urgent = false
    if (this.#turn) clearImmediate(this.#turn)
    if (this.#gather) clearTimeout(this.#gather)
    this.#turn = null
    this.#gather = null
    const begun = performance.now()
    for (const viewer of this.#viewers) viewer.pump()
    const ended = performance.now()
    this.#costs[this.#flushes++ % this.#costs.length] = ended - begun
    const cost = this.#costs.toSorted((a, b) => a - b)[this.#costs.length >> 1] as number
    this.#notBefore = cost < CHEAP_FLUSH_MS ? 0 : ended + Math.min(MAX_GATHER_MS, GATHER_FACTOR * cost)
  }
}
