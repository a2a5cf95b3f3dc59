import { createHash } from 'node:crypto'
import type { GenerationError, GenerationState } from '../../events/generation.ts'
import type { Delta } from '../dialects/dialect.ts'
import { Generation, type GenerationOptions } from '../generation.ts'

/** Generations that a feed can have open at once. */
const MAX_OPEN = 1000
/** Characters that they can have said together: snapshots hold what is open as a whole. */
const MAX_OPEN_CHARS = 16 * 1024 * 1024
/** Of one answer; OpenAI allows as many. */
const MAX_CHOICES = 128
/** Longer names are held by their digests. */
const MAX_NAME_CHARS = 256

/** An answer that a feed tells of: its choices, each a generation, until they end. */
export class OpenAnswer {
  readonly name: string
  readonly generations = new Map<number, Generation>()
  /** Choices whose ending was told, and is not yet passed on. */
  readonly endings = new Map<number, string>()
  /** The most choices that it had at once. */
  choices = 0
  hasUsage = false
  /** `performance.now()` when its last ending was read. */
  finishedAt = 0
  settling: NodeJS.Timeout | null = null
  chars = 0

  constructor(name: string) {
    this.name = name
  }
}

export type OpenAnswersOptions = Pick<GenerationOptions, 'upstream' | 'emit' | 'meter' | 'modelLabel'>

/**
 * The answers of a feed that have not ended, by the feed's own names. Their number and their texts are bounded:
 * beyond, the oldest is interrupted. A feed need not tell the end of anything.
 */
export class OpenAnswers {
  readonly #options: OpenAnswersOptions
  /** Oldest first. */
  readonly #answers = new Map<string, OpenAnswer>()
  #size = 0
  #chars = 0

  constructor(options: OpenAnswersOptions) {
    this.#options = options
  }

  /** Generations that are open. */
  get size(): number {
    return this.#size
  }

  /** The answer of this name, if one is open. */
  find(name: string): OpenAnswer | undefined {
    return this.#answers.get(keyOf(name))
  }

  /** Every answer that is open, oldest first. */
  all(): OpenAnswer[] {
    return [...this.#answers.values()]
  }

  /**
   * The generation of a choice, which begins now if it is not open.
   *
   * @returns undefined where an answer has more choices than are followed
   */
  open(
    name: string,
    choice: number,
    readAt: number,
    { model = null, cached = false }: Partial<Pick<GenerationOptions, 'model' | 'cached'>> = {},
  ): Generation | undefined {
    const key = keyOf(name)
    const answer = this.#answers.get(key) ?? new OpenAnswer(key)
    const known = answer.generations.get(choice)
    if (known !== undefined || answer.generations.size === MAX_CHOICES) return known
    if (this.#size === MAX_OPEN)
      this.#interruptOldest(answer, `over ${MAX_OPEN} of its generations were open`, readAt)
    this.#answers.set(key, answer)
    // What was counted while there was one choice is of nobody knows which.
    if (answer.hasUsage) for (const other of answer.generations.values()) other.learnUsage(null)
    // A feed tells what was asked elsewhere: when, is not known.
    const generation = new Generation({
      ...this.#options,
      model,
      startedAt: readAt,
      isStartKnown: false,
      cached,
    })
    answer.generations.set(choice, generation)
    answer.choices = Math.max(answer.choices, answer.generations.size)
    this.#size++
    return generation
  }

  /** Tells the tokens of a delta. */
  take(name: string, delta: Delta, readAt: number): void {
    const generation = this.open(name, delta.choice, readAt)
    const answer = this.find(name)
    if (generation === undefined || answer === undefined) return
    generation.take(delta, readAt)
    answer.chars += delta.text.length
    this.#chars += delta.text.length
    while (this.#chars > MAX_OPEN_CHARS) {
      this.#interruptOldest(null, 'its open generations grew too large', readAt)
    }
  }

  /** Ends a choice; what comes under its name afterwards is another generation. */
  end(
    answer: OpenAnswer,
    choice: number,
    how: { state: GenerationState; ending: string | null; error: GenerationError | null },
    readAt: number,
  ): void {
    const generation = answer.generations.get(choice)
    if (generation === undefined) return
    answer.generations.delete(choice)
    answer.endings.delete(choice)
    this.#size--
    generation.end(how.state, how.ending, how.error, readAt)
    if (answer.generations.size > 0) return
    this.#answers.delete(answer.name)
    this.#chars -= answer.chars
    if (answer.settling !== null) clearTimeout(answer.settling)
    answer.settling = null
  }

  /** Ends all that is open. */
  endAll(
    how: { state: GenerationState; ending: string | null; error: GenerationError | null },
    readAt: number,
  ): void {
    for (const answer of this.all()) {
      for (const choice of [...answer.generations.keys()]) this.end(answer, choice, how, readAt)
    }
  }

  /** Interrupts the oldest answer but `spared`. */
  #interruptOldest(spared: OpenAnswer | null, message: string, readAt: number): void {
    const oldest = this.all().find(answer => answer !== spared)
    if (oldest === undefined) return
    const error = { kind: 'unknown', code: null, message, retryable: false } as const
    for (const choice of [...oldest.generations.keys()]) {
      this.end(oldest, choice, { state: 'interrupted', ending: 'overflow', error }, readAt)
    }
  }
}

function keyOf(name: string): string {
  return name.length <= MAX_NAME_CHARS ? name : createHash('sha256').update(name).digest('hex')
}
