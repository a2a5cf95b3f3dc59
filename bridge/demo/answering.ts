/** Runs one answer: has the model make it, at its pace and with its faults, and tells it over a wire. */
import { setTimeout } from 'node:timers/promises'
import type { AnswerStream } from './answer-stream.ts'
import type { Faults } from './faults.ts'
import type { DemoModel, Predictor } from './model/demo-model.ts'
import { recite, sprinkle } from './model/dictation.ts'
import { type GeneratedToken, Generation, type GenerationOptions } from './model/generation.ts'
import { AnswerRecord, type ChoiceRecord } from './outcome.ts'
import { Pace } from './pace.ts'
import { StatusError } from './status-error.ts'
import type { AnswerToken, Asked, Frame, ModelError, Part, Wire } from './surface.ts'

export interface AnsweringOptions {
  readonly asked: Asked
  readonly model: DemoModel
  readonly faults: Faults
  readonly tokensPerSecond: number
  /** What the server writes for the logarithm of zero. */
  readonly zeroLogprob: number
  /** When the request came, as `performance.now()` gives it. */
  readonly begun: number
  /** What stands in place of a token's text; its place in its choice counts from 0. */
  readonly tokenText?: ((index: number) => string) | undefined
  /** Ends everything at once. */
  readonly gone: AbortSignal
}

/** Tells frames to who listens; null where nobody has to wait. */
type Tell = (frames: (wire: Wire) => Frame[]) => Promise<void> | null

/** A choice that goes on. */
interface Running {
  readonly index: number
  readonly record: ChoiceRecord
  readonly parts: Part[]
  current: { readonly part: Part; readonly source: Generation; readonly before: number } | null
  /** Tokens that wait until their chunk is full. */
  readonly waiting: AnswerToken[]
  /** Whether its first chunk has gone out. */
  told: boolean
  /** Tokens delivered. */
  delivered: number
}

const STEPS = 4
const REASONING_TOKENS = 40
const MODEL_ERROR: ModelError = { status: 500, message: 'the model failed while it answered' }

export class Answering {
  readonly outcome: AnswerRecord
  readonly #options: AnsweringOptions
  readonly #seed: number
  #predictors: readonly Predictor[] = []
  #reasoners: readonly Predictor[] = []
  #pace = new Pace(Number.POSITIVE_INFINITY)
  /** Whether alternatives are kept when they have been told. */
  #keeps = true
  /** After how many tokens it is silent next. */
  #silentAt: number
  /** Ends the silence that it is in. */
  #wake: AbortController | null = null

  constructor(options: AnsweringOptions) {
    const { asked, faults, begun } = options
    this.#options = options
    this.#seed = asked.seed ?? faults.seed ?? (faults.fixed ? 0 : Math.floor(Math.random() * 2 ** 32))
    this.#silentAt = faults.silence?.after ?? Number.POSITIVE_INFINITY
    this.outcome = new AnswerRecord(asked.choices, begun, faults.fixed)
  }

  /** Puts its silence, if it is to have one, off by so many tokens, and ends the one that it is in. */
  goOn(tokens: number): void {
    this.#silentAt += tokens
    this.#wake?.abort()
  }

  /**
   * Makes the answer and streams it, a failure of the model included. Rejects with the reason of `gone` when
   * that aborts, and with a StatusError where the server tells a failure before all output by a status.
   */
  async stream(wire: Wire, stream: AnswerStream): Promise<void> {
    const { faults, gone } = this.#options
    const tell: Tell = frames => {
      const wait = stream.send(frames(wire))
      if (wait === null) return null
      const since = performance.now()
      return wait.then(() => this.#pace.skip(performance.now() - since))
    }
    // They are most of what a long answer takes in memory.
    this.#keeps = wire.rereads ?? false
    let pinging: NodeJS.Timeout | undefined
    const ping = () => stream.ping()
    try {
      await tell(() => wire.opening())
      await this.#load(tell)
      // Where a failure before the first token has a status of its own, none goes out before it.
      if (wire.flushesEarly && !(stream.failsPlainly && faults.error === 0)) stream.open()
      if (faults.pings !== undefined) {
        await ping()
        // A ping that finds the client gone needs no word: the answer finds it, too.
        if (faults.pings < Number.POSITIVE_INFINITY)
          pinging = setInterval(() => void ping()?.catch(() => {}), Math.max(1, faults.pings))
      }
      await this.#prefill(tell, wire.keepAlive === null ? null : ping)
      await this.#generate(tell)
      if (!faults['no-finish']) {
        await tell(() => wire.closing())
        if (!faults['no-done']) await tell(() => wire.sentinel())
      }
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      gone.throwIfAborted()
      if (stream.failsPlainly && faults['error-done'] === undefined) throw error
      await tell(() => this.#failing(wire, error))
    } finally {
      clearInterval(pinging)
    }
    await stream.close()
  }

  /** Makes the answer. Rejects with a StatusError, or with the reason of `gone` when that aborts. */
  async gather(): Promise<void> {
    const tell: Tell = () => null
    await this.#load(tell)
    await this.#prefill(tell, null)
    await this.#generate(tell)
  }

  async #load(tell: Tell): Promise<void> {
    const ms = this.#options.faults['slow-load']
    if (ms === undefined) return
    const since = this.outcome.now
    for (let step = 0; step <= STEPS; step++) {
      if (step > 0) await this.#sleep(ms / STEPS)
      if (step === STEPS) this.outcome.loadMs = this.outcome.now - since
      await tell(wire => wire.loading(step / STEPS))
    }
  }

  async #prefill(tell: Tell, ping: (() => Promise<void> | null) | null): Promise<void> {
    const { asked, faults, gone } = this.#options
    const since = this.outcome.now
    gone.throwIfAborted()
    this.#read()
    const total = this.outcome.prompt.length
    const slow = faults['slow-prefill']
    const steps = slow === undefined ? 1 : STEPS
    let told = -1
    for (let step = 0; step <= steps; step++) {
      if (step > 0 && slow !== undefined) {
        await ping?.()
        await this.#sleep(slow / steps)
      }
      const ms = this.outcome.now - since
      if (step === steps) this.outcome.prefillMs = ms
      // A prompt may be shorter than the steps are many; its beginning and its end are told once all the same.
      const processed = step === steps ? total : Math.floor((total * step) / steps)
      if (processed === told) continue
      told = processed
      await tell(wire => wire.prefilling({ total, processed, ms }))
    }
    if (asked.failure) throw new StatusError(asked.failure.status, asked.failure.message)
  }

  /** Has the model read the prompts; what several choices share it reads once. */
  #read(): void {
    const { asked, model } = this.#options
    const read = new Map<string, Predictor>()
    const predictorOf = (prompt: string) => {
      const predictor = read.get(prompt) ?? model.predictorFor(prompt)
      read.set(prompt, predictor)
      return predictor
    }
    const prompts = asked.prompts ?? [asked.prompt]
    this.outcome.prompt = [
      ...prompts.flatMap(prompt => predictorOf(prompt).prompt),
      // What was said before is read like a prompt.
      ...model.tokenizer.encode(asked.prefill ?? ''),
    ]
    const asks = this.outcome.choices.map(
      (_, i) => prompts[Math.floor((i * prompts.length) / asked.choices)] as string,
    )
    this.#predictors = asks.map(predictorOf)
    if (asked.reasoning) this.#reasoners = asks.map(prompt => predictorOf(`What is ${prompt} about?`))
  }

  /** Runs all choices side by side to their ends, each at the pace. */
  async #generate(tell: Tell): Promise<void> {
    const { faults, gone, tokensPerSecond } = this.#options
    this.#pace = new Pace(faults.rate ?? tokensPerSecond)
    const open = new Set(this.outcome.choices.map((record, index) => this.#running(record, index)))
    while (open.size > 0) {
      const wait = this.#pace.next(gone)
      if (wait) await wait
      for (const choice of open) {
        gone.throwIfAborted()
        await this.#interrupt(open, tell)
        await this.#step(choice, tell)
        if (choice.record.finish !== null) open.delete(choice)
      }
    }
    this.outcome.end()
  }

  /** What the faults put between two tokens. */
  async #interrupt(open: Iterable<Running>, tell: Tell): Promise<void> {
    const { silence, error, 'error-done': errorDone } = this.#options.faults
    const { count } = this.outcome
    const fails = count >= (error ?? errorDone ?? Number.POSITIVE_INFINITY)
    const falls = silence !== undefined && count >= this.#silentAt
    if (!fails && !falls) return
    // The tokens that were to come before it come before it, in a chunk that is not full.
    for (const choice of open) {
      if (choice.current !== null) await this.#tellChunks(choice, choice.current.part, tell, true)
    }
    if (fails) throw new StatusError(MODEL_ERROR.status, MODEL_ERROR.message)
    if (falls) await this.#beSilent(silence.ms)
  }

  async #beSilent(ms: number): Promise<void> {
    const { gone } = this.#options
    const since = performance.now()
    const wake = new AbortController()
    this.#wake = wake
    try {
      await this.#sleep(ms, AbortSignal.any([gone, wake.signal]))
      this.#silentAt = Number.POSITIVE_INFINITY
    } catch {
      gone.throwIfAborted()
    } finally {
      this.#wake = null
    }
    this.#pace.skip(performance.now() - since)
  }

  #running(record: ChoiceRecord, index: number): Running {
    const { asked, faults } = this.#options
    const parts: Part[] = []
    if (asked.reasoning && !faults.empty) parts.push({ kind: 'reasoning' })
    if (asked.toolCall && !faults.empty) {
      const { id } = asked.toolCall
      const fixed = faults.fixed ? { id: id.replace(/[0-9a-f]+$/, digits => '0'.repeat(digits.length)) } : {}
      parts.push({ kind: 'tool_call', tool: { ...asked.toolCall, ...fixed } })
    }
    if (parts.at(-1)?.tool?.output !== undefined || parts.at(-1)?.kind !== 'tool_call') {
      parts.push({ kind: 'message' })
    }
    return { index, record, parts, current: null, waiting: [], told: false, delivered: 0 }
  }

  async #step(choice: Running, tell: Tell): Promise<void> {
    const { record, index } = choice
    if (choice.current === null) {
      const part = choice.parts.shift() as Part
      choice.current = { part, source: this.#sourceOf(part, choice), before: record.count }
      record.parts.push({ part, tokens: [] })
      await tell(wire => wire.begin(index, part))
    }
    const { part, source, before } = choice.current
    const delivered = source.next().map(token => {
      const place = choice.delivered++
      return this.#afflicted(this.#worded(token, place), place)
    })
    if (before + source.count > record.count) this.outcome.clock()
    record.count = before + source.count
    const kept = this.#keeps ? delivered : delivered.map(token => ({ ...token, top: [] }))
    record.parts.at(-1)?.tokens.push(...kept)
    choice.waiting.push(...delivered)
    const { faults, asked } = this.#options
    await this.#tellChunks(choice, part, tell, source.finish !== null)
    if (source.finish === null) return
    choice.current = null
    await tell(wire => wire.end(index, part))
    // A thought has a limit of its own, which ends it and not the answer.
    const isThought =
      part.kind === 'reasoning' && record.count < (asked.maxTokens ?? Number.POSITIVE_INFINITY)
    if (choice.parts.length > 0 && (source.finish === 'stop' || isThought)) return
    record.stopSequence = source.stopSequence
    record.finish = source.finish === 'stop' && part.kind === 'tool_call' ? 'tool_calls' : source.finish
    const { finish } = record
    if (!faults['no-finish']) await tell(wire => wire.finish(index, finish))
  }

  /** Tells the tokens that fill a chunk; with `all` those that fill none, too. */
  async #tellChunks(choice: Running, part: Part, tell: Tell, all: boolean): Promise<void> {
    const { faults, asked } = this.#options
    const chunk = choice.told ? (faults.batch ?? asked.batch ?? 1) : 1
    while (choice.waiting.length >= (all ? 1 : chunk)) {
      // What a stop string held back comes at once, and still a chunk at a time.
      const tokens = choice.waiting.splice(0, chunk)
      choice.told = true
      await tell(wire => wire.tokens(choice.index, part, tokens))
    }
  }

  #sourceOf(part: Part, { index, record }: Running): Generation {
    const { asked, faults, model } = this.#options
    const { temperature, topP, maxTokens, topCount } = asked
    const shared: GenerationOptions = {
      seed: this.#seed,
      choice: index,
      topCount,
      ...(temperature === undefined ? {} : { temperature }),
      ...(topP === undefined ? {} : { topP }),
      ...(maxTokens === undefined ? {} : { maxTokens: maxTokens - record.count }),
    }
    const predictor = this.#predictors[index] as Predictor
    if (part.kind === 'reasoning') {
      const reasoner = this.#reasoners[index] as Predictor
      const most = Math.min(shared.maxTokens ?? REASONING_TOKENS, REASONING_TOKENS)
      return new Generation(model, reasoner, { ...shared, maxTokens: most })
    }
    if (part.tool) {
      return new Generation(model, predictor, {
        ...shared,
        dictation: recite(model.tokenizer, part.tool.arguments),
      })
    }
    const said = faults.say === undefined ? undefined : recite(model.tokenizer, faults.say)
    const prefill = asked.prefill === undefined ? {} : { prefill: model.tokenizer.encode(asked.prefill) }
    const every = faults['half-characters']
    const dictation = every === undefined ? said : sprinkle(every, said)
    const length = faults.empty ? 0 : faults.say === undefined ? faults.tokens : undefined
    return new Generation(model, predictor, {
      ...shared,
      ...prefill,
      stop: asked.stop,
      ...(dictation === undefined ? {} : { dictation }),
      ...(length === undefined ? {} : { length }),
    })
  }

  /** A token with the text that the program has for it, if it has one; `place` counts from 0. */
  #worded(token: GeneratedToken, place: number): GeneratedToken {
    const text = this.#options.tokenText?.(place)
    return text === undefined ? token : { ...token, text, delivered: text, bytes: [...Buffer.from(text)] }
  }

  /** A token with what the faults do to its entry; `place` counts from 0. */
  #afflicted(token: GeneratedToken, place: number): AnswerToken {
    const { faults, zeroLogprob } = this.#options
    const isDue = (every: number | undefined) => every !== undefined && (place + 1) % every === 0
    let afflicted: AnswerToken = token
    if (isDue(faults.sentinels)) {
      // Zero is the last of the alternatives, and what has it there has it here.
      const others = token.top.filter(({ id }) => id !== token.id)
      const last = token.top.find(({ id }) => id === token.id) ?? others.pop()
      const top = last === undefined ? others : [...others, { ...last, logprob: zeroLogprob }]
      afflicted = { ...token, logprob: zeroLogprob, top }
    }
    return isDue(faults['lost-logprobs']) ? { ...afflicted, lost: true } : afflicted
  }

  #failing(wire: Wire, error: ModelError): Frame[] {
    const frames = wire.failing(error)
    if (this.#options.faults['error-done'] === undefined) return frames
    const sentinel = wire.sentinel()
    return frames.at(-1)?.data === sentinel.at(-1)?.data ? frames : [...frames, ...sentinel]
  }

  async #sleep(ms: number, signal = this.#options.gone): Promise<void> {
    if (ms < Number.POSITIVE_INFINITY) await setTimeout(ms, undefined, { signal })
    else await forever(signal)
  }
}

/** Rejects with the reason of `signal` when it aborts, and does nothing before. */
export async function forever(signal: AbortSignal): Promise<never> {
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  return await promise
}
