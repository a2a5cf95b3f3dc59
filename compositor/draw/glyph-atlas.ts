import { columnsOf } from './columns.ts'
import type { GlyphBitmap, GlyphRasterizer } from './glyph-rasterizer.ts'
import type { InkTone } from './rgba.ts'
import { ShelfPacker, type Shelved } from './shelf-packer.ts'

/** Where the pixels of an atlas are kept. */
export interface AtlasStore {
  /** Sees to it that there are so many pages; what is on the first ones stays. */
  reserve(pages: number): void
  /** Writes a character, and nothing on all of the margin around it. */
  write(place: Shelved, bitmap: GlyphBitmap): void
}

/** A character on a page of the atlas. */
export interface AtlasGlyph extends Shelved {
  width: number
  height: number
  /** As of GlyphBitmap. */
  left: number
  top: number
  coloured: boolean
  /** How much larger than it was rasterised it is to be drawn. */
  scale: number
}

export interface AtlasOptions {
  rasterizer: GlyphRasterizer
  store: AtlasStore
  /** Side of a page in pixels, and the most pages. */
  side: number
  pages: number
}

/** Sizes up to here are rasterised as they are, to a third of a pixel; beyond it in steps, and scaled. */
const EXACT_TO = 32
const EXACT_STEPS = 3
const STEP = 1.25
const LARGEST = 128
/** Free pixels around each: a sampler between two pixels must not see a neighbour. */
export const ATLAS_MARGIN = 1

/**
 * Characters as pixels on the pages of one texture. Full, it is cleared as a whole: whoever has kept places of it
 * compares `version`, each for itself; nothing is told once and then forgotten.
 */
export class GlyphAtlas {
  readonly #options: AtlasOptions
  readonly #packer: ShelfPacker
  readonly #glyphs = new Map<string, AtlasGlyph>()
  #version = 1

  constructor(options: AtlasOptions) {
    this.#options = options
    this.#packer = new ShelfPacker(options.side, options.pages)
    options.store.reserve(1)
  }

  /** Grows whenever places given before are no longer theirs. */
  get version(): number {
    return this.#version
  }

  /** Characters that are on it. */
  get size(): number {
    return this.#glyphs.size
  }

  /**
   * The place of a character in this size, for ink of this tone; null if it is full, in which case the caller draws what it has the
   * places of, clears it, and asks again.
   */
  find(cluster: string, size: number, tone: InkTone): AtlasGlyph | null {
    const bucket = sizeBucket(size)
    const key = `${tone} ${bucket} ${cluster}`
    const known = this.#glyphs.get(key)
    if (known !== undefined) return known
    const columns = Math.max(1, columnsOf(cluster))
    const bitmap = this.#options.rasterizer.rasterize(cluster, bucket, columns, tone)
    const both = 2 * ATLAS_MARGIN
    const room = this.#packer.place(bitmap.width + both, bitmap.height + both)
    if (room === null) return null
    const place = { page: room.page, x: room.x + ATLAS_MARGIN, y: room.y + ATLAS_MARGIN }
    const { store } = this.#options
    store.reserve(this.#packer.pages)
    store.write(place, bitmap)
    const { width, height, left, top, coloured } = bitmap
    const glyph = { ...place, width, height, left, top, coloured, scale: size / bucket }
    this.#glyphs.set(key, glyph)
    return glyph
  }

  /** Forgets all characters. */
  clear(): void {
    this.#glyphs.clear()
    this.#packer.clear()
    this.#version++
  }
}

/** The size in which type of this size is rasterised. */
export function sizeBucket(size: number): number {
  if (size <= EXACT_TO) return Math.max(1, Math.round(size * EXACT_STEPS)) / EXACT_STEPS
  const steps = Math.round(Math.log(size / EXACT_TO) / Math.log(STEP))
  return Math.min(LARGEST, Math.round(EXACT_TO * STEP ** steps))
}
