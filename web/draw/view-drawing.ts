import { ViewPainter } from '../../compositor/draw/view-painter.ts'
import { pageFont } from './glyph-rasterizer.ts'

/** Makes what paints views on a canvas of the page. */
export function createViewPainter(): ViewPainter {
  return new ViewPainter((width, height) => new OffscreenCanvas(width, height) as never, pageFont)
}
