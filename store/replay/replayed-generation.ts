import { ulid } from 'ulid'
import {
  type Ending,
  type GenerationError,
  type GenerationEvent,
  type GenerationState,
  isFinal,
  type NeuralStateEvent,
  type Replay,
  type TokenEvent,
} from '../../events/generation.ts'

/** Told so late, ms, an entry counts as told when it was due: that a timer or a busy machine was late is no part of it. */
const ON_TIME_MS = 100

export interface ReplayedOptions {
  replay: Replay
  model: string | null
  upstream: string
  /** When it was first heard of, Unix ms. */
  heardAt: number
  /** `performance.now()` when the replay began. */
  startedAt: number
}

/**
 * A recorded generation as it is played: what each of its entries is now, and when that is due. It is as it was, at
 * another time and under another name: its times are those of this clock.
 */
export class ReplayedGeneration {
  readonly id = `g_${ulid()}`
  readonly #options: ReplayedOptions
  /** Unix ms of the recording at its `elapsed_ms` 0; null until an entry says it. */
  #zero: number | null = null
  /** Its last state as recorded, and as told. */
  #recorded: NeuralStateEvent | null = null
  #last: NeuralStateEvent | null = null
  #tokens = 0
  /** `performance.now()` of its first token. */
  #firstAt: number | null = null
  /** No entry is due, or told, before the one before it. */
  #due: number
  #at: number

  constructor(options: ReplayedOptions) {
    this.#options = options
    this.#due = options.startedAt
    this.#at = options.startedAt
  }

  /** Takes when its request came, Unix ms, where that is recorded. */
  startedAt(time: number): void {
    this.#zero = time
  }

  /** Its state as it was told last; null before there is any. */
  get state(): GenerationState | null {
    return this.#last?.state ?? null
  }

  /** Whether its last state was told. */
  get over(): boolean {
    return this.state !== null && isFinal(this.state)
  }

  /** `performance.now()` at which the next entry of the recording is due; null where it is due at once. */
  dueAt(entry: GenerationEvent): number | null {
    const { speed } = this.#options.replay
    const offset = entry.type === 'neural_state' ? this.#offsetOfState(entry) : this.#offsetOfToken(entry)
    if (speed === null) return null
    this.#due = Math.max(this.#due, this.#options.startedAt + offset / speed)
    return this.#due
  }

  /**
   * The next entry of the recording as an event of now; to be asked for once it is due.
   *
   * @param now `performance.now()`
   */
  retell(entry: GenerationEvent, now: number): GenerationEvent {
    const at = this.#pass(now)
    if (entry.type === 'token_activation') {
      this.#firstAt ??= at
      this.#tokens++
      return { ...entry, generation: this.id, timestamp: (performance.timeOrigin + at) / 1000 }
    }
    this.#recorded = entry
    // It generates from its first token on, whose bytes tell both.
    if (entry.state === 'generating' && entry.ttft_ms !== null) this.#firstAt ??= at
    return this.#tell({ ...entry, ttft_ms: entry.ttft_ms === null ? null : this.#ttft }, at)
  }

  /** Its last state where that is not the recording's own. Null if it was told already. */
  end(
    state: GenerationState,
    ending: Ending,
    error: GenerationError | null,
    now: number,
  ): NeuralStateEvent | null {
    if (this.over) return null
    const last = this.#last ?? this.#unheard()
    const tokens_processed = Math.max(last.tokens_processed, this.#tokens)
    const at = Math.max(this.#at, now)
    return this.#tell(
      { ...last, state, tokens_processed, progress: null, ending, error, ttft_ms: this.#ttft },
      at,
    )
  }

  get #ttft(): number | null {
    return this.#firstAt === null ? null : rounded(this.#firstAt - this.#options.startedAt)
  }

  #offsetOfState({ elapsed_ms }: NeuralStateEvent): number {
    this.#zero ??= this.#options.heardAt - elapsed_ms
    return elapsed_ms
  }

  #offsetOfToken({ index, timestamp }: TokenEvent): number {
    const time = timestamp * 1000
    const last = this.#recorded
    // The first token's bytes are those that made it generate: no other clock tells as well when it began.
    const tells = index === 0 && last?.state === 'generating' && last.ttft_ms === last.elapsed_ms
    if (tells) this.#zero = time - last.elapsed_ms
    this.#zero ??= this.#options.heardAt
    return time - this.#zero
  }

  /** When an entry counts as told. */
  #pass(now: number): number {
    const isOnTime = this.#options.replay.speed !== null && now - this.#due <= ON_TIME_MS
    this.#at = Math.max(this.#at, isOnTime ? this.#due : now)
    return this.#at
  }

  #tell(state: NeuralStateEvent, at: number): NeuralStateEvent {
    this.#last = {
      ...state,
      generation: this.id,
      elapsed_ms: rounded(at - this.#options.startedAt),
      parent: null,
      replay: this.#options.replay,
    }
    return this.#last
  }

  /** What is known of it before its first state. */
  #unheard(): NeuralStateEvent {
    const { model, upstream, replay } = this.#options
    return {
      ...{ type: 'neural_state', generation: this.id, state: 'queued', model, upstream, replay },
      ...{ tokens_processed: 0, total_tokens: null, estimated: false, elapsed_ms: 0, ttft_ms: null },
      ...{ progress: null, ending: null, error: null, timings: null, parent: null, cached: false },
    }
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
