import { type Alternative, TOKEN_KINDS, type TokenEvent, type TokenKind } from '../events/generation.ts'

const FIRST_ROOM = 64
/** An index far beyond what has come is a fault, not a reason to reserve gigabytes. */
const MOST_TOKENS = 1 << 22

/** What a token is, however it came here. */
export type TokenFields = Omit<TokenEvent, 'type' | 'generation'> & {
  /** Its cell on the map; null where it has none, having been read from a file. */
  position: readonly [number, number] | null
}

/** A token as a person asks for it: what its server said, null where it did not. */
export interface TokenDetail {
  index: number
  text: string
  kind: TokenKind
  tokenId: number | null
  /** The cell; -1, -1 where it has none. */
  x: number
  y: number
  /** Unix seconds. */
  time: number
  /** Seconds since the token before; null for the first one or where that one is not held. */
  sincePrevious: number | null
  logprob: number | null
  confidence: number | null
  entropy: number | null
  top: readonly Alternative[]
}

/**
 * The tokens of one generation, a column for each property, by index. Indexes may be missing: what was
 * never received is not held and `has` says so; what was read from a file is held without a cell. Writing the same token twice changes nothing.
 */
export class TokenColumns {
  #x = new Int32Array(FIRST_ROOM).fill(-1)
  #y = new Int32Array(FIRST_ROOM).fill(-1)
  /** NaN where no token is held. */
  #time = new Float64Array(FIRST_ROOM).fill(Number.NaN)
  #logprob = new Float32Array(FIRST_ROOM)
  #entropy = new Float32Array(FIRST_ROOM)
  #kind = new Uint8Array(FIRST_ROOM)
  #confidence = new Float32Array(FIRST_ROOM)
  readonly #text: string[] = []
  readonly #tokenId: (number | null)[] = []
  readonly #top: (readonly Alternative[])[] = []
  /** Tokens held. */
  held = 0
  /** One more than the highest index held. */
  end = 0
  /** The lowest index held; `end` where none is. */
  first = 0

  /** Whether the token with this index is held. */
  has(index: number): boolean {
    return index >= 0 && index < this.end && !Number.isNaN(this.#time[index])
  }

  /** Takes a token in; false if it was there already or its index is no sane one. */
  put(entry: TokenFields): boolean {
    const i = entry.index
    if (this.has(i) || i < 0 || i >= MOST_TOKENS) return false
    if (i >= this.#x.length) this.#grow(i + 1)
    this.#x[i] = entry.position?.[0] ?? -1
    this.#y[i] = entry.position?.[1] ?? -1
    this.#time[i] = entry.timestamp
    this.#logprob[i] = entry.logprob ?? Number.NaN
    this.#confidence[i] = entry.confidence ?? Number.NaN
    this.#entropy[i] = entry.entropy ?? Number.NaN
    this.#kind[i] = Math.max(0, TOKEN_KINDS.indexOf(entry.kind))
    this.#text[i] = entry.token_text
    this.#tokenId[i] = entry.token_id
    this.#top[i] = entry.top
    this.first = this.held === 0 ? i : Math.min(this.first, i)
    this.end = Math.max(this.end, i + 1)
    this.held++
    return true
  }

  /** x of the cell; -1 where the token is not held or has none. */
  x(index: number): number {
    return this.#x[index] ?? -1
  }

  /** y of the cell; -1 where the token is not held or has none. */
  y(index: number): number {
    return this.#y[index] ?? -1
  }

  /** 0 … 1, NaN where unknown. */
  confidence(index: number): number {
    return this.#confidence[index] ?? Number.NaN
  }

  /** Unix seconds. */
  time(index: number): number {
    return this.#time[index] ?? Number.NaN
  }

  /** The token's text, empty where it is not held. */
  text(index: number): string {
    return this.#text[index] ?? ''
  }

  /** What the token belongs to. */
  kind(index: number): TokenKind {
    return TOKEN_KINDS[this.#kind[index] ?? 0] as TokenKind
  }

  /** All there is to know about a token; null where it is not held. */
  detail(index: number): TokenDetail | null {
    if (!this.has(index)) return null
    return {
      index,
      text: this.text(index),
      kind: this.kind(index),
      tokenId: this.#tokenId[index] ?? null,
      x: this.x(index),
      y: this.y(index),
      time: this.time(index),
      sincePrevious: this.has(index - 1) ? this.time(index) - this.time(index - 1) : null,
      logprob: known(this.#logprob[index]),
      confidence: known(this.#confidence[index]),
      entropy: known(this.#entropy[index]),
      top: this.#top[index] ?? [],
    }
  }

  /** The index of the held token next to `index` in this direction; null at the end. */
  neighbour(index: number, step: 1 | -1): number | null {
    for (let i = index + step; i >= this.first && i < this.end; i += step) if (this.has(i)) return i
    return null
  }

  #grow(atLeast: number): void {
    const room = Math.max(atLeast, this.#x.length * 2)
    this.#x = widen(this.#x, new Int32Array(room).fill(-1))
    this.#y = widen(this.#y, new Int32Array(room).fill(-1))
    this.#time = widen(this.#time, new Float64Array(room).fill(Number.NaN))
    this.#logprob = widen(this.#logprob, new Float32Array(room))
    this.#entropy = widen(this.#entropy, new Float32Array(room))
    this.#confidence = widen(this.#confidence, new Float32Array(room))
    this.#kind = widen(this.#kind, new Uint8Array(room))
  }
}

function widen<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from)
  return to
}

function known(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value
}
