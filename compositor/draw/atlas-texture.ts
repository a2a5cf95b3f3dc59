import { ATLAS_MARGIN, type AtlasStore } from './glyph-atlas.ts'
import type { GlyphBitmap } from './glyph-rasterizer.ts'
import { TextureUsage } from './gpu-usage.ts'
import type { Shelved } from './shelf-packer.ts'

/** The pages of an atlas as one array texture; it is made anew, with what was on it, when it grows. */
export class AtlasTexture implements AtlasStore {
  readonly #device: GPUDevice
  readonly #side: number
  #texture: GPUTexture
  #pages = 1

  constructor(device: GPUDevice, side: number) {
    this.#device = device
    this.#side = side
    this.#texture = this.#create(1)
  }

  /** Another one after the atlas grew. */
  get texture(): GPUTexture {
    return this.#texture
  }

  reserve(pages: number): void {
    if (pages <= this.#pages) return
    const larger = this.#create(pages)
    const encoder = this.#device.createCommandEncoder()
    const size = [this.#side, this.#side, this.#pages]
    encoder.copyTextureToTexture({ texture: this.#texture }, { texture: larger }, size)
    this.#device.queue.submit([encoder.finish()])
    this.#texture.destroy()
    this.#texture = larger
    this.#pages = pages
  }

  write({ page, x, y }: Shelved, { pixels, width, height }: GlyphBitmap): void {
    // With its margin, where an earlier one may have left something.
    const [wide, high] = [width + 2 * ATLAS_MARGIN, height + 2 * ATLAS_MARGIN]
    const padded = new Uint8Array(wide * high * 4)
    for (let row = 0; row < height; row++) {
      const source = pixels.subarray(row * width * 4, (row + 1) * width * 4)
      padded.set(source, ((row + ATLAS_MARGIN) * wide + ATLAS_MARGIN) * 4)
    }
    premultiply(padded)
    const origin = [x - ATLAS_MARGIN, y - ATLAS_MARGIN, page]
    this.#device.queue.writeTexture({ texture: this.#texture, origin }, padded, { bytesPerRow: wide * 4 }, [
      wide,
      high,
    ])
  }

  destroy(): void {
    this.#texture.destroy()
  }

  #create(pages: number): GPUTexture {
    return this.#device.createTexture({
      size: [this.#side, this.#side, pages],
      format: 'rgba8unorm',
      usage: TextureUsage.copyDst | TextureUsage.copySrc | TextureUsage.binding,
    })
  }
}

/** Colours times what they cover: else a sampler would mix what is seen with the black of what is not. */
function premultiply(pixels: Uint8Array): void {
  for (let at = 0; at < pixels.length; at += 4) {
    const alpha = (pixels[at + 3] as number) / 255
    for (let channel = at; channel < at + 3; channel++)
      pixels[channel] = Math.round((pixels[channel] as number) * alpha)
  }
}
