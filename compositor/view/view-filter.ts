/** A question's filter and time, made into what can be asked of each token. */
import type { ViewFilter } from '../../broadcast/protocol/view.ts'
import { TOKEN_KINDS } from '../../events/generation.ts'
import { TICKS_PER_MS } from '../tokens/record.ts'
import type { GenerationRow, TokenStore } from '../tokens/token-store.ts'
import { ALL_KINDS, NO_TIME } from './tiles-request.ts'

const TICKS_PER_SECOND = 1000 * TICKS_PER_MS

export interface FilterQuestion {
  t?: number | null
  filter?: ViewFilter | null
}

export class TokenFilter {
  /** Equal for filters that let the same tokens pass, empty if that is all of them. */
  readonly key: string
  /** Milliseconds since the store's origin of the first and the last token that pass. */
  readonly since: number
  readonly until: number
  /** Bit 0 message, 1 reasoning, 2 tool call. */
  readonly kinds: number
  /** By slot, 1 if it passes; null if all do. */
  readonly generations: Uint8Array | null
  readonly #store: TokenStore

  constructor(store: TokenStore, { t, filter }: FilterQuestion) {
    this.#store = store
    const { origin } = store
    const latest = Math.min(t ?? Number.POSITIVE_INFINITY, filter?.until ?? Number.POSITIVE_INFINITY)
    this.since = clampTime(msAt(filter?.since ?? Number.NEGATIVE_INFINITY, origin))
    this.until = latest === Number.POSITIVE_INFINITY ? NO_TIME : clampTime(msAt(latest, origin))
    const isNever = msAt(latest, origin) < 0
    this.kinds = isNever ? 0 : kindsOf(filter)
    this.generations = this.#generationsOf(filter)
    this.key = this.isOpen ? '' : keyOf(t, filter)
  }

  /** Whether every token passes. */
  get isOpen(): boolean {
    return this.since === 0 && this.until === NO_TIME && this.kinds === ALL_KINDS && this.generations === null
  }

  /** Whether a generation's tokens may pass. */
  passesSlot(slot: number): boolean {
    return this.generations === null || this.generations[slot] === 1
  }

  passes(n: number): boolean {
    if (!this.passesSlot(this.#store.slotOf(n))) return false
    if (((this.kinds >>> TOKEN_KINDS.indexOf(this.#store.kindOf(n))) & 1) === 0) return false
    if (this.since === 0 && this.until === NO_TIME) return true
    const ms = this.#store.msOf(n)
    return ms >= this.since && ms <= this.until
  }

  #generationsOf(filter: ViewFilter | null | undefined): Uint8Array | null {
    const { generations, models } = filter ?? {}
    if (generations === undefined && models === undefined) return null
    const ids = generations === undefined ? null : new Set(generations)
    const names = models === undefined ? null : new Set(models)
    const passes = (row: GenerationRow) =>
      (ids === null || ids.has(row.id)) &&
      (names === null || names.has(this.#store.models[row.model] ?? NO_MODEL))
    return Uint8Array.from(this.#store.generations, row => (passes(row) ? 1 : 0))
  }
}

/** No model has this name: it is not told where a generation's model is not. */
const NO_MODEL = '\0'

function kindsOf(filter: ViewFilter | null | undefined): number {
  if (filter?.kinds === undefined) return ALL_KINDS
  return filter.kinds.reduce((mask, kind) => mask | (1 << TOKEN_KINDS.indexOf(kind)), 0) & ALL_KINDS
}

/** Of a time in Unix seconds, whole milliseconds after the origin; a time that a token was told with is exact. */
function msAt(seconds: number, origin: number | null): number {
  if (!Number.isFinite(seconds) || origin === null) return seconds < 0 ? Number.NEGATIVE_INFINITY : NO_TIME
  return Math.floor(Math.round((seconds - origin) * TICKS_PER_SECOND) / TICKS_PER_MS)
}

function clampTime(ms: number): number {
  return Math.min(Math.max(ms, 0), NO_TIME)
}

function keyOf(t: number | null | undefined, filter: ViewFilter | null | undefined): string {
  const { generations, models, kinds, since, until } = filter ?? {}
  return JSON.stringify([
    t ?? null,
    generations?.toSorted() ?? null,
    models?.toSorted() ?? null,
    kinds?.toSorted() ?? null,
    since ?? null,
    until ?? null,
  ])
}
