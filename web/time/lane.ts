import type { GenerationState } from '../../events/generation.ts'
import { stateTone } from '../format.ts'
import type { Generation } from '../generation.ts'
import type { GenerationRecord } from '../records-api.ts'
import type { TokenTimes } from './token-times.ts'

/** A pause that parts one session from the next, in seconds: what analytics of visits take. */
export const SESSION_PAUSE_S = 30 * 60
/** Letters of a ULID that are its time (https://github.com/ulid/spec). */
const TIME_LETTERS = 10
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** When one generation was what; times are Unix seconds. */
export interface Lane {
  id: string
  model: string | null
  state: GenerationState
  tone: ReturnType<typeof stateTone>
  began: number
  /** Its first token; null where none is known to have come. */
  firstToken: number | null
  /** Null: it runs. */
  ended: number | null
  /** When its tokens came, as far as this page knows. */
  times: TokenTimes | null
  /** Tokens of which only the number is known, and when they came: at no known speed between them. */
  uncounted: { tokens: number; from: number; to: number } | null
}

/** The lane of a generation that this page holds. */
export function laneOf(generation: Generation, times: TokenTimes, now: number): Lane {
  const { tokens, ttftMs, elapsedMs, live, state } = generation
  const firstHeld = times.length > 0 ? times.at(0) : null
  const fromFirst = firstHeld !== null && tokens.first === 0 && ttftMs !== null
  const began = fromFirst
    ? (firstHeld as number) - (ttftMs as number) / 1000
    : (timeOfId(generation.id) ?? firstHeld ?? now)
  const last = times.length > 0 ? times.at(times.length - 1) : began
  const ended = live ? null : Math.max(last, began + (elapsedMs ?? 0) / 1000)
  const firstToken = fromFirst ? firstHeld : ttftMs === null ? firstHeld : began + ttftMs / 1000
  const unheld = firstHeld === null ? generation.tokensProcessed : tokens.first
  return {
    id: generation.id,
    model: generation.model,
    state,
    tone: stateTone(state),
    began,
    firstToken,
    ended,
    times,
    uncounted: uncountedOf(unheld, firstToken ?? began, firstHeld ?? ended ?? now),
  }
}

/** The lane of a generation of which the records alone know. */
export function laneOfRecord(record: GenerationRecord): Lane {
  const { started_at: began, ttft_ms, state } = record
  const ended = record.ended_at ?? began + record.elapsed_ms / 1000
  const firstToken = ttft_ms === null ? null : began + ttft_ms / 1000
  return {
    id: record.generation,
    model: record.model,
    state,
    tone: stateTone(state),
    began,
    firstToken,
    ended,
    times: null,
    uncounted: uncountedOf(record.tokens, firstToken ?? began, ended),
  }
}

/** Rows for lanes such that no two in one row overlap, the fewest there can be; in the order of `lanes`, by their begin. */
export function rowsOf(lanes: readonly Lane[], now: number, apart: number): number[] {
  const free: number[] = []
  return lanes.map(({ began, ended }) => {
    const found = free.findIndex(from => from <= began)
    const row = found === -1 ? free.length : found
    free[row] = (ended ?? now) + apart
    return row
  })
}

/** When the session began: the first generation after the last long pause. Null without any; lanes by their begin. */
export function sessionStart(lanes: readonly Lane[], now: number): number | null {
  let start: number | null = null
  let reach = Number.NEGATIVE_INFINITY
  for (const { began, ended } of lanes) {
    if (began - reach > SESSION_PAUSE_S) start = began
    reach = Math.max(reach, ended ?? now)
  }
  return start
}

/** Unix seconds at which an id was given, `g_` and a ULID; null where it is none. */
export function timeOfId(id: string): number | null {
  const letters = id.slice(2, 2 + TIME_LETTERS)
  if (!id.startsWith('g_') || letters.length < TIME_LETTERS) return null
  let ms = 0
  for (const letter of letters) {
    const digit = CROCKFORD.indexOf(letter)
    if (digit === -1) return null
    ms = ms * 32 + digit
  }
  return ms / 1000
}

function uncountedOf(tokens: number, from: number, to: number): Lane['uncounted'] {
  return tokens > 0 && to > from ? { tokens, from, to } : null
}
