import type { Viewport, WholeView } from '../../broadcast/client.ts'
import type { LayoutName } from '../../broadcast/protocol/view.ts'
import type { CellBounds } from '../../compositor/draw/cell.ts'
import { locate } from './locate.ts'

/** Finds generations in layouts. Meanwhile nobody else may ask for a view: the newest question takes back the others. */
export class Finder {
  readonly #view: (question: Viewport) => Promise<WholeView>
  #search = 0
  #busy = false

  constructor(view: (question: Viewport) => Promise<WholeView>) {
    this.#view = view
  }

  /** Whether it asks. */
  get busy(): boolean {
    return this.#busy
  }

  /**
   * Where a generation lies; null where it does not, or nobody wants to know any more.
   *
   * @param all all that the layout has
   */
  async find(
    layout: LayoutName,
    generation: string,
    all: CellBounds,
    t: number | null,
  ): Promise<CellBounds | null> {
    const search = ++this.#search
    this.#busy = true
    // Without an answer it is where it was.
    const found = await locate(layout, generation, all, t, this.#view).catch(() => null)
    if (search !== this.#search) return null
    this.#busy = false
    return found
  }

  /** Nobody wants to know any more. */
  cancel(): void {
    this.#search++
    this.#busy = false
  }
}
