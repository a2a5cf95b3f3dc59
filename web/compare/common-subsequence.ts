/** Differences that are looked for at once; beyond that the farthest way found so far is taken. */
const MOST_DIFFERENCES = 256
const LEAST_DIFFERENCES = 32
/**
 * Steps that a search takes about, at most: two texts that have nothing in common take their length times the
 * differences that are looked for at once. A page must not stand still for it.
 */
const MOST_STEPS = 1_000_000

/** Places that two sequences have in common: pairs of indexes, both rising. */
export type CommonPairs = [inFirst: number, inSecond: number][]

/** Two sequences, by their lengths and by which of their places are the same. */
export interface Sequences {
  first: number
  second: number
  same(inFirst: number, inSecond: number): boolean
}

/**
 * A longest common subsequence of two sequences: the way from one to the other with the fewest insertions and
 * deletions. It is the shortest as long as no more than `mostDifferences` of them are needed; beyond that
 * the way is put together of shortest parts, so that two long texts that have nothing in common still take
 * time and memory in proportion to their length.
 *
 * Source: E. W. Myers (1986), "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1, figure 2; the
 * bound is as in GNU diff.
 */
export function commonPairs(sequences: Sequences, mostDifferences?: number): CommonPairs {
  const { first, second, same } = sequences
  const most = mostDifferences ?? boundFor(first + second)
  const pairs: CommonPairs = []
  let [x, y] = [0, 0]
  // What both begin and end with needs no search.
  while (x < first && y < second && same(x, y)) pairs.push([x++, y++])
  let tail = 0
  while (tail < first - x && tail < second - y && same(first - 1 - tail, second - 1 - tail)) tail++
  const [endX, endY] = [first - tail, second - tail]
  while (x < endX && y < endY) {
    const [fromX, fromY] = [x, y]
    const rest = {
      first: endX - x,
      second: endY - y,
      same: (i: number, j: number) => same(fromX + i, fromY + j),
    }
    const part = walk(rest, Math.max(1, most))
    for (const [i, j] of part.pairs) pairs.push([fromX + i, fromY + j])
    x += part.x
    y += part.y
  }
  for (let i = 0; i < tail; i++) pairs.push([endX + i, endY + i])
  return pairs
}

function boundFor(length: number): number {
  return Math.max(LEAST_DIFFERENCES, Math.min(MOST_DIFFERENCES, Math.floor(MOST_STEPS / Math.max(1, length))))
}

/** Towards the ends, with at most so many differences: where that leads, and what is common on the way. */
function walk({ first, second, same }: Sequences, most: number): Way {
  const reach = Math.min(most, first + second)
  // The farthest x on each diagonal k = x - y, at k + reach + 1; and how it was before each difference more.
  const farthest = new Int32Array(2 * reach + 3)
  const history: Int32Array[] = []
  let best: [x: number, y: number, differences: number] = [0, 0, 0]
  for (let d = 0; d <= reach; d++) {
    history.push(farthest.slice(reach + 1 - d, reach + 2 + d))
    for (let k = -d; k <= d; k += 2) {
      const at = k + reach + 1
      const down = comesDown(farthest[at - 1] as number, farthest[at + 1] as number, k, d)
      let x = down ? (farthest[at + 1] as number) : (farthest[at - 1] as number) + 1
      let y = x - k
      while (x < first && y < second && same(x, y)) {
        x++
        y++
      }
      farthest[at] = x
      if (x > first || y > second) continue
      if (x + y > best[0] + best[1]) best = [x, y, d]
      if (x === first && y === second) return traced(history, best)
    }
  }
  return traced(history, best)
}

interface Way {
  x: number
  y: number
  pairs: CommonPairs
}

/** Goes back from the end of a way to its beginning. */
function traced(
  history: readonly Int32Array[],
  [endX, endY, differences]: readonly [number, number, number],
): Way {
  const pairs: CommonPairs = []
  let [x, y] = [endX, endY]
  for (let d = differences; d >= 0; d--) {
    const k = x - y
    const before = history[d] as Int32Array
    // `before` holds the diagonals from -d to d, as they were after d - 1 differences.
    const left = k - 1 >= -d ? (before[k - 1 + d] as number) : 0
    const right = k + 1 <= d ? (before[k + 1 + d] as number) : 0
    const down = comesDown(left, right, k, d)
    const startX = d === 0 ? 0 : down ? right : left
    const startY = d === 0 ? 0 : startX - (down ? k + 1 : k - 1)
    const enteredX = d === 0 ? 0 : down ? startX : startX + 1
    while (x > enteredX) pairs.push([--x, --y])
    x = startX
    y = startY
  }
  return { x: endX, y: endY, pairs: pairs.reverse() }
}

/** Whether the way to diagonal `k` comes from the one above it, by a token that only the second has. */
function comesDown(left: number, right: number, k: number, d: number): boolean {
  return k === -d || (k !== d && left < right)
}
