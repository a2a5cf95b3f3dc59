import { CAPITAL_EM, COLUMN_EM } from './glyph-run.ts'
import type { InkTone } from './rgba.ts'
import { type FontOf, paintGlyph } from './view-painter.ts'

/** A character as pixels. */
export interface GlyphBitmap {
  width: number
  height: number
  /** Where its left upper pixel lies: from the left edge of its column, and from the baseline (upwards is negative). */
  left: number
  top: number
  /** Four bytes a pixel, row by row: red, green, blue, and how much is covered. */
  pixels: Uint8ClampedArray
  /** Whether its colours are its own, as an emoji's; else it takes the ink's. */
  coloured: boolean
}

/** Turns characters into pixels. */
export interface GlyphRasterizer {
  /**
   * A character that has ink, in this size (pixels of the face) and this many columns.
   * Where no face has it, a box. Faces draw dark letters thinner than light ones, so that both look equal.
   */
  rasterize(cluster: string, size: number, columns: number, tone: InkTone): GlyphBitmap
}

/** What rasterising needs of a canvas, a page's or another's. */
export interface GlyphCanvas {
  getContext(kind: '2d', options?: { willReadFrequently: boolean }): GlyphContext | null
}
export type GlyphContext = Pick<
  CanvasRenderingContext2D,
  'clearRect' | 'fillStyle' | 'fillText' | 'font' | 'getImageData' | 'textAlign' | 'textBaseline'
>

/** A colour channel may differ by this much from the others in a grey. */
const GREY = 8

/** Rasterises with a 2D context. */
export class CanvasRasterizer implements GlyphRasterizer {
  readonly #create: (width: number, height: number) => GlyphCanvas
  readonly #fontOf: FontOf
  #context: GlyphContext | null = null
  #width = 0
  #height = 0

  /**
   * @param create makes the canvas that characters are painted on, one by one
   */
  constructor(create: (width: number, height: number) => GlyphCanvas, fontOf: FontOf) {
    this.#create = create
    this.#fontOf = fontOf
  }

  rasterize(cluster: string, size: number, columns: number, tone: InkTone): GlyphBitmap {
    // Room for what leans or towers over its columns.
    const pad = Math.ceil(size * 0.3) + 1
    const width = Math.ceil(size * COLUMN_EM * columns) + 2 * pad
    const above = Math.ceil(size * 1.1) + pad
    const height = above + Math.ceil(size * 0.4) + pad
    const ctx = this.#sized(width, height)
    ctx.clearRect(0, 0, width, height)
    ctx.font = this.#fontOf(size, tone)
    ctx.textAlign = 'left'
    ctx.textBaseline = 'alphabetic'
    ctx.fillStyle = tone === 'light' ? '#fff' : '#000'
    paintGlyph(ctx, cluster, pad, above, size, columns)
    const { data } = ctx.getImageData(0, 0, width, height)
    return cut(data, width, height, pad, above, tone) ?? box(size, columns)
  }

  #sized(width: number, height: number): GlyphContext {
    if (this.#context === null || width > this.#width || height > this.#height) {
      this.#width = Math.max(64, width, this.#width)
      this.#height = Math.max(64, height, this.#height)
      this.#context = this.#create(this.#width, this.#height).getContext('2d', { willReadFrequently: true })
    }
    if (this.#context === null) throw new Error('there is no 2D context to draw letters with')
    return this.#context
  }
}

/** The part that has ink; null if none has. */
function cut(
  data: Uint8ClampedArray,
  width: number,
  height: number,
  originX: number,
  originY: number,
  tone: InkTone,
): GlyphBitmap | null {
  let [left, top, right, bottom] = [width, height, 0, 0]
  let coloured = false
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 4
      if (data[at + 3] === 0) continue
      left = Math.min(left, x)
      right = Math.max(right, x + 1)
      top = Math.min(top, y)
      bottom = Math.max(bottom, y + 1)
      const [r, g, b] = [data[at] as number, data[at + 1] as number, data[at + 2] as number]
      // Thin edges lose so much to rounding that they seem to have a colour.
      if ((data[at + 3] as number) > 64)
        coloured ||= Math.max(r, g, b) - Math.min(r, g, b) > GREY || r > 128 !== (tone === 'light')
    }
  }
  if (right <= left) return null
  const pixels = new Uint8ClampedArray((right - left) * (bottom - top) * 4)
  for (let y = top; y < bottom; y++) {
    const row = data.subarray((y * width + left) * 4, (y * width + right) * 4)
    pixels.set(row, (y - top) * (right - left) * 4)
  }
  const size = { width: right - left, height: bottom - top }
  return { ...size, left: left - originX, top: top - originY, pixels, coloured }
}

/** The outline of a box: a character that cannot be drawn is seen all the same. */
function box(size: number, columns: number): GlyphBitmap {
  const width = Math.max(3, Math.round(size * (columns * COLUMN_EM - 0.1)))
  const height = Math.max(4, Math.round(size * CAPITAL_EM))
  const pixels = new Uint8ClampedArray(width * height * 4)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const edge = x === 0 || y === 0 || x === width - 1 || y === height - 1
      if (edge) pixels.fill(255, (y * width + x) * 4, (y * width + x) * 4 + 4)
    }
  }
  return { width, height, left: 1, top: -height, pixels, coloured: false }
}
