/** The speed of a hand is measured over its last moves, this far back. */
const WINDOW_MS = 90
/** A hand that rested for this long before it let go had stopped. */
const REST_MS = 60
/** Slower than this, in CSS pixels a millisecond, is letting go and not throwing. */
const SLOWEST = 0.12
/** No hand is faster: what says so is a jump of the pointer. */
const FASTEST = 8
/** After this long a glide has lost all but a third of its speed. */
const DECAY_MS = 280
/** Between two frames of a page that keeps up. */
const FRAME_MS = 17
/** With less than this to go, in CSS pixels, it has arrived. */
const NEAR_PX = 0.5

interface Sample {
  x: number
  y: number
  /** Milliseconds. */
  at: number
}

/** What a hand that drags does, so that what it drags goes on a little when it lets go. */
export class Inertia {
  #samples: Sample[] = []

  /** The hand is here now. CSS pixels; milliseconds of any clock. */
  move(x: number, y: number, at: number): void {
    this.#samples.push({ x, y, at })
    // One from before the window stays: a fast hand has few moves within it.
    while (this.#samples.length > 2 && at - (this.#samples[1] as Sample).at > WINDOW_MS) this.#samples.shift()
  }

  /** Another hand, or another drag: what was before does not count. */
  reset(): void {
    this.#samples = []
  }

  /** The hand lets go: what follows from it, or null where it had come to rest. */
  release(at: number): Glide | null {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    this.reset()
    if (first === undefined || last === undefined || at - last.at > REST_MS) return null
    const span = last.at - first.at
    if (span <= 0) return null
    const [vx, vy] = [(last.x - first.x) / span, (last.y - first.y) / span]
    const speed = Math.hypot(vx, vy)
    if (!(speed >= SLOWEST)) return null
    const held = Math.min(1, FASTEST / speed)
    return new Glide(vx * held, vy * held, at)
  }
}

/**
 * A movement that loses its speed exponentially, as by friction in a liquid. All of its way is gone, however
 * few frames there are.
 */
export class Glide {
  readonly #vx: number
  readonly #vy: number
  readonly #released: number
  #from: number | null = null
  #done = 0

  /** @param vx @param vy CSS pixels a millisecond */
  constructor(vx: number, vy: number, released: number) {
    this.#vx = vx
    this.#vy = vy
    this.#released = released
  }

  /** How far it went since the last step, in CSS pixels; null: it has come to rest. */
  step(now: number): { dx: number; dy: number } | null {
    if (this.#done === DECAY_MS) return null
    // A page that was too busy to hear of the release when it was shows all of the glide still.
    this.#from ??= Math.max(this.#released, now - FRAME_MS)
    const left = DECAY_MS * Math.exp(-Math.max(0, now - this.#from) / DECAY_MS)
    const done = left * Math.hypot(this.#vx, this.#vy) < NEAR_PX ? DECAY_MS : DECAY_MS - left
    const part = done - this.#done
    this.#done = done
    return { dx: this.#vx * part, dy: this.#vy * part }
  }
}
