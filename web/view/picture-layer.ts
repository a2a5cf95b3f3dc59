import type { SceneLayer, ViewScene } from '../../compositor/draw/view-scene.ts'
import type { ViewTheme } from '../../compositor/draw/view-theme.ts'

/** What can draw the map. */
export type DrawnBy = 'webgpu' | 'canvas2d'

/** A view as pixels, kept where its layer draws from. */
export interface Picture {
  readonly width: number
  readonly height: number
}

/** Where a picture is shown, in device pixels of the canvas. */
export interface Placement {
  picture: Picture
  x: number
  y: number
  scaleX: number
  scaleY: number
  /** 0 … 1. */
  alpha: number
}

/** What lies below the pictures, and how large the canvas is, in device pixels. */
export interface Backdrop {
  width: number
  height: number
  /** A colour, `#rrggbb`. */
  ground: string
}

/** What marks are painted with: so much of a 2D context. What is set for a frame is not there in the next one. */
export interface MarksContext
  extends Pick<
    CanvasRenderingContext2D,
    | 'globalAlpha'
    | 'globalCompositeOperation'
    | 'lineWidth'
    | 'lineJoin'
    | 'lineCap'
    | 'fillRect'
    | 'strokeRect'
    | 'beginPath'
    | 'moveTo'
    | 'lineTo'
    | 'stroke'
  > {
  fillStyle: string
  strokeStyle: string
}

/** What is painted above the pictures of a frame, in the order in which it is told. */
export interface Marks {
  readonly ctx: MarksContext
  /** Paints rectangles and text as in a picture. */
  layer(layer: SceneLayer, theme: ViewTheme): void
  /** Paints a halo of this colour and about this radius around a point, in device pixels. */
  halo(colour: string, radius: number, x: number, y: number): void
}

/** Of a step: there is nothing to do until another thread has done its part. */
export const WAITING = 'waiting'

/**
 * Makes pictures of views and shows them moved and stretched, below marks. Whoever does it, what is seen is the
 * same.
 */
export interface PictureLayer {
  readonly by: DrawnBy
  /** For what is painted over the pictures between `show` and `present`. */
  readonly marks: Marks
  /** Whether it takes a frame now: one that is behind catches up first. */
  readonly ready: boolean
  /** Whether all that it was told is to be seen. */
  readonly idle: boolean
  /** Paints a view, a few milliseconds' worth less at each step; a step may be `WAITING`. */
  paint(scene: ViewScene): Generator<unknown, Picture>
  /** The same without steps: in the next frame it can be shown. */
  paintNow(scene: ViewScene): Picture
  /** Paints more over a picture; also between the steps of another one. */
  add(picture: Picture, layer: SceneLayer, theme: ViewTheme): void
  /** Gives back the memory of a picture. */
  free(picture: Picture): void
  /** Begins a frame: these pictures, each over the one before, and nothing else. */
  show(backdrop: Backdrop, placements: readonly Placement[]): void
  /** Ends the frame: it is to be seen, with the marks. */
  present(): void
  /** Ends it and frees what it holds. */
  stop(): void
}
