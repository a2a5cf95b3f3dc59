import type { ViewToken } from '../../broadcast/protocol/view.ts'
import { clustersOf, columnsOf } from './columns.ts'
import { CAPITAL_EM, sizeOfPitch } from './glyph-run.ts'
import { visibleText } from './invisible.ts'
import { LOOK_HATCH } from './quad-list.ts'
import { formatSpan } from './time-format.ts'
import type { Easel, ViewCamera } from './view-scene.ts'

/** Units of a lane. */
export const LANE_UNITS = 24
/** Lanes of this many pixels have hairlines between them; of this many, text. */
const LINES_FROM = 8
const TEXT_FROM = 14
/** A hole of at least this many milliseconds is shown as one; a longer one, where it is so wide, with its length. */
const HOLE_MS = 60
const STALL_MS = 250
const STALL_WIDTH = 64
const PITCH = 7

/** Top and bottom, in pixels, of what lies on the lane that begins at `y` (units). */
export function barOf({ y: from, zoomY, ratio = 1 }: ViewCamera, y: number): [top: number, bottom: number] {
  const top = Math.round((y - from) * zoomY)
  const bottom = Math.round((y + LANE_UNITS - from) * zoomY)
  const height = (bottom - top) / ratio
  const pad = Math.round((height >= 18 ? 3 : height >= 6 ? 1 : 0) * ratio)
  return [top + pad, Math.max(top + pad + 1, bottom - pad)]
}

/** Hairlines between lanes. */
export function paintLanes({ quads, camera, theme, answer: { bounds } }: Easel): void {
  if (bounds === null || camera.zoomY * LANE_UNITS < LINES_FROM * (camera.ratio ?? 1)) return
  const first = Math.max(0, Math.floor(camera.y / LANE_UNITS))
  const last = Math.ceil(Math.min(bounds[3], camera.y + camera.height / camera.zoomY) / LANE_UNITS)
  for (let lane = first; lane <= last; lane++) {
    const y = Math.round((lane * LANE_UNITS - camera.y) * camera.zoomY)
    quads.add(0, y, camera.width, y + 1, theme.line)
  }
}

/** Paints tokens as bars on their lanes, with their text where it can be read. Where nothing came is nothing. */
export function paintTimeline(easel: Easel, tokens: readonly ViewToken[]): void {
  const { quads, camera, ink } = easel
  for (const token of tokens) {
    const left = Math.round((token.x - camera.x) * camera.zoom)
    const end = Math.round((token.x + token.w - camera.x) * camera.zoom)
    // Neighbours are told apart by a gap, where there is room for one.
    const right = Math.max(left + 1, end - left >= 4 ? end - 1 : end)
    const [top, bottom] = barOf(camera, token.y)
    if (right <= 0 || bottom <= 0 || left >= camera.width || top >= camera.height) continue
    const colour = ink.ofToken(token)
    const [from, to] = [Math.max(left, -8), Math.min(right, camera.width + 8)]
    quads.add(from, top, to, bottom, colour ?? 0xff00_0000, colour === null ? LOOK_HATCH : undefined)
    if (bottom - top >= TEXT_FROM * (camera.ratio ?? 1))
      writeText(easel, token.text, left, right, top, bottom, colour)
  }
}

function writeText(
  { quads, runs, theme, ink, camera }: Easel,
  text: string,
  left: number,
  right: number,
  top: number,
  bottom: number,
  colour: number | null,
): void {
  const pitch = PITCH * (camera.ratio ?? 1)
  const room = Math.floor((right - left - 4) / pitch)
  if (room < 1) return
  const clusters = clustersOf(visibleText(text.replace(/^ +(?=\S)/, '')))
  let shown = ''
  let columns = 0
  for (const cluster of clusters) {
    const wide = columnsOf(cluster)
    if (columns + wide > room) break
    shown += cluster
    columns += wide
  }
  // Half a word can be another word: what does not fit whole is not written, unless much of it does.
  if (columns === 0 || (shown.length < clusters.join('').length && columns < 4)) return
  if (shown.length < clusters.join('').length) shown = `${clustersOf(shown).slice(0, -1).join('')}…`
  const size = sizeOfPitch(pitch)
  const x = left + Math.round((3 * pitch) / PITCH)
  const baseline = Math.round((top + bottom + CAPITAL_EM * size) / 2)
  if (colour === null)
    quads.add(x - 1, top + 1, x + Math.round(columns * pitch) + 1, bottom - 1, theme.hatchGround)
  const letter =
    text.trim() === ''
      ? colour === null
        ? theme.soft
        : ink.on(colour)
      : colour === null
        ? theme.ink
        : ink.on(colour)
  runs.push({ text: shown, x, baseline, size, pitch, ink: letter })
}

/** A thin line through the holes between a generation's tokens, and how long the longer ones are. */
export function paintStalls({ quads, runs, camera, theme }: Easel, tokens: readonly ViewToken[]): void {
  const ratio = camera.ratio ?? 1
  const pitch = PITCH * ratio
  const last = new Map<string, ViewToken>()
  for (const token of [...tokens].sort((a, b) => a.x - b.x)) {
    const generation = token.id.slice(0, token.id.lastIndexOf(':'))
    const before = last.get(generation)
    last.set(generation, token)
    if (before === undefined || before.y !== token.y) continue
    const left = Math.max(-8, Math.round((before.x + before.w - camera.x) * camera.zoom))
    const right = Math.min(camera.width + 8, Math.round((token.x - camera.x) * camera.zoom))
    const [top, bottom] = barOf(camera, token.y)
    if (right - left < 3 || token.x - before.x - before.w < HOLE_MS || bottom <= 0 || top >= camera.height)
      continue
    const middle = Math.floor((top + bottom) / 2)
    quads.add(left, middle, right, middle + 1, theme.faint)
    const ms = token.x - before.x
    if (ms < STALL_MS || right - left < STALL_WIDTH * ratio || bottom - top < TEXT_FROM * ratio) continue
    const text = formatSpan(ms)
    const x = Math.round((left + right - text.length * pitch) / 2)
    quads.add(x - 4, middle, x + Math.round(text.length * pitch) + 4, middle + 1, theme.ground)
    const size = sizeOfPitch(pitch)
    const baseline = Math.round((top + bottom + CAPITAL_EM * size) / 2)
    runs.push({ text, x, baseline, size, pitch, ink: theme.soft })
  }
}
