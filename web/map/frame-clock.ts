/** Frames longer than this count as this long: what moves does not jump after a pause, in seconds. */
const LONGEST_S = 0.1
const FIRST_S = 0.016

/** Calls for frames of an animation: only while somebody asks for them. */
export class FrameClock {
  /** `now` by the animation clock; `dt` seconds since the frame before, if the animation went on since. Says if it goes on. */
  readonly #tick: (now: number, dt: number) => boolean
  #frame = 0
  #last = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #due = Number.POSITIVE_INFINITY

  constructor(tick: (now: number, dt: number) => boolean) {
    this.#tick = tick
  }

  /** Whether a frame is to come. */
  get pending(): boolean {
    return this.#frame !== 0
  }

  /** Asks for a frame. */
  ask(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(now => this.#run(now))
  }

  /** Asks for a frame in so many milliseconds at the latest; null: for none. */
  askIn(ms: number | null): void {
    if (ms === null) return
    const due = performance.now() + ms
    if (due >= this.#due) return
    clearTimeout(this.#timer)
    this.#due = due
    this.#timer = setTimeout(() => {
      this.#due = Number.POSITIVE_INFINITY
      this.ask()
    }, ms)
  }

  /** A frame now, without waiting for the screen. */
  now(): void {
    cancelAnimationFrame(this.#frame)
    this.#run(performance.now())
  }

  /** No frames come any more, unless they are asked for. */
  stop(): void {
    cancelAnimationFrame(this.#frame)
    clearTimeout(this.#timer)
    this.#frame = 0
    this.#due = Number.POSITIVE_INFINITY
  }

  #run(now: number): void {
    this.#frame = 0
    const dt = this.#last === 0 ? FIRST_S : Math.min(LONGEST_S, Math.max(0, now - this.#last) / 1000)
    const goesOn = this.#tick(now, dt)
    this.#last = goesOn ? now : 0
    if (goesOn) this.ask()
  }
}
