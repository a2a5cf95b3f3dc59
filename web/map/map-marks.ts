import type { LayoutName, ViewToken } from '../../broadcast/protocol/view.ts'
import type { CellBounds } from '../../compositor/draw/cell.ts'
import type { Generation } from '../generation.ts'
import type { Selected } from '../selection.ts'
import type { ScopeStore } from '../store.ts'
import type { LiveTokens } from '../view/live-tokens.ts'
import { rectsOf } from '../view/token-index.ts'
import type { ViewStage } from '../view/view-stage.ts'

/** What a person has chosen, and what of it is marked on the map. */
export class MapMarks {
  /** What is chosen. */
  pinned: Selected | null = null
  readonly #stage: ViewStage
  readonly #live: LiveTokens
  readonly #store: ScopeStore

  constructor(stage: ViewStage, live: LiveTokens, store: ScopeStore) {
    this.#stage = stage
    this.#live = live
    this.#store = store
  }

  /** The chosen token where this layout has it; null where none is chosen or its place is not known. */
  token(layout: LayoutName): ViewToken | null {
    if (this.pinned === null || this.pinned.index === null) return null
    const { generation, index } = this.pinned
    const { shown } = this.#stage
    const found = shown?.answer.layout === layout ? shown.tokens.get(`${generation.id}:${index}`) : undefined
    return found ?? (layout === 'map' ? this.#live.onMap(generation, index) : null)
  }

  /** The rectangle around the chosen token; null as `token`. */
  bounds(layout: LayoutName): CellBounds | null {
    const token = this.token(layout)
    const [rect] = token === null ? [] : rectsOf(layout, token)
    if (rect === undefined) return null
    const { x, y, width, height } = rect
    return { left: x, top: y, right: x + width, bottom: y + height }
  }

  /** The generation whose way is traced: that of the token under the pointer, or the chosen one. */
  traced(hover: ViewToken | null): Generation | null {
    const id = hover?.id
    const hovered = id === undefined ? undefined : this.#store.get(id.slice(0, id.lastIndexOf(':')))
    return hovered ?? this.pinned?.generation ?? null
  }
}
