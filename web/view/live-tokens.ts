import type { LayoutName, ViewToken } from '../../broadcast/protocol/view.ts'
import type { TokenVisualizationMessage } from '../../broadcast/protocol.ts'
import type { Generation } from '../generation.ts'
import { Landings } from '../map/landings.ts'
import type { ScopeStore } from '../store.ts'
import { FreshTokens, viewTokenOf } from './fresh-tokens.ts'
import { rectsOf } from './token-index.ts'
import type { MoreTokens } from './view-stage.ts'

/** A token that is older than this when it is told of has not landed just now, in seconds. */
const JUST_NOW_S = 2

/** What lands while the page looks: tokens that no answer has yet, where each generation writes, and what glows. */
export class LiveTokens {
  readonly landings = new Landings()
  readonly #store: ScopeStore
  readonly #fresh: Readonly<Record<LayoutName, FreshTokens>>
  #layout: LayoutName = 'map'

  constructor(store: ScopeStore) {
    this.#store = store
    const isHeld = (generation: Generation) => store.get(generation.id) === generation
    this.#fresh = {
      map: new FreshTokens('map', isHeld),
      flow: new FreshTokens('flow', isHeld),
      timeline: new FreshTokens('timeline', isHeld),
    }
  }

  /** Another layout is looked at. */
  enter(layout: LayoutName): void {
    if (layout === this.#layout) return
    this.#layout = layout
    this.landings.clear()
    if (layout !== 'map') this.#fresh[layout].clear()
  }

  /**
   * A token came, with its cell.
   *
   * @param now by the animation clock
   * @returns the cell; null where it has none
   */
  landed(
    generation: Generation,
    index: number,
    seq: number,
    now: number,
    glows: boolean,
  ): { x: number; y: number } | null {
    const x = generation.tokens.x(index)
    const y = generation.tokens.y(index)
    if (x < 0) return null
    this.#fresh.map.add(generation, index, x, y, seq)
    if (glows && this.#layout === 'map') this.landings.add({ x, y, width: 1, height: 1 }, now)
    return { x, y }
  }

  /** Tokens were laid out. Says whether any of them landed just now. */
  placed({ layout, upto, tokens }: TokenVisualizationMessage, now: number, glows: boolean): boolean {
    let landed = false
    const fresh = this.#fresh[layout]
    for (const { id, x, y } of tokens) {
      const colon = id.lastIndexOf(':')
      const generation = this.#store.get(id.slice(0, colon))
      if (generation === undefined) continue
      const index = Number(id.slice(colon + 1))
      if (!fresh.add(generation, index, x, y, upto)) continue
      const token = viewTokenOf(layout, generation, index, x, y, [])
      if (token === null || this.#store.now - token.timestamp > JUST_NOW_S) continue
      landed = true
      if (!glows || layout !== this.#layout) continue
      for (const rect of rectsOf(layout, token)) this.landings.add(rect, now)
    }
    return landed
  }

  /** An answer of this layout with all up to this seq is shown. */
  answered(layout: LayoutName, upto: number): void {
    this.#fresh[layout].answered(upto)
  }

  /** Tokens of the present layout that no answer has yet. */
  *told(models: readonly string[], filter: Parameters<FreshTokens['told']>[1]): Generator<ViewToken> {
    yield* this.#fresh[this.#layout].told(models, filter)
  }

  /** What came since a picture was made. */
  more: MoreTokens = ({ reply: { look }, answer }, from, most) => {
    const { layout, filter, t } = look
    if (t !== null) return { tokens: [], next: from }
    return this.#fresh[layout].since(from, answer.upto, answer.models, filter, most)
  }

  /** Where a generation writes in the present layout; null where that is not known. */
  endOf(generation: Generation): ViewToken | null {
    return this.#fresh[this.#layout].endOf(generation)
  }

  /** A token that the page holds, on the map; null where it has no cell. */
  onMap(generation: Generation, index: number): ViewToken | null {
    const x = generation.tokens.x(index)
    if (x < 0) return null
    return viewTokenOf('map', generation, index, x, generation.tokens.y(index), [])
  }

  /** Those that are not over. */
  get generations(): Generation[] {
    return this.#store.list.peek().filter(({ live }) => live)
  }
}
