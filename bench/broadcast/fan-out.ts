import { createHash } from 'node:crypto'
import { Helper } from '../children.ts'
import { pace, stampedText } from '../stamp.ts'
import type { Speech } from './decoder.ts'
import type { LoadShape } from './load.ts'
import type { ServerMemory, ServerRound } from './server-process.ts'
import type { ViewersRound } from './viewers.ts'

/** What is fed in a round. */
export interface Feed {
  perSecond: number
  seconds: number
  /** UTF-8 bytes of each token's text at least. */
  textBytes?: number
}

/** What a round came to. */
export interface Round {
  server: ServerRound
  viewers: ViewersRound
}

/** A server and its viewers, each in a process of its own, fed from this one. */
export class FanOut implements AsyncDisposable {
  readonly #name: string
  readonly #server: Helper
  readonly #viewers = new Helper('viewers-process.ts')
  #url = ''
  /** Number of the token that is fed next. */
  #next = 0

  /** @param name of what serves, for errors */
  static async start(name: string, module: string, speech: Speech, shape: LoadShape = {}): Promise<FanOut> {
    const fanOut = new FanOut(name, module)
    try {
      await fanOut.#viewers.ask('speak', { speech, shape })
      fanOut.#url = await fanOut.#server.ask<string>('listen', shape)
    } catch (error) {
      await fanOut[Symbol.asyncDispose]()
      throw error
    }
    return fanOut
  }

  private constructor(name: string, module: string) {
    this.#name = name
    this.#server = new Helper(module)
  }

  /** Where the server listens. */
  get url(): string {
    return this.#url
  }

  async connect(viewers: number): Promise<void> {
    await this.#viewers.ask('connect', { url: this.#url, viewers })
  }

  /** So many of the viewers stop reading. */
  async stall(viewers: number): Promise<void> {
    await this.#viewers.ask('stall', viewers)
  }

  /** Gives the hub's log so many tokens at once. */
  async fill(tokens: number): Promise<void> {
    this.#next = await this.#server.ask<number>('fill', tokens)
  }

  /** The server's memory, after collections. */
  memory(): Promise<ServerMemory> {
    return this.#server.ask<ServerMemory>('memory')
  }

  /**
   * Feeds tokens one by one and waits until every viewer that reads has them.
   *
   * @throws Error if any viewer got other tokens than were fed, or in another order
   */
  async round({ perSecond, seconds, textBytes = 0 }: Feed): Promise<Round> {
    const tokens = Math.round(perSecond * seconds)
    const from = this.#next
    this.#next += tokens
    const digest = createHash('sha256')
    await Promise.all([this.#server.ask('begin'), this.#viewers.ask('begin', from)])
    await pace(tokens, perSecond, index => {
      const stamped = stampedText(from + index)
      const text = textBytes > stamped.length ? `${stamped}@`.padEnd(textBytes, 'x') : stamped
      digest.update(index === 0 ? text : `\n${text}`)
      this.#server.input.write(`${text}\n`)
    })
    const viewers = await this.#viewers.ask<ViewersRound>('end', tokens)
    const server = await this.#server.ask<ServerRound>('end')
    this.#judge(viewers, server, digest.digest('hex'))
    return { server, viewers }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#viewers.end(), this.#server.end()])
  }

  #judge({ missed, deliveries, faults, digest }: ViewersRound, { skipped }: ServerRound, fed: string): void {
    const wrong = [...faults]
    if (missed > 0) wrong.unshift(`${missed} of ${missed + deliveries} deliveries did not come`)
    if (missed < 0) wrong.unshift(`${-missed} deliveries came that were not to come`)
    if (skipped !== 0) wrong.push(`${skipped} entries were skipped`)
    if (wrong.length === 0 && digest !== fed) wrong.push('the texts are not the ones that were fed')
    if (wrong.length > 0) throw new Error(`${this.#name}: ${wrong.slice(0, 6).join('; ')}`)
  }
}
