import type { ImportGraph } from '../graph.ts'

/** The graph without these edges, given by their places in it. */
export function withoutEdges(graph: ImportGraph, edges: readonly number[]): ImportGraph {
  return rewritten(graph, edges, new Map())
}

/** The graph with these edges turned round, given by their places in it; the new ones keep their lines. */
export function turnedEdges(graph: ImportGraph, edges: readonly number[], sources: Uint32Array): ImportGraph {
  const added = new Map<number, [target: number, line: number][]>()
  for (const edge of edges) {
    const from = graph.targets[edge] as number
    const rest = added.get(from) ?? []
    rest.push([sources[edge] as number, graph.lines[edge] as number])
    added.set(from, rest)
  }
  return rewritten(graph, edges, added)
}

/** Of each edge the node that it comes from. */
export function edgeSources({ count, offsets, targets }: ImportGraph): Uint32Array {
  const sources = new Uint32Array(targets.length)
  for (let node = 0; node < count; node++) sources.fill(node, offsets[node], offsets[node + 1])
  return sources
}

/** Every node that these nodes lead to, themselves among them, marked 1. */
export function reachedFrom({ count, offsets, targets }: ImportGraph, nodes: Iterable<number>): Uint8Array {
  const reached = new Uint8Array(count)
  const open = [...nodes]
  for (const node of open) reached[node] = 1
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (let edge = offsets[node] as number; edge < (offsets[node + 1] as number); edge++) {
      const target = targets[edge] as number
      if (reached[target] === 1) continue
      reached[target] = 1
      open.push(target)
    }
  }
  return reached
}

function rewritten(
  { count, offsets, targets, lines }: ImportGraph,
  removed: readonly number[],
  added: ReadonlyMap<number, readonly [target: number, line: number][]>,
): ImportGraph {
  const gone = new Set(removed)
  const touched = new Set(added.keys())
  for (const edge of gone) touched.add(sourceOf(offsets, edge))
  const more = [...added.values()].reduce((sum, rest) => sum + rest.length, 0)
  const starts = new Uint32Array(count + 1)
  const ends = new Uint32Array(targets.length + more)
  const places = new Uint32Array(targets.length + more)
  let kept = 0
  let node = 0
  // What is not touched is most of it, and stays as it is.
  const keepUpTo = (next: number) => {
    const [first, last] = [offsets[node] as number, offsets[next] as number]
    ends.set(targets.subarray(first, last), kept)
    places.set(lines.subarray(first, last), kept)
    const shift = kept - first
    for (; node < next; node++) starts[node + 1] = (offsets[node + 1] as number) + shift
    kept += last - first
  }
  for (const changed of [...touched].sort((one, other) => one - other)) {
    keepUpTo(changed)
    const row = new Map(added.get(changed))
    for (let edge = offsets[changed] as number; edge < (offsets[changed + 1] as number); edge++)
      if (!gone.has(edge)) row.set(targets[edge] as number, lines[edge] as number)
    for (const [target, line] of [...row].sort(([one], [other]) => one - other)) {
      ends[kept] = target
      places[kept++] = line
    }
    node = changed + 1
    starts[node] = kept
  }
  keepUpTo(count)
  return { count, offsets: starts, targets: ends.slice(0, kept), lines: places.slice(0, kept) }
}

/** The node that an edge comes from: the last one whose edges begin at it or before. */
function sourceOf(offsets: Uint32Array, edge: number): number {
  let [low, high] = [0, offsets.length - 1]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((offsets[middle] as number) <= edge) low = middle
    else high = middle
  }
  return low
}
