import type { BlockIndex } from '../block-index.ts'
import type { Generation } from '../generation.ts'
import type { CameraPose, Viewport } from './camera.ts'
import type { Landing } from './landings.ts'

/** What is marked on the map. */
export interface Marks {
  hover: { generation: Generation; index: number } | null
  pinned: { generation: Generation; index: number | null } | null
}

/** What one frame shows. */
export interface Scene {
  pose: CameraPose
  view: Viewport
  /** Size of the picture in device pixels, and how many of them a CSS pixel is. */
  width: number
  height: number
  ratio: number
  blocks: BlockIndex
  live: readonly Generation[]
  landings: readonly Landing[]
  marks: Marks
  now: number
  /** The camera is on its way: speed before sharpness. */
  moving: boolean
  glow: boolean
}
