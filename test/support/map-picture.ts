import type { MapFrame, MapInks, Rgb } from '../../compositor/draw/map-frame.ts'
import type { MapLight } from '../../compositor/draw/map-light.ts'
import { MapRenderer } from '../../compositor/draw/map-renderer.ts'
import { readShader } from '../../compositor/shader-files.ts'
import type { ReadShader } from '../../shaders/stitch.ts'

/** Red, green and blue of 0 … 255. */
export type Pixel = [number, number, number]

/** A picture in memory. */
export interface Picture {
  width: number
  height: number
  /** Four bytes a pixel, row by row. */
  data: Uint8Array
  at(x: number, y: number): Pixel
}

/** A block of the map: its number and its 256 entries, row by row. */
export type DrawnBlock = [number: number, entries: ArrayLike<number>]

const COPY_SRC = 0x1
const MAP_READ = 0x1
const COPY_DST = 0x8
const RENDER_ATTACHMENT = 0x10

export const GROUND: Pixel = [10, 14, 20]
export const GRID: Pixel = [31, 41, 53]
export const OUTLINE: Pixel = [200, 40, 40]
export const HATCH_GROUND: Pixel = [20, 27, 36]
export const HATCH_LINE: Pixel = [91, 105, 121]

const ink = (pixel: Pixel): Rgb => [pixel[0] / 255, pixel[1] / 255, pixel[2] / 255]

export const INKS: MapInks = {
  ground: ink(GROUND),
  grid: ink(GRID),
  outline: ink(OUTLINE),
  hatchGround: ink(HATCH_GROUND),
  hatchLine: ink(HATCH_LINE),
}

/** A frame that shows the map's first block in its left upper corner, without a graticule. */
export function frameWith(more: Partial<MapFrame>): MapFrame {
  return {
    width: 160,
    height: 120,
    anchorColumn: 0,
    anchorRow: 0,
    originX: 0,
    originY: 0,
    cell: 6,
    snapped: true,
    gridColumn: 0,
    gridRow: 0,
    gridStep: 1,
    gridColumns: 0,
    gridRows: 0,
    hairline: 1,
    inks: INKS,
    ...more,
  }
}

/** Draws blocks on this device and reads the picture back. */
export async function drawMap(
  device: GPUDevice,
  frame: MapFrame,
  blocks: readonly DrawnBlock[],
  { lights = [] as readonly MapLight[], read = readShader as ReadShader } = {},
): Promise<Picture> {
  const renderer = await MapRenderer.create(device, 'rgba8unorm', read)
  for (const [slot, [number, entries]] of blocks.entries()) renderer.blocks.fill(slot, number).set(entries)
  const picture = await pictureOf(device, frame, target => renderer.draw(target, frame, lights))
  renderer.destroy()
  return picture
}

/** The picture that `draw` makes on a texture of the frame's size. */
export async function pictureOf(
  device: GPUDevice,
  { width, height }: { width: number; height: number },
  draw: (target: GPUTextureView) => void,
): Promise<Picture> {
  const size = [width, height]
  const texture = device.createTexture({ size, format: 'rgba8unorm', usage: RENDER_ATTACHMENT | COPY_SRC })
  draw(texture.createView())
  const bytesPerRow = Math.ceil((width * 4) / 256) * 256
  const buffer = device.createBuffer({ size: bytesPerRow * height, usage: COPY_DST | MAP_READ })
  const encoder = device.createCommandEncoder()
  encoder.copyTextureToBuffer({ texture }, { buffer, bytesPerRow }, size)
  device.queue.submit([encoder.finish()])
  await buffer.mapAsync(MAP_READ)
  const padded = new Uint8Array(buffer.getMappedRange())
  const data = new Uint8Array(width * height * 4)
  for (let y = 0; y < height; y++) {
    data.set(padded.subarray(y * bytesPerRow, y * bytesPerRow + width * 4), y * width * 4)
  }
  buffer.unmap()
  buffer.destroy()
  texture.destroy()
  const at = (x: number, y: number): Pixel => {
    const [red, green, blue] = data.subarray((y * width + x) * 4)
    return [red as number, green as number, blue as number]
  }
  return { width, height, data, at }
}
