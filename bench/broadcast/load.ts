/**
 * The tokens that the broadcast bench sends: token `count` belongs to one of 25 generations that take turns, so
 * that server and readers know of each, without being told, where it belongs.
 */
import type { NeuralStateEvent, TokenEvent } from '../../events/generation.ts'
import { stateEvent, tokenEvent } from '../../test/support/hub-events.ts'

const AT_ONCE = 25
const ENDLESS = Number.MAX_SAFE_INTEGER

/** How the tokens are divided. */
export interface LoadShape {
  /** Tokens after which a generation ends and the next begins; never if there is none. */
  generationTokens?: number
  /** Generations that take turns. */
  atOnce?: number
}

/** Where a token belongs. */
export interface Place {
  generation: string
  /** Its number within its generation. */
  index: number
}

/** What is sent from the beginning on, in order. */
export class Load {
  readonly #generationTokens: number
  readonly #atOnce: number
  #count = 0

  constructor({ generationTokens = ENDLESS, atOnce = AT_ONCE }: LoadShape = {}) {
    this.#generationTokens = generationTokens
    this.#atOnce = atOnce
  }

  /** Tokens that `next` has given. */
  get count(): number {
    return this.#count
  }

  /** Where token `count` belongs, counted from 0. */
  placeOf(count: number): Place {
    const turn = Math.floor(count / this.#atOnce)
    const lap = Math.floor(turn / this.#generationTokens)
    return {
      generation: `g_01JBENCH${String(lap * this.#atOnce + (count % this.#atOnce)).padStart(18, '0')}`,
      index: turn % this.#generationTokens,
    }
  }

  /** The next token, with the changes of state before and after it. */
  next(text: string): { before: NeuralStateEvent | null; token: TokenEvent; after: NeuralStateEvent | null } {
    const { generation, index } = this.placeOf(this.#count++)
    const tokens = index + 1
    return {
      before: index === 0 ? stateEvent(generation) : null,
      token: { ...tokenEvent(generation, index, text), timestamp: Date.now() / 1000 },
      after:
        tokens === this.#generationTokens
          ? stateEvent(generation, 'done', { tokens_processed: tokens, total_tokens: tokens })
          : null,
    }
  }
}

/** A token's text that follows from its number alone: five characters. */
export function numberedText(index: number): string {
  return ` ${String(index % 10_000).padStart(4, '0')}`
}

/** The text of the first `count` tokens with numbered texts. */
export function textOfTokens(count: number): string {
  return Array.from({ length: count }, (_, index) => numberedText(index)).join('')
}
