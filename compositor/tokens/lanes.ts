/** Gives generations their lanes on the timeline, so that no two are in one lane at the same time. */

/** Milliseconds that lie free at least between two generations in one lane. */
export const LANE_GAP = 250

/** A binary heap of entries, the least key first. */
class Heap {
  readonly #keys: number[] = []
  readonly #lanes: number[] = []

  get size(): number {
    return this.#keys.length
  }

  get leastKey(): number {
    return this.#keys[0] ?? Number.POSITIVE_INFINITY
  }

  push(key: number, lane: number): void {
    const keys = this.#keys
    const lanes = this.#lanes
    let at = keys.length
    keys.push(key)
    lanes.push(lane)
    while (at > 0) {
      const up = (at - 1) >> 1
      if ((keys[up] as number) <= key) break
      keys[at] = keys[up] as number
      lanes[at] = lanes[up] as number
      at = up
    }
    keys[at] = key
    lanes[at] = lane
  }

  /** Takes the lane with the least key out; there is one. */
  pop(): number {
    const keys = this.#keys
    const lanes = this.#lanes
    const least = lanes[0] as number
    const key = keys.pop() as number
    const lane = lanes.pop() as number
    const size = keys.length
    if (size === 0) return least
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      if (down >= size) break
      if (down + 1 < size && (keys[down + 1] as number) < (keys[down] as number)) down++
      if ((keys[down] as number) >= key) break
      keys[at] = keys[down] as number
      lanes[at] = lanes[down] as number
      at = down
    }
    keys[at] = key
    lanes[at] = lane
    return least
  }
}

/**
 * A generation takes the lowest lane whose last occupant is at its end, {@link LANE_GAP} or longer ago. Lanes
 * that are left wait in a heap by time until that long has passed, then in one by number.
 */
export class Lanes {
  /** From when on each lane is free; infinite while it is taken. What the heaps say is held against it. */
  readonly #freeFrom: number[] = []
  /** Slot of the generation that took each lane last. */
  readonly #owners: number[] = []
  /** Whether a lane stands in a heap. */
  readonly #waits: boolean[] = []
  readonly #resting = new Heap()
  readonly #free = new Heap()

  /** Lanes that were ever taken. */
  get count(): number {
    return this.#freeFrom.length
  }

  /** The lane of a generation whose first token came at `ms`. */
  take(ms: number, slot: number): number {
    while (this.#resting.leastKey <= ms) {
      const lane = this.#resting.pop()
      this.#free.push(lane, lane)
    }
    // Where clocks went back, or a lane was taken back, it may be in the heap and not free yet.
    const early: number[] = []
    let taken = -1
    while (taken < 0 && this.#free.size > 0) {
      const lane = this.#free.pop()
      const freeFrom = this.#freeFrom[lane] as number
      if (freeFrom <= ms) taken = lane
      else if (freeFrom < Number.POSITIVE_INFINITY) early.push(lane)
      else this.#waits[lane] = false
    }
    for (const lane of early) this.#free.push(lane, lane)
    if (taken < 0) taken = this.#freeFrom.length
    this.#waits[taken] = false
    this.#owners[taken] = slot
    this.#freeFrom[taken] = Number.POSITIVE_INFINITY
    return taken
  }

  /** Whether no other has taken a lane since this generation did. */
  isOf(lane: number, slot: number): boolean {
    return this.#owners[lane] === slot
  }

  /** Gives a lane back whose occupant's last token came at `lastMs`. */
  leave(lane: number, lastMs: number): void {
    const freeFrom = lastMs + LANE_GAP
    this.#freeFrom[lane] = freeFrom
    if (this.#waits[lane] === true) return
    this.#waits[lane] = true
    this.#resting.push(freeFrom, lane)
  }

  /** Takes back a lane that was left and {@link isOf} the same generation still. */
  retake(lane: number): void {
    this.#freeFrom[lane] = Number.POSITIVE_INFINITY
  }
}
