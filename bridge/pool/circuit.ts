import { type ChartReading, PChart } from './p-chart.ts'

/** The first time that it stays open, and the longest, ms; each time that it opens anew it is twice as long. */
const BACKOFF_MS = 1000
const MAX_BACKOFF_MS = 60_000
/** As many in a row close it as are needed to open it. */
const SUCCESSES_TO_CLOSE = 3

export type CircuitState = 'closed' | 'half_open' | 'open'

/** The values of `tokenscope_circuit_state`. */
export const CIRCUIT_STATE_VALUES: Readonly<Record<CircuitState, number>> = {
  closed: 0,
  half_open: 1,
  open: 2,
}

export interface CircuitReport extends ChartReading {
  state: CircuitState
  /** Unix ms; null while it is closed. */
  openedAt: number | null
}

export interface CircuitOptions {
  /** Asks the instance whether it is there: true if it answered. Never rejects. */
  probe: () => Promise<boolean>
  /** Called whenever the state changed. */
  onChange: (state: CircuitState) => void
}

/** One request's passage, from which its result is told. */
export interface Passage {
  /**
   * Tells how it went; later calls do nothing.
   *
   * @param mayOpen whether another instance could have taken the request
   */
  end(result: 'ok' | 'failed' | 'neutral', mayOpen: boolean): void
}

/**
 * Keeps requests from an instance that fails more often than is usual for it.
 *
 * Closed, everything passes, and the p-chart of its results says when it opens. Open, nothing is to pass: after a
 * back-off the instance is probed, and once it answers the circuit is half open. Then one request at a time
 * passes; three that go well in a row close it, one that fails opens it for twice as long. A neutral result,
 * as that of a request whose client went, changes nothing, and neither does one of a request that began
 * before the last change of state.
 *
 * It advises: whoever has no other instance may let a request pass all the same.
 */
export class Circuit {
  readonly #options: CircuitOptions
  readonly #chart = new PChart()
  #state: CircuitState = 'closed'
  #openedAt: number | null = null
  #attempt = 0
  #successes = 0
  /** Counts the changes of state, to know results of before the last one. */
  #era = 0
  #trial: Passage | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(options: CircuitOptions) {
    this.#options = options
  }

  get state(): CircuitState {
    return this.#state
  }

  /** Whether a request should pass now. */
  get passable(): boolean {
    return this.#state === 'closed' || (this.#state === 'half_open' && this.#trial === null)
  }

  /** A request passes. */
  enter(): Passage {
    const era = this.#era
    let over = false
    const passage: Passage = {
      end: (result, mayOpen) => {
        if (over) return
        over = true
        if (this.#trial === passage) this.#trial = null
        if (era === this.#era) this.#take(result, mayOpen)
      },
    }
    if (this.#state === 'half_open') this.#trial ??= passage
    return passage
  }

  report(): CircuitReport {
    return { ...this.#chart.read(), state: this.#state, openedAt: this.#openedAt }
  }

  /** Lets go of its timer. */
  stop(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    // A probe under way finds another era and changes nothing.
    this.#era++
  }

  #take(result: 'ok' | 'failed' | 'neutral', mayOpen: boolean): void {
    if (result === 'neutral' || this.#state === 'open') return
    const failed = result === 'failed'
    if (this.#state === 'half_open') {
      if (failed) this.#open()
      else if (++this.#successes >= SUCCESSES_TO_CLOSE) this.#close()
      return
    }
    this.#chart.add(failed)
    if (failed && mayOpen && this.#chart.outOfControl) this.#open()
  }

  #open(): void {
    this.#openedAt ??= Date.now()
    this.#change('open')
    this.#wait()
  }

  #wait(): void {
    const era = this.#era
    const backoff = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** this.#attempt++)
    this.#timer = setTimeout(async () => {
      const answered = await this.#options.probe()
      if (era !== this.#era) return
      if (answered) {
        this.#successes = 0
        this.#change('half_open')
      } else this.#wait()
    }, backoff)
    this.#timer.unref()
  }

  #close(): void {
    this.#attempt = 0
    this.#openedAt = null
    // What it was opened for is dealt with; the next judgement needs a window of its own.
    this.#chart.clear()
    this.#change('closed')
  }

  #change(state: CircuitState): void {
    this.#era++
    this.#trial = null
    this.#state = state
    this.#options.onChange(state)
  }
}
