import type { ImportGraph } from '../graph.ts'
import { type Components, componentsOf } from './components.ts'

/** What can be reached from where. */
export interface Closure {
  /** Ordered pairs of nodes with a way from the first to the second, each node with itself among them. */
  pairs: number
  /** From each component: the nodes that can be reached, its own among them. */
  reach: Uint32Array
  /** Steps that it took, the same for the same graph on every machine: what a caller's limits can count. */
  work: number
}

/** Which components each component leads to at once: `targets[starts[c] … ends[c]]`, each once, descending. */
interface Condensation {
  starts: Uint32Array
  ends: Uint32Array
  targets: Int32Array
}

/** 16 MiB of 32-bit words: more rows make narrower blocks, not more memory; what is larger leaves the caches. */
const POOL_WORDS = 1 << 22

/** Ordered pairs of nodes with a way from the first to the second, each node with itself among them; exact. */
export function reachablePairs(graph: ImportGraph): number {
  return closureOf(graph, componentsOf(graph)).pairs
}

/**
 * Counts what can be reached, exactly: one row of bits for each component, one column for each node, the rows made
 * from the leaves up. Columns are taken in blocks, so that the rows fit into 16 MiB whatever the graph. A component
 * that adds nothing to what it leads to shares that one's row, and an edge that another way makes superfluous (Aho,
 * Garey, Ullman 1972: the transitive reduction) is left out of the blocks after the one that shows it.
 *
 * @param components of this graph, or of one that has more edges between components: taking such an edge away splits
 *   none.
 * @param columns if given, only nodes marked 1 are counted as reached; pairs and reach are then about these.
 */
export function closureOf(graph: ImportGraph, components: Components, columns?: Uint8Array): Closure {
  const { sizes } = components
  const first = columnStarts(components, columns)
  const counted = first[sizes.length] as number
  const condensation = condense(graph, components)
  const words = Math.ceil(counted / 32)
  const width = Math.max(1, Math.min(words, Math.floor(POOL_WORDS / (sizes.length + 1))))
  const pool = new Int32Array(width * (sizes.length + 1))
  const closure: Closure = { pairs: 0, reach: new Uint32Array(sizes.length), work: 0 }
  const rowOf = new Int32Array(sizes.length)
  const reached = new Int32Array(sizes.length)
  for (let end = words; end > 0; end -= width) {
    const start = Math.max(0, end - width)
    const block = {
      pool,
      rowOf,
      reached,
      width: end - start,
      low: start * 32,
      high: Math.min(counted, end * 32),
    }
    addBlock(closure, condensation, sizes, first, block)
  }
  return closure
}

/** The columns from `low` to `high`, and the rows that components have there. */
interface Block {
  /** Rows of bits, each so many words wide; row 0 is empty and stays so. */
  pool: Int32Array
  width: number
  low: number
  high: number
  /** Of each component the row and the bits in it. */
  rowOf: Int32Array
  reached: Int32Array
}

/**
 * Adds what is reached of the columns of a block. Blocks go from the highest columns down: whether an edge is
 * superfluous shows in the block of its target, and it matters only there and below.
 */
function addBlock(
  closure: Closure,
  { starts, ends, targets }: Condensation,
  sizes: Int32Array,
  first: Uint32Array,
  { pool, width, low, high, rowOf, reached }: Block,
): void {
  const lowest = firstBeyond(first, low)
  const highest = firstBeyond(first, high - 1)
  let rows = 1
  let { work } = closure

  for (let component = lowest; component < sizes.length; component++) {
    let [one, two, three, four] = [0, 0, 0, 0]
    let bits = 0
    let own = false
    const end = ends[component] as number
    let edge = starts[component] as number
    let kept = edge
    for (; edge < end; edge++) {
      const target = targets[edge] as number
      if (target < lowest) break
      if (target <= highest && one !== 0) {
        const column = (first[target] as number) - low
        const counted = column >= 0 && (first[target] as number) < (first[target + 1] as number)
        const word = column >>> 5
        if (counted && (wordOf(pool, width, word, one, two, three, four) >>> (column & 31)) & 1) continue
      }
      if (kept !== edge) targets[kept] = target
      kept++
      const row = rowOf[target] as number
      if (row === 0 || row === one || row === two || row === three || row === four) continue
      if (one === 0) {
        one = row
        bits = reached[target] as number
      } else if (two === 0) two = row
      else if (three === 0) three = row
      else if (four === 0) four = row
      else {
        const into = own ? one : rows++
        unite(pool, width, into, one, two, three, four)
        work += 4 * width
        own = true
        one = into
        two = row
        three = 0
        four = 0
      }
    }
    work += edge - (starts[component] as number) + 1
    if (kept < edge) {
      targets.copyWithin(kept, edge, end)
      ends[component] = end - (edge - kept)
    }

    const from = Math.max(low, first[component] as number) - low
    const to = Math.min(high, first[component + 1] as number) - low
    if (two !== 0 || (from < to && !own)) {
      const into = own ? one : rows++
      bits = unite(pool, width, into, one, two, three, four)
      work += 4 * width
      one = into
    }
    if (from < to) {
      setBits(pool, one * width, from, to)
      bits += to - from
    }
    rowOf[component] = one
    reached[component] = bits
    closure.reach[component] = (closure.reach[component] as number) + bits
    closure.pairs += bits * (sizes[component] as number)
  }
  closure.work = work
}

/** The column at which each component's nodes begin, in the order of components; the last entry: columns in all. */
function columnStarts({ of, sizes }: Components, columns: Uint8Array | undefined): Uint32Array {
  const first = new Uint32Array(sizes.length + 1)
  for (let node = 0; node < of.length; node++) {
    if (columns && columns[node] !== 1) continue
    const next = (of[node] as number) + 1
    first[next] = (first[next] as number) + 1
  }
  for (let i = 0; i < sizes.length; i++) first[i + 1] = (first[i + 1] as number) + (first[i] as number)
  return first
}

/** The lowest component with a column at `low` or beyond: what lies below it reaches none there. */
function firstBeyond(first: Uint32Array, low: number): number {
  let [from, to] = [0, first.length - 1]
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((first[middle + 1] as number) > low) to = middle
    else from = middle + 1
  }
  return from
}

/** The graph of the components. Descending without a sort: edges go through buckets by target, the highest first. */
function condense({ count, offsets, targets }: ImportGraph, { of, sizes }: Components): Condensation {
  const byComponent = new Int32Array(count)
  const memberStarts = new Uint32Array(sizes.length + 1)
  for (let i = 0; i < sizes.length; i++)
    memberStarts[i + 1] = (memberStarts[i] as number) + (sizes[i] as number)
  const place = memberStarts.slice()
  for (let node = 0; node < count; node++) {
    const component = of[node] as number
    byComponent[place[component] as number] = node
    place[component] = (place[component] as number) + 1
  }

  const sources = new Int32Array(targets.length)
  const leads = new Int32Array(targets.length)
  const starts = new Uint32Array(sizes.length + 1)
  const bucketStarts = new Uint32Array(sizes.length + 1)
  const stamp = new Int32Array(sizes.length).fill(-1)
  let edges = 0
  for (let component = 0; component < sizes.length; component++) {
    const end = memberStarts[component + 1] as number
    for (let member = memberStarts[component] as number; member < end; member++) {
      const node = byComponent[member] as number
      for (let edge = offsets[node] as number; edge < (offsets[node + 1] as number); edge++) {
        const target = of[targets[edge] as number] as number
        if (target === component || stamp[target] === component) continue
        stamp[target] = component
        sources[edges] = component
        leads[edges++] = target
        bucketStarts[target + 1] = (bucketStarts[target + 1] as number) + 1
      }
    }
    starts[component + 1] = edges
  }
  for (let i = 0; i < sizes.length; i++)
    bucketStarts[i + 1] = (bucketStarts[i + 1] as number) + (bucketStarts[i] as number)

  const buckets = new Int32Array(edges)
  for (let edge = 0; edge < edges; edge++) {
    const target = leads[edge] as number
    const slot = bucketStarts[target] as number
    buckets[slot] = edge
    bucketStarts[target] = slot + 1
  }
  const ends = starts.slice(0, sizes.length)
  const descending = new Int32Array(edges)
  for (let slot = edges - 1; slot >= 0; slot--) {
    const edge = buckets[slot] as number
    const source = sources[edge] as number
    descending[ends[source] as number] = leads[edge] as number
    ends[source] = (ends[source] as number) + 1
  }
  return { starts, ends, targets: descending }
}

/** A word of what rows hold together. */
function wordOf(
  pool: Int32Array,
  width: number,
  word: number,
  one: number,
  two: number,
  three: number,
  four: number,
): number {
  return (
    (pool[one * width + word] as number) |
    (pool[two * width + word] as number) |
    (pool[three * width + word] as number) |
    (pool[four * width + word] as number)
  )
}

/**
 * Row `into` becomes what four rows hold together, which may be row `into` itself or the empty one; gives the bits set
 * in it. Bits are counted in parallel within words, bytes summed over 15 words (Warren, Hacker's Delight, 5-1).
 */
function unite(
  pool: Int32Array,
  width: number,
  into: number,
  one: number,
  two: number,
  three: number,
  four: number,
): number {
  let bits = 0
  for (let i = 0; i < width; ) {
    const stop = Math.min(width, i + 15)
    let bytes = 0
    for (; i < stop; i++) {
      let word = wordOf(pool, width, i, one, two, three, four)
      pool[into * width + i] = word
      word -= (word >>> 1) & 0x55555555
      word = (word & 0x33333333) + ((word >>> 2) & 0x33333333)
      bytes += (word + (word >>> 4)) & 0x0f0f0f0f
    }
    const pairs = (bytes & 0x00ff00ff) + ((bytes >>> 8) & 0x00ff00ff)
    bits += (pairs & 0xffff) + (pairs >>> 16)
  }
  return bits
}

/** Sets the bits `from … to` of a row. */
function setBits(pool: Int32Array, row: number, from: number, to: number): void {
  for (let bit = from; bit < to; ) {
    const word = row + (bit >>> 5)
    if ((bit & 31) === 0 && bit + 32 <= to) {
      pool[word] = -1
      bit += 32
    } else {
      pool[word] = (pool[word] as number) | (1 << (bit & 31))
      bit++
    }
  }
}
