import type { ImportGraph } from '../graph.ts'
import type { Components } from './components.ts'

/** A strongly connected component of more than one node, with the edges inside it; its nodes are numbered from 0. */
export interface StrongSubgraph {
  /** Its nodes in the whole graph, ascending: node i here is `nodes[i]` there. */
  nodes: Int32Array
  /**
   * Node i leads to `targets[offsets[i] … offsets[i + 1]]`, ascending; `edges` are these edges' places in the whole
   * graph.
   */
  offsets: Uint32Array
  targets: Int32Array
  edges: Uint32Array
  /** What leads to node i: `sources[backOffsets[i] … backOffsets[i + 1]]`, ascending. */
  backOffsets: Uint32Array
  sources: Int32Array
}

/** The components of more than one node, largest first, of the same size the one with the lowest node first. */
export function strongSubgraphs(graph: ImportGraph, { of, sizes }: Components): StrongSubgraph[] {
  const members = new Map<number, Int32Array>()
  const filled = new Int32Array(sizes.length)
  const place = new Int32Array(graph.count)
  for (let node = 0; node < graph.count; node++) {
    const component = of[node] as number
    const size = sizes[component] as number
    if (size < 2) continue
    const nodes = members.get(component) ?? new Int32Array(size)
    members.set(component, nodes)
    const at = filled[component] as number
    nodes[at] = node
    place[node] = at
    filled[component] = at + 1
  }
  return [...members.values()]
    .sort((one, other) => other.length - one.length || (one[0] as number) - (other[0] as number))
    .map(nodes => subgraphOf(graph, of, nodes, place))
}

function subgraphOf(
  { offsets, targets }: ImportGraph,
  of: Int32Array,
  nodes: Int32Array,
  place: Int32Array,
): StrongSubgraph {
  const component = of[nodes[0] as number]
  const starts = new Uint32Array(nodes.length + 1)
  const backStarts = new Uint32Array(nodes.length + 1)
  let inside = 0
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i] as number
    for (let edge = offsets[node] as number; edge < (offsets[node + 1] as number); edge++) {
      const target = targets[edge] as number
      if (of[target] !== component) continue
      inside++
      const next = (place[target] as number) + 1
      backStarts[next] = (backStarts[next] as number) + 1
    }
    starts[i + 1] = inside
  }
  for (let i = 0; i < nodes.length; i++)
    backStarts[i + 1] = (backStarts[i + 1] as number) + (backStarts[i] as number)

  const edges = new Uint32Array(inside)
  const ends = new Int32Array(inside)
  const sources = new Int32Array(inside)
  const slots = backStarts.slice()
  for (let i = 0, kept = 0; i < nodes.length; i++) {
    const node = nodes[i] as number
    for (let edge = offsets[node] as number; edge < (offsets[node + 1] as number); edge++) {
      const target = targets[edge] as number
      if (of[target] !== component) continue
      const end = place[target] as number
      edges[kept] = edge
      ends[kept++] = end
      const slot = slots[end] as number
      sources[slot] = i
      slots[end] = slot + 1
    }
  }
  return { nodes, offsets: starts, targets: ends, edges, backOffsets: backStarts, sources }
}
