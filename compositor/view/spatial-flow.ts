/** `flow`: by panel, in it by the lines of the one generation whose panel it is. */
import { mapCell } from '../draw/block-number.ts'
import { type FlowLayout, LINE_UNITS } from '../layout/flow-layout.ts'
import { mapPlace } from '../layout/map.ts'
import {
  CHUNK_BITS,
  CHUNK_END,
  CHUNK_FIRST,
  CHUNK_GENERATION,
  CHUNK_TOKENS,
  CHUNK_WORDS,
  COLUMN_SHAPES,
  FLOW_COLUMN_MASK,
  FLOW_LINE_SHIFT,
  PAGE_BITS,
  PAGE_CHUNKS,
  PAGE_TOKENS,
  PIECE_COUNT_MASK,
  PIECE_NEWLINES,
  PIECE_SPACES,
  PIECE_TABS,
  PIECE_TYPE_SHIFT,
  SHAPE_COMPLEX,
  SHAPE_PIECES_MASK,
  SHAPE_SPACES_MASK,
  SHAPE_SPACES_SHIFT,
  SHAPE_WIDTH_MASK,
} from '../tokens/record.ts'
import type { TokenPage } from '../tokens/token-page.ts'
import type { TokenStore } from '../tokens/token-store.ts'
import type { WorldRect } from './layout-grid.ts'
import { lowest } from './lowest.ts'
import type { SpatialIndex } from './spatial.ts'

/** The curve that panels lie on is so many panels wide. */
const CURVE_SIDE = 65_536

export class FlowIndex implements SpatialIndex {
  readonly #store: TokenStore
  readonly #flow: FlowLayout

  constructor(store: TokenStore, flow: FlowLayout) {
    this.#store = store
    this.#flow = flow
  }

  locate(page: TokenPage, first: number, end: number, xs: Float64Array, ys: Float64Array): void {
    const flow = page.flow as Uint32Array
    const slot = page.chunks[(first >>> CHUNK_BITS) * CHUNK_WORDS + CHUNK_GENERATION] as number
    const panels = this.#store.generations[slot]?.panels ?? []
    let known = -1
    let x = 0
    let y = 0
    for (let i = first; i < end; i++) {
      const word = flow[i] as number
      const line = word >>> FLOW_LINE_SHIFT
      const ordinal = Math.floor(line / this.#flow.panelLines)
      if (ordinal !== known) {
        known = ordinal
        const place = mapPlace(panels[ordinal] ?? 0)
        x = (place & 0xffff) * this.#flow.panelSide
        y = (place >>> 16) * this.#flow.panelSide
      }
      xs[i - first] = x + (word & FLOW_COLUMN_MASK)
      ys[i - first] = y + (line - ordinal * this.#flow.panelLines) * LINE_UNITS
    }
  }

  /** Columns that a token's text takes from its place on, until it goes on elsewhere. */
  widthOf(n: number): number {
    const page = this.#store.pages.get(n >>> PAGE_BITS)
    if (page === undefined || page.flow === null) return 0
    const i = n & (PAGE_TOKENS - 1)
    const room = Math.max(0, this.#flow.width - ((page.flow[i] as number) & FLOW_COLUMN_MASK))
    const shape = page.records[COLUMN_SHAPES * PAGE_TOKENS + i] as number
    return Math.min(
      room,
      (shape & SHAPE_COMPLEX) === 0 ? simpleWidth(shape) : complexWidth(page, shape, room),
    )
  }

  /** A line is as wide as it may become. */
  extent(x: number): readonly [from: number, to: number] {
    const left = Math.floor(x / this.#flow.panelSide) * this.#flow.panelSide
    return [left, left + this.#flow.width]
  }

  /** The last token, in the order of the text, that begins at a place or before it; -1 if there is none. */
  lastBefore(x: number, y: number): number {
    const { panelSide, panelLines } = this.#flow
    const panel = mapCell(Math.floor(x / panelSide), Math.floor(y / panelSide))
    if (!(x >= 0 && y >= 0) || panel >= this.#flow.panels) return -1
    const { slot, ordinal } = this.#flow.panelOwner(panel)
    const line = ordinal * panelLines + Math.floor((y % panelSide) / LINE_UNITS)
    const column = Math.min(x % panelSide, FLOW_COLUMN_MASK)
    const list = this.#store.generations[slot]?.chunks ?? []
    // Words are in the order of the text: by line, then by column.
    const word = line * 2 ** FLOW_LINE_SHIFT + column
    const isAfter = (n: number) => {
      const { flow } = this.#store.pages.get(n >>> PAGE_BITS) as TokenPage
      return ((flow as Uint32Array)[n % PAGE_TOKENS] as number) > word
    }
    const chunk = lowest(list.length, i => isAfter(this.#firstOf(list[i] as number))) - 1
    if (chunk < 0) return -1
    const first = this.#firstOf(list[chunk] as number)
    const page = this.#store.pages.get(first >>> PAGE_BITS) as TokenPage
    const header = ((list[chunk] as number) % PAGE_CHUNKS) * CHUNK_WORDS
    const end = (list[chunk] as number) * CHUNK_TOKENS + (page.chunks[header + CHUNK_END] as number)
    return first + lowest(end - first, i => isAfter(first + i)) - 1
  }

  chunksIn(rect: WorldRect, visit: (chunk: number) => void): void {
    if (rect.right <= rect.left || rect.bottom <= rect.top) return
    const left = Math.max(0, Math.floor(rect.left / this.#flow.panelSide))
    const top = Math.max(0, Math.floor(rect.top / this.#flow.panelSide))
    const right = Math.min(CURVE_SIDE, Math.ceil(rect.right / this.#flow.panelSide))
    const bottom = Math.min(CURVE_SIDE, Math.ceil(rect.bottom / this.#flow.panelSide))
    const seen = new Set<number>()
    const visitOnce = (chunk: number) => {
      if (seen.has(chunk)) return
      seen.add(chunk)
      visit(chunk)
    }
    if ((right - left) * (bottom - top) <= this.#flow.panels) {
      for (let row = top; row < bottom; row++) {
        for (let column = left; column < right; column++) {
          this.#visitPanel(mapCell(column, row), row, rect, visitOnce)
        }
      }
      return
    }
    for (let panel = 0; panel < this.#flow.panels; panel++) {
      const place = mapPlace(panel)
      const [column, row] = [place & 0xffff, place >>> 16]
      if (column >= left && column < right && row >= top && row < bottom) {
        this.#visitPanel(panel, row, rect, visitOnce)
      }
    }
  }

  #visitPanel(panel: number, row: number, { top, bottom }: WorldRect, visit: (chunk: number) => void): void {
    if (panel >= this.#flow.panels) return
    const { slot, ordinal } = this.#flow.panelOwner(panel)
    const base = ordinal * this.#flow.panelLines
    const y = row * this.#flow.panelSide
    const first = base + Math.max(0, Math.ceil((top - y) / LINE_UNITS))
    const end = base + Math.min(this.#flow.panelLines, Math.ceil((bottom - y) / LINE_UNITS))
    if (first >= end) return
    const list = this.#store.generations[slot]?.chunks ?? []
    // The chunk before the first that begins there may reach into it.
    const within = lowest(list.length, i => this.#lineOf(list[i] as number) >= first)
    for (let i = Math.max(0, within - 1); i < list.length; i++) {
      if (this.#lineOf(list[i] as number) >= end) return
      visit(list[i] as number)
    }
  }

  /** The line of a chunk's first token. */
  #lineOf(chunk: number): number {
    const first = this.#firstOf(chunk)
    const page = this.#store.pages.get(first >>> PAGE_BITS) as TokenPage
    return ((page.flow as Uint32Array)[first % PAGE_TOKENS] as number) >>> FLOW_LINE_SHIFT
  }

  /** Number of a chunk's first token. */
  #firstOf(chunk: number): number {
    const page = this.#store.pages.get(Math.floor(chunk / PAGE_CHUNKS)) as TokenPage
    return chunk * CHUNK_TOKENS + (page.chunks[(chunk % PAGE_CHUNKS) * CHUNK_WORDS + CHUNK_FIRST] as number)
  }
}

/** A word begins at its token's place, and so do spaces that no word follows. */
function simpleWidth(shape: number): number {
  const word = shape & SHAPE_WIDTH_MASK
  return word > 0 ? word : (shape >>> SHAPE_SPACES_SHIFT) & SHAPE_SPACES_MASK
}

function complexWidth(page: TokenPage, shape: number, room: number): number {
  const at = shape & SHAPE_PIECES_MASK
  const end = at + 1 + (page.pieces[at] as number)
  let columns = 0
  let isBlank = true
  for (let i = at + 1; i < end; i++) {
    const piece = page.pieces[i] as number
    const count = piece & PIECE_COUNT_MASK
    switch (piece >>> PIECE_TYPE_SHIFT) {
      case PIECE_NEWLINES:
      case PIECE_TABS:
        return columns
      case PIECE_SPACES:
        columns += count
        break
      default:
        if (count === 0) break
        if (isBlank) columns = 0
        // A later word that does not fit stands on the next line.
        else if (columns + count > room) return columns
        isBlank = false
        columns += count
    }
  }
  return columns
}
