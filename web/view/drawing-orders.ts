import type { GlyphRun } from '../../compositor/draw/glyph-run.ts'
import type { SentLayer, SentMarks } from './mark-list.ts'
import type { Backdrop, Placement } from './picture-layer.ts'

/** A placement by the number of its picture. */
export interface SentPlacement extends Omit<Placement, 'picture'> {
  picture: number
}

/** What the page tells the thread that draws. Pictures have numbers, which the page gives. */
export type DrawingOrder =
  /** The canvas to draw on, and where the face of letters is. */
  | { order: 'begin'; canvas: OffscreenCanvas; face: string }
  /** A view comes, its text in parts. */
  | { order: 'scene'; picture: number; width: number; height: number; dark: boolean; layers: SentLayer[] }
  | { order: 'runs'; picture: number; layer: number; runs: GlyphRun[] }
  /** It is there, and is to be painted: `now`, or while nothing else is to be done. */
  | { order: 'paint'; picture: number; now: boolean }
  | { order: 'add'; picture: number; layer: SentLayer; dark: boolean }
  | { order: 'free'; picture: number }
  | { order: 'frame'; backdrop: Backdrop; placements: SentPlacement[]; marks: SentMarks }

/** What the thread that draws tells the page. */
export type DrawingNews =
  /** The face of letters is there, or cannot be had. */
  | { news: 'face'; loaded: boolean }
  | { news: 'painted'; picture: number }
  /** A frame is on its way to the screen. */
  | { news: 'shown' }
