import { sizeOfPitch } from './glyph-run.ts'
import { formatTick, stepOf } from './time-format.ts'
import type { Easel } from './view-scene.ts'

/** Height of the axis, at the top of the picture. */
export const AXIS_HEIGHT = 24
const PITCH = 7
/** Ticks are at least so far apart. */
const LEAST_APART = 112

/** The axis of a timeline: seconds since its first token. */
export function paintTimeAxis({ quads, runs, camera, theme, answer: { origin } }: Easel): void {
  const step = stepOf(camera.zoom, LEAST_APART)
  quads.add(0, 0, camera.width, AXIS_HEIGHT, theme.ground)
  quads.add(0, AXIS_HEIGHT, camera.width, AXIS_HEIGHT + 1, theme.line)
  const since = origin === null ? '' : `since ${new Date(origin * 1000).toISOString().slice(11, 19)} UTC`
  const roomTo = camera.width - (since.length + 3) * PITCH
  const type = { baseline: 15, size: sizeOfPitch(PITCH), pitch: PITCH, ink: theme.soft }
  const last = camera.x + camera.width / camera.zoom
  for (let tick = Math.max(0, Math.ceil(camera.x / step)); tick * step <= last; tick++) {
    const x = Math.round((tick * step - camera.x) * camera.zoom)
    const text = formatTick(tick * step, step)
    quads.add(x, AXIS_HEIGHT - 6, x + 1, AXIS_HEIGHT, theme.faint)
    if (x + (text.length + 1) * PITCH < roomTo) runs.push({ ...type, text, x: x + 4 })
  }
  runs.push({ ...type, text: since, x: camera.width - since.length * PITCH - 12 })
}
