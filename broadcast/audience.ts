import type { Viewer } from './viewer.ts'

/** Slots in a second. */
export const SLOTS = 20

/**
 * Everybody who is connected, in slots, each of which has its turn once a second: so what is due each second is
 * spread over it.
 */
export class Audience implements Iterable<Viewer> {
  readonly #slots = Array.from({ length: SLOTS }, () => new Set<Viewer>())
  #size = 0

  /** Viewers connected now. */
  get size(): number {
    return this.#size
  }

  /** Takes a viewer in, where there are fewest. */
  add(viewer: Viewer): void {
    let smallest = this.slot(0)
    for (const slot of this.#slots) if (slot.size < smallest.size) smallest = slot
    smallest.add(viewer)
    this.#size++
  }

  /** Takes a viewer out. */
  delete(viewer: Viewer): void {
    for (const slot of this.#slots) if (slot.delete(viewer)) this.#size--
  }

  /** The viewers whose turn it is at slot `index`, 0 … 19. */
  slot(index: number): Set<Viewer> {
    return this.#slots[index % SLOTS] as Set<Viewer>
  }

  *[Symbol.iterator](): Iterator<Viewer> {
    for (const slot of this.#slots) yield* slot
  }
}
