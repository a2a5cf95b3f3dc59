/** Milliseconds of each unit that a duration is given in. */
const UNITS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
}

/** What a duration looks like, for messages. */
export const DURATION_WORDS = 'a number and m, h, d or w, as 12h'

/** The milliseconds of a duration such as `90m`, `12h`, `1.5d` or `2w`; null if it is none, or is 0. */
export function durationMs(text: string): number | null {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)([mhdw])$/.exec(text) ?? []
  if (amount === undefined || unit === undefined) return null
  return Math.round(Number(amount) * (UNITS[unit] as number)) || null
}
