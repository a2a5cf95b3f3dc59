/** The forms that the value of a directive can have: how each is read, written and named. */

/** How a value is written. `read` throws an Error whose message ends the sentence "it must be …". */
export interface ValueForm<T> {
  /** As help shows it after the name: `=N`, `[=DUR]`, or nothing. */
  readonly form: string
  /** `raw` is null where the directive stands without `=`. */
  read(raw: string | null): T
  /** What `read` reads as this value; null for none. */
  write(value: T): string | null
}

/** A time without a byte. */
export interface Silence {
  /** Milliseconds; Infinity for ever. */
  readonly ms: number
  /** How many tokens come before it. */
  readonly after: number
}

const MAX_COUNT = 1_000_000_000
const DURATION = 'a duration as 250ms, 2s or forever'
const MAX_MS = 24 * 60 * 60 * 1000

/** A directive without a value. */
export const flag: ValueForm<true> = {
  form: '',
  read(raw) {
    if (raw !== null) throw new Error('without a value')
    return true
  },
  write: () => null,
}

/** Text, percent-encoded. */
export const text: ValueForm<string> = {
  form: '=TEXT',
  read(raw) {
    try {
      // In a header it would come as other characters than were meant.
      if (raw !== null && /^[\x20-\x7e]*$/.test(raw)) return decodeURIComponent(raw)
    } catch {}
    throw new Error('text with each comma, percent sign and non-ASCII character percent-encoded')
  },
  write: value => encodeURIComponent(value),
}

/** A length of time in milliseconds; Infinity for ever. */
export const duration: ValueForm<number> = {
  form: '=DUR',
  read: raw => readDuration(raw ?? ''),
  write: writeDuration,
}

/** A length of time with a value for when none is given. */
export function durationOr(fallback: number): ValueForm<number> {
  return {
    form: '[=DUR]',
    read: raw => (raw === null ? fallback : readDuration(raw)),
    write: value => (value === fallback ? null : writeDuration(value)),
  }
}

/** A time in which nothing comes, and after which token it begins. */
export const silence: ValueForm<Silence> = {
  form: '=DUR[@N]',
  read(raw) {
    const [ms = '', after, more] = (raw ?? '').split('@')
    const count = after === undefined ? 0 : readCount(after, 0)
    if (count === null || more !== undefined) throw new Error(`${DURATION}, then @ and a number of tokens`)
    return { ms: readDuration(ms), after: count }
  },
  write: ({ ms, after }) => writeDuration(ms) + (after === 0 ? '' : `@${after}`),
}

/** A whole number from `least` on; `form` is what help shows. */
export function count(least: number, form = '=N'): ValueForm<number> {
  return {
    form,
    read(raw) {
      const value = readCount(raw ?? '', least)
      if (value === null) throw new Error(`a whole number from ${least} to ${MAX_COUNT}`)
      return value
    },
    write: String,
  }
}

/** A whole number from 1 on, with a value for when none is given. */
export function countOr(fallback: number): ValueForm<number> {
  const { read } = count(1)
  return {
    form: '[=N]',
    read: raw => (raw === null ? fallback : read(raw)),
    write: value => (value === fallback ? null : String(value)),
  }
}

/** A number above 0, or `max` for no limit. */
export const rate: ValueForm<number> = {
  form: '=RATE',
  read(raw) {
    if (raw === 'max') return Number.POSITIVE_INFINITY
    const value = /^\d{1,9}(\.\d{1,6})?$/.test(raw ?? '') ? Number(raw) : 0
    if (value === 0) throw new Error('tokens per second above 0, or max')
    return value
  },
  write: value => (value === Number.POSITIVE_INFINITY ? 'max' : String(value)),
}

/** One of some words, the first if none is given. */
export function word<const W extends string>(first: W, ...others: W[]): ValueForm<W> {
  const words = [first, ...others]
  return {
    form: `[=${others.join('|')}]`,
    read(raw) {
      const found = words.find(one => one === (raw ?? first))
      if (found === undefined) throw new Error(words.join(' or '))
      return found
    },
    write: value => (value === first ? null : value),
  }
}

function readCount(raw: string, least: number): number | null {
  const value = /^\d{1,10}$/.test(raw) ? Number(raw) : -1
  return value >= least && value <= MAX_COUNT ? value : null
}

function readDuration(raw: string): number {
  if (raw === 'forever') return Number.POSITIVE_INFINITY
  const [, digits, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s)$/.exec(raw) ?? []
  const ms = digits === undefined ? Number.NaN : Number(digits) * (unit === 's' ? 1000 : 1)
  if (!(ms <= MAX_MS)) throw new Error(`${DURATION}, at most a day`)
  return ms
}

function writeDuration(ms: number): string {
  return ms === Number.POSITIVE_INFINITY ? 'forever' : `${ms}ms`
}
