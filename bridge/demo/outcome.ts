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

/** An answer; times count from `begun`, a time of `performance.now()`. */
export class AnswerRecord implements Outcome {
  readonly id = randomBytes(16).toString('hex')
  readonly created = Math.floor(Date.now() / 1000)
  readonly choices: readonly ChoiceRecord[]
  prompt: readonly number[] = []
  loadMs: number | null = null
  prefillMs: number | null = null
  readonly #begun: number
  #firstToken: number | null = null
  #lastToken: number | null = null
  #ended: number | null = null

  constructor(choices: number, begun: number) {
    this.choices = Array.from({ length: choices }, () => new ChoiceRecord())
    this.#begun = begun
  }

  /** Tokens generated so far, of all choices. */
  get count(): number {
    return this.choices.reduce((sum, { count }) => sum + count, 0)
  }

  get timing(): Timing {
    const now = performance.now()
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
    this.#lastToken = performance.now()
    this.#firstToken ??= this.#lastToken
  }

  /** The answer has ended now. */
  end(): void {
    this.#ended = performance.now()
  }
}
