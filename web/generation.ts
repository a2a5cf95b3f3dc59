import { signal } from '@preact/signals'
import {
  type GenerationError,
  type GenerationState,
  isFinal,
  type NeuralStateEvent,
  type Replay,
} from '../events/generation.ts'
import type { GenerationRecord } from '../store/recording.ts'
import { TokenColumns, type TokenFields } from './token-columns.ts'

/** The window over which the speed of a running generation is measured, in seconds. */
export const RATE_WINDOW_S = 2
/** A window shorter than this says nothing. */
const SHORTEST_SPAN_S = 0.25

type StateFields = Partial<Omit<NeuralStateEvent, 'type' | 'generation' | 'state' | 'replay'>> & {
  state: GenerationState
  replay?: Replay | null
}

/** Crockford's digits: ULIDs are written in them. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** Digits of a ULID that tell its time, in milliseconds since 1970. */
const TIME_DIGITS = 10

/** When an id was made, in Unix seconds; null where it does not say. https://github.com/ulid/spec */
export function timeOfId(id: string): number | null {
  const ulid = /^g_([0-7][0-9A-HJKMNP-TV-Z]{25})$/.exec(id)?.[1]
  if (ulid === undefined) return null
  let ms = 0
  for (let i = 0; i < TIME_DIGITS; i++) ms = ms * 32 + DIGITS.indexOf(ulid[i] as string)
  return ms / 1000
}

/**
 * One generation as the page knows it. Fields change in place; `revision` is bumped once an animation
 * frame in which they did, and is what a component reads to be drawn anew.
 */
export class Generation {
  readonly id: string
  readonly revision = signal(0)
  /** Bumped with its state and its record only, not with each token: for what is drawn by the `tick` meanwhile. */
  readonly states = signal(0)
  readonly tokens = new TokenColumns()
  state: GenerationState = 'queued'
  model: string | null = null
  upstream: string | null = null
  /** By the server's count; the text may hold more chunks or fewer. */
  tokensProcessed = 0
  totalTokens: number | null = null
  estimated = false
  elapsedMs: number | null = null
  ttftMs: number | null = null
  progress: number | null = null
  ending: string | null = null
  error: GenerationError | null = null
  cached = false
  /** The generation that it goes on with. */
  parent: string | null = null
  /** What it plays again; null where it is no replay. */
  replay: Replay | null = null
  /** What the records say of it, with its name and its prompt; null until they were read. */
  record: GenerationRecord | null = null
  /** It came from the records: this session's log has not told of it. */
  recalled = false
  text = ''
  /** Tokens whose text is in `text`: those with a lower index. */
  #textEnd = 0
  /** The beginning of the text came before this page did. */
  textIsPart = false

  constructor(id: string) {
    this.id = id
  }

  /** Whether it is not over yet. */
  get live(): boolean {
    return !isFinal(this.state)
  }

  /** Tokens that it has, as far as this page was told; of some it may hold the text alone. */
  get told(): number {
    return this.#textEnd
  }

  /** Whether every token of its text is held. */
  get whole(): boolean {
    // Of one that only its last state told of, nothing is held yet.
    const untold = this.#textEnd === 0 && this.tokensProcessed > 0
    return !this.textIsPart && !untold && this.tokens.held >= this.#textEnd
  }

  /** When it began, in Unix seconds; null where nobody says. */
  get startedAt(): number | null {
    return this.record?.started_at ?? timeOfId(this.id)
  }

  /** How long it took, or has run by now (Unix seconds of the server), in milliseconds. */
  ageMs(now: number): number | null {
    const { tokens } = this
    if (!this.live || tokens.held === 0 || this.ttftMs === null) return this.elapsedMs
    return this.ttftMs + Math.max(0, now - tokens.time(tokens.first)) * 1000
  }

  /** Takes over a state; fields that are not there keep their value. */
  become(fields: StateFields): void {
    this.state = fields.state
    this.model = fields.model ?? this.model
    this.upstream = fields.upstream ?? this.upstream
    this.tokensProcessed = Math.max(this.tokensProcessed, fields.tokens_processed ?? 0)
    this.totalTokens = fields.total_tokens ?? this.totalTokens
    this.estimated = fields.estimated ?? this.estimated
    this.elapsedMs = fields.elapsed_ms ?? this.elapsedMs
    this.ttftMs = fields.ttft_ms ?? this.ttftMs
    this.progress = fields.progress ?? null
    this.ending = fields.ending ?? null
    this.error = fields.error ?? null
    this.cached = fields.cached ?? this.cached
    this.parent = fields.parent ?? this.parent
    this.replay = fields.replay ?? this.replay
    // The upstream's own count, once there is one, may be lower than the pieces counted before.
    if (!this.live && fields.tokens_processed) this.tokensProcessed = fields.tokens_processed
  }

  /** Takes over the whole text of a snapshot, which holds `tokens` tokens. */
  retell(text: string, tokens: number): void {
    if (tokens < this.#textEnd) return
    this.text = text
    this.#textEnd = tokens
    this.textIsPart = false
    this.tokensProcessed = Math.max(this.tokensProcessed, tokens)
  }

  /** Takes a token in; false if it was there already. */
  append(entry: TokenFields): boolean {
    if (entry.index >= this.#textEnd) {
      if (entry.index > this.#textEnd) this.textIsPart = true
      this.text += entry.token_text
      this.#textEnd = entry.index + 1
      this.tokensProcessed = Math.max(this.tokensProcessed, this.#textEnd)
    }
    return this.tokens.put(entry)
  }

  /**
   * Tokens a second: of a running one over the last two seconds before `now` (Unix seconds of the server),
   * of a finished one over all of it. Null where too little is known.
   */
  rate(now: number): number | null {
    const { tokens } = this
    const last = tokens.end - 1
    if (tokens.held < 2) return null
    if (!this.live) {
      // What a gap left out was generated all the same: indexes count it, `held` does not.
      const span = tokens.time(last) - tokens.time(tokens.first)
      return span > 0 ? (last - tokens.first) / span : null
    }
    let first = last
    const since = now - RATE_WINDOW_S
    for (let before: number | null = last; before !== null && tokens.time(before) > since; ) {
      first = before
      before = tokens.has(before - 1) ? before - 1 : tokens.neighbour(before, -1)
    }
    if (tokens.time(last) <= since) return 0
    // A generation that is younger than the window is measured over its own age; so is one with a gap where
    // the window begins, for nobody knows how much of the gap lies in it.
    const young = !tokens.has(first - 1)
    const span = Math.max(SHORTEST_SPAN_S, now - (young ? tokens.time(first) : since))
    return (last - first + (young ? 0 : 1)) / span
  }
}
