import type { WholeView } from '../../broadcast/client.ts'
import type { LayoutName, ViewToken } from '../../broadcast/protocol/view.ts'
import { piecesOf } from '../../compositor/draw/flow-look.ts'
import { LANE_UNITS } from '../../compositor/draw/timeline-look.ts'

/** A rectangle in units of a layout. */
export interface UnitRect {
  x: number
  y: number
  width: number
  height: number
}

/** Units of a line of `flow`. */
const LINE_UNITS = 2

/** Where a token lies: in one piece, or on the lines that it is wrapped over. */
export function rectsOf(layout: LayoutName, token: ViewToken): UnitRect[] {
  const { x, y, w } = token
  if (layout === 'map') return [{ x, y, width: 1, height: 1 }]
  if (layout === 'timeline') return [{ x, y, width: w, height: LANE_UNITS }]
  const pieces = piecesOf(token)
  if (pieces.length === 0) return [{ x, y, width: Math.max(1, w), height: LINE_UNITS }]
  return pieces.map(piece => ({ x: piece.x, y: piece.y, width: piece.columns, height: LINE_UNITS }))
}

/** Tokens that came together, and the smallest rectangle around them. */
interface Group {
  tokens: readonly ViewToken[]
  bounds: [left: number, top: number, right: number, bottom: number] | null
}

/** The tokens of an answer, by place and by id. It is made at the first question, which not every answer is asked. */
export class TokenIndex {
  readonly layout: LayoutName
  readonly #groups: Group[]
  #byId: Map<string, ViewToken> | null = null

  constructor({ layout, tokens, tiles }: WholeView) {
    this.layout = layout
    const lists = [tokens, ...tiles.map(tile => tile.tokens ?? [])]
    this.#groups = lists.filter(list => list.length > 0).map(list => ({ tokens: list, bounds: null }))
  }

  /** The token at a place; null where there is none. */
  at(x: number, y: number): ViewToken | null {
    for (const group of this.#groups) {
      const [left, top, right, bottom] = this.#boundsOf(group)
      if (x < left || y < top || x >= right || y >= bottom) continue
      const found = group.tokens.find(token => lies(this.layout, token, x, y))
      if (found !== undefined) return found
    }
    return null
  }

  /** The token nearest to a place, in a distance along which `unitX` and `unitY` are as far; null where there are none. */
  nearest(x: number, y: number, unitX: number, unitY: number): ViewToken | null {
    let best: ViewToken | null = null
    let least = Number.POSITIVE_INFINITY
    for (const token of this.all()) {
      const [rect] = rectsOf(this.layout, token) as [UnitRect]
      const dx = (rect.x + rect.width / 2 - x) * unitX
      const dy = (rect.y + rect.height / 2 - y) * unitY
      const away = dx * dx + dy * dy
      if (away >= least) continue
      best = token
      least = away
    }
    return best
  }

  /** The token with this id; undefined where it is not in the answer. */
  get(id: string): ViewToken | undefined {
    this.#byId ??= new Map(Array.from(this.all(), token => [token.id, token]))
    return this.#byId.get(id)
  }

  /** All of them. */
  *all(): Generator<ViewToken> {
    for (const { tokens } of this.#groups) yield* tokens
  }

  #boundsOf(group: Group): NonNullable<Group['bounds']> {
    if (group.bounds !== null) return group.bounds
    const bounds: Group['bounds'] = [Infinity, Infinity, -Infinity, -Infinity]
    for (const token of group.tokens) {
      for (const { x, y, width, height } of rectsOf(this.layout, token)) {
        bounds[0] = Math.min(bounds[0], x)
        bounds[1] = Math.min(bounds[1], y)
        bounds[2] = Math.max(bounds[2], x + width)
        bounds[3] = Math.max(bounds[3], y + height)
      }
    }
    group.bounds = bounds
    return bounds
  }
}

function lies(layout: LayoutName, token: ViewToken, x: number, y: number): boolean {
  // Most lie in one piece; to find out the pieces of thousands takes too long for a pointer that moves.
  if (layout === 'flow' && token.wraps === undefined) {
    if (y < token.y || y >= token.y + LINE_UNITS || x < token.x || x > token.x + 256) return false
  }
  return rectsOf(layout, token).some(
    rect => x >= rect.x && y >= rect.y && x < rect.x + rect.width && y < rect.y + rect.height,
  )
}
