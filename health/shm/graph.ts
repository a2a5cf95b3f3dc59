/** Which file imports which. */

/** A resolved import: file `from` (an index) imports file `to`, first at this line. */
export interface Edge {
  from: number
  to: number
  /** From 1. */
  line: number
}

/**
 * Internal imports of `count` files, each pair once, none of a file to itself, as compressed sparse rows: what file i imports is
 * `targets[offsets[i] … offsets[i + 1]]`, ascending, and `lines` says where each is written.
 */
export interface ImportGraph {
  count: number
  offsets: Uint32Array
  targets: Uint32Array
  lines: Uint32Array
}

/** Makes a graph of edges in any order; of several with the same ends the one with the lowest line is kept. */
export function graphOf(count: number, edges: readonly Edge[]): ImportGraph {
  const starts = new Uint32Array(count + 1)
  for (const { from, to } of edges) if (from !== to) starts[from + 1] = (starts[from + 1] as number) + 1
  for (let i = 0; i < count; i++) starts[i + 1] = (starts[i + 1] as number) + (starts[i] as number)
  // Ordered by target and line as one number: rows are short, and a number is sorted without being asked about.
  const rows = new Float64Array(starts[count] as number)
  const slots = starts.slice(0, count)
  for (const { from, to, line } of edges) {
    if (from === to) continue
    const slot = slots[from] as number
    rows[slot] = to * LINES + line
    slots[from] = slot + 1
  }
  const offsets = new Uint32Array(count + 1)
  const targets = new Uint32Array(rows.length)
  const lines = new Uint32Array(rows.length)
  let kept = 0
  for (let from = 0; from < count; from++) {
    const row = rows.subarray(starts[from], starts[from + 1])
    if (row.length > 1) row.sort()
    let last = -1
    for (const place of row) {
      const to = Math.floor(place / LINES)
      if (to === last) continue
      last = to
      targets[kept] = to
      lines[kept++] = place - to * LINES
    }
    offsets[from + 1] = kept
  }
  return { count, offsets, targets: targets.slice(0, kept), lines: lines.slice(0, kept) }
}

/** Whether two graphs have the same files import the same ones, at whatever lines. */
export function hasSameEdges(one: ImportGraph, other: ImportGraph): boolean {
  return isEqual(one.offsets, other.offsets) && isEqual(one.targets, other.targets)
}

function isEqual(one: Uint32Array, other: Uint32Array): boolean {
  return one.length === other.length && one.every((value, i) => value === other[i])
}

/** More lines than a file that is read can have, and few enough for a place to be an exact number. */
const LINES = 2 ** 26
