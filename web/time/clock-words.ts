/** Steps between ticks, in seconds: what a person divides a clock by. */
const STEPS_S = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800,
  604_800,
]
const MINUTE_S = 60
const DAY_S = 86_400

const TO_SECONDS = new Intl.DateTimeFormat('en', timeParts({ second: '2-digit' }))
const TO_MINUTES = new Intl.DateTimeFormat('en', timeParts({}))
const TO_TENTHS = new Intl.DateTimeFormat(
  'en',
  timeParts({ second: '2-digit', fractionalSecondDigits: 1 } as Intl.DateTimeFormatOptions),
)
const DAY = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric' })

/** A mark on a time axis. */
export interface Tick {
  /** Unix seconds. */
  at: number
  label: string
}

/**
 * A time as a clock says it: `14:03:21`, with the day before it if it is not today.
 *
 * @param at Unix seconds
 * @param tenths whether tenths of a second are worth being told
 */
export function clockWords(at: number, now: number, tenths = false): string {
  const date = new Date(at * 1000)
  const time = (tenths ? TO_TENTHS : TO_SECONDS).format(date)
  const today = DAY.format(date) === DAY.format(new Date(now * 1000))
  return today ? time : `${DAY.format(date)}, ${time}`
}

/** A length of time in its two largest units: `40 s`, `12 min 05 s`, `3 h 20 min`, `2 days 4 h`. */
export function spanWords(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`
  if (whole < DAY_S) return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`
  const days = Math.floor(whole / DAY_S)
  return `${days} ${days === 1 ? 'day' : 'days'} ${Math.floor((whole % DAY_S) / 3600)} h`
}

/** Marks on a time axis, at round times of the clock on the wall, at most `most` of them. */
export function ticksOf(from: number, to: number, most: number): Tick[] {
  const least = (to - from) / Math.max(1, most)
  const step = STEPS_S.find(length => length >= least) ?? Math.ceil(least / DAY_S) * DAY_S
  // Where the day begins is a matter of the zone.
  const zoneS = new Date(from * 1000).getTimezoneOffset() * MINUTE_S
  const ticks: Tick[] = []
  for (let at = Math.ceil((from - zoneS) / step) * step + zoneS; at <= to; at += step) {
    ticks.push({ at, label: tickLabel(at, step) })
  }
  return ticks
}

function tickLabel(at: number, step: number): string {
  const date = new Date(at * 1000)
  if (step >= DAY_S) return DAY.format(date)
  if (date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0) return DAY.format(date)
  return (step < MINUTE_S ? TO_SECONDS : TO_MINUTES).format(date)
}

function timeParts(more: Intl.DateTimeFormatOptions): Intl.DateTimeFormatOptions {
  return { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...more }
}

function pad(count: number): string {
  return String(count).padStart(2, '0')
}
