import { createCanvas, ImageData } from '@napi-rs/canvas'
import type { ViewAnswer, ViewQuestion } from '../../broadcast/protocol/view.ts'
import { TokenscopeError } from '../../events/errors.ts'
import { CanvasRasterizer } from '../draw/glyph-rasterizer.ts'
import { GpuUsage, MapMode, TextureUsage } from '../draw/gpu-usage.ts'
import { ViewPainter } from '../draw/view-painter.ts'
import { ViewRenderer } from '../draw/view-renderer.ts'
import type { ViewCamera, ViewScene } from '../draw/view-scene.ts'
import { viewTheme } from '../draw/view-theme.ts'
import { wordedScene } from '../draw/worded-scene.ts'
import { readShader } from '../shader-files.ts'
import { fontOf, registerFonts } from './fonts.ts'
import { frameCamera } from './frame-camera.ts'
import type { FrameQuestion } from './frame-question.ts'

const FORMAT = 'rgba8unorm'

/** Draws views as pictures: on a device, or by the processor. What it needs again and again it makes once. */
export class FrameArtist {
  readonly #device: GPUDevice | null
  readonly #painter = new ViewPainter((width, height) => createCanvas(width, height) as never, fontOf)
  #renderer: Promise<ViewRenderer> | null = null
  #destroyed = false

  /** @param device its owner's, which may outlive the artist; null: the processor draws */
  constructor(device: GPUDevice | null) {
    this.#device = device
  }

  /**
   * Draws a view as a picture. The processor does where there is no device, or too small a one for this picture.
   *
   * @param view answers questions about views
   * @returns the bytes of a PNG file
   * @throws TokenscopeError INTERNAL where no letters can be drawn; whatever `view` throws
   */
  async draw(question: FrameQuestion, view: (q: ViewQuestion) => Promise<ViewAnswer>): Promise<Uint8Array> {
    registerFonts()
    const scene = await sceneOf(question, view)
    const device = this.#device
    const side = Math.max(question.w, question.h)
    if (device === null || side > device.limits.maxTextureDimension2D) return this.#paint(scene)
    return encode(scene, await this.#render(device, scene))
  }

  /** Gives back what it took on the device. */
  async destroy(): Promise<void> {
    this.#destroyed = true
    const renderer = await this.#renderer?.catch(() => null)
    renderer?.destroy()
    this.#renderer = null
  }

  #paint(scene: ViewScene): Promise<Uint8Array> {
    const canvas = createCanvas(scene.width, scene.height)
    this.#painter.paint(canvas.getContext('2d') as never, scene)
    return canvas.encode('png')
  }

  /** Four bytes a pixel, row by row. What is of this picture alone is given back at once. */
  async #render(device: GPUDevice, scene: ViewScene): Promise<Uint8ClampedArray<ArrayBuffer>> {
    const { width, height } = scene
    const renderer = await this.#rendererOn(device)
    const usage = TextureUsage.attachment | TextureUsage.copySrc
    const texture = device.createTexture({ size: [width, height], format: FORMAT, usage })
    // Rows of a copy begin at multiples of 256 bytes.
    const bytesPerRow = Math.ceil((width * 4) / 256) * 256
    const buffer = device.createBuffer({
      size: bytesPerRow * height,
      usage: GpuUsage.copyDst | GpuUsage.mapRead,
    })
    try {
      renderer.draw(texture.createView(), scene)
      const encoder = device.createCommandEncoder()
      encoder.copyTextureToBuffer({ texture }, { buffer, bytesPerRow }, [width, height])
      device.queue.submit([encoder.finish()])
      await buffer.mapAsync(MapMode.read)
      const rows = new Uint8Array(buffer.getMappedRange())
      const pixels = new Uint8ClampedArray(width * height * 4)
      for (let y = 0; y < height; y++) {
        pixels.set(rows.subarray(y * bytesPerRow, y * bytesPerRow + width * 4), y * width * 4)
      }
      buffer.unmap()
      return pixels
    } finally {
      buffer.destroy()
      texture.destroy()
    }
  }

  async #rendererOn(device: GPUDevice): Promise<ViewRenderer> {
    if (this.#destroyed) throw new TokenscopeError('INTERNAL', 'no more pictures are drawn')
    const rasterizer = new CanvasRasterizer((w, h) => createCanvas(w, h) as never, fontOf)
    this.#renderer ??= ViewRenderer.create({ device, format: FORMAT, read: readShader, rasterizer })
    const made = this.#renderer
    try {
      return await made
    } catch (error) {
      // The next picture tries again.
      if (this.#renderer === made) this.#renderer = null
      throw error
    }
  }
}

/** What there is to be painted for a question. */
async function sceneOf(
  question: FrameQuestion,
  view: (q: ViewQuestion) => Promise<ViewAnswer>,
): Promise<ViewScene> {
  const asked = {
    layout: question.layout,
    color: question.color,
    t: question.t,
    filter: question.filter,
  }
  const { x, y, zoom, zoom_y: zoomY } = question
  const open = x === null || y === null || zoom === null || (question.layout === 'timeline' && zoomY === null)
  // What there is must be known before it can be fitted into the picture.
  const bounds = open ? (await view({ ...asked, x: 0, y: 0, w: 1, h: 1, zoom: 1 })).bounds : null
  const camera = frameCamera(question, bounds)
  const answer = await view({ ...asked, ...viewportOf(camera) })
  return wordedScene(answer, {
    camera,
    theme: viewTheme(question.theme),
    scale: question.scale,
    now: question.t ?? Date.now() / 1000,
    legend: true,
    narrowed: question.filter !== null ? 'filter' : question.t !== null ? 'time' : null,
  })
}

function encode({ width, height }: ViewScene, pixels: Uint8ClampedArray<ArrayBuffer>): Promise<Uint8Array> {
  const canvas = createCanvas(width, height)
  canvas.getContext('2d').putImageData(new ImageData(pixels, width, height), 0, 0)
  return canvas.encode('png')
}

/** The part of a layout that a camera sees; a size in whole pixels. */
function viewportOf({ x, y, zoom, zoomY, width, height }: ViewCamera) {
  return { x, y, w: width, h: height, zoom, zoom_y: zoomY }
}
