import { ViewPainter } from '../../compositor/draw/view-painter.ts'
import { ViewRenderer } from '../../compositor/draw/view-renderer.ts'
import glyphs from '../../shaders/glyphs.wgsl?raw'
import quads from '../../shaders/quads.wgsl?raw'
import viewFrame from '../../shaders/view-frame.wgsl?raw'
import { pageFont, pageRasterizer } from './glyph-rasterizer.ts'

/** The files of the server, word for word. */
const TEXTS: Readonly<Record<string, string>> = {
  'glyphs.wgsl': glyphs,
  'quads.wgsl': quads,
  'view-frame.wgsl': viewFrame,
}

/** Makes what draws views with a device of the page. */
export function createViewRenderer(device: GPUDevice, format: GPUTextureFormat): Promise<ViewRenderer> {
  return ViewRenderer.create({ device, format, read: readShader, rasterizer: pageRasterizer() })
}

/** Makes what paints views on a canvas of the page. */
export function createViewPainter(): ViewPainter {
  return new ViewPainter((width, height) => new OffscreenCanvas(width, height) as never, pageFont)
}

function readShader(name: string): string {
  const text = TEXTS[name]
  if (text === undefined) throw new Error(`the page has no shader ${name}`)
  return text
}
