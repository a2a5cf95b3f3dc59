import type { ViewToken } from '../../broadcast/protocol/view.ts'
import { cellGap } from './cell-paint.ts'
import { clustersOf, columnsOf } from './columns.ts'
import { CAPITAL_EM, sizeOfPitch } from './glyph-run.ts'
import { visibleText } from './invisible.ts'
import { LOOK_HATCH } from './quad-list.ts'
import { mixed } from './rgba.ts'
import type { Easel } from './view-scene.ts'

/** Cells of this many pixels (as a person counts) begin to show their text. */
const TEXT_FROM = 14
/** From here on the space before a word is shown, too. */
const SPACES_FROM = 40
/** No cell shows more UTF-16 units. */
const MOST_UNITS = 400
const OPAQUE_HATCH = 0xff00_0000

/** Paints tokens as cells with a gap between them, and their text where it can be read. */
export function paintMapTokens(easel: Easel, tokens: readonly ViewToken[]): void {
  const { quads, camera, ink } = easel
  const gap = cellGap(camera.zoom)
  const hasText = camera.zoom >= TEXT_FROM * (camera.ratio ?? 1)
  for (const token of tokens) {
    const left = Math.round((token.x - camera.x) * camera.zoom)
    const top = Math.round((token.y - camera.y) * camera.zoomY)
    const right = Math.max(left + 1, Math.round((token.x + 1 - camera.x) * camera.zoom) - gap)
    const bottom = Math.max(top + 1, Math.round((token.y + 1 - camera.y) * camera.zoomY) - gap)
    if (right <= 0 || bottom <= 0 || left >= camera.width || top >= camera.height) continue
    const colour = ink.ofToken(token)
    quads.add(left, top, right, bottom, colour ?? OPAQUE_HATCH, colour === null ? LOOK_HATCH : undefined)
    if (hasText) writeText(easel, token.text, left, top, right, bottom, colour)
  }
}

/** Writes a token into its cell, in as many lines as there is room for; the last sign says if there is more. */
function writeText(
  { quads, runs, camera, theme, ink }: Easel,
  text: string,
  left: number,
  top: number,
  right: number,
  bottom: number,
  colour: number | null,
): void {
  const ratio = camera.ratio ?? 1
  const zoom = camera.zoom / ratio
  const word = zoom < SPACES_FROM ? text.replace(/^ +(?=\S)/, '') : text
  const shown = visibleText(word.slice(0, MOST_UNITS))
  const pad = Math.round((zoom >= 28 ? 2 : 1) * ratio)
  const room = right - left - 2 * pad
  let pitch = Math.round(pitchOf(zoom) * ratio)
  // A word that is a letter too long is set a little smaller, rather than that letter alone on a line.
  if (pitch > 5 * ratio && shown.length * pitch > room && shown.length * (pitch - 1) <= room) pitch--
  const size = sizeOfPitch(pitch)
  const spacing = Math.round(size * 1.25)
  const columns = Math.max(1, Math.floor(room / pitch))
  const rows = Math.max(1, Math.floor((bottom - top - 2 * pad) / spacing))
  const lines = wrapColumns(shown, columns, rows)
  const widest = Math.max(...lines.map(line => line.columns))
  const first = Math.round((top + bottom - (lines.length - 1) * spacing + CAPITAL_EM * size) / 2)
  if (colour === null) {
    // A hatch under letters is hard to read.
    const half = Math.round((widest * pitch) / 2) + 2
    const middle = Math.round((left + right) / 2)
    const over = first - Math.round(size * CAPITAL_EM) - 3
    const under = first + (lines.length - 1) * spacing + Math.round(size * 0.25) + 1
    quads.add(
      Math.max(left, middle - half),
      Math.max(top, over),
      Math.min(right, middle + half),
      Math.min(bottom, under),
      theme.hatchGround,
    )
  }
  const letter = colour === null ? theme.ink : ink.on(colour)
  const sign = mixed(colour ?? theme.hatchGround, letter, 0.45)
  // Signs that are all there is to be read are no by-work.
  const hidden = text !== '' && text.trim() === ''
  const whole = hidden ? mixed(colour ?? theme.hatchGround, letter, 0.75) : letter
  for (const [row, line] of lines.entries()) {
    const x = Math.round((left + right - line.columns * pitch) / 2)
    const baseline = first + row * spacing
    const base = { baseline, size, pitch }
    if (row === 0 && !hidden && line.text.startsWith('·') && text.startsWith(' ')) {
      runs.push({ ...base, text: '·', x, ink: sign })
      runs.push({ ...base, text: line.text.slice(1), x: x + pitch, ink: letter })
    } else runs.push({ ...base, text: line.text, x, ink: whole })
  }
}

/** Columns of text in cells of this size: as large as a word needs, and in large cells larger. */
function pitchOf(zoom: number): number {
  if (zoom < 56) return Math.max(4, Math.floor(zoom / 7))
  return Math.min(16, Math.max(8, Math.floor(zoom / 12)))
}

/** Cuts text into at most `rows` lines of `columns`; an ellipsis says that there is more. */
export function wrapColumns(
  text: string,
  columns: number,
  rows: number,
): { text: string; columns: number }[] {
  const lines = [{ text: '', columns: 0 }]
  for (const cluster of clustersOf(text)) {
    const wide = columnsOf(cluster)
    let line = lines.at(-1) as { text: string; columns: number }
    if (line.columns + wide > columns && line.columns > 0) {
      if (lines.length === rows) {
        // Of a few letters each counts more than a sign that there are more.
        if (columns > 4) line.text = `${clustersOf(line.text).slice(0, -1).join('')}…`
        break
      }
      line = { text: '', columns: 0 }
      lines.push(line)
    }
    line.text += cluster
    line.columns += wide
  }
  return lines
}
