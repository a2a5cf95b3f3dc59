/**
 * What is asked about a layout and what is answered: a viewport's tokens where they are near, tiles of them
 * where they are far. Spoken over the stream by both protocols, and inside by hub and compositor.
 */
import type { TokenKind } from '../../events/generation.ts'

export type LayoutName = 'map' | 'flow' | 'timeline'
export const LAYOUTS: readonly LayoutName[] = ['map', 'flow', 'timeline']

/** What a picture's colours can stand for. */
export type ColorName = 'confidence' | 'entropy' | 'interval' | 'kind' | 'model' | 'age'
export const COLORS: readonly ColorName[] = ['confidence', 'entropy', 'interval', 'kind', 'model', 'age']

/** Cells along the side of a tile. */
export const TILE_SIDE = 64
/** `z` of tiles that hold the tokens themselves; other tiles' cells are `2^z` units wide. */
export const TOKEN_TILES = -1

/** Narrows what is seen. What is not given does not narrow; all that is given must hold. */
export interface ViewFilter {
  /** Ids. */
  generations?: string[]
  models?: string[]
  kinds?: TokenKind[]
  /** Tokens that came from then on, and up to then; Unix seconds. */
  since?: number
  until?: number
}

/** Which part of a layout, and which of its tokens. */
export interface ViewQuestion {
  layout: LayoutName
  /** The left upper corner, in units of the layout. */
  x: number
  y: number
  /** Size in pixels. */
  w: number
  h: number
  /** Pixels of a unit; of `timeline` along x only. */
  zoom: number
  /** Pixels of a unit along y; `zoom` if not given, on `timeline` 1. */
  zoom_y?: number
  /** `confidence` if not given. */
  color?: ColorName
  /** As it was at this time, Unix seconds; null or not given: now. */
  t?: number | null
  filter?: ViewFilter | null
  /**
   * The tiles that the asker holds, as [z, x, y, version]; those of them that have not changed come without
   * content. If it is not given, near tokens come in `tokens` and not in tiles.
   */
  have?: [z: number, x: number, y: number, version: number][]
}

/** Which token lies at a place. */
export interface PickQuestion {
  layout: LayoutName
  x: number
  y: number
  t?: number | null
  filter?: ViewFilter | null
}

/** A token where a layout has it. */
export interface ViewToken {
  /** `<generation>:<index>`. */
  id: string
  text: string
  /** Left upper corner and width, in units of the layout. */
  x: number
  y: number
  w: number
  kind: TokenKind
  /** Place in `models` of the answer; null: not told. */
  model: number | null
  confidence: number | null
  entropy: number | null
  /** Since the generation's token before it. */
  interval_ms: number | null
  /** Unix seconds. */
  timestamp: number
  /** Where its text goes on elsewhere: from this UTF-16 unit of it on, at this place. Absent: nowhere. */
  wraps?: [at: number, x: number, y: number][]
}

/** A cell of a tile with tokens in it: its place in the tile (row by row), their number, and their colour's value. */
export type TileCell = [at: number, count: number, value: number | null]

/** What is in a tile: tokens, if its `z` is TOKEN_TILES, else cells, in the order of their places. */
export interface TileContent {
  tokens?: ViewToken[]
  cells?: TileCell[]
}

/** A tile of an answer. */
export interface TileAnswer {
  z: number
  /** Column and row of the tile. */
  x: number
  y: number
  /** Grows whenever the tile may have changed, and is never given twice for different content. */
  version: number
  /** Tokens in it. */
  count: number
  /** As of `encodeTile`; null where the asker has this version. */
  content: Uint8Array | null
}

export interface ViewAnswer {
  layout: LayoutName
  color: ColorName
  /** Seq of the last entry that is in it. */
  upto: number
  /** Of its tiles; TOKEN_TILES where it is of tokens. */
  z: number
  /** Tokens within the viewport, where it is of tokens; else in its tiles. */
  count: number
  /** Unix seconds at x = 0 of `timeline`, and from which `age` is told; null while there is no token. */
  origin: number | null
  /** Names of the models that tokens and cells refer to. */
  models: string[]
  /** All that the layout has, unfiltered: left, top, right, bottom in units; null while that is nothing. */
  bounds: [left: number, top: number, right: number, bottom: number] | null
  tokens: ViewToken[]
  tiles: TileAnswer[]
}

/** Tokens that were laid out just now, or moved. */
export interface Placed {
  layout: LayoutName
  /** The entries with `after` < seq ≤ `upto` brought them. */
  after: number
  upto: number
  tokens: { generation: string; id: string; text: string; x: number; y: number }[]
}
