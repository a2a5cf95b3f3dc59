/** How long what was measured is kept and shown, in seconds. */
export const WINDOW_S = 600
/** Of a session that has just begun less is shown: these, in seconds. */
const WINDOWS_S = [60, 120, 300, WINDOW_S]

/** What the charts show of a session that began so long ago, in seconds; null: none has begun. */
export function windowFor(agoS: number | null): number {
  return WINDOWS_S.find(length => length >= (agoS ?? 0)) ?? WINDOW_S
}
/** Samples further apart than this have nothing between them that is known, in seconds. */
const APART_S = 15

/** Times and values, for a chart; null where nothing is known. */
export interface Series {
  /** Unix seconds, ascending. */
  times: number[]
  values: (number | null)[]
}

/** What was measured over the last ten minutes. Times are kept by a clock that nobody puts. */
export class Samples {
  readonly #clock: () => number
  readonly #all: { ms: number; value: number }[] = []

  /** @param clock milliseconds, never going back */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock
  }

  /** Adds what was measured just now. */
  add(value: number): void {
    const ms = this.#clock()
    this.#all.push({ ms, value })
    while (ms - (this.#all[0]?.ms ?? ms) > WINDOW_S * 1000) this.#all.shift()
  }

  /** How long ago the oldest was measured, in seconds; null without any. */
  get age(): number | null {
    const [oldest] = this.#all
    return oldest === undefined ? null : (this.#clock() - oldest.ms) / 1000
  }

  /** All of them; between two that lie far apart nothing is known. */
  series(now: number): Series {
    const clock = this.#clock()
    const series: Series = { times: [], values: [] }
    let before = Number.NEGATIVE_INFINITY
    for (const { ms, value } of this.#all) {
      const time = now - (clock - ms) / 1000
      if (time - before > APART_S && series.times.length > 0) {
        series.times.push(before + 0.001)
        series.values.push(null)
      }
      series.times.push(time)
      series.values.push(value)
      before = time
    }
    return series
  }
}
