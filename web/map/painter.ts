import type { ViewToken } from '../../broadcast/protocol/view.ts'
import type { ScaleName } from '../../compositor/draw/colour-scale.ts'
import { paintTimeAxis } from '../../compositor/draw/time-axis.ts'
import { type Easel, easelOf, paintTokens, type ViewCamera } from '../../compositor/draw/view-scene.ts'
import { viewTheme } from '../../compositor/draw/view-theme.ts'
import type { Generation } from '../generation.ts'
import type { ScopeStore } from '../store.ts'
import { clockWords } from '../time/clock-words.ts'
import { LayoutChange } from '../view/layout-change.ts'
import type { LiveTokens } from '../view/live-tokens.ts'
import type { Placement } from '../view/picture-layer.ts'
import type { Look } from '../view/view-feed.ts'
import type { ShownView, Style, ViewStage } from '../view/view-stage.ts'
import { paintGlow } from './glow.ts'
import type { MapCamera } from './map-camera.ts'
import { paintOverlay } from './overlay.ts'
import type { MapPalette } from './palette.ts'
import { type Plot, plotOf } from './plot.ts'
import { paintGraticule } from './under-map.ts'

/** How long a picture of cells takes to give way to one of tokens, or of finer cells, in milliseconds. */
const FADE_MS = 140

/** What a frame shows. */
export interface MapFrame {
  look: Look
  camera: MapCamera
  ratio: number
  live: LiveTokens
  store: ScopeStore
  hover: ViewToken | null
  pinned: ViewToken | null
  traced: Generation | null
  now: number
}

/** Draws frames of the map: the pictures by the stage's layer, over them what is newer than they are, and marks. */
export class MapPainter {
  readonly #stage: ViewStage
  palette: MapPalette
  #change: LayoutChange | null = null
  #fadeSince: number | null = null
  /** Frames drawn so far. */
  frames = 0

  constructor(stage: ViewStage, palette: MapPalette) {
    this.#stage = stage
    this.palette = palette
  }

  /** How pictures are to be painted at this pixel ratio, with these colours, at this time. */
  styleOf(ratio: number, scale: ScaleName, now: number): Style {
    const { palette } = this
    return {
      theme: viewTheme(palette.dark ? 'dark' : 'light'),
      scale,
      now,
      paintUnder: easel => {
        if (easel.answer.layout === 'map') paintGraticule(easel, palette, ratio)
      },
    }
  }

  /** The change of layout that goes on; null: none does. */
  get changing(): LayoutChange | null {
    return this.#change
  }

  /** Another picture is shown from now on: it takes the place of the one before, by and by. */
  swapped(camera: MapCamera, ratio: number, now: number, still: boolean): void {
    const { shown, leaving } = this.#stage
    if (shown === null || leaving === null) return
    const interrupted = this.#change
    this.#change = null
    this.#fadeSince = null
    if (still) this.#stage.leave()
    else if (leaving.answer.layout !== shown.answer.layout) {
      const plot = (of: ShownView) => plotOf(camera.poseOf(of.answer.layout), camera.view, ratio)
      const { width, height } = shown.reply.look
      this.#change = new LayoutChange(
        { shown: leaving, plot: plot(leaving), interrupted },
        { shown, plot: plot(shown) },
        { width, height },
        now,
      )
    } else if (leaving.answer.z !== shown.answer.z) this.#fadeSince = now
    else this.#stage.leave()
  }

  /** Ends what goes on between two pictures, at once. */
  cutChange(): void {
    this.#change = null
    this.#fadeSince = null
    this.#stage.leave()
  }

  /** Draws a frame; true if another one is to follow, whatever else happens. */
  paint(frame: MapFrame): boolean {
    const { look, camera, ratio, now } = frame
    const { palette } = this
    const { shown, layer } = this.#stage
    const placements = this.#placements(camera, ratio, now)
    layer.show({ width: look.width, height: look.height, ground: palette.ground }, placements)
    const landings = frame.live.landings.at(now)
    const present = shown !== null && shown.answer.layout === look.layout ? shown : null
    if (present !== null) {
      const plot = plotOf(camera.pose, camera.view, ratio)
      if (this.#change !== null) this.#change.paint(layer.marks.ctx, plot)
      else this.#paintLive(frame, present, plot, landings)
    }
    layer.present()
    this.frames++
    return this.#change !== null || this.#fadeSince !== null || landings.length > 0
  }

  #placements(camera: MapCamera, ratio: number, now: number): Placement[] {
    const { shown, leaving } = this.#stage
    if (shown === null) return []
    const placed = (view: ShownView, alpha: number) =>
      placementOf(view, plotOf(camera.poseOf(view.answer.layout), camera.view, ratio), alpha)
    const crossing = this.#change?.at(now) ?? null
    if (crossing !== null && leaving !== null)
      return [placed(leaving, crossing.before), placed(shown, crossing.after)]
    const faded = this.#fadeSince === null ? 1 : (now - this.#fadeSince) / FADE_MS
    if (faded < 1 && leaving !== null) return [placed(leaving, 1), placed(shown, Math.max(0, faded))]
    if (this.#change !== null || this.#fadeSince !== null) this.cutChange()
    return [placed(shown, 1)]
  }

  #paintLive(
    frame: MapFrame,
    shown: ShownView,
    plot: Plot,
    landings: ReturnType<LiveTokens['landings']['at']>,
  ): void {
    const { look, live, store, now } = frame
    const { marks } = this.#stage.layer
    const { layout } = look
    const easel = this.#easel(shown, look, plot)
    if (shown.waiting.length > 0) paintTokens(easel, shown.waiting)
    if (layout === 'timeline') {
      const right = frame.camera.view.right * plot.ratio
      paintTimeAxis(easel, { clock: at => clockWords(at, store.now), right })
    }
    marks.layer(easel, easel.theme)
    if (look.t === null) paintGlow(marks, landings, plot, this.palette, now)
    const writing = look.t === null ? live.generations : []
    const ends = writing.map(generation => ({ generation, end: live.endOf(generation) }))
    const { hover, pinned, traced } = frame
    paintOverlay(
      marks.ctx,
      { layout, hover, pinned, traced, live: ends, blocks: store.blocks },
      plot,
      this.palette,
    )
  }

  /** For what is painted over the picture: as the picture, at where things are in this frame. */
  #easel(shown: ShownView, look: Look, plot: Plot): Easel {
    const camera: ViewCamera = {
      x: Math.floor(plot.left) / plot.zoom,
      y: Math.floor(plot.top) / plot.zoomY,
      zoom: plot.zoom,
      zoomY: plot.zoomY,
      width: look.width,
      height: look.height,
      ratio: plot.ratio,
    }
    const { theme, scale, now } = shown.style
    return easelOf(shown.answer, { camera, theme, scale, now })
  }
}

/** Where a picture lies, whatever it was made for. */
function placementOf({ reply, picture }: ShownView, plot: Plot, alpha: number): Placement {
  const { camera } = reply
  const scaleX = near(plot.zoom / camera.zoom)
  const scaleY = near(plot.zoomY / camera.zoomY)
  // In its own size it lies on whole pixels, and is copied as it is.
  const whole = scaleX === 1 && scaleY === 1
  const x = camera.x * plot.zoom
  const y = camera.y * plot.zoomY
  return {
    picture,
    x: whole ? Math.round(x) - Math.floor(plot.left) : x - plot.left,
    y: whole ? Math.round(y) - Math.floor(plot.top) : y - plot.top,
    scaleX,
    scaleY,
    alpha,
  }
}

function near(scale: number): number {
  return Math.abs(scale - 1) < 1e-9 ? 1 : scale
}
