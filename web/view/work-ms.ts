/** What of a frame may go into making the next picture: milliseconds, or where frames come slowly this share of their time. */
const WORK_MS = 0.8
const WORK_SHARE = 0.06
/** While nothing of what is looked at can be seen yet. */
const FIRST_WORK_MS = 8

/**
 * How much of a frame may go into making the next picture, in milliseconds.
 *
 * @param first whether nothing of what is looked at can be seen yet
 * @param dt seconds since the frame before
 */
export function workMs(first: boolean, dt: number): number {
  return Math.max(first ? FIRST_WORK_MS : WORK_MS, dt * 1000 * WORK_SHARE)
}
