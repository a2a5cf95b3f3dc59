import { sizeOfPitch } from './glyph-run.ts'
import { formatTick, stepOf } from './time-format.ts'
import type { Easel } from './view-scene.ts'

/** Height of the axis, at the top of the picture. */
export const AXIS_HEIGHT = 24
const PITCH = 7
/** Ticks are at least so far apart. */
const LEAST_APART = 112

/**
 * The axis of a timeline: seconds since its first token.
 *
 * @param options.clock what the time of that is called (Unix seconds); UTC by the clock, if not given
 * @param options.right pixels of the target at its right edge that are not seen
 */
export function paintTimeAxis(
  { quads, runs, camera, theme, answer: { origin } }: Easel,
  { clock = utc, right = 0 }: { clock?: (at: number) => string; right?: number } = {},
): void {
  const ratio = camera.ratio ?? 1
  const pitch = PITCH * ratio
  const height = Math.round(AXIS_HEIGHT * ratio)
  const hair = Math.max(1, Math.round(ratio))
  const step = stepOf(camera.zoom, LEAST_APART * ratio)
  quads.add(0, 0, camera.width, height, theme.ground)
  quads.add(0, height, camera.width, height + hair, theme.line)
  const since = origin === null ? '' : `since ${clock(origin)}`
  const roomTo = camera.width - right - (since.length + 3) * pitch
  const type = { baseline: Math.round(15 * ratio), size: sizeOfPitch(pitch), pitch, ink: theme.soft }
  const last = camera.x + camera.width / camera.zoom
  for (let tick = Math.max(0, Math.ceil(camera.x / step)); tick * step <= last; tick++) {
    const x = Math.round((tick * step - camera.x) * camera.zoom)
    const text = formatTick(tick * step, step)
    quads.add(x, height - Math.round(6 * ratio), x + hair, height, theme.faint)
    if (x + (text.length + 1) * pitch < roomTo) runs.push({ ...type, text, x: x + Math.round(4 * ratio) })
  }
  runs.push({ ...type, text: since, x: camera.width - right - since.length * pitch - Math.round(12 * ratio) })
}

function utc(at: number): string {
  return `${new Date(at * 1000).toISOString().slice(11, 19)} UTC`
}
