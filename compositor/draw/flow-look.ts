import type { ViewToken } from '../../broadcast/protocol/view.ts'
import { clustersOf, columnsOf } from './columns.ts'
import { sizeOfPitch } from './glyph-run.ts'
import { visibleText } from './invisible.ts'
import { LOOK_HATCH } from './quad-list.ts'
import { mixed, type Rgba } from './rgba.ts'
import type { Easel } from './view-scene.ts'

/** Side of a panel, in units, and how many of its columns are written on: as `flow` lays text out. */
export const PANEL_SIDE = 96
export const PANEL_COLUMNS = 80
/** Units of a line; a column is 1 wide. */
const LINE_UNITS = 2
const TAB = 8
/** Panels of fewer pixels would be but a pattern. */
const PANELS_FROM = 16
/** Columns of this many pixels (as a person counts) are read; narrower ones are only seen. */
const TEXT_FROM = 4.5
/** How much of a token's colour lies under its text. */
const TINT = { dark: 0.45, light: 0.36 }

/** Characters of a token that stand on one line, from a column on. */
interface FlowPiece {
  x: number
  y: number
  columns: number
  /** What is to be read, and signs for what one would not see, each by its column from `x`. */
  words: { column: number; text: string; sign: boolean }[]
}

/** Paints tokens as text, their colours under it; as bars where it would be too small. Panels lie below already. */
export function paintFlowTokens(easel: Easel, tokens: readonly ViewToken[]): void {
  for (const token of tokens) {
    const colour = easel.ink.ofToken(token)
    for (const piece of piecesOf(token)) paintPiece(easel, piece, colour)
  }
}

/** The panels that these places are on, in units. */
export function paintPanels(
  easel: Easel,
  places: Iterable<{ readonly x: number; readonly y: number }>,
): void {
  const panels = new PanelSet()
  for (const { x, y } of places) panels.add(x, y)
  panels.paint(easel)
}

/** Panels that something is written on. */
export class PanelSet {
  readonly #panels = new Map<number, [column: number, row: number]>()

  /** Adds the panel that a place is on, in units. */
  add(x: number, y: number): void {
    const [column, row] = [Math.floor(x / PANEL_SIDE), Math.floor(y / PANEL_SIDE)]
    const key = row * 2 ** 26 + column
    if (!this.#panels.has(key)) this.#panels.set(key, [column, row])
  }

  /** Paints them, where they are large enough to be told apart. */
  paint({ quads, camera, theme }: Easel): void {
    if (PANEL_SIDE * camera.zoom < PANELS_FROM) return
    const margin = (PANEL_SIDE - PANEL_COLUMNS) / 4
    const across = (x: number) => clip(Math.round((x - camera.x) * camera.zoom), camera.width)
    const down = (y: number) => clip(Math.round((y - camera.y) * camera.zoomY), camera.height)
    const has = (column: number, row: number) => this.#panels.has(row * 2 ** 26 + column)
    for (const [column, row] of this.#panels.values()) {
      const left = across(column * PANEL_SIDE - margin)
      const right = across(column * PANEL_SIDE + PANEL_COLUMNS + margin)
      // Lines go on from a panel to the one below it without a gap: only a hairline is between them. Where there is
      // none, text keeps off the edge.
      const joins = has(column, row + 1)
      const top = down(row * PANEL_SIDE - (has(column, row - 1) ? 0 : margin))
      const bottom = down((row + 1) * PANEL_SIDE + (joins ? 0 : margin))
      quads.add(left, top, right, bottom, theme.panel)
      if (joins) quads.add(left, bottom - 1, right, bottom, theme.line)
    }
  }
}

function paintPiece({ quads, runs, camera, theme }: Easel, piece: FlowPiece, colour: Rgba | null): void {
  const left = Math.round((piece.x - camera.x) * camera.zoom)
  const right = Math.max(left + 1, Math.round((piece.x + piece.columns - camera.x) * camera.zoom))
  const top = Math.round((piece.y - camera.y) * camera.zoomY)
  const bottom = Math.round((piece.y + LINE_UNITS - camera.y) * camera.zoomY)
  if (right <= 0 || bottom <= 0 || left >= camera.width || top >= camera.height) return
  const height = bottom - top
  if (camera.zoom < TEXT_FROM * (camera.ratio ?? 1)) {
    const quiet = piece.words.every(word => word.sign)
    const [from, to] = [top + Math.round(height * 0.2), bottom - Math.round(height * 0.2)]
    if (quiet) return
    const end = right - left > 3 ? right - 1 : right
    if (colour === null) quads.add(left, from, end, to, 0xff00_0000, LOOK_HATCH)
    else quads.add(left, from, end, to, colour)
    return
  }
  const rule = Math.max(1, Math.round(height * 0.1))
  const end = right - 1
  if (colour === null) {
    quads.add(left, top + 1, end, bottom - 1 - rule, theme.hatchGround)
    quads.add(left, bottom - 1 - rule, end, bottom - 1, 0xff00_0000, LOOK_HATCH)
  } else {
    const tint = theme.dark ? TINT.dark : TINT.light
    quads.add(left, top + 1, end, bottom - 1 - rule, mixed(theme.panel, colour, tint))
    quads.add(left, bottom - 1 - rule, end, bottom - 1, colour)
  }
  const size = sizeOfPitch(camera.zoom)
  const baseline = top + Math.round(height * 0.68)
  for (const { column, text, sign } of piece.words) {
    const x = (piece.x + column - camera.x) * camera.zoom
    runs.push({ text, x, baseline, size, pitch: camera.zoom, ink: sign ? theme.faint : theme.ink })
  }
}

/** The pieces that a token lies in. */
export function piecesOf({ text, x, y, wraps = [] }: ViewToken): FlowPiece[] {
  const pieces: FlowPiece[] = []
  // A token that begins with a word lies where the word begins, whatever spaces come before it.
  const leading = /^ +(?=[^\s])/.exec(text)?.[0].length ?? 0
  let from = leading
  let place: [number, number] = [x, y]
  for (const [at, nextX, nextY] of [...wraps, [text.length, 0, 0] as const]) {
    if (at > from) pieces.push(pieceOf(text.slice(from, at), ...place))
    from = Math.max(from, at)
    place = [nextX, nextY]
  }
  return pieces
}

function pieceOf(text: string, x: number, y: number): FlowPiece {
  const start = x - Math.floor(x / PANEL_SIDE) * PANEL_SIDE
  const words: FlowPiece['words'] = []
  let column = 0
  let open: FlowPiece['words'][number] | null = null
  for (const cluster of clustersOf(text)) {
    if (/^[\n\r\v\f\u0085\u2028\u2029]/.test(cluster)) {
      if (start + column < PANEL_SIDE) words.push({ column, text: '↵', sign: true })
      column++
      break
    }
    if (cluster === '\t') {
      words.push({ column, text: '→', sign: true })
      column = Math.min(PANEL_COLUMNS, (Math.floor((start + column) / TAB) + 1) * TAB) - start
      open = null
      continue
    }
    const shown = cluster === ' ' ? ' ' : visibleText(cluster)
    const sign = shown !== cluster
    if (open === null || open.sign !== sign) {
      open = { column, text: '', sign }
      words.push(open)
    }
    // A sign of several letters would take the room of its neighbours.
    open.text += sign && shown.length > 1 ? '⌑' : shown
    column += columnsOf(cluster)
  }
  // Spaces that hang over a line's end take no room of the next panel.
  const columns = Math.max(1, Math.min(column, Math.max(1, PANEL_COLUMNS + 1 - start)))
  return { x, y, columns, words: words.filter(word => word.text.trim() !== '') }
}

function clip(at: number, most: number): number {
  return Math.max(-8, Math.min(most + 8, at))
}
