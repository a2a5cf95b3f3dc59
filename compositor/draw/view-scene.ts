import { decodeTile } from '../../broadcast/protocol/tile-codec.ts'
import {
  TILE_SIDE,
  type TileAnswer,
  type TileContent,
  type ViewAnswer,
  type ViewToken,
} from '../../broadcast/protocol/view.ts'
import type { ScaleName } from './colour-scale.ts'
import { densitySteps } from './density-look.ts'
import { paintFlowTokens, paintPanels } from './flow-look.ts'
import type { GlyphRun } from './glyph-run.ts'
import { paintMapTokens } from './map-look.ts'
import { QuadList } from './quad-list.ts'
import { paintLanes, paintStalls, paintTimeline } from './timeline-look.ts'
import { ViewInk } from './view-ink.ts'
import type { ViewTheme } from './view-theme.ts'

/** Where a view is looked at from: what is in its picture, in pixels of the target. */
export interface ViewCamera {
  /** What lies in the left upper corner, in units of the layout. */
  x: number
  y: number
  /** Pixels of a unit. */
  zoom: number
  zoomY: number
  /** Size of the target. */
  width: number
  height: number
  /** Pixels of the target in one that a person counts in, as screens of many pixels have them; 1 if not given. */
  ratio?: number
}

/** Rectangles, and text over them. */
export interface SceneLayer {
  quads: QuadList
  runs: GlyphRun[]
}

/** A view's picture, ready to be painted: layer upon layer on the ground. */
export interface ViewScene {
  width: number
  height: number
  theme: ViewTheme
  layers: SceneLayer[]
}

/** What of an answer is in a scene. */
export interface Shown {
  tokens: number
  cells: number
  /** Of the fullest cell; 0 without cells. */
  most: number
}

export interface SceneOptions {
  camera: ViewCamera
  theme: ViewTheme
  scale: ScaleName
  /** From when age is told; Unix seconds. */
  now: number
  /** What is in a tile; a page has it from before. */
  contentOf?: (tile: TileAnswer) => TileContent | null
  /** Paints what lies below tokens and cells. */
  paintUnder?: (easel: Easel) => void
}

/** What the looks of the layouts paint with. */
export interface Easel extends SceneLayer {
  camera: ViewCamera
  theme: ViewTheme
  ink: ViewInk
  answer: ViewAnswer
}

/** A cell of a tile, with its place among all cells. */
export interface SeenCell {
  x: number
  y: number
  count: number
  value: number | null
}

/** Tokens, and cells of tiles, that are painted in one step. */
const TOKENS_A_STEP = 64
const CELLS_A_STEP = 2048

/**
 * What to paint for an answer, in steps of a millisecond at most, for who has other things to do meanwhile. Places are
 * told relative to the camera from the start, so that no large number is rounded on its way to a shader.
 */
export function* sceneSteps(
  answer: ViewAnswer,
  options: SceneOptions,
): Generator<void, ViewScene & { shown: Shown }> {
  const { camera, theme } = options
  const data = easelOf(answer, options)
  options.paintUnder?.(data)
  const { tokens, cells } = yield* contentSteps(answer, options.contentOf ?? ownContent)
  if (answer.layout === 'timeline') paintLanes(data)
  if (tokens.length > 0) {
    paintBelowTokens(data, tokens)
    for (let from = 0; from < tokens.length; from += TOKENS_A_STEP) {
      yield
      paintTokens(data, tokens.slice(from, from + TOKENS_A_STEP))
    }
  }
  const most = cells.length === 0 ? 0 : yield* densitySteps(data, cells, CELLS_A_STEP)
  const shown = { tokens: tokens.length, cells: cells.length, most }
  return { width: camera.width, height: camera.height, theme, layers: [data], shown }
}

/** What is painted for an answer, with nothing on it yet. */
export function easelOf(
  answer: ViewAnswer,
  options: Pick<SceneOptions, 'camera' | 'theme' | 'scale' | 'now'>,
): Easel {
  const { camera, theme } = options
  return { quads: new QuadList(), runs: [], camera, theme, ink: new ViewInk(answer, options), answer }
}

/** Paints tokens, and nothing of what lies below them. */
export function paintTokens(easel: Easel, tokens: readonly ViewToken[]): void {
  const paint = { map: paintMapTokens, flow: paintFlowTokens, timeline: paintTimeline }[easel.answer.layout]
  paint(easel, tokens)
}

function paintBelowTokens(easel: Easel, tokens: readonly ViewToken[]): void {
  if (easel.answer.layout === 'flow') paintPanels(easel, tokens)
  if (easel.answer.layout === 'timeline') paintStalls(easel, tokens)
}

function* contentSteps(
  answer: ViewAnswer,
  contentOf: (tile: TileAnswer) => TileContent | null,
): Generator<void, { tokens: ViewToken[]; cells: SeenCell[] }> {
  const tokens = [...answer.tokens]
  const cells: SeenCell[] = []
  for (const tile of answer.tiles) {
    const content = contentOf(tile)
    for (const token of content?.tokens ?? []) tokens.push(token)
    for (const [at, count, value] of content?.cells ?? []) {
      const x = tile.x * TILE_SIDE + (at % TILE_SIDE)
      const y = tile.y * TILE_SIDE + Math.floor(at / TILE_SIDE)
      cells.push({ x, y, count, value })
    }
    yield
  }
  return { tokens, cells }
}

function ownContent({ content }: TileAnswer): TileContent | null {
  return content === null ? null : decodeTile(content)
}
