/** Work at a time, before everybody else has a turn. */
const SLICE_MS = 3

/**
 * Does `work` with each item, a few milliseconds at a time, so that what else the process has to do never waits for
 * all of them. The first slice is done at once. Items that come while it runs are worked on as the iterator has it.
 *
 * @param work must not throw
 * @returns the milliseconds spent working
 */
export async function inSlices<T>(items: Iterable<T>, work: (item: T) => void): Promise<number> {
  let spent = 0
  let begun = performance.now()
  for (const item of items) {
    work(item)
    const now = performance.now()
    if (now - begun < SLICE_MS) continue
    spent += now - begun
    await new Promise(setImmediate)
    begun = performance.now()
  }
  return spent + performance.now() - begun
}
