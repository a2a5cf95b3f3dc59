const DAY_S = 86_400
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
const YEAR = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric' })
const EXACT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })

/**
 * When something was, in few characters: the time within a day, the date within a year, else month and year. Both are
 * Unix seconds.
 */
export function formatWhen(at: number, now: number): { words: string; exact: string } {
  const date = new Date(at * 1000)
  const format = now - at < DAY_S ? CLOCK : now - at < 365 * DAY_S ? DATE : YEAR
  return { words: format.format(date), exact: EXACT.format(date) }
}
