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
  const gone = new Uint8Array(targets.length)
  for (const edge of removed) gone[edge] = 1
  const starts = new Uint32Array(count + 1)
  const ends = new Uint32Array(targets.length)
  const places = new Uint32Array(targets.length)
  let kept = 0
  const keep = (target: number, line: number) => {
    ends[kept] = target
    places[kept++] = line
  }
  for (let node = 0; node < count; node++) {
    const more = added.get(node)
    const first = offsets[node] as number
    const last = offsets[node + 1] as number
    if (more) {
      const row = new Map(more)
      for (let edge = first; edge < last; edge++)
        if (gone[edge] === 0) row.set(targets[edge] as number, lines[edge] as number)
      for (const [target, line] of [...row].sort(([one], [other]) => one - other)) keep(target, line)
    } else {
      for (let edge = first; edge < last; edge++)
        if (gone[edge] === 0) keep(targets[edge] as number, lines[edge] as number)
    }
    starts[node + 1] = kept
  }
  return { count, offsets: starts, targets: ends.slice(0, kept), lines: places.slice(0, kept) }
}
