import type { StrongSubgraph } from './strong-subgraph.ts'

/** Edges looked at for one cycle: some tenths of a second. */
const DEFAULT_VISITS = 20_000_000

/**
 * One shortest cycle of a strongly connected subgraph, as edges of the whole graph, each beginning where the one
 * before it ends. Of several it is the first in lexicographic order of their nodes, each begun at its lowest node.
 *
 * A breadth-first search from each node in turn, no deeper than the best cycle found so far, after which the node and
 * all that then lies on no cycle are taken away: O(nodes · edges) at worst, nearly linear where a short cycle exists.
 *
 * @param visits edges that may be looked at. If they run out (tens of thousands of nodes without a short cycle) the
 *   answer is the shortest cycle found until then: a shortest one through one of the nodes searched.
 */
export function shortestCycle(subgraph: StrongSubgraph, visits = DEFAULT_VISITS): number[] {
  return shortestPair(subgraph) ?? longerCycle(subgraph, visits)
}

/** The first cycle of two; null: there is none. */
function shortestPair({ offsets, targets, edges }: StrongSubgraph): number[] | null {
  for (let node = 0; node + 1 < offsets.length; node++) {
    for (let edge = offsets[node] as number; edge < (offsets[node + 1] as number); edge++) {
      const target = targets[edge] as number
      const back =
        target < node ? -1 : indexOf(targets, node, offsets[target] as number, offsets[target + 1] as number)
      if (back >= 0) return [edges[edge] as number, edges[back] as number]
    }
  }
  return null
}

/** Where `value` lies in the ascending numbers `from … to`, or −1. */
function indexOf(numbers: Int32Array, value: number, from: number, to: number): number {
  let [low, high] = [from, to]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((numbers[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low < to && numbers[low] === value ? low : -1
}

/** The cycle, in a subgraph that has none of two. */
function longerCycle(subgraph: StrongSubgraph, visits: number): number[] {
  const count = subgraph.nodes.length
  const alive = new AliveNodes(subgraph)
  const search: Search = {
    steps: new Int32Array(count),
    stamp: new Int32Array(count).fill(-1),
    queue: new Int32Array(count),
  }
  let best: number[] = []
  let left = visits
  for (let node = 0; node < count; node++) {
    if (!alive.has(node)) continue
    if (best.length === 3 || (left <= 0 && best.length > 0)) break
    left -= measure(subgraph, alive, search, node, best.length === 0 ? count : best.length - 1)
    const cycle = cycleThrough(subgraph, alive, search, node)
    if (cycle && (best.length === 0 || cycle.length < best.length)) best = cycle
    alive.remove(node)
  }
  return best
}

/** Steps from each node back to the one searched, where `stamp` holds that one. */
interface Search {
  steps: Int32Array
  stamp: Int32Array
  queue: Int32Array
}

/** Finds the steps back to a node as far as a cycle of `longest` edges needs them; gives the edges looked at. */
function measure(
  { backOffsets, sources }: StrongSubgraph,
  alive: AliveNodes,
  { steps, stamp, queue }: Search,
  node: number,
  longest: number,
): number {
  let [head, tail, visits] = [0, 1, 0]
  queue[0] = node
  steps[node] = 0
  stamp[node] = node
  while (head < tail) {
    const reached = queue[head++] as number
    const step = (steps[reached] as number) + 1
    if (step >= longest) break
    const end = backOffsets[reached + 1] as number
    for (let edge = backOffsets[reached] as number; edge < end; edge++) {
      visits++
      const source = sources[edge] as number
      if (stamp[source] === node || !alive.has(source)) continue
      stamp[source] = node
      steps[source] = step
      queue[tail++] = source
    }
  }
  return visits
}

/**
 * The first shortest cycle from a node by the steps measured, or null: each step goes to the lowest node that is one
 * nearer.
 */
function cycleThrough(
  { offsets, targets, edges }: StrongSubgraph,
  alive: AliveNodes,
  { steps, stamp }: Search,
  start: number,
): number[] | null {
  const cycle: number[] = []
  let node = start
  do {
    let best = -1
    for (let edge = offsets[node] as number; edge < (offsets[node + 1] as number); edge++) {
      const target = targets[edge] as number
      if (stamp[target] !== start || !alive.has(target)) continue
      if (best < 0 || (steps[target] as number) < (steps[targets[best] as number] as number)) best = edge
    }
    if (best < 0) return null
    cycle.push(edges[best] as number)
    node = targets[best] as number
  } while (node !== start)
  return cycle
}

/** The nodes that may still lie on a cycle: what has lost all that it leads to, or all that leads to it, goes too. */
class AliveNodes {
  readonly #subgraph: StrongSubgraph
  readonly #gone: Uint8Array
  readonly #out: Uint32Array
  readonly #in: Uint32Array

  constructor(subgraph: StrongSubgraph) {
    this.#subgraph = subgraph
    this.#gone = new Uint8Array(subgraph.nodes.length)
    this.#out = degrees(subgraph.offsets)
    this.#in = degrees(subgraph.backOffsets)
  }

  has(node: number): boolean {
    return this.#gone[node] === 0
  }

  remove(node: number): void {
    const { offsets, targets, backOffsets, sources } = this.#subgraph
    const leaving = [node]
    this.#gone[node] = 1
    for (let leaver = leaving.pop(); leaver !== undefined; leaver = leaving.pop()) {
      this.#loosen(targets, offsets, leaver, this.#in, leaving)
      this.#loosen(sources, backOffsets, leaver, this.#out, leaving)
    }
  }

  #loosen(
    ends: Int32Array,
    offsets: Uint32Array,
    leaver: number,
    degree: Uint32Array,
    leaving: number[],
  ): void {
    for (let edge = offsets[leaver] as number; edge < (offsets[leaver + 1] as number); edge++) {
      const neighbour = ends[edge] as number
      const left = (degree[neighbour] as number) - 1
      degree[neighbour] = left
      if (left > 0 || !this.has(neighbour)) continue
      this.#gone[neighbour] = 1
      leaving.push(neighbour)
    }
  }
}

function degrees(offsets: Uint32Array): Uint32Array {
  return Uint32Array.from(
    { length: offsets.length - 1 },
    (_, i) => (offsets[i + 1] as number) - (offsets[i] as number),
  )
}
