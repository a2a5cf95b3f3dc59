/** Sizes and durations as a person reads them, at the most three digits of what matters and their unit. */

/** A count with a comma at each three digits, as `12,345`. Intl would take 20 ms to begin, a tenth of a short program. @param count whole, not below 0 */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')
}

const SIZE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** A size with its decimal unit, as `1.07 GB`. @param bytes not below 0 */
export function sizeText(bytes: number): string {
  let size = bytes
  let unit = 0
  while (size >= 999.5 && unit < SIZE_UNITS.length - 1) {
    size /= 1000
    unit++
  }
  const digits = unit === 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2
  return `${size.toFixed(digits)} ${SIZE_UNITS[unit]}`
}

const DURATION_UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const

/** A duration in whole units, of which there are two at most, as `45 s`, `2 min 5 s` or `1 d`. @param seconds not below 0 */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds)
  const first = DURATION_UNITS.findIndex(([, size]) => whole >= size)
  if (first === -1) return '0 s'
  const [unit, size] = DURATION_UNITS[first] as (typeof DURATION_UNITS)[number]
  const [lower, lowerSize] = DURATION_UNITS[first + 1] ?? ['', Number.POSITIVE_INFINITY]
  const rest = Math.floor((whole % size) / lowerSize)
  return `${Math.floor(whole / size)} ${unit}${rest > 0 ? ` ${rest} ${lower}` : ''}`
}
