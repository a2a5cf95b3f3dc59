import type { CellBounds } from '../../compositor/draw/cell.ts'
import { cellGap } from '../../compositor/draw/cell-paint.ts'
import { wantsDarkInk } from '../../compositor/draw/cividis.ts'
import { visitCells } from '../block-index.ts'
import { visibleText } from '../invisible.ts'
import type { MapPalette } from './palette.ts'
import type { Plot } from './plot.ts'
import type { Scene } from './scene.ts'

/** Cells of this many CSS pixels begin to show their text. */
export const TEXT_FROM = 34
const FONT_FAMILY = "'JetBrains Mono Variable', ui-monospace, monospace"
/** Width of a character of the mono face, in ems. */
const CHARACTER_EM = 0.6

const DARK_INK = '#0b1017'
const LIGHT_INK = '#f2f4f7'

/** No cell holds more UTF-16 units than this: what lies beyond need not be looked at in each frame. */
const MOST_UNITS = 1200
/** A character with more marks than fit in this many units would tower over its neighbours. */
const MOST_UNITS_A_CHARACTER = 24
const segmenter = new Intl.Segmenter()

/** Writes the tokens in view into their cells, where these are large enough. */
export function paintTexts(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  plot: Plot,
  seen: CellBounds,
  palette: MapPalette,
): void {
  if (scene.pose.scale < TEXT_FROM) return
  const write = createCellWriter(ctx, Math.round(plot.cell), plot.ratio, palette)
  visitCells(scene.blocks.within(seen), seen, ({ generation: { tokens } }, index, x, y) => {
    write(tokens.text(index), plot.x(x), plot.y(y), tokens.confidence(index))
  })
}

/** Writes tokens in one size for all: into cells `cell` device pixels wide at this pixel ratio. */
function createCellWriter(
  ctx: CanvasRenderingContext2D,
  cell: number,
  ratio: number,
  palette: MapPalette,
): (text: string, x: number, y: number, confidence: number) => void {
  const fontPx = Math.round(Math.min(15, Math.max(9, cell / ratio / 4)) * ratio)
  const side = cell - cellGap(cell)
  const pad = Math.round(side * 0.08)
  const columns = Math.max(1, Math.floor((side - 2 * pad) / (fontPx * CHARACTER_EM)))
  const rows = Math.max(1, Math.floor((side - 2 * pad) / (fontPx * 1.25)))
  ctx.font = `500 ${fontPx}px ${FONT_FAMILY}`
  ctx.textBaseline = 'middle'
  ctx.textAlign = 'center'
  ctx.lineJoin = 'round'
  ctx.lineWidth = fontPx / 2
  ctx.strokeStyle = palette.hatch.ground
  return (text, x, y, confidence) => {
    const lines = wrap(visibleText(text.slice(0, MOST_UNITS)), columns, rows)
    const unknown = Number.isNaN(confidence)
    ctx.fillStyle = unknown ? palette.ink : wantsDarkInk(confidence) ? DARK_INK : LIGHT_INK
    const top = y + side / 2 - ((lines.length - 1) * fontPx * 1.25) / 2
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i] as string
      const baseline = top + i * fontPx * 1.25
      // A hatch under letters is hard to read: they get a rim of its ground.
      if (unknown) ctx.strokeText(line, x + side / 2, baseline)
      ctx.fillText(line, x + side / 2, baseline)
    }
  }
}

/** Cuts text into at most `rows` lines of `columns` characters; an ellipsis says that there is more. */
export function wrap(text: string, columns: number, rows: number): string[] {
  const characters = charactersOf(text)
  const lines: string[] = []
  for (let at = 0; at < characters.length && lines.length < rows; at += columns) {
    lines.push(characters.slice(at, at + columns).join(''))
  }
  if (characters.length > columns * rows) {
    const last = characters.slice((rows - 1) * columns, rows * columns - 1).join('')
    lines[rows - 1] = `${last}…`
  }
  return lines
}

/** What a reader takes for one character: an emoji of several code points, a letter and its marks. */
function charactersOf(text: string): string[] {
  // Most tokens, and no segmenter is as fast as this.
  if (/^[\x20-\x7e\u00b7]*$/.test(text)) return text.split('')
  return Array.from(segmenter.segment(text), ({ segment }) => segment.slice(0, MOST_UNITS_A_CHARACTER))
}
