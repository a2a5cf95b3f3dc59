/** Which generations each lane of the timeline has, in the order in which they took it. */
import type { GenerationRow, Run, TokenStore } from '../tokens/token-store.ts'

export class LaneIndex {
  readonly #store: TokenStore
  readonly #lanes: GenerationRow[][] = []
  /** By slot, the row of it that stands in a lane. */
  readonly #standing: GenerationRow[] = []

  constructor(store: TokenStore) {
    this.#store = store
  }

  /** Takes in the generations that runs began. */
  add(runs: readonly Run[]): void {
    for (const { slot } of runs) {
      const row = this.#store.generations[slot]
      if (row === undefined || row.lane < 0 || this.#standing[slot] === row) continue
      this.#standing[slot] = row
      while (this.#lanes.length <= row.lane) this.#lanes.push([])
      const rows = this.#lanes[row.lane] as GenerationRow[]
      // Generations that begin in one call may begin anywhere in time.
      let at = rows.length
      while (at > 0 && (rows[at - 1] as GenerationRow).firstMs > row.firstMs) at--
      rows.splice(at, 0, row)
    }
  }

  /** Drops the generations whose tokens are all gone. */
  drop(): void {
    for (const [lane, rows] of this.#lanes.entries()) {
      this.#lanes[lane] = rows.filter(({ gone }) => !gone)
    }
  }

  /** How many lanes there have been. */
  get lanes(): number {
    return this.#lanes.length
  }

  /** The generations of a lane, in order; they do not overlap. */
  inLane(lane: number): readonly GenerationRow[] {
    return this.#lanes[lane] ?? []
  }
}
