import type { LogEntry, NeuralStateEntry } from '../events/generation.ts'
import { isFinal } from '../events/generation.ts'
import type { SnapshotGeneration } from './protocol.ts'

/** Finished generations that a snapshot still holds. */
const FINISHED_KEPT = 50
/** Pieces that are joined at a time. */
const JOINED = 64

interface Transcript {
  state: NeuralStateEntry
  tokens: number
  /** The text but for the last pieces. */
  text: string
  /** What came after it: joined when they are many, since each by itself takes several times its length. */
  pieces: string[]
}

/**
 * The whole text and last state of every running generation and of the last 50 finished: what a snapshot
 * is made of. It follows the log entry by entry, so it never has a hole, however short the ring is.
 */
export class Transcripts {
  readonly #running = new Map<string, Transcript>()
  readonly #finished = new Map<string, Transcript>()

  /** Takes in the entry that was just appended. */
  apply(entry: LogEntry): void {
    const transcript = this.#running.get(entry.generation)
    if (entry.type === 'token_activation') {
      if (transcript === undefined) return
      transcript.tokens++
      if (transcript.pieces.push(entry.token_text) === JOINED) join(transcript)
      return
    }
    if (transcript === undefined)
      this.#running.set(entry.generation, { state: entry, tokens: 0, text: '', pieces: [] })
    else transcript.state = entry
    if (isFinal(entry.state)) this.#finish(entry.generation)
  }

  /** All of it, oldest first. */
  generations(): SnapshotGeneration[] {
    return [...this.#finished.values(), ...this.#running.values()].map(({ state, tokens, text, pieces }) => {
      const { type: _type, seq: _seq, ...rest } = state
      return { ...rest, text: text + pieces.join(''), tokens }
    })
  }

  #finish(generation: string): void {
    const transcript = this.#running.get(generation)
    if (transcript === undefined) return
    this.#running.delete(generation)
    join(transcript)
    this.#finished.set(generation, transcript)
    const [oldest] = this.#finished.keys()
    if (this.#finished.size > FINISHED_KEPT && oldest !== undefined) this.#finished.delete(oldest)
  }
}

function join(transcript: Transcript): void {
  transcript.text += transcript.pieces.join('')
  transcript.pieces = []
}
