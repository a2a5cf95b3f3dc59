import { BLOCK_SIDE } from './cell.ts'

/** Outlines of blocks smaller than this, in pixels, would be all that is seen. */
export const LEAST_OUTLINED = 24

/** Red, green, blue of 0 … 1. */
export type Rgb = readonly [number, number, number]

/** The colours of the map that are not data. */
export interface MapInks {
  ground: Rgb
  grid: Rgb
  outline: Rgb
  hatchGround: Rgb
  hatchLine: Rgb
}

/** Where the camera is: what a frame of the map's picture shows, in pixels of its target. */
export interface MapFrame {
  /** Size of the target. */
  width: number
  height: number
  /** A block in or near the view, in blocks from the map's corner, and where its left upper corner is. */
  anchorColumn: number
  anchorRow: number
  originX: number
  originY: number
  /** Side of a cell. */
  cell: number
  /** Cells end on whole pixels; else a pixel shows the mean of what lies under it. */
  snapped: boolean
  /** Crosses of the graticule: the first one and the step, in blocks from the map's corner; how many. */
  gridColumn: number
  gridRow: number
  gridStep: number
  gridColumns: number
  gridRows: number
  /** Width of a hairline. */
  hairline: number
  inks: MapInks
}

/** Bytes of a frame as shaders read it. */
export const FRAME_BYTES = 144

/** Writes a frame as `Frame` of shaders/map-frame.wgsl has it. */
export function writeFrame(frame: MapFrame, bytes: ArrayBuffer): void {
  const f32 = new Float32Array(bytes)
  const i32 = new Int32Array(bytes)
  f32[0] = frame.width
  f32[1] = frame.height
  i32[2] = frame.anchorColumn
  i32[3] = frame.anchorRow
  f32[4] = frame.originX
  f32[5] = frame.originY
  f32[6] = frame.cell * BLOCK_SIDE
  i32[7] = frame.snapped ? 1 : 0
  i32[8] = frame.gridColumn - frame.anchorColumn
  i32[9] = frame.gridRow - frame.anchorRow
  i32[10] = frame.gridStep
  i32[11] = frame.gridColumns
  f32[12] = frame.hairline
  const { ground, grid, outline, hatchGround, hatchLine } = frame.inks
  writeInk(f32, 16, ground)
  writeInk(f32, 20, grid)
  writeInk(f32, 24, outline)
  writeInk(f32, 28, hatchGround)
  writeInk(f32, 32, hatchLine)
}

function writeInk(f32: Float32Array, at: number, [red, green, blue]: Rgb): void {
  f32[at] = red
  f32[at + 1] = green
  f32[at + 2] = blue
  f32[at + 3] = 1
}
