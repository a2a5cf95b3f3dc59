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

/**
 * Makes pictures of views and shows them moved and stretched, below marks. Whoever does it, what is seen is the
 * same.
 */
export interface PictureLayer {
  readonly by: DrawnBy
  /** Paints a view, a few milliseconds' worth less at each step. */
  paint(scene: ViewScene): Generator<void, Picture>
  /** Paints more over a picture; also between the steps of another one. */
  add(picture: Picture, layer: SceneLayer, theme: ViewTheme): void
  /** Gives back the memory of a picture. */
  free(picture: Picture): void
  /** Shows these pictures, each over the one before, and nothing else. What was painted above them is cleared. */
  show(backdrop: Backdrop, placements: readonly Placement[]): void
  /** Ends it and frees what it holds. */
  stop(): void
}
