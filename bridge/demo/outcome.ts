/** The live record of an answer while it is made. */
import { randomBytes } from 'node:crypto'
import type { AnswerToken, ChoiceOutcome, Finish, Outcome, Part, Timing } from './surface.ts'

/** A choice as its parts grow. */
export class ChoiceRecord implements ChoiceOutcome {
  readonly parts: { readonly part: Part; readonly tokens: AnswerToken[] }[] = []
  count = 0
  finish: Finish | null = null
  stopSequence: string | null = null
}

const FIXED_ID = '0'.repeat(32)
const FIXED_DATE = '2026-01-01T00:00:00.000Z'

/**
 * An answer; times count from `begun`, a time of `performance.now()`. A fixed one has the id and the date that
 * all fixed ones have, and its time stands still.
 */
export class AnswerRecord implements Outcome {
  readonly id: string
  readonly created: number
  readonly choices: readonly ChoiceRecord[]
  prompt: readonly number[] = []
  loadMs: number | null = null
  prefillMs: number | null = null
  readonly #begun: number
  readonly #isFixed: boolean
  #firstToken: number | null = null
  #lastToken: number | null = null
  #ended: number | null = null

  constructor(choices: number, begun: number, isFixed = false) {
    this.#isFixed = isFixed
    this.id = isFixed ? FIXED_ID : randomBytes(16).toString('hex')
    this.created = Math.floor(this.date.getTime() / 1000)
    this.choices = Array.from({ length: choices }, () => new ChoiceRecord())
    this.#begun = begun
  }

  get date(): Date {
    return this.#isFixed ? new Date(FIXED_DATE) : new Date()
  }

  /** The time of `performance.now()` as the answer tells it. */
  get now(): number {
    return this.#isFixed ? this.#begun : performance.now()
  }

  /** Tokens generated so far, of all choices. */
  get count(): number {
    return this.choices.reduce((sum, { count }) => sum + count, 0)
  }

  get timing(): Timing {
    const { now } = this
    return {
      loadMs: this.loadMs,
      prefillMs: this.prefillMs,
      firstTokenMs: this.#firstToken === null ? null : this.#firstToken - this.#begun,
      generateMs: (this.#lastToken ?? 0) - (this.#firstToken ?? 0),
      totalMs: (this.#ended ?? now) - this.#begun,
    }
  }

  /** A token was generated now. */
  clock(): void {
    this.#lastToken = this.now
    this.#firstToken ??= this.#lastToken
  }

  /** The answer has ended now. */
  end(): void {
    this.#ended = this.now
  }
}
