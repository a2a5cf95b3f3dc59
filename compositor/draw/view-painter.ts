import { COLUMN_EM, type GlyphRun, visitGlyphs } from './glyph-run.ts'
import { LOOK_HATCH } from './quad-list.ts'
import { fillQuads, HATCH_PERIOD } from './quad-pixels.ts'
import { cssOfRgba, type InkTone, type Rgba, toneOf } from './rgba.ts'
import { whole } from './steps.ts'
import type { SceneLayer, ViewScene } from './view-scene.ts'
import type { ViewTheme } from './view-theme.ts'

/** A face that is not the mono one may have wider characters: they are narrowed to what is theirs. */
const SPILL = 1.15
/** Lines of text, and pixels of the ground, that are painted in one step; to put pixels on a canvas takes longest. */
const RUNS_A_STEP = 40
const PIXELS_A_STEP = 400_000
const PIXELS_PUT = 100_000
/** Each strip looks at all rectangles. */
const MIN_ROWS = 64

/** What painting needs of a 2D context, a page's or another's. */
export type PaintContext = Pick<
  CanvasRenderingContext2D,
  | 'createImageData'
  | 'createPattern'
  | 'fillRect'
  | 'fillStyle'
  | 'fillText'
  | 'font'
  | 'globalAlpha'
  | 'putImageData'
  | 'textAlign'
  | 'textBaseline'
>

/** The `font` of a 2D context for type of this many pixels, in ink of this tone. */
export type FontOf = (size: number, tone: InkTone) => string

/** A canvas to paint a hatch's tile on. */
export interface TileCanvas {
  getContext(kind: '2d'): Pick<CanvasRenderingContext2D, 'fillRect' | 'fillStyle'> | null
}

/** Paints scenes with Canvas 2D, in the page and in Node. Twin: ViewRenderer. */
export class ViewPainter {
  readonly #createTile: (width: number, height: number) => TileCanvas
  readonly #fontOf: FontOf
  readonly #hatches = new Map<ViewTheme, CanvasPattern | null>()

  /**
   * @param createTile makes a small canvas of the kind that will be painted on
   */
  constructor(createTile: (width: number, height: number) => TileCanvas, fontOf: FontOf) {
    this.#createTile = createTile
    this.#fontOf = fontOf
  }

  /** Paints all of a scene over what was there. */
  paint(ctx: PaintContext, scene: ViewScene): void {
    whole(this.steps(ctx, scene))
  }

  /** The same in steps of a millisecond or so. */
  *steps(ctx: PaintContext, scene: ViewScene): Generator<void, void> {
    ctx.globalAlpha = 1
    for (const [depth, layer] of scene.layers.entries()) {
      if (depth === 0) yield* groundSteps(ctx, scene, layer)
      else this.#paintQuads(ctx, layer, scene.theme)
      for (let from = 0; from < layer.runs.length; from += RUNS_A_STEP) {
        yield
        this.#paintRuns(ctx, layer.runs.slice(from, from + RUNS_A_STEP))
      }
    }
  }

  /** Paints a layer over what is there. */
  paintLayer(ctx: PaintContext, layer: SceneLayer, theme: ViewTheme): void {
    this.#paintQuads(ctx, layer, theme)
    this.#paintRuns(ctx, layer.runs)
  }

  #paintQuads(ctx: PaintContext, { quads }: SceneLayer, theme: ViewTheme): void {
    let filled: Rgba | null = null
    quads.visit((x, y, width, height, colour, look) => {
      if (look === LOOK_HATCH) {
        ctx.globalAlpha = (colour >>> 24) / 255
        ctx.fillStyle = this.#hatch(ctx, theme) ?? cssOfRgba(theme.hatchGround)
        ctx.fillRect(x, y, width, height)
        ctx.globalAlpha = 1
        filled = null
        return
      }
      // Reading a colour from text takes longer than painting with it.
      if (filled !== colour) ctx.fillStyle = cssOfRgba(colour)
      filled = colour
      ctx.fillRect(x, y, width, height)
    })
  }

  #paintRuns(ctx: PaintContext, runs: readonly GlyphRun[]): void {
    ctx.textAlign = 'left'
    ctx.textBaseline = 'alphabetic'
    let [size, ink] = [0, -1]
    for (const run of runs) {
      // The font goes with the ink, too.
      if (run.size !== size || run.ink !== ink) ctx.font = this.#fontOf(run.size, toneOf(run.ink))
      if (run.ink !== ink) ctx.fillStyle = cssOfRgba(run.ink)
      size = run.size
      ink = run.ink
      visitGlyphs(run, (cluster, left, columns) =>
        paintGlyph(ctx, cluster, left, run.baseline, size, columns),
      )
    }
  }

  #hatch(ctx: PaintContext, theme: ViewTheme): CanvasPattern | null {
    const known = this.#hatches.get(theme)
    if (known !== undefined) return known
    const tile = this.#createTile(HATCH_PERIOD, HATCH_PERIOD)
    const tileContext = tile.getContext('2d')
    if (tileContext !== null) {
      tileContext.fillStyle = cssOfRgba(theme.hatchGround)
      tileContext.fillRect(0, 0, HATCH_PERIOD, HATCH_PERIOD)
      tileContext.fillStyle = cssOfRgba(theme.hatchLine)
      for (let i = 0; i < HATCH_PERIOD; i++) tileContext.fillRect(i, HATCH_PERIOD - 1 - i, 1, 1)
    }
    const pattern = ctx.createPattern(tile as unknown as CanvasImageSource, 'repeat')
    this.#hatches.set(theme, pattern)
    return pattern
  }
}

/** The ground and the lowest layer's rectangles, which may be very many: a strip of the picture a step. */
function* groundSteps(
  ctx: PaintContext,
  { width, height, theme }: ViewScene,
  { quads }: SceneLayer,
): Generator<void, void> {
  const rows = Math.min(height, Math.max(MIN_ROWS, Math.floor(PIXELS_A_STEP / width)))
  const image = ctx.createImageData(width, rows)
  const pixels = new Uint32Array(image.data.buffer, image.data.byteOffset, width * rows)
  for (let top = 0; top < height; top += rows) {
    pixels.fill(theme.ground)
    fillQuads(quads, theme, pixels, width, rows, top)
    yield
    const band = Math.max(1, Math.floor(PIXELS_PUT / width))
    for (let from = 0; from < rows; from += band) {
      ctx.putImageData(image, 0, top, 0, from, width, Math.min(band, rows - from))
      yield
    }
  }
}

/** Paints one character, no wider than its columns; the context has font and colour. */
export function paintGlyph(
  ctx: Pick<CanvasRenderingContext2D, 'fillText'>,
  cluster: string,
  left: number,
  baseline: number,
  size: number,
  columns: number,
): void {
  // Of the mono face's own characters this is known, and takes no measuring.
  if (cluster >= '!' && cluster <= '~' && cluster.length === 1) ctx.fillText(cluster, left, baseline)
  else ctx.fillText(cluster, left, baseline, columns * COLUMN_EM * size * SPILL)
}
