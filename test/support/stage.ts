import type { IncomingMessage } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { DemoServerOptions } from '../../bridge/demo/index.ts'
import type { NeuralStateEntry } from '../../events/generation.ts'
import type { Tokenscope } from '../../main.ts'
import { bytesOf, received, send, textOf } from './app.ts'
import { type ChatAnswer, readChat } from './chat-answer.ts'
import { CHAT, Demo } from './demo.ts'
import { type ScopeOverrides, startScope } from './scope.ts'
import { Spectator } from './spectator.ts'

/** What became of a chat completion: for the app, and for the viewer. */
export interface Taken {
  status: number
  body: Buffer
  /** The body as an app understands it. */
  answer: ChatAnswer
  /** Whether it ended as HTTP says. */
  complete: boolean
  /** The last state of its generation, or of the first of its choices to end. */
  last: NeuralStateEntry
}

/**
 * A demo server, a Tokenscope in front of it, a viewer that watches, and an app that asks. The header `x-demo`
 * passes through like any other, so each request says what its answer is to be.
 */
export class Stage {
  demo: Demo
  scope!: Tokenscope
  viewer!: Spectator
  readonly #config: ScopeOverrides
  #ended = 0

  constructor(options: DemoServerOptions, config: ScopeOverrides) {
    this.demo = new Demo(options)
    this.#config = config
  }

  get url(): string {
    return this.scope.url
  }

  async raise(): Promise<void> {
    await this.demo.start()
    this.scope = await startScope({ upstreams: [this.demo.url], ...this.#config })
  }

  async watch(): Promise<void> {
    this.demo.seen.length = 0
    this.#ended = 0
    this.viewer = await Spectator.watch(this.url)
  }

  async strike(): Promise<void> {
    await this.scope.stop()
    await this.demo.stop()
  }

  /** Asks for a chat completion, streamed if nothing else is said. */
  ask(directives = '', body: object = {}): Promise<IncomingMessage> {
    const headers = { 'Content-Type': 'application/json', 'X-Demo': directives }
    return send(this.url, { headers, body: { ...CHAT, ...body } })
  }

  /** Asks, reads to the end, whatever that is, and waits until the viewer has seen it too. */
  async take(directives = '', body: { n?: number } & Record<string, unknown> = {}): Promise<Taken> {
    const answer = await this.ask(directives, body)
    const got = await received(answer)
    const first = this.#ended
    this.#ended += body.n ?? 1
    const last = await this.viewer.end(first)
    await this.viewer.end(this.#ended - 1)
    return { ...got, last, status: answer.statusCode as number, answer: readChat(got.body) }
  }

  /** The whole body that the server itself gives to the same request. */
  async direct(directives = '', body: object = {}): Promise<Buffer> {
    const headers = { 'Content-Type': 'application/json', 'X-Demo': directives }
    return bytesOf(await send(this.demo.url, { headers, body: { ...CHAT, ...body } }))
  }

  /** The upstream's part of `/readyz`. */
  async upstream(): Promise<{ status: string; facts: Record<string, unknown> }> {
    const path = '/readyz'
    const answer = await send(this.url, { method: 'GET', path, headers: { accept: 'application/json' } })
    return JSON.parse(await textOf(answer)).data.components[0]
  }
}

/** A stage for all tests of a file or a `describe`, with a viewer that is new for each. */
export function useStage(options: DemoServerOptions = {}, config: ScopeOverrides = {}): Stage {
  const stage = new Stage(options, config)
  beforeAll(() => stage.raise())
  afterAll(() => stage.strike())
  beforeEach(() => stage.watch())
  afterEach(() => stage.viewer.close())
  return stage
}
