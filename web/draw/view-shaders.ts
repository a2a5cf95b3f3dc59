import { ViewRenderer } from '../../compositor/draw/view-renderer.ts'
import glyphs from '../../shaders/glyphs.wgsl?raw'
import quads from '../../shaders/quads.wgsl?raw'
import viewBlit from '../../shaders/view-blit.wgsl?raw'
import viewFrame from '../../shaders/view-frame.wgsl?raw'
import { pageRasterizer } from './glyph-rasterizer.ts'

/** The shaders that the page draws with: the files of the server, in the built page without their comments. */
const TEXTS: Readonly<Record<string, string>> = {
  'glyphs.wgsl': glyphs,
  'quads.wgsl': quads,
  'view-blit.wgsl': viewBlit,
  'view-frame.wgsl': viewFrame,
}

/** Makes what draws views with a device of the page. */
export function createViewRenderer(device: GPUDevice, format: GPUTextureFormat): Promise<ViewRenderer> {
  return ViewRenderer.create({ device, format, read: readShader, rasterizer: pageRasterizer() })
}

/** The text of a shader. */
export function readShader(name: string): string {
  const text = TEXTS[name]
  if (text === undefined) throw new Error(`the page has no shader ${name}`)
  return text
}
