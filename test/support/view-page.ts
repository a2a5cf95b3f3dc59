/** Runs in a page: draws a view in both ways, and gives the pixels. Bundled by view-pages.ts. */
import type { TileAnswer, ViewAnswer } from '../../broadcast/protocol/view.ts'
import type { ViewScene } from '../../compositor/draw/view-scene.ts'
import { type WordedOptions, wordedScene } from '../../compositor/draw/worded-scene.ts'
import { loadPageFont } from '../../web/draw/glyph-rasterizer.ts'
import { createViewPainter } from '../../web/draw/view-drawing.ts'
import { createViewRenderer } from '../../web/draw/view-shaders.ts'

/** An answer and how to draw it, without bytes. */
export interface PageDrawing {
  answer: Omit<ViewAnswer, 'tiles'> & { tiles: (Omit<TileAnswer, 'content'> & { content: number[] })[] }
  options: Omit<WordedOptions, 'contentOf'>
}

declare global {
  interface Window {
    /** Draws; four bytes a pixel, row by row, as base64. */
    __drawView(drawing: PageDrawing, way: 'webgpu' | 'canvas2d'): Promise<string>
  }
}

window.__drawView = async ({ answer, options }, way) => {
  await loadPageFont()
  const tiles = answer.tiles.map(tile => ({ ...tile, content: Uint8Array.from(tile.content) }))
  const scene = wordedScene({ ...answer, tiles }, options)
  return base64(way === 'webgpu' ? await render(scene) : paint(scene))
}

function paint(scene: ViewScene): Uint8Array {
  const canvas = new OffscreenCanvas(scene.width, scene.height)
  const ctx = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D
  createViewPainter().paint(ctx as never, scene)
  return new Uint8Array(ctx.getImageData(0, 0, scene.width, scene.height).data.buffer)
}

async function render(scene: ViewScene): Promise<Uint8Array> {
  const adapter = await navigator.gpu.requestAdapter()
  if (adapter === null) throw new Error('the browser has no GPU adapter')
  const device = await adapter.requestDevice()
  const { width, height } = scene
  const renderer = await createViewRenderer(device, 'rgba8unorm')
  const texture = device.createTexture({
    size: [width, height],
    format: 'rgba8unorm',
    usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC,
  })
  renderer.draw(texture.createView(), scene)
  const bytesPerRow = Math.ceil((width * 4) / 256) * 256
  const buffer = device.createBuffer({
    size: bytesPerRow * height,
    usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  })
  const encoder = device.createCommandEncoder()
  encoder.copyTextureToBuffer({ texture }, { buffer, bytesPerRow }, [width, height])
  device.queue.submit([encoder.finish()])
  await buffer.mapAsync(GPUMapMode.READ)
  const rows = new Uint8Array(buffer.getMappedRange())
  const pixels = new Uint8Array(width * height * 4)
  for (let y = 0; y < height; y++) {
    pixels.set(rows.subarray(y * bytesPerRow, y * bytesPerRow + width * 4), y * width * 4)
  }
  renderer.destroy()
  device.destroy()
  return pixels
}

function base64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  }
  return btoa(text)
}
