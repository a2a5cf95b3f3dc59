import { CanvasRasterizer } from '../../compositor/draw/glyph-rasterizer.ts'

/** The face that comes with the page, as web/styles/theme.css calls it. */
export const PAGE_FACE = 'JetBrains Mono Variable'
const FACES = `'${PAGE_FACE}', 'DejaVu Sans Mono', ui-monospace, monospace`

/** The `font` of a 2D context for type of this many pixels. */
export function pageFont(size: number): string {
  return `500 ${size}px ${FACES}`
}

/**
 * Loads the face that text is drawn in: a canvas does not wait for it.
 * Where it cannot be had, text is drawn in another one.
 */
export async function loadPageFont(): Promise<void> {
  await document.fonts.load(pageFont(12)).catch(() => {})
}

/** Turns characters into pixels, in the page. */
export function pageRasterizer(): CanvasRasterizer {
  // Its type knows contexts of all kinds, and which one it gives by the words alone.
  return new CanvasRasterizer((width, height) => new OffscreenCanvas(width, height) as never, pageFont)
}
