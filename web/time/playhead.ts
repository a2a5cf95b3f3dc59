import { computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals'

/** How fast time can be played, in times of how it was. */
export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64] as const
export type Speed = (typeof SPEEDS)[number]

/** What was missed at most between two frames, in seconds: a page that was hidden does not leap. */
const LONGEST_FRAME_S = 0.25

export interface PlayheadOptions {
  /** Now, in Unix seconds of the server's clock. */
  now(): number
  /** The moment next to this one at which a token came, in this direction; null: there is none. */
  moment(at: number, step: 1 | -1): number | null
  /** When it goes on, of a moment at which nothing runs: Infinity where nothing comes any more; null: something runs. */
  resume(at: number): number | null
  /** Calls back once, at the next frame, with a time in milliseconds. */
  frame(callback: (ms: number) => void): void
}

/** What would be waited for longer than this while it plays, with nothing running, is skipped; in seconds. */
const LONGEST_WAIT_S = 3
/** Pauses are looked for this often while it plays, in milliseconds. */
const LOOK_EACH_MS = 200
/** How long it is told that time was skipped, in milliseconds. */
const TOLD_MS = 2500

/** Which moment is shown. What is live goes on behind it, whatever is shown. */
export class Playhead {
  /** Unix seconds of the server's clock; null: now, as it comes. */
  readonly at: Signal<number | null> = signal(null)
  /** Whether it moves by itself. Now moves anyway: while that is shown this says nothing. */
  readonly playing: Signal<boolean> = signal(false)
  readonly speed: Signal<Speed> = signal(1)
  /** How many seconds in which nothing ran were skipped just now; null: none. */
  readonly skipped: Signal<number | null> = signal(null)
  readonly live: ReadonlySignal<boolean> = computed(() => this.at.value === null)
  readonly #options: PlayheadOptions
  readonly #runs = computed(() => this.playing.value && this.at.value !== null)
  /** Which run the frames that are asked for belong to. */
  #run = 0
  #lookedAt = Number.NEGATIVE_INFINITY
  #skippedAt = 0

  constructor(options: Partial<PlayheadOptions> = {}) {
    this.#options = {
      now: options.now ?? (() => Date.now() / 1000),
      moment: options.moment ?? (() => null),
      resume: options.resume ?? (() => null),
      frame: options.frame ?? (callback => requestAnimationFrame(callback)),
    }
    effect(() => {
      const run = ++this.#run
      this.skipped.value = null
      if (this.#runs.value) this.#play(run, null)
    })
  }

  /** Shows now, from now on. */
  goLive(): void {
    this.playing.value = false
    this.at.value = null
  }

  /** Shows this moment; whether it plays on from there stays as it is. What is to come is now. */
  seek(at: number): void {
    if (at >= this.#options.now()) this.goLive()
    else this.at.value = at
  }

  /** Plays or holds. What is live is held at this moment. */
  toggle(): void {
    if (this.at.peek() !== null) {
      this.playing.value = !this.playing.peek()
      return
    }
    this.playing.value = false
    this.at.value = this.#options.now()
  }

  /** Holds, and goes to the next or the previous moment at which a token came; past the last one, to now. */
  step(step: 1 | -1): void {
    const from = this.at.peek()
    if (from === null && step === 1) return
    const moment = this.#options.moment(from ?? this.#options.now(), step)
    if (moment !== null) {
      this.playing.value = false
      this.at.value = moment
    } else if (step === 1) this.goLive()
  }

  /** Takes the next faster or slower speed, if there is one. */
  shift(by: 1 | -1): void {
    this.speed.value = SPEEDS[SPEEDS.indexOf(this.speed.peek()) + by] ?? this.speed.peek()
  }

  /** Goes on where something runs again, if that were long to wait for. */
  #skip(ms: number): void {
    if (this.skipped.peek() !== null && ms - this.#skippedAt > TOLD_MS) this.skipped.value = null
    if (Math.abs(ms - this.#lookedAt) < LOOK_EACH_MS) return
    this.#lookedAt = ms
    const at = this.at.peek() as number
    const next = this.#options.resume(at)
    if (next === null || next - at <= LONGEST_WAIT_S * this.speed.peek()) return
    this.seek(next)
    if (this.at.peek() === null) return
    this.skipped.value = next - at
    this.#skippedAt = ms
  }

  #play(run: number, before: number | null): void {
    this.#options.frame(ms => {
      if (run !== this.#run) return
      this.#skip(ms)
      const at = this.at.peek()
      if (at === null) return
      const seconds = before === null ? 0 : Math.min(LONGEST_FRAME_S, Math.max(0, (ms - before) / 1000))
      this.seek(at + seconds * this.speed.peek())
      if (run === this.#run) this.#play(run, ms)
    })
  }
}
