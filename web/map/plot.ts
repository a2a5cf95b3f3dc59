/** A place on the canvas in device pixels, and what a cell measures there. */
export interface Plot {
  /** Left and top edge of a cell. */
  x(cell: number): number
  y(cell: number): number
  /** Size of a cell, not rounded. */
  cell: number
  ratio: number
}
