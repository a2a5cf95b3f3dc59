/** What is asked of a block that has a place in a buffer. */
export interface SlottedBlock {
  readonly key: number
  /** Grows with each cell that is filled. */
  readonly used: number
}

/** What a change of slots means for the buffer behind them. */
export interface SlotChanges<B> {
  /** The slot must hold what this block holds now. */
  fill(slot: number, block: B): void
  /** Nothing must be drawn of the slot any more. */
  empty(slot: number): void
}

/**
 * Which slot of a buffer holds which block. Slots of blocks that are gone are used again, the lowest first
 * when there are several, so that the buffer grows with the blocks held at a time and not with all ever seen.
 */
export class BlockSlots<B extends SlottedBlock> {
  readonly #slotOf = new Map<number, number>()
  readonly #blocks: (B | null)[] = []
  /** `used` of each block when its slot was last filled. */
  readonly #filled: number[] = []
  readonly #free: number[] = []

  /** Slots in use or free; all are below this. */
  get count(): number {
    return this.#blocks.length
  }

  /** Brings the slots in line with these blocks, by key. What did not change costs a look and no more. */
  follow(blocks: ReadonlyMap<number, B>, changes: SlotChanges<B>): void {
    this.#release(blocks, changes)
    for (const block of blocks.values()) {
      const slot = this.#slotOf.get(block.key) ?? this.#take(block)
      if (this.#blocks[slot] === block && this.#filled[slot] === block.used) continue
      this.#blocks[slot] = block
      this.#filled[slot] = block.used
      changes.fill(slot, block)
    }
  }

  #release(blocks: ReadonlyMap<number, B>, changes: SlotChanges<B>): void {
    let freed = false
    for (const [key, slot] of this.#slotOf) {
      if (blocks.has(key)) continue
      this.#slotOf.delete(key)
      this.#blocks[slot] = null
      this.#free.push(slot)
      freed = true
      changes.empty(slot)
    }
    if (freed) this.#free.sort((a, b) => b - a)
  }

  #take(block: B): number {
    const slot = this.#free.pop() ?? this.#blocks.length
    this.#slotOf.set(block.key, slot)
    this.#blocks[slot] = null
    return slot
  }
}
