/** A matrix of more parts has no names at its side. */
const MOST_NAMED = 60
/** A matrix of more parts takes the whole width. */
const MOST_BESIDE = 30
/** CSS pixels. */
const NAMES_PX = 112
const LEAST_NAMED_PX = 10
const LEAST_NUMBERED_PX = 16
const MOST_CELL_PX = 24
const MOST_SIDE_PX = 720

/** Where a matrix lies on its canvas, in CSS pixels. */
export interface DsmPlan {
  parts: number
  /** Side of a cell; of many parts less than a pixel. */
  cell: number
  /** Where the cells begin, after the names and under the numbers. */
  left: number
  top: number
  isNamed: boolean
  isNumbered: boolean
}

/** A cell: the part that imports, and the one that is imported. */
export interface DsmCell {
  row: number
  column: number
}

/** Whether a matrix of so many parts takes the whole width. */
export function isWide(parts: number): boolean {
  return parts > MOST_BESIDE
}

/** How a matrix of so many parts is laid out in so many CSS pixels. */
export function planDsm(parts: number, width: number): DsmPlan {
  const named = Math.min(MOST_CELL_PX, Math.floor(Math.min(width - NAMES_PX, MOST_SIDE_PX) / parts))
  if (parts <= MOST_NAMED && named >= LEAST_NAMED_PX) {
    const isNumbered = named >= LEAST_NUMBERED_PX
    return { parts, cell: named, left: NAMES_PX, top: isNumbered ? 16 : 0, isNamed: true, isNumbered }
  }
  const cell = Math.min(MOST_CELL_PX, Math.min(width, MOST_SIDE_PX) / parts)
  return {
    parts,
    cell: cell < 2 ? cell : Math.floor(cell),
    left: 0,
    top: 0,
    isNamed: false,
    isNumbered: false,
  }
}

/** The cell at a place of the canvas, in CSS pixels; null: beside the matrix. */
export function cellAt({ parts, cell, left, top }: DsmPlan, x: number, y: number): DsmCell | null {
  const row = Math.floor((y - top) / cell)
  const column = Math.floor((x - left) / cell)
  const isIn = row >= 0 && column >= 0 && row < parts && column < parts
  return isIn ? { row, column } : null
}

/** The cell that a key leads to; null: it leads nowhere. */
export function cellAfter(key: string, { row, column }: DsmCell, parts: number): DsmCell | null {
  const moved: Record<string, [number, number]> = {
    ArrowUp: [row - 1, column],
    ArrowDown: [row + 1, column],
    ArrowLeft: [row, column - 1],
    ArrowRight: [row, column + 1],
    Home: [row, 0],
    End: [row, parts - 1],
  }
  const to = moved[key]
  if (to === undefined) return null
  const within = (place: number) => Math.min(parts - 1, Math.max(0, place))
  return { row: within(to[0]), column: within(to[1]) }
}

/** What is between parts: the most from one to another, and how many imports lie below and above the diagonal. */
export function dsmSums(dsm: readonly (readonly number[])[]): { most: number; below: number; above: number } {
  let [most, below, above] = [0, 0, 0]
  dsm.forEach((counts, row) => {
    counts.forEach((count, column) => {
      if (row === column) return
      most = Math.max(most, count)
      if (column < row) below += count
      else above += count
    })
  })
  return { most, below, above }
}

/** Doublings that lead to a count, from 0: counts of one step have one colour. */
export function stepOf(count: number): number {
  return Math.floor(Math.log2(count))
}

/** Where the colour of a count lies on the scale, if `most` is its end. */
export function shadeOf(count: number, most: number): number {
  return (stepOf(count) + 1) / (stepOf(most) + 1)
}

/** The steps up to `most`: the least count of each, and their words. */
export function stepsTo(most: number): { least: number; words: string }[] {
  return Array.from({ length: most === 0 ? 0 : stepOf(most) + 1 }, (_, step) => {
    const least = 2 ** step
    return { least, words: least === 1 ? '1' : `${least}–${Math.min(most, 2 * least - 1)}` }
  })
}
