import type { GenerationEvent, NeuralStateEvent } from '../events/generation.ts'
import { isFinal } from '../events/generation.ts'
import type { Filter } from './payload.ts'
import type { SnapshotGeneration } from './protocol.ts'

/** Finished generations that a snapshot still holds. */
const FINISHED_KEPT = 50
/** Pieces that are joined at a time. */
const JOINED = 64

/**
 * The whole text and last state of every running generation and of the last 50 finished: what a snapshot
 * is made of. It follows the log event by event, so it never has a hole, however short the ring is.
 */
export class Transcripts {
  readonly #running = new Map<string, Transcript>()
  readonly #finished = new Map<string, Transcript>()

  /** @param finished what ended in earlier runs, oldest first */
  constructor(finished: readonly SnapshotGeneration[] = []) {
    for (const { text, tokens, ...state } of finished.slice(-FINISHED_KEPT)) {
      this.#finished.set(state.generation, new Transcript(state, text, tokens))
    }
  }

  /** Takes in the event that was just appended. */
  apply(event: GenerationEvent): void {
    const { generation } = event
    const transcript = this.#running.get(generation)
    if (event.type === 'token_activation') {
      transcript?.add(event.token_text)
      return
    }
    const { type: _type, ...state } = event
    if (transcript === undefined) this.#running.set(generation, this.#begin(state))
    else transcript.state = state
    if (isFinal(event.state)) this.#finish(generation)
  }

  /** All of it, or what passes `filter`, oldest first. */
  generations(filter: Filter | null): SnapshotGeneration[] {
    const found: SnapshotGeneration[] = []
    for (const transcripts of [this.#finished, this.#running]) {
      for (const [generation, transcript] of transcripts) {
        if (filter !== null && !filter.has(generation)) continue
        found.push({ ...transcript.state, text: transcript.text, tokens: transcript.tokens })
      }
    }
    return found
  }

  /** A new one; of a generation that had come to its end the one that there is, which goes on. */
  #begin(state: Omit<NeuralStateEvent, 'type'>): Transcript {
    const known = this.#finished.get(state.generation)
    if (known === undefined) return new Transcript(state)
    this.#finished.delete(state.generation)
    known.state = state
    return known
  }

  #finish(generation: string): void {
    const transcript = this.#running.get(generation)
    if (transcript === undefined) return
    this.#running.delete(generation)
    transcript.end()
    this.#finished.set(generation, transcript)
    const [oldest] = this.#finished.keys()
    if (this.#finished.size > FINISHED_KEPT && oldest !== undefined) this.#finished.delete(oldest)
  }
}

/**
 * A text that grows by pieces. 64 pieces are joined to one of the next tier, 64 of those again: so a piece is
 * copied some three times, the whole is one flat string whenever it is asked for, and what lies about in small
 * pieces, each of which takes several times its length, is little.
 */
class Transcript {
  state: Omit<NeuralStateEvent, 'type'>
  tokens: number
  /** The newest pieces first, and in each tier the oldest first. */
  readonly #tiers: string[][]

  constructor(state: Omit<NeuralStateEvent, 'type'>, text = '', tokens = 0) {
    this.state = state
    this.tokens = tokens
    this.#tiers = [text === '' ? [] : [text]]
  }

  get text(): string {
    return this.#tiers
      .map(pieces => pieces.join(''))
      .reverse()
      .join('')
  }

  add(piece: string): void {
    this.tokens++
    let joined = piece
    for (let tier = 0; ; tier++) {
      const pieces = this.#tiers[tier] ?? []
      this.#tiers[tier] = pieces
      if (pieces.push(joined) < JOINED) return
      joined = pieces.join('')
      pieces.length = 0
    }
  }

  /** Takes as little memory as it can, since nothing is to come. */
  end(): void {
    const { text } = this
    this.#tiers.length = 0
    this.#tiers.push([text])
  }
}
