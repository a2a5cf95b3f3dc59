import type { StrongSubgraph } from './strong-subgraph.ts'

/** Edges looked at to make a set smaller: some hundredths of a second. */
const DEFAULT_VISITS = 2_000_000

/**
 * A small set of edges without which a strongly connected subgraph has no cycle, as edges of the whole graph,
 * ascending. The least such set is NP-hard to find; this one is the backward edges of the order of Eades, Lin and
 * Smyth (1993), of which those that close no cycle alone are then put back. Time is linear in the subgraph, and in
 * `visits`.
 *
 * @param visits edges that may be looked at to put edges back; when they run out the set stays as large as it is.
 */
export function feedbackSet(subgraph: StrongSubgraph, visits = DEFAULT_VISITS): number[] {
  const place = placesInOrder(subgraph)
  const { offsets, targets, edges } = subgraph
  const left = new Uint8Array(edges.length)
  for (let from = 0; from < place.length; from++) {
    for (let edge = offsets[from] as number; edge < (offsets[from + 1] as number); edge++) {
      if ((place[targets[edge] as number] as number) < (place[from] as number)) left[edge] = 1
    }
  }

  const stamp = new Int32Array(place.length).fill(-1)
  const needed: number[] = []
  let budget = visits
  for (let from = 0; from < place.length; from++) {
    for (let edge = offsets[from] as number; edge < (offsets[from + 1] as number); edge++) {
      if (left[edge] === 0) continue
      if (budget > 0) {
        const [closes, looked] = leadsTo(subgraph, left, stamp, edge, targets[edge] as number, from)
        budget -= looked
        if (!closes) {
          left[edge] = 0
          continue
        }
      }
      needed.push(edges[edge] as number)
    }
  }
  return needed
}

/**
 * The order of Eades, Lin and Smyth: what leads nowhere goes last, what nothing leads to goes first, and where there
 * is neither, the node that leads to the most more than lead to it goes first. Nodes wait in buckets by that
 * difference.
 */
function placesInOrder({ nodes, offsets, targets, backOffsets, sources }: StrongSubgraph): Int32Array {
  const count = nodes.length
  const out = Int32Array.from(
    { length: count },
    (_, i) => (offsets[i + 1] as number) - (offsets[i] as number),
  )
  const into = Int32Array.from(
    { length: count },
    (_, i) => (backOffsets[i + 1] as number) - (backOffsets[i] as number),
  )
  const waiting = new Buckets(out, into)
  const place = new Int32Array(count)
  let [first, last] = [0, count - 1]
  for (let taken = 0; taken < count; taken++) {
    const node = waiting.take()
    place[node] = out[node] === 0 ? last-- : first++
    for (let edge = offsets[node] as number; edge < (offsets[node + 1] as number); edge++) {
      const target = targets[edge] as number
      into[target] = (into[target] as number) - 1
      waiting.update(target)
    }
    for (let edge = backOffsets[node] as number; edge < (backOffsets[node + 1] as number); edge++) {
      const source = sources[edge] as number
      out[source] = (out[source] as number) - 1
      waiting.update(source)
    }
  }
  return place
}

/** Nodes that are not yet in the order, in doubly linked lists by what they lead to less what leads to them. */
class Buckets {
  readonly #out: Int32Array
  readonly #in: Int32Array
  readonly #heads: Int32Array
  readonly #next: Int32Array
  readonly #previous: Int32Array
  readonly #bucketOf: Int32Array
  /** The difference 0 is this bucket; those beside it hold what leads nowhere and what nothing leads to. */
  readonly #middle: number
  #highest: number

  constructor(out: Int32Array, into: Int32Array) {
    const widest = out.reduce((most, degree, i) => Math.max(most, degree, into[i] as number), 0)
    this.#out = out
    this.#in = into
    this.#middle = widest + 1
    this.#heads = new Int32Array(2 * widest + 3).fill(-1)
    this.#next = new Int32Array(out.length)
    this.#previous = new Int32Array(out.length)
    this.#bucketOf = new Int32Array(out.length)
    this.#highest = 0
    for (let node = out.length - 1; node >= 0; node--) this.#put(node)
  }

  /** The node that goes next; there must be one. */
  take(): number {
    const ends = this.#heads[0] as number
    if (ends >= 0) return this.#remove(ends)
    while (this.#heads[this.#highest] === -1) this.#highest--
    return this.#remove(this.#heads[this.#highest] as number)
  }

  /** Puts a node where it belongs now, if it still waits. */
  update(node: number): void {
    if (this.#bucketOf[node] === -1) return
    this.#remove(node)
    this.#put(node)
  }

  #put(node: number): void {
    const bucket = this.#bucket(node)
    const head = this.#heads[bucket] as number
    this.#bucketOf[node] = bucket
    this.#next[node] = head
    this.#previous[node] = -1
    if (head >= 0) this.#previous[head] = node
    this.#heads[bucket] = node
    this.#highest = Math.max(this.#highest, bucket)
  }

  #bucket(node: number): number {
    if (this.#out[node] === 0) return 0
    if (this.#in[node] === 0) return this.#heads.length - 1
    return this.#middle + (this.#out[node] as number) - (this.#in[node] as number)
  }

  #remove(node: number): number {
    const [next, previous] = [this.#next[node] as number, this.#previous[node] as number]
    if (next >= 0) this.#previous[next] = previous
    if (previous >= 0) this.#next[previous] = next
    else this.#heads[this.#bucketOf[node] as number] = next
    this.#bucketOf[node] = -1
    return node
  }
}

/**
 * Whether a way goes from one node to another without the edges that are left out, and the edges looked at for it.
 */
function leadsTo(
  { offsets, targets }: StrongSubgraph,
  left: Uint8Array,
  stamp: Int32Array,
  search: number,
  from: number,
  to: number,
): [leads: boolean, looked: number] {
  const open = [from]
  let looked = 0
  stamp[from] = search
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (let edge = offsets[node] as number; edge < (offsets[node + 1] as number); edge++) {
      looked++
      const target = targets[edge] as number
      if (left[edge] === 1 || stamp[target] === search) continue
      if (target === to) return [true, looked]
      stamp[target] = search
      open.push(target)
    }
  }
  return [false, looked]
}
