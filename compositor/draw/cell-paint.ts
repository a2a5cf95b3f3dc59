/** The space left free on each cell's right and lower edge, in pixels, for a cell of this size. */
export function cellGap(size: number): number {
  if (size < 4) return 0
  return size < 20 ? 1 : 2
}
