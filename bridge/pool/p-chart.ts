/** The window and its least content: below it a proportion says nothing. */
const WINDOW = 50
const LEAST_SAMPLES = 20
const LEAST_FAILURES = 3
/** Control limits stand so many standard deviations from the centre line (Shewhart). */
const SIGMAS = 3
/**
 * The centre line is never taken to be below this: from a history without a failure it would be 0 with a
 * spread of 0, and any failure would be out of control (Montgomery, ch. 7.2, on p near 0).
 */
const LEAST_CENTRE = 0.01
/** Below this share of failures, sending what failed to another instance costs less than doing without this one. */
const LEAST_LIMIT = 0.1
/** What fails half of its requests is broken, however bad its history is: with it a limit could lie above 1. */
const GREATEST_LIMIT = 0.5
/** The history halves when it has so many samples, so that an instance is compared with its recent past. */
const HISTORY = 2000

/** What a chart shows now. */
export interface ChartReading {
  /** Results in the window. */
  samples: number
  /** Those that are failures. */
  failures: number
  /** Share of failures in the window, 0..1; null without samples. */
  rate: number | null
  /** The share above which the process is out of control. */
  limit: number
}

/**
 * A control chart for the share of failures (p-chart) of one instance: whether its last results fit its own
 * history. The limit is p̄ + 3·√(p̄(1−p̄)/n), where n is the size of the window and p̄ the share of failures in
 * the history, which is made of what has left the window. What was out of control does not become history.
 *
 * Source: D. C. Montgomery, Introduction to Statistical Quality Control, ch. 7.2 (control chart for fraction
 * nonconforming), after W. A. Shewhart.
 */
export class PChart {
  readonly #window: boolean[] = []
  #failures = 0
  #history = { samples: 0, failures: 0 }

  /** Adds a result. */
  add(failed: boolean): void {
    this.#window.push(failed)
    if (failed) this.#failures++
    if (this.#window.length <= WINDOW) return
    const left = this.#window.shift() as boolean
    if (left) this.#failures--
    this.#remember(left)
  }

  /** Whether the window is out of control. False below 20 samples or 3 failures, whatever they are. */
  get outOfControl(): boolean {
    const { samples, failures, rate, limit } = this.read()
    return samples >= LEAST_SAMPLES && failures >= LEAST_FAILURES && (rate as number) > limit
  }

  read(): ChartReading {
    const samples = this.#window.length
    const failures = this.#failures
    return { samples, failures, rate: samples === 0 ? null : failures / samples, limit: this.#limit(samples) }
  }

  /** Forgets the window, of which somebody has taken notice; the history stays. */
  clear(): void {
    this.#window.length = 0
    this.#failures = 0
  }

  #limit(samples: number): number {
    const { samples: known, failures } = this.#history
    const centre = Math.max(LEAST_CENTRE, known === 0 ? 0 : failures / known)
    const spread = Math.sqrt((centre * (1 - centre)) / Math.max(samples, LEAST_SAMPLES))
    return Math.min(GREATEST_LIMIT, Math.max(LEAST_LIMIT, centre + SIGMAS * spread))
  }

  #remember(failed: boolean): void {
    const history = this.#history
    history.samples++
    if (failed) history.failures++
    if (history.samples < HISTORY) return
    history.samples /= 2
    history.failures /= 2
  }
}
