/** One answer of the demo model, token by token. */
import type { DemoModel, Predictor } from './demo-model.ts'
import type { Dictation } from './dictation.ts'
import { createRandom } from './random.ts'
import { createSampler, mostLikely, type Sampler } from './sampler.ts'
import { matchStops } from './stop-matcher.ts'
import { advanceUtf8, completedText, UTF8_START, type Utf8State } from './utf8.ts'

export interface GenerationOptions {
  /** 0.7 if not given. */
  temperature?: number
  /** 0.9 if not given. */
  topP?: number
  /** Whole number; the same seed, choice, prompt and options give the same text. Random if not given. */
  seed?: number
  /** Which of several answers to the same request this is, from 0. */
  choice?: number
  /** Most tokens to generate; 512 if not given. */
  maxTokens?: number
  /** Strings that end the answer where they would begin. */
  stop?: readonly string[]
  /** How many of the most likely tokens to tell with each token; 0 if not given. */
  topCount?: number
  /** Exactly so many tokens: the text neither ends before nor goes on, unless `maxTokens` or `stop` end it. */
  length?: number
  /** Decides on tokens in place of drawing them. */
  dictation?: Dictation
  /** Tokens of the answer that were said before: it goes on after them. */
  prefill?: readonly number[]
}

/** A token and what the model thought of it. */
export interface TokenChance {
  /** Its number in the tokenizer. */
  id: number
  /** The characters that it completes: '' for the first part of one, the whole of it for its last. */
  text: string
  bytes: readonly number[]
  /**
   * Natural logarithm of its probability in the model's own distribution, over all tokens (the end of the
   * text is one): before temperature, top_p or anything else decides what is drawn.
   */
  logprob: number
}

/** A token of the answer. */
export interface GeneratedToken extends TokenChance {
  /** What it adds to the answer: its text, or the part of it before a stop string. */
  delivered: string
  /** The most likely tokens at its place, most likely first, in the same distribution. */
  top: TokenChance[]
}

/** The temperature of who does not say one. */
export const DEFAULT_TEMPERATURE = 0.7
/** The `top_p` of who does not say one. */
export const DEFAULT_TOP_P = 0.9
/** The most tokens for who does not say a limit. */
export const DEFAULT_MAX_TOKENS = 512
const NOTHING = new Uint8Array(0)

/**
 * The answer to the prompt of a predictor, which several generations may share. Call `next()` until `finish`
 * is set. Holds no timers or handles: it can be dropped at any time.
 */
export class Generation {
  readonly #model: DemoModel
  readonly #predictor: Predictor
  readonly #sample: Sampler
  readonly #stops: readonly string[]
  readonly #maxTokens: number
  readonly #topCount: number
  readonly #length: number | null
  readonly #dictation: Dictation | null
  /** What can be drawn between two characters: not the end where the length is ordered. */
  readonly #drawable: Uint8Array
  readonly #distribution: Float64Array
  readonly #context: number[]
  /** Tokens whose text may turn out to be part of a stop string. */
  #held: GeneratedToken[] = []
  #utf8: Utf8State = UTF8_START
  /** Bytes of the character that is not complete yet. */
  #pending: Uint8Array = NOTHING
  readonly #prefilled: number
  #count = 0
  #finish: 'stop' | 'length' | null = null
  #stopSequence: string | null = null

  constructor(model: DemoModel, predictor: Predictor, options: GenerationOptions = {}) {
    const { seed = Math.floor(Math.random() * 2 ** 32), choice = 0, stop = [] } = options
    const { temperature = DEFAULT_TEMPERATURE, topP = DEFAULT_TOP_P } = options
    const random = createRandom(seed, choice)
    this.#model = model
    this.#predictor = predictor
    const { prefill = [] } = options
    this.#context = [...predictor.prompt, ...prefill].slice(-model.language.order)
    this.#prefilled = prefill.length
    this.#sample = createSampler(model.tokenizer.size, { temperature, topP, random })
    this.#stops = stop
    this.#length = options.length ?? null
    this.#dictation = options.dictation ?? null
    this.#drawable = this.#length === null ? model.startable : model.startable.slice()
    if (this.#length !== null) this.#drawable[model.tokenizer.end] = 0
    // What was ordered is as long as it is.
    const ordered = this.#length !== null || this.#dictation !== null
    this.#maxTokens = options.maxTokens ?? (ordered ? Number.POSITIVE_INFINITY : DEFAULT_MAX_TOKENS)
    this.#topCount = options.topCount ?? 0
    this.#distribution = new Float64Array(model.tokenizer.size)
  }

  /** Why the answer has ended: by itself or a stop string, or by `maxTokens`; null while it has not. */
  get finish(): 'stop' | 'length' | null {
    return this.#finish
  }

  /** The stop string that ended the answer; null if none did. */
  get stopSequence(): string | null {
    return this.#stopSequence
  }

  /** Tokens generated so far, those that a stop string swallowed included, the end of the text not. */
  get count(): number {
    return this.#count
  }

  /**
   * Generates one token and gives the tokens that can be delivered now: mostly that one, none while a stop
   * string may have begun, several when it turned out to be none. Gives none once `finish` is set.
   */
  next(): GeneratedToken[] {
    if (this.#finish !== null) return []
    if (this.#count >= Math.min(this.#maxTokens, this.#length ?? this.#maxTokens)) {
      this.#finish = this.#count >= this.#maxTokens ? 'length' : 'stop'
      return this.#release()
    }
    const distribution = this.#predictor.distribution(
      this.#context,
      this.#prefilled + this.#count,
      this.#distribution,
    )
    const id = this.#dictation?.(this.#utf8.need === 0) ?? this.#draw(distribution)
    if (id === this.#model.tokenizer.end) {
      this.#finish = 'stop'
      return this.#release()
    }
    const chance = this.#chance(id)
    const top = mostLikely(distribution, this.#topCount).map(token => this.#chance(token))
    this.#advance(id)
    this.#held.push({ ...chance, delivered: chance.text, top })
    const held = this.#held.map(({ text }) => text).join('')
    const { free, stopped } = matchStops(held, this.#stops)
    if (stopped) {
      this.#finish = 'stop'
      this.#stopSequence = this.#stops.find(stop => held.startsWith(stop, free)) ?? null
      return this.#release(free)
    }
    if (this.#count >= this.#maxTokens) {
      this.#finish = 'length'
      return this.#release()
    }
    if (this.#count === this.#length) {
      this.#finish = 'stop'
      return this.#release()
    }
    return this.#releaseWhole(free)
  }

  #draw(distribution: Float64Array): number {
    const { seen, tokenizer } = this.#model
    if (this.#utf8.need === 0) return this.#sample(distribution, this.#drawable)
    // Inside a character only what goes on with it is drawn; the end does not.
    const valid = Uint8Array.from({ length: tokenizer.size }, (_, token) =>
      Number(token !== tokenizer.end && advanceUtf8(this.#utf8, tokenizer.bytes(token)) !== null),
    )
    const known = this.#sample(
      distribution,
      valid.map((flag, token) => flag & (seen[token] as number)),
    )
    // The passages may have no token that fits here; some single byte always does.
    return known === -1 ? this.#sample(distribution, valid) : known
  }

  #chance(id: number): TokenChance {
    const { tokenizer } = this.#model
    const bytes = tokenizer.bytes(id)
    const whole = this.#pending.length === 0 ? tokenizer.text(id) : null
    return {
      id,
      text: whole ?? completedText(this.#pending, bytes),
      bytes: Array.from(bytes),
      logprob: Math.log(this.#distribution[id] as number),
    }
  }

  #advance(id: number): void {
    const bytes = this.#model.tokenizer.bytes(id)
    const state = advanceUtf8(this.#utf8, bytes) ?? UTF8_START
    if (state.need === 0) this.#pending = NOTHING
    else {
      const tail = Buffer.concat([this.#pending, bytes])
      // Back to the byte that began the character: the last that is not a continuation.
      let start = tail.length - 1
      while (start > 0 && ((tail[start] as number) & 0xc0) === 0x80) start--
      this.#pending = tail.subarray(start)
    }
    this.#utf8 = state
    this.#count++
    this.#context.push(id)
    if (this.#context.length > this.#model.language.order) this.#context.shift()
  }

  /** Gives up the held tokens that lie whole in the first `free` characters. */
  #releaseWhole(free: number): GeneratedToken[] {
    let left = free
    let whole = 0
    for (const { text } of this.#held) {
      if (text.length > left) break
      left -= text.length
      whole++
    }
    return this.#held.splice(0, whole)
  }

  /** Gives up everything held, or the first `free` characters of it and the tokens that they lie in. */
  #release(free = Number.POSITIVE_INFINITY): GeneratedToken[] {
    const released: GeneratedToken[] = []
    let left = free
    for (const token of this.#held.splice(0)) {
      const delivered = token.text.slice(0, left)
      if (delivered === '' && token.text !== '') break
      left -= delivered.length
      released.push({ ...token, delivered })
    }
    return released
  }
}
