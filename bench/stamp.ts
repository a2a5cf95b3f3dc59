/**
 * A token's text with the time at which it was written, so that whoever gets the text can tell how long it
 * took. Node's `hrtime` is CLOCK_MONOTONIC on Linux: one clock for every process of the machine.
 */

/** Microseconds of the machine's monotonic clock. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1000
}

/** Text of token `index`, stamped now. */
export function stampedText(index: number): string {
  return ` ${index}@${now().toFixed(1)}`
}

/** @throws Error if the text carries no stamp */
export function readStamp(text: string): { index: number; at: number } {
  const [index, at] = text.split('@')
  if (at === undefined) throw new Error(`no stamp in ${JSON.stringify(text)}`)
  return { index: Number(index), at: Number(at) }
}

/**
 * Calls `tick` `count` times, `perSecond` times a second from now on; what is due late is called at once,
 * so that the rate is kept.
 */
export async function pace(count: number, perSecond: number, tick: (index: number) => void): Promise<void> {
  const begun = performance.now()
  for (let index = 0; index < count; index++) {
    const due = begun + (index * 1000) / perSecond
    // A timer of less than 1 ms is one of 1 ms: what is due within half of that is due now.
    const wait = due - performance.now()
    if (wait > 0.5) await new Promise(resolve => setTimeout(resolve, wait))
    tick(index)
  }
}
