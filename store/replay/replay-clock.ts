/** The time by which replays go; tests have one of their own. */
export interface ReplayClock {
  /** As `performance.now()`. */
  now(): number
  /** Resolves at that time or a little later, never before; at once when the signal aborts. */
  until(at: number, signal: AbortSignal): Promise<void>
}

/** A timer of more than 24 days would fire at once. */
const LONGEST_WAIT_MS = 60 * 60 * 1000

export const systemClock: ReplayClock = {
  now: () => performance.now(),
  async until(at, signal) {
    for (let left = at - performance.now(); left > 0 && !signal.aborted; left = at - performance.now()) {
      await waited(Math.min(Math.ceil(left), LONGEST_WAIT_MS), signal)
    }
  },
}

function waited(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const over = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', over)
      resolve()
    }
    const timer = setTimeout(over, ms)
    signal.addEventListener('abort', over, { once: true })
  })
}
