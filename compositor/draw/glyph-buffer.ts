import type { AtlasGlyph, GlyphAtlas } from './glyph-atlas.ts'
import { type GlyphRun, visitGlyphs } from './glyph-run.ts'
import { toneOf } from './rgba.ts'

/** Words of a character as the GPU reads it. */
const GLYPH_WORDS = 10

/** Characters with their places on the atlas and on the target, as shaders/glyphs.wgsl reads them. */
export class GlyphBuffer {
  #floats = new Float32Array(1024 * GLYPH_WORDS)
  #words = new Uint32Array(this.#floats.buffer)
  #count = 0

  get count(): number {
    return this.#count
  }

  /** All that there are; valid until the next one is added. */
  get words(): Uint32Array<ArrayBuffer> {
    return this.#words.subarray(0, this.#count * GLYPH_WORDS)
  }

  /**
   * Adds the characters of a run.
   *
   * @param flush draws what there is and clears the buffer; afterwards the atlas is cleared, it was full
   */
  addRun(run: GlyphRun, atlas: GlyphAtlas, flush: () => void): void {
    const tone = toneOf(run.ink)
    visitGlyphs(run, (cluster, left) => {
      let glyph = atlas.find(cluster, run.size, tone)
      if (glyph === null) {
        flush()
        atlas.clear()
        // An atlas in which not even one has room is too small for this size: it is left out.
        glyph = atlas.find(cluster, run.size, tone)
      }
      if (glyph !== null) this.#add(glyph, left, run.baseline, run.ink)
    })
  }

  clear(): void {
    this.#count = 0
  }

  #add(glyph: AtlasGlyph, left: number, baseline: number, ink: number): void {
    if ((this.#count + 1) * GLYPH_WORDS > this.#words.length) this.#grow()
    const at = this.#count++ * GLYPH_WORDS
    // A third of a pixel of size is not worth blurred letters: near 1 it is drawn as it is.
    const scale = Math.abs(glyph.scale - 1) < 0.05 ? 1 : glyph.scale
    this.#floats[at] = left + glyph.left * scale
    this.#floats[at + 1] = baseline + glyph.top * scale
    this.#floats[at + 2] = glyph.width * scale
    this.#floats[at + 3] = glyph.height * scale
    this.#floats[at + 4] = glyph.x
    this.#floats[at + 5] = glyph.y
    this.#floats[at + 6] = glyph.width
    this.#floats[at + 7] = glyph.height
    this.#words[at + 8] = ink
    this.#words[at + 9] = glyph.page * 2 + (glyph.coloured ? 1 : 0)
  }

  #grow(): void {
    const floats = new Float32Array(this.#floats.length * 2)
    const words = new Uint32Array(floats.buffer)
    words.set(this.#words)
    this.#floats = floats
    this.#words = words
  }
}
