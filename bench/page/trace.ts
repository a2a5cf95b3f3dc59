/** What a Chromium's trace says about the frames of a page. */
import { percentile } from '../figure.ts'

/** What has to be traced for `framesOf`: no more, for each event that is noted takes time of the page's own. */
export const TRACED = ['toplevel', 'blink.user_timing']
/** What a page marks each of its frames with (`performance.mark`), in a callback of `requestAnimationFrame`. */
export const FRAME_MARK = 'bench-frame'
const TASK = 'ThreadControllerImpl::RunTask'

/** A trace event in Chromium's JSON form; times in microseconds. */
interface TraceEvent {
  name: string
  ph: string
  pid: number
  tid: number
  ts: number
  /** Of a complete event (`ph` X): how long it took. */
  dur?: number
  /** … and how much of that its thread was on a processor. */
  tdur?: number
}

/** What a page's main thread did for one frame, in milliseconds. */
export interface Frame {
  /** Since the frame before it. */
  interval: number
  /** In all tasks since the frame before it, on a processor. */
  work: number
  /** The same by the clock on the wall: what others made it wait for included. */
  wall: number
}

/**
 * Frames of the page that marked them, in their order: to each counts what its main thread did since the one before.
 *
 * @param trace what `Browser.stopTracing` gives
 * @throws Error where it has no frames
 */
export function framesOf(trace: Buffer): Frame[] {
  const { traceEvents } = JSON.parse(trace.toString('utf8')) as { traceEvents: TraceEvent[] }
  const marks = traceEvents.filter(({ name }) => name === FRAME_MARK)
  const drawn = marks.map(({ ts }) => ts).sort((one, other) => one - other)
  const tasks = traceEvents
    .filter(
      ({ name, ph, pid, tid }) =>
        name === TASK && ph === 'X' && pid === marks[0]?.pid && tid === marks[0].tid,
    )
    .sort((one, other) => one.ts - other.ts)
  const frames: Frame[] = []
  let [work, wall, at, next, ended] = [0, 0, Number.NaN, 0, 0]
  for (const { ts, dur = 0, tdur = 0 } of tasks) {
    // One within another counts once.
    if (ts < ended) continue
    ended = ts + dur
    work += tdur / 1000
    wall += dur / 1000
    while (next < drawn.length && (drawn[next] as number) < ts) next++
    if (next >= drawn.length || (drawn[next] as number) > ended) continue
    // The first one began before the trace did.
    if (!Number.isNaN(at)) frames.push({ interval: (ts - at) / 1000, work, wall })
    at = ts
    work = 0
    wall = 0
  }
  if (frames.length === 0) throw new Error('the trace has no frames')
  return frames
}

/** Percentile `p` of one side of frames. */
export function frameTime(frames: readonly Frame[], side: keyof Frame, p: number): number {
  return percentile(Float64Array.from(frames, frame => frame[side]).sort(), p)
}
