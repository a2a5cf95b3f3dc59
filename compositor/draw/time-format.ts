const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Steps of a time axis, in milliseconds: those that people count in. */
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map(seconds => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map(minutes => minutes * MINUTE),
  ...[1, 2, 3, 6, 12, 24, 48, 120, 240].map(hours => hours * HOUR),
]

/** The least step of an axis, in milliseconds, whose ticks are `least` pixels apart. */
export function stepOf(zoom: number, least: number): number {
  return STEPS.find(step => step * zoom >= least) ?? 10 ** Math.ceil(Math.log10(least / zoom))
}

/** How long something took, with its unit. */
export function formatSpan(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`
  if (ms < MINUTE) return `${(ms / SECOND).toFixed(ms < 10 * SECOND ? 2 : 1)} s`
  if (ms < HOUR) return `${Math.round(ms / SECOND / 6) / 10} min`
  return `${Math.round(ms / MINUTE / 6) / 10} h`
}

/** A tick of an axis with this step: as exact as the step, with its unit. */
export function formatTick(ms: number, step: number): string {
  if (step < SECOND) {
    if (ms < SECOND) return `${ms} ms`
    const digits = step >= 100 ? 1 : step >= 10 ? 2 : 3
    return ms < MINUTE ? `${(ms / SECOND).toFixed(digits)} s` : `${clock(ms, digits)} min`
  }
  if (ms < MINUTE) return ms === 0 && step >= MINUTE ? '0' : `${ms / SECOND} s`
  const minutes = step >= MINUTE ? `${ms / MINUTE}` : clock(ms, 0)
  if (ms < HOUR) return `${minutes} min`
  if (step >= HOUR) return `${ms / HOUR} h`
  const seconds = step < MINUTE ? `:${two((ms % MINUTE) / SECOND, 0)}` : ''
  return `${Math.floor(ms / HOUR)}:${two((ms % HOUR) / MINUTE, 0)}${seconds} h`
}

function clock(ms: number, digits: number): string {
  return `${Math.floor(ms / MINUTE)}:${two((ms % MINUTE) / SECOND, digits)}`
}

function two(value: number, digits: number): string {
  const text = digits === 0 ? `${Math.floor(value)}` : value.toFixed(digits)
  return text.padStart(digits === 0 ? 2 : digits + 3, '0')
}
