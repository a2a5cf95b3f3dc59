/** What comes and goes over the map's picture: traces, live cursors and marks. All in device pixels. */
import type { LayoutName, ViewToken } from '../../broadcast/protocol/view.ts'
import { BLOCK_SIDE, blockOrigin } from '../../compositor/draw/cell.ts'
import { cellGap } from '../../compositor/draw/cell-paint.ts'
import type { BlockIndex } from '../block-index.ts'
import type { Generation } from '../generation.ts'
import type { MarksContext } from '../view/picture-layer.ts'
import { rectsOf } from '../view/token-index.ts'
import type { MapPalette } from './palette.ts'
import type { Plot } from './plot.ts'

/** Tokens that the beam of a live generation runs back over. */
const BEAM_TOKENS = 40
/** Steps in which the beam fades. */
const BEAM_STEPS = 8
/** A trace of more tokens than this shows only its end: it would be a solid patch anyway. */
const TRACE_TOKENS = 6000
/** Cells of this many CSS pixels show text: the path is drawn between them only, over this part of the way. */
const TEXT_FROM = 28
const BETWEEN = 0.34

type Context = MarksContext

/** What is marked. */
export interface Marks {
  layout: LayoutName
  /** The token under the pointer, and the chosen one, where their places are known. */
  hover: ViewToken | null
  pinned: ViewToken | null
  /** Whose way over the map is traced, if the page holds it. */
  traced: Generation | null
  /** Generations that write, with their last token where its place is known. */
  live: readonly { generation: Generation; end: ViewToken | null }[]
  blocks: BlockIndex
}

/** Paints what is marked: the way of the generation looked at, where live ones write, the chosen tokens. */
export function paintOverlay(ctx: Context, marks: Marks, plot: Plot, palette: MapPalette): void {
  const { layout } = marks
  if (layout === 'map') {
    if (marks.traced !== null) paintTrace(ctx, plot, palette, marks.traced, marks.blocks)
    for (const { generation } of marks.live) paintBeam(ctx, plot, palette, generation)
  } else for (const { end } of marks.live) if (end !== null) paintCaret(ctx, layout, plot, palette, end)
  if (marks.hover) paintMark(ctx, layout, plot, palette, marks.hover, 1)
  if (marks.pinned) paintMark(ctx, layout, plot, palette, marks.pinned, 2)
}

/** The beam: a line over the last tokens of a live generation, brightest where it writes. */
function paintBeam(ctx: Context, plot: Plot, palette: MapPalette, generation: Generation): void {
  const { tokens } = generation
  const last = tokens.end - 1
  if (tokens.x(last) < 0) return
  const half = (plot.zoom - cellGap(plot.zoom)) / 2
  const each = BEAM_TOKENS / BEAM_STEPS
  ctx.strokeStyle = palette.live
  ctx.lineJoin = 'round'
  ctx.lineCap = 'round'
  ctx.lineWidth = Math.min(3 * plot.ratio, Math.max(plot.ratio, plot.zoom * 0.09))
  if (plot.zoom >= 3) {
    for (let step = BEAM_STEPS - 1; step >= 0; step--) {
      const to = last - step * each
      const from = Math.max(tokens.first, to - each)
      if (to <= tokens.first) continue
      ctx.globalAlpha = 0.75 * (1 - step / BEAM_STEPS) ** 2
      strokePath(ctx, plot, generation, from, to, half)
    }
  }
  ctx.globalAlpha = 1
  const least = 4 * plot.ratio
  const side = Math.round(Math.max(plot.zoom - cellGap(plot.zoom), least))
  frame(ctx, plot.x(tokens.x(last)), plot.y(tokens.y(last)), side, side, palette.live, 2 * plot.ratio)
}

/** A bar after the last token: here the next one comes. */
function paintCaret(ctx: Context, layout: LayoutName, plot: Plot, palette: MapPalette, end: ViewToken): void {
  const rects = rectsOf(layout, end)
  const { x, y, width, height } = rects[rects.length - 1] as (typeof rects)[number]
  const left = plot.x(x + width)
  const top = plot.y(y)
  const high = Math.max(4 * plot.ratio, plot.y(y + height) - top)
  ctx.fillStyle = palette.live
  ctx.fillRect(left, top, Math.max(2, Math.round(2 * plot.ratio)), high)
}

/** The way of a generation over the map, quietly: its blocks' outline and the path through its cells. */
function paintTrace(
  ctx: Context,
  plot: Plot,
  palette: MapPalette,
  generation: Generation,
  blocks: BlockIndex,
): void {
  const { tokens } = generation
  ctx.strokeStyle = palette.ink
  ctx.lineWidth = Math.max(1, Math.round(plot.ratio))
  ctx.globalAlpha = 0.55
  strokeOutline(ctx, plot, new Set(blocks.blocksOf(generation)))
  if (plot.zoom >= 4) {
    ctx.globalAlpha = 0.3
    ctx.lineJoin = 'round'
    const from = Math.max(tokens.first, tokens.end - TRACE_TOKENS)
    strokePath(ctx, plot, generation, from, tokens.end - 1, (plot.zoom - cellGap(plot.zoom)) / 2)
  }
  ctx.globalAlpha = 1
}

/** A frame around a token that is seen on every colour: ink, with a rim of the ground. */
function paintMark(
  ctx: Context,
  layout: LayoutName,
  plot: Plot,
  palette: MapPalette,
  token: ViewToken,
  width: number,
): void {
  const least = 4 * plot.ratio
  const gap = layout === 'map' ? cellGap(plot.zoom) : 0
  for (const rect of rectsOf(layout, token)) {
    const left = plot.x(rect.x)
    const top = plot.y(rect.y)
    const wide = Math.max(least, plot.x(rect.x + rect.width) - gap - left)
    const high = Math.max(least, plot.y(rect.y + rect.height) - gap - top)
    frame(ctx, left, top, wide, high, palette.ground, (width + 2) * plot.ratio)
    frame(ctx, left, top, wide, high, palette.ink, width * plot.ratio)
  }
}

function frame(
  ctx: Context,
  left: number,
  top: number,
  width: number,
  height: number,
  colour: string,
  line: number,
): void {
  ctx.strokeStyle = colour
  ctx.lineWidth = line
  ctx.lineJoin = 'miter'
  ctx.strokeRect(left - line / 2, top - line / 2, width + line, height + line)
}

function strokePath(
  ctx: Context,
  plot: Plot,
  generation: Generation,
  from: number,
  to: number,
  half: number,
): void {
  const { tokens } = generation
  const texts = plot.zoom >= TEXT_FROM * plot.ratio
  let pen: { x: number; y: number } | null = null
  ctx.beginPath()
  for (let i = from; i <= to; i++) {
    const next = { x: tokens.x(i), y: tokens.y(i) }
    if (next.x < 0) {
      pen = null
      continue
    }
    // From one block to one far off there is no way, only a jump: a line across others would lie.
    const beside = pen !== null && Math.abs(next.x - pen.x) + Math.abs(next.y - pen.y) === 1
    const x = plot.x(next.x) + half
    const y = plot.y(next.y) + half
    if (!beside || pen === null) ctx.moveTo(x, y)
    else if (!texts) ctx.lineTo(x, y)
    else {
      const back = plot.zoom * (0.5 + BETWEEN / 2)
      const on = plot.zoom * (0.5 - BETWEEN / 2)
      const dx = next.x - pen.x
      const dy = next.y - pen.y
      ctx.moveTo(x - dx * back, y - dy * back)
      ctx.lineTo(x - dx * on, y - dy * on)
    }
    pen = next
  }
  ctx.stroke()
}

/** Strokes the edges of blocks that do not border on another one of them. */
function strokeOutline(ctx: Context, plot: Plot, keys: ReadonlySet<number>): void {
  const places = new Set([...keys].map(key => blockOrigin(key).join()))
  ctx.beginPath()
  for (const key of keys) {
    const [x, y] = blockOrigin(key)
    const left = plot.x(x) - 0.5
    const top = plot.y(y) - 0.5
    const right = plot.x(x + BLOCK_SIDE) - 0.5
    const bottom = plot.y(y + BLOCK_SIDE) - 0.5
    const edge = (dx: number, dy: number, x1: number, y1: number, x2: number, y2: number) => {
      if (places.has([x + dx * BLOCK_SIDE, y + dy * BLOCK_SIDE].join())) return
      ctx.moveTo(x1, y1)
      ctx.lineTo(x2, y2)
    }
    edge(-1, 0, left, top, left, bottom)
    edge(1, 0, right, top, right, bottom)
    edge(0, -1, left, top, right, top)
    edge(0, 1, left, bottom, right, bottom)
  }
  ctx.stroke()
}
