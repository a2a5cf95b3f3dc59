import { type Signal, signal } from '@preact/signals'

/** A stretch of time, Unix seconds. */
export interface Span {
  from: number
  to: number
}

/** A session that has just begun is shown as if it were this long, in seconds. */
export const SHORTEST_SESSION_S = 60
const SHORTEST_S = 2
const LONGEST_S = 400 * 86_400
/** What is zoomed this near to the right edge of what ends now still ends now. */
const EDGE = 0.04

/** Which stretch of time the time line shows. */
export class TimeView {
  /** Null `length`: from the begin of the session; null `to`: to now, and on with it. */
  readonly shape: Signal<{ length: number | null; to: number | null }> = signal({ length: null, to: null })

  /**
   * The stretch as it is now.
   *
   * @param start when the session began; null before it has
   */
  span(now: number, start: number | null): Span {
    const { length, to: end } = this.shape.value
    const to = end ?? now
    return { from: length === null ? Math.min(start ?? to, to - SHORTEST_SESSION_S) : to - length, to }
  }

  /** Shows all of the session again, to now. */
  whole(): void {
    this.shape.value = { length: null, to: null }
  }

  /** Makes what is shown so many times as long, `at` staying where it is. */
  zoom(factor: number, at: number, span: Span, now: number): void {
    const before = span.to - span.from
    const length = Math.min(LONGEST_S, Math.max(SHORTEST_S, before * factor))
    const nearEdge = this.shape.peek().to === null && span.to - at < before * EDGE
    const to = nearEdge ? now : at + ((span.to - at) / before) * length
    this.#show(length, to, now)
  }

  /** Moves what is shown by so many seconds. */
  pan(seconds: number, span: Span, now: number): void {
    this.#show(span.to - span.from, span.to + seconds, now)
  }

  /** Shows exactly this. */
  show({ from, to }: Span, now: number): void {
    this.#show(Math.min(LONGEST_S, Math.max(SHORTEST_S, to - from)), to, now)
  }

  /** Moves what is shown so that this moment is in it. */
  keepIn(at: number, span: Span, now: number): void {
    const length = span.to - span.from
    if (at < span.from) this.#show(length, at + length * 0.9, now)
    else if (at > span.to) this.#show(length, at + length * 0.5, now)
  }

  #show(length: number, to: number, now: number): void {
    this.shape.value = to >= now ? { length, to: null } : { length, to }
  }
}
