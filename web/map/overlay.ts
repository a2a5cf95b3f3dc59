/** What comes and goes over the map's cells: traces, beams and marks. All in device pixels. */
import { BLOCK_SIDE, blockOrigin } from '../../compositor/draw/cell.ts'
import { cellGap } from '../../compositor/draw/cell-paint.ts'
import type { BlockIndex } from '../block-index.ts'
import type { Generation } from '../generation.ts'
import { TEXT_FROM } from './cell-text.ts'
import type { MapPalette } from './palette.ts'
import type { Plot } from './plot.ts'
import type { Scene } from './scene.ts'

/** Tokens that the beam of a live generation runs back over. */
const BEAM_TOKENS = 40
/** Steps in which the beam fades. */
const BEAM_STEPS = 8
/** A trace of more tokens than this shows only its end: it would be a solid patch anyway. */
const TRACE_TOKENS = 6000
/** In cells that show text the path is drawn between them only, over this part of the way. */
const BETWEEN = 0.34

type Context = CanvasRenderingContext2D

/** Paints what is marked: the way of the generation looked at, the beams of live ones, the chosen cells. */
export function paintOverlay(ctx: Context, scene: Scene, plot: Plot, palette: MapPalette): void {
  const { hover, pinned } = scene.marks
  const traced = hover?.generation ?? pinned?.generation
  if (traced) paintTrace(ctx, plot, palette, traced, scene.blocks)
  for (const generation of scene.live) paintBeam(ctx, plot, palette, generation)
  if (hover) paintMark(ctx, plot, palette, hover.generation, hover.index, 1)
  if (pinned && pinned.index !== null) paintMark(ctx, plot, palette, pinned.generation, pinned.index, 2)
}

/** The beam: a line over the last tokens of a live generation, brightest where it writes. */
function paintBeam(ctx: Context, plot: Plot, palette: MapPalette, generation: Generation): void {
  const { tokens } = generation
  const last = tokens.end - 1
  if (!tokens.has(last)) return
  const half = (plot.cell - cellGap(plot.cell)) / 2
  const each = BEAM_TOKENS / BEAM_STEPS
  ctx.strokeStyle = palette.live
  ctx.lineJoin = 'round'
  ctx.lineCap = 'round'
  ctx.lineWidth = Math.min(3 * plot.ratio, Math.max(plot.ratio, plot.cell * 0.09))
  if (plot.cell >= 3) {
    for (let step = BEAM_STEPS - 1; step >= 0; step--) {
      const to = last - step * each
      const from = Math.max(tokens.first, to - each)
      if (to <= tokens.first) continue
      ctx.globalAlpha = 0.75 * (1 - step / BEAM_STEPS) ** 2
      strokePath(ctx, plot, generation, from, to, half)
    }
  }
  ctx.globalAlpha = 1
  outline(ctx, plot, tokens.x(last), tokens.y(last), palette.live, 2)
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
  if (plot.cell >= 4) {
    ctx.globalAlpha = 0.3
    ctx.lineJoin = 'round'
    const from = Math.max(tokens.first, tokens.end - TRACE_TOKENS)
    strokePath(ctx, plot, generation, from, tokens.end - 1, (plot.cell - cellGap(plot.cell)) / 2)
  }
  ctx.globalAlpha = 1
}

/** A frame around one cell that is seen on every colour: ink, with a rim of the ground. */
function paintMark(
  ctx: Context,
  plot: Plot,
  palette: MapPalette,
  generation: Generation,
  index: number,
  width: number,
): void {
  const { tokens } = generation
  if (!tokens.has(index)) return
  const x = tokens.x(index)
  const y = tokens.y(index)
  outline(ctx, plot, x, y, palette.ground, width + 2)
  outline(ctx, plot, x, y, palette.ink, width)
}

function outline(ctx: Context, plot: Plot, x: number, y: number, color: string, width: number): void {
  const left = plot.x(x)
  const top = plot.y(y)
  const side = Math.max(plot.cell - cellGap(plot.cell), 4 * plot.ratio)
  const line = width * plot.ratio
  ctx.strokeStyle = color
  ctx.lineWidth = line
  ctx.lineJoin = 'miter'
  ctx.strokeRect(left - line / 2, top - line / 2, Math.round(side) + line, Math.round(side) + line)
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
  const texts = plot.cell >= TEXT_FROM * plot.ratio
  let pen: { x: number; y: number } | null = null
  ctx.beginPath()
  for (let i = from; i <= to; i++) {
    if (!tokens.has(i)) {
      pen = null
      continue
    }
    const next = { x: tokens.x(i), y: tokens.y(i) }
    // From one block to one far off there is no way, only a jump: a line across others would lie.
    const beside = pen !== null && Math.abs(next.x - pen.x) + Math.abs(next.y - pen.y) === 1
    const x = plot.x(next.x) + half
    const y = plot.y(next.y) + half
    if (!beside || pen === null) ctx.moveTo(x, y)
    else if (!texts) ctx.lineTo(x, y)
    else {
      const back = plot.cell * (0.5 + BETWEEN / 2)
      const on = plot.cell * (0.5 - BETWEEN / 2)
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
