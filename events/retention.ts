import { durationMs } from './duration.ts'
import { TokenscopeError } from './errors.ts'

/** How long records are kept: what is older goes, and the oldest while there is more than fits. */
export interface Retention {
  /** Null: whatever their age. */
  ageMs: number | null
  /** Null: however much there is. */
  bytes: number | null
}

/** Nothing is removed. */
export const KEEP_ALL: Retention = Object.freeze({ ageMs: null, bytes: null })

/** What a retention looks like, for messages. */
export const RETENTION_WORDS =
  'an age (m, h, d, w) and a size (MB, GB, TB) as 30d/5GB, either of them alone, or off'

/** Bytes of each unit, decimal as disks are sold. */
const SIZES: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9, TB: 1e12 }
const LARGEST_AGE_MS = 36_500 * 86_400_000
const SMALLEST_BYTES = 1e6
const LARGEST_BYTES = 1000e12

/**
 * Reads `AGE/SIZE`, either part alone, or `off`. AGE is 1m to 36500d, SIZE 1MB to 1000TB.
 *
 * @throws TokenscopeError CONFIG with one line that names what is wrong
 */
export function parseRetention(text: string): Retention {
  if (text === 'off') return { ...KEEP_ALL }
  const parts = text.split('/')
  const ageMs = durationMs(parts[0] as string)
  const size = parts.length === 2 ? parts[1] : ageMs === null ? parts[0] : undefined
  const bytes = size === undefined ? null : bytesOf(size)
  if (parts.length > 2 || (size !== undefined && bytes === null) || (parts.length === 2 && ageMs === null)) {
    throw refusal(text, `it must be ${RETENTION_WORDS}`)
  }
  if (ageMs !== null && (ageMs < 60_000 || ageMs > LARGEST_AGE_MS)) {
    throw refusal(text, 'the age must be from 1m to 36500d')
  }
  if (bytes !== null && (bytes < SMALLEST_BYTES || bytes > LARGEST_BYTES)) {
    throw refusal(text, 'the size must be from 1MB to 1000TB')
  }
  return { ageMs, bytes }
}

function bytesOf(text: string): number | null {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(MB|GB|TB)$/i.exec(text) ?? []
  if (amount === undefined || unit === undefined) return null
  return Math.round(Number(amount) * (SIZES[unit.toUpperCase()] as number))
}

function refusal(text: string, why: string): TokenscopeError {
  return new TokenscopeError('CONFIG', `--retention ${text}: ${why}.`, { param: '--retention' })
}
