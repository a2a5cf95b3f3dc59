import { createHash } from 'node:crypto'
import type { Quantiles } from '../figure.ts'
import { now } from '../stamp.ts'
import { type Batch, Decoder, type Speech, SUBPROTOCOLS } from './decoder.ts'
import { Latencies } from './latencies.ts'
import type { Load } from './load.ts'
import { type WireHandler, WireReader } from './wire-reader.ts'

const ROOM_BYTES = 256 * 1024
const AT_ONCE = 100
/** What has not come so long after anything came does not come. */
const PATIENCE_MS = 10_000

export interface ViewersRound {
  /** What was fed. */
  tokens: number
  /** From the feeder's write to a viewer's read, over all viewers. */
  received: Quantiles
  deliveries: number
  /** Deliveries that did not come. */
  missed: number
  /** What was wrong besides: out of order, another text, a gap, a closed connection; with how often. */
  faults: string[]
  /** Messages with tokens in them. */
  frames: number
  /** Bytes of WebSocket frames with entries, their heads among them. */
  bytes: number
  /** UTF-8 bytes of the texts, for one viewer. */
  textBytes: number
  /** SHA-256 of the texts, a line each. */
  digest: string
  /** From the beginning to the last delivery. */
  seconds: number
  cpuMs: number
}

/** All viewers of a server, and what they got in a round. */
export class Viewers {
  readonly #speech: Speech
  readonly #decoder: Decoder
  readonly #viewers: Viewer[] = []
  readonly #room = Buffer.allocUnsafe(ROOM_BYTES)
  readonly #latencies = new Latencies()
  #from = 0
  #texts: string[] = []
  #frames = 0
  #bytes = 0
  #begunAt = 0
  #lastAt = 0
  #cpu = process.cpuUsage()

  constructor(speech: Speech, load: Load) {
    this.#speech = speech
    this.#decoder = new Decoder(speech, load)
  }

  /** Connects so many viewers more and waits until each has what is there. */
  async join(url: string, viewers: number): Promise<void> {
    for (let i = 0; i < viewers; i += AT_ONCE) {
      const group = Array.from(
        { length: Math.min(AT_ONCE, viewers - i) },
        () => new Viewer(this.#speech, this),
      )
      this.#viewers.push(...group)
      await Promise.all(group.map(viewer => viewer.open(url, this.#room)))
    }
  }

  /** The first so many viewers stop reading, for good; what they get is not counted any more. */
  stall(viewers: number): void {
    for (const viewer of this.#viewers.splice(0, viewers)) viewer.stall()
  }

  /** Begins a round at token `from`. */
  begin(from: number): void {
    for (const viewer of this.#viewers) viewer.next = from
    this.#from = from
    this.#texts = []
    this.#latencies.clear()
    this.#decoder.faults.clear()
    this.#frames = 0
    this.#bytes = 0
    this.#begunAt = performance.now()
    this.#cpu = process.cpuUsage()
  }

  /**
   * What came of `tokens` tokens, when all of it did or nothing more comes.
   *
   * @throws Error if nothing came to anyone
   */
  async end(tokens: number): Promise<ViewersRound> {
    const expected = tokens * this.#viewers.length
    this.#lastAt = Math.max(this.#lastAt, this.#begunAt)
    while (this.#latencies.count < expected && performance.now() - this.#lastAt < PATIENCE_MS) {
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    const { user, system } = process.cpuUsage(this.#cpu)
    if (this.#latencies.count === 0) {
      const faults = [...this.#decoder.faults.keys()].join('; ')
      throw new Error(`none of ${tokens} tokens came to any of ${this.#viewers.length} viewers (${faults})`)
    }
    const text = this.#texts.join('\n')
    return {
      tokens,
      received: this.#latencies.quantiles(),
      deliveries: this.#latencies.count,
      missed: expected - this.#latencies.count,
      faults: [...this.#decoder.faults].map(([what, times]) => `${times} × ${what}`),
      frames: this.#frames,
      bytes: this.#bytes,
      textBytes: Buffer.byteLength(text) - this.#texts.length + 1,
      digest: createHash('sha256').update(text).digest('hex'),
      seconds: (this.#lastAt - this.#begunAt) / 1000,
      cpuMs: (user + system) / 1000,
    }
  }

  /** A viewer reads a message: whatever is not the token that it waits for is a fault. */
  read(viewer: Viewer, bytes: Buffer, start: number, end: number, binary: boolean, wireBytes: number): void {
    const batch = this.#decoder.read(bytes, start, end, binary)
    if (binary || batch.texts.length > 0) this.#bytes += wireBytes
    if (batch.texts.length === 0) return
    const readAt = now()
    if (batch.first !== viewer.next) this.fault(`token ${batch.first} where ${viewer.next} was to come`)
    viewer.next = batch.last + 1
    for (let i = 0; i < batch.writtenAt.length; i++) {
      this.#latencies.record(readAt - (batch.writtenAt[i] as number))
    }
    this.#frames++
    this.#lastAt = performance.now()
    if (!batch.kept) this.#keep(batch)
  }

  fault(what: string): void {
    this.#decoder.fault(what)
  }

  /** Keeps the texts of a message, once; if they came in another message, they must be the same. */
  #keep(batch: Batch): void {
    const { first, texts } = batch
    batch.kept = true
    for (let i = 0; i < texts.length; i++) {
      const at = first + i - this.#from
      const text = texts[i] as string
      this.#texts[at] ??= text
      if (this.#texts[at] !== text) this.fault(`another text as token ${first + i}`)
    }
  }
}

/** One of them. */
class Viewer implements WireHandler {
  readonly #speech: Speech
  readonly #all: Viewers
  readonly #ready = Promise.withResolvers<void>()
  #reader: WireReader | null = null
  #settled = false
  /** Number of the token that is to come next. */
  next = 0

  constructor(speech: Speech, all: Viewers) {
    this.#speech = speech
    this.#all = all
  }

  /** Connects, asks for the tokens and waits until they may come. */
  async open(url: string, room: Buffer): Promise<void> {
    this.#reader = await WireReader.open({ url, subprotocol: SUBPROTOCOLS[this.#speech], room }, this)
    if (this.#speech === 'bin' || this.#speech === 'json') {
      this.#reader.send(JSON.stringify({ type: 'subscribe', generations: '*', layout: 'map' }))
    } else if (this.#speech === 'socket.io') {
      this.#reader.send('40')
    } else this.#settle()
    await this.#ready.promise
  }

  stall(): void {
    this.#reader?.pause()
  }

  onMessage(bytes: Buffer, start: number, end: number, binary: boolean, wireBytes: number): void {
    if (!this.#settled) this.#greet(bytes.toString('latin1', start, Math.min(end, start + 200)))
    else if (this.#speech === 'socket.io' && end - start === 1 && bytes[start] === 0x32)
      this.#reader?.send('3')
    this.#all.read(this, bytes, start, end, binary, wireBytes)
  }

  onClose(why: string): void {
    this.#ready.reject(new Error(`a viewer was sent away: ${why}`))
    this.#all.fault(why)
  }

  /** What comes before the first token: the hub's last part of a snapshot, Socket.IO's yes to `40`. */
  #greet(head: string): void {
    if (head.startsWith('40') || (head.startsWith('{"type":"snapshot"') && head.includes('"last":true'))) {
      this.#settle()
    }
  }

  #settle(): void {
    this.#settled = true
    this.#ready.resolve()
  }
}
