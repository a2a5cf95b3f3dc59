export interface Rectangle {
  x: number
  y: number
  width: number
  height: number
}

/**
 * Lays sizes out as rectangles whose areas are as the sizes, each as near to a square as it gets (squarified treemap;
 * Bruls, Huizing, van Wijk 2000).
 *
 * @param sizes above 0, in descending order
 * @returns a rectangle for each size, in the same order
 */
export function treemapOf(sizes: readonly number[], area: Rectangle): Rectangle[] {
  const total = sizes.reduce((all, size) => all + size, 0)
  const scale = (area.width * area.height) / total
  const areas = sizes.map(size => size * scale)
  const rectangles: Rectangle[] = []
  let free = { ...area }
  let first = 0
  while (first < areas.length) {
    const side = Math.min(free.width, free.height)
    let end = first + 1
    let sum = areas[first] as number
    const largest = sum
    while (end < areas.length) {
      const next = areas[end] as number
      if (
        worstRatio(largest, next, sum + next, side) > worstRatio(largest, areas[end - 1] as number, sum, side)
      )
        break
      sum += next
      end++
    }
    free = placeRow(areas.slice(first, end), sum, free, rectangles)
    first = end
  }
  return rectangles
}

/** How far the worst rectangle of a row is from a square, 1 being one: it is the largest or the smallest. */
function worstRatio(largest: number, smallest: number, sum: number, side: number): number {
  const square = side * side
  return Math.max((square * largest) / (sum * sum), (sum * sum) / (square * smallest))
}

/** Puts a row along the shorter side; gives what is left free. */
function placeRow(row: readonly number[], sum: number, free: Rectangle, into: Rectangle[]): Rectangle {
  const isUpright = free.width >= free.height
  const side = isUpright ? free.height : free.width
  const thickness = side === 0 ? 0 : sum / side
  let along = isUpright ? free.y : free.x
  for (const area of row) {
    const length = thickness === 0 ? 0 : area / thickness
    into.push(
      isUpright
        ? { x: free.x, y: along, width: thickness, height: length }
        : { x: along, y: free.y, width: length, height: thickness },
    )
    along += length
  }
  return isUpright
    ? { ...free, x: free.x + thickness, width: Math.max(free.width - thickness, 0) }
    : { ...free, y: free.y + thickness, height: Math.max(free.height - thickness, 0) }
}
