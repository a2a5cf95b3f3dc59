/** Ranges with fewer places than this between them are taken as one: a write of its own costs more. */
const GAP = 4096
/** More ranges than this are merged before one is added. */
const MOST = 256

/** The parts of a page that were written and not uploaded yet. */
export class DirtyRanges {
  #ranges: [first: number, end: number][] = []

  add(first: number, end: number): void {
    if (first >= end) return
    const last = this.#ranges.at(-1)
    if (last !== undefined && first <= last[1] + GAP && end >= last[0] - GAP) {
      last[0] = Math.min(last[0], first)
      last[1] = Math.max(last[1], end)
      return
    }
    if (this.#ranges.length >= MOST) this.#ranges = merged(this.#ranges)
    this.#ranges.push([first, end])
  }

  /** What is to be uploaded, from the first place on, without overlaps; it is forgotten. */
  take(): [first: number, end: number][] {
    return merged(this.#ranges.splice(0))
  }
}

function merged(ranges: [first: number, end: number][]): [first: number, end: number][] {
  const result: [first: number, end: number][] = []
  for (const [first, end] of ranges.sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1)
    if (last !== undefined && first <= last[1] + GAP) last[1] = Math.max(last[1], end)
    else result.push([first, end])
  }
  return result
}
