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
  const sorted = edges
    .filter(({ from, to }) => from !== to)
    .sort((one, other) => one.from - other.from || one.to - other.to || one.line - other.line)
  const kept = sorted.filter(({ from, to }, i) => from !== sorted[i - 1]?.from || to !== sorted[i - 1]?.to)
  const offsets = new Uint32Array(count + 1)
  for (const { from } of kept) offsets[from + 1] = (offsets[from + 1] as number) + 1
  for (let i = 0; i < count; i++) offsets[i + 1] = (offsets[i + 1] as number) + (offsets[i] as number)
  return {
    count,
    offsets,
    targets: Uint32Array.from(kept, ({ to }) => to),
    lines: Uint32Array.from(kept, ({ line }) => line),
  }
}
