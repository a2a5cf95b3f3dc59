import { TextureUsage } from '../../compositor/draw/gpu-usage.ts'
import { PictureBlitter } from '../../compositor/draw/picture-blitter.ts'
import { whole } from '../../compositor/draw/steps.ts'
import type { ViewRenderer } from '../../compositor/draw/view-renderer.ts'
import type { SceneLayer, ViewScene } from '../../compositor/draw/view-scene.ts'
import type { ViewTheme } from '../../compositor/draw/view-theme.ts'
import { loadPageFont } from '../draw/glyph-rasterizer.ts'
import { createViewRenderer, readShader } from '../draw/view-shaders.ts'
import { rgbOf } from '../map/colour.ts'
import { CanvasMarks } from './canvas-marks.ts'
import type { Backdrop, Picture, PictureLayer, Placement } from './picture-layer.ts'

/** A picture on the GPU. */
interface TexturePicture extends Picture {
  readonly texture: GPUTexture
}

/** Pictures by WebGPU, shown on a canvas of their own below the one of marks. */
export class WebgpuPictures implements PictureLayer {
  readonly by = 'webgpu'
  readonly marks: CanvasMarks
  readonly ready = true
  readonly idle = true
  readonly #device: GPUDevice
  readonly #format: GPUTextureFormat
  readonly #canvas: HTMLCanvasElement
  readonly #context: GPUCanvasContext
  readonly #above: CanvasRenderingContext2D
  readonly #renderer: ViewRenderer
  readonly #blitter: PictureBlitter
  /** Pictures that are held, so that none outlives the layer. */
  readonly #textures = new Set<GPUTexture>()

  /**
   * Puts its canvas into `host` once everything is compiled: until then nothing is to be seen of it.
   *
   * @param above what lies above it, for marks
   * @throws Error where the device does not take the shaders, or the browser gives no canvas for it
   */
  static async create(
    device: GPUDevice,
    gpu: GPU,
    host: HTMLElement,
    above: CanvasRenderingContext2D,
  ): Promise<WebgpuPictures> {
    const canvas = document.createElement('canvas')
    canvas.className = 'map-cells'
    const context = canvas.getContext('webgpu') as GPUCanvasContext | null
    if (context === null) throw new Error('the browser gives no canvas for WebGPU')
    const format = gpu.getPreferredCanvasFormat()
    context.configure({ device, format, alphaMode: 'opaque' })
    // Letters that were turned into pixels before the face was there would stay as they are.
    const [renderer, blitter] = await Promise.all([
      createViewRenderer(device, format),
      PictureBlitter.create(device, format, readShader),
      loadPageFont(),
    ])
    host.append(canvas)
    return new WebgpuPictures(device, format, canvas, context, above, renderer, blitter)
  }

  private constructor(
    device: GPUDevice,
    format: GPUTextureFormat,
    canvas: HTMLCanvasElement,
    context: GPUCanvasContext,
    above: CanvasRenderingContext2D,
    renderer: ViewRenderer,
    blitter: PictureBlitter,
  ) {
    this.#device = device
    this.#format = format
    this.#canvas = canvas
    this.#context = context
    this.#above = above
    this.marks = new CanvasMarks(above)
    this.#renderer = renderer
    this.#blitter = blitter
  }

  *paint(scene: ViewScene): Generator<void, Picture> {
    const { width, height } = scene
    const texture = this.#device.createTexture({
      size: [width, height],
      format: this.#format,
      usage: TextureUsage.attachment | TextureUsage.binding,
    })
    this.#textures.add(texture)
    let finished = false
    try {
      yield* this.#renderer.steps(texture.createView(), scene)
      finished = true
    } finally {
      if (!finished) this.#destroy(texture)
    }
    const picture: TexturePicture = { width, height, texture }
    return picture
  }

  paintNow(scene: ViewScene): Picture {
    return whole(this.paint(scene))
  }

  add(picture: Picture, layer: SceneLayer, theme: ViewTheme): void {
    const { width, height, texture } = picture as TexturePicture
    this.#renderer.add({ view: texture.createView(), width, height, theme }, layer)
  }

  free(picture: Picture): void {
    this.#destroy((picture as TexturePicture).texture)
  }

  show({ width, height, ground }: Backdrop, placements: readonly Placement[]): void {
    const canvas = this.#canvas
    if (canvas.width !== width) canvas.width = width
    if (canvas.height !== height) canvas.height = height
    this.#above.globalCompositeOperation = 'source-over'
    this.#above.globalAlpha = 1
    this.#above.clearRect(0, 0, width, height)
    const blits = placements.map(({ picture, x, y, scaleX, scaleY, alpha }) => ({
      texture: (picture as TexturePicture).texture,
      x,
      y,
      width: picture.width * scaleX,
      height: picture.height * scaleY,
      alpha,
    }))
    const target = this.#context.getCurrentTexture().createView()
    this.#blitter.draw(target, { width, height, ground: rgbOf(ground) }, blits)
  }

  present(): void {}

  stop(): void {
    const { width, height } = this.#above.canvas
    this.#above.clearRect(0, 0, width, height)
    this.#canvas.remove()
    this.#context.unconfigure()
    this.#renderer.destroy()
    this.#blitter.destroy()
    for (const texture of this.#textures) texture.destroy()
    this.#textures.clear()
  }

  #destroy(texture: GPUTexture): void {
    texture.destroy()
    this.#textures.delete(texture)
  }
}
