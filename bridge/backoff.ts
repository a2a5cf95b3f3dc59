/** The longest wait after the first failure, and after any, ms. */
const FIRST_MS = 100
const LONGEST_MS = 4000

/**
 * How long to wait before trying again, ms: exponential backoff with full jitter (AWS Architecture Blog,
 * "Exponential Backoff and Jitter", 2015), so that those who failed together do not come back together.
 *
 * @param failures so far, at least 1
 * @param random 0..1, of which the wait is drawn evenly
 */
export function backoffMs(failures: number, random: () => number): number {
  return random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1))
}
