import type { ImportGraph } from '../graph.ts'

/** The strongly connected components of a graph; a node that lies in no cycle is one of its own. */
export interface Components {
  /**
   * Of each node the number of its component. They are numbered from the leaves up: an edge between two components
   * leads to the lower number.
   */
  of: Int32Array
  /** Nodes of each component. */
  sizes: Int32Array
}

/** The strongly connected components, in time and memory linear in the graph and without recursion (Tarjan 1972). */
export function componentsOf({ count, offsets, targets }: ImportGraph): Components {
  const of = new Int32Array(count).fill(-1)
  const sizes = new Int32Array(count)
  const seen = new Int32Array(count)
  const low = new Int32Array(count)
  const next = new Uint32Array(count)
  const path = new Int32Array(count)
  const open = new Int32Array(count)
  let [components, visits, depth, waiting] = [0, 0, 0, 0]

  const enter = (node: number) => {
    visits++
    seen[node] = visits
    low[node] = visits
    next[node] = offsets[node] as number
    path[depth++] = node
    open[waiting++] = node
  }

  for (let root = 0; root < count; root++) {
    if (seen[root] !== 0) continue
    enter(root)
    while (depth > 0) {
      const node = path[depth - 1] as number
      const edge = next[node] as number
      if (edge < (offsets[node + 1] as number)) {
        next[node] = edge + 1
        const target = targets[edge] as number
        if (seen[target] === 0) enter(target)
        else if (of[target] === -1) low[node] = Math.min(low[node] as number, seen[target] as number)
        continue
      }
      depth--
      if (depth > 0) {
        const parent = path[depth - 1] as number
        low[parent] = Math.min(low[parent] as number, low[node] as number)
      }
      if (low[node] !== seen[node]) continue
      const before = waiting
      do of[open[--waiting] as number] = components
      while (open[waiting] !== node)
      sizes[components++] = before - waiting
    }
  }
  return { of, sizes: sizes.slice(0, components) }
}

/** Nodes that lie in a component with others. */
export function nodesInCycles({ sizes }: Components): number {
  let nodes = 0
  for (const size of sizes) if (size > 1) nodes += size
  return nodes
}
