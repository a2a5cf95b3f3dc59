/** Graphs for the tests of what is told of graphs, and the plain, slow answers that the fast ones are held against. */
import fc from 'fast-check'
import { graphOf, type ImportGraph } from '../../../../health/shm/graph.ts'

export type Pair = readonly [from: number, to: number]

/** A graph of these edges; each is written at the line `10 · from + to + 1`. */
export function graph(count: number, pairs: Iterable<Pair>): ImportGraph {
  return graphOf(
    count,
    Array.from(pairs, ([from, to]) => ({ from, to, line: 10 * from + to + 1 })),
  )
}

/** Graphs of up to so many nodes, from empty to nearly complete. */
export function anyGraph(most: number): fc.Arbitrary<ImportGraph> {
  return fc.integer({ min: 1, max: most }).chain(count => {
    const node = fc.nat({ max: count - 1 })
    return fc.array(fc.tuple(node, node), { maxLength: count * 3 }).map(pairs => graph(count, pairs))
  })
}

/** Each node but the last leads to the next one. */
export function chain(count: number): ImportGraph {
  const targets = Uint32Array.from({ length: count - 1 }, (_, i) => i + 1)
  const offsets = Uint32Array.from({ length: count + 1 }, (_, i) => Math.min(i, count - 1))
  return { count, offsets, targets, lines: targets }
}

/** Each node leads to the next one, the last to the first. */
export function ring(count: number): ImportGraph {
  const pairs = Array.from({ length: count }, (_, i): Pair => [i, (i + 1) % count])
  return graph(count, pairs)
}

/** Each node leads to all others. */
export function complete(count: number): ImportGraph {
  const offsets = Uint32Array.from({ length: count + 1 }, (_, i) => i * (count - 1))
  const targets = new Uint32Array(count * (count - 1))
  for (let from = 0, edge = 0; from < count; from++)
    for (let to = 0; to < count; to++) if (to !== from) targets[edge++] = to
  return { count, offsets, targets, lines: targets }
}

/** The edges of a graph, in its order. */
export function pairsOf({ count, offsets, targets }: ImportGraph): [from: number, to: number][] {
  return Array.from({ length: count }, (_, from) =>
    Array.from(targets.subarray(offsets[from], offsets[from + 1]), (to): [number, number] => [from, to]),
  ).flat()
}

/** Which node is reached from which, each from itself (Floyd 1962, Warshall 1962). */
export function waysOf(graph: ImportGraph): boolean[][] {
  const nodes = Array.from({ length: graph.count }, (_, node) => node)
  const ways = nodes.map(from => nodes.map(to => from === to))
  for (const [from, to] of pairsOf(graph)) set(ways, from, to)
  for (const over of nodes)
    for (const from of nodes)
      if (ways[from]?.[over]) for (const to of nodes) if (ways[over]?.[to]) set(ways, from, to)
  return ways
}

/** The components as lists of nodes, by mutual reach, each ascending, in the order of their lowest nodes. */
export function mutual(graph: ImportGraph): number[][] {
  const ways = waysOf(graph)
  const groups = new Map<number, number[]>()
  for (let node = 0; node < graph.count; node++) {
    const lowest = ways.findIndex((row, other) => row[node] && ways[node]?.[other])
    groups.set(lowest, [...(groups.get(lowest) ?? []), node])
  }
  return [...groups.values()]
}

/** Every cycle of up to `longest` nodes without a repeated one, begun at its lowest node, by exhaustive search. */
export function cyclesOf(graph: ImportGraph, longest: number): number[][] {
  const cycles: number[][] = []
  const next = Array.from({ length: graph.count }, (_, node) => [
    ...graph.targets.subarray(graph.offsets[node], graph.offsets[node + 1]),
  ])
  const extend = (path: number[]) => {
    const start = path[0] as number
    for (const target of next[path.at(-1) as number] ?? []) {
      if (target === start) cycles.push(path)
      else if (target > start && path.length < longest && !path.includes(target)) extend([...path, target])
    }
  }
  for (let node = 0; node < graph.count; node++) extend([node])
  return cycles
}

function set(ways: boolean[][], from: number, to: number): void {
  const row = ways[from]
  if (row) row[to] = true
}
