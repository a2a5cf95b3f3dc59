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

const COPY_SRC = 0x1
const MAP_READ = 0x1
const COPY_DST = 0x8
const RENDER_ATTACHMENT = 0x10

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
