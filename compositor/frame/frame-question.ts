import type { ColorName, LayoutName, ViewFilter } from '../../broadcast/protocol/view.ts'

/** Which picture of a layout is asked for. */
export interface FrameQuestion {
  layout: LayoutName
  color: ColorName
  /** The left upper corner, in units of the layout; null: what there is lies in the middle. */
  x: number | null
  y: number | null
  /** Pixels of a unit (`timeline`: along x); null: so that all there is can be seen. */
  zoom: number | null
  /** Pixels of a unit along y; null: as the layout has it. */
  zoom_y: number | null
  /** Size of the picture in pixels. */
  w: number
  h: number
  /** As it was at this time, Unix seconds; null: now. */
  t: number | null
  filter: ViewFilter | null
  theme: 'dark' | 'light'
  scale: 'cividis' | 'viridis'
}
