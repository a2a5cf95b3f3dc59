import type { Rgba } from './rgba.ts'

/** Words of a quad: left, top, width, height as floats, its colour, its look. */
export const QUAD_WORDS = 6
/** Looks: a colour that covers all, or the hatch of what is not known; its colour only says how much it covers. */
export const LOOK_FILL = 0
export const LOOK_HATCH = 1

/** Rectangles in pixels of the target, in the order in which they are painted, as the GPU reads them. */
export class QuadList {
  #floats = new Float32Array(256 * QUAD_WORDS)
  #words = new Uint32Array(this.#floats.buffer)
  #count = 0

  /** A list of what another one's `words` were, which it keeps. */
  static of(words: Uint32Array<ArrayBuffer>): QuadList {
    const list = new QuadList()
    list.#words = words
    list.#floats = new Float32Array(words.buffer, words.byteOffset, words.length)
    list.#count = words.length / QUAD_WORDS
    return list
  }

  get count(): number {
    return this.#count
  }

  /** All that there are; valid until the next one is added. */
  get words(): Uint32Array<ArrayBuffer> {
    return this.#words.subarray(0, this.#count * QUAD_WORDS)
  }

  /** Adds a rectangle from whole pixel to whole pixel; one without an inside is left out. */
  add(left: number, top: number, right: number, bottom: number, colour: Rgba, look = LOOK_FILL): void {
    if (!(right > left && bottom > top)) return
    if ((this.#count + 1) * QUAD_WORDS > this.#words.length) this.#grow()
    const at = this.#count++ * QUAD_WORDS
    this.#floats[at] = left
    this.#floats[at + 1] = top
    this.#floats[at + 2] = right - left
    this.#floats[at + 3] = bottom - top
    this.#words[at + 4] = colour
    this.#words[at + 5] = look
  }

  /** Visits them in order. */
  visit(visitor: (x: number, y: number, width: number, height: number, colour: Rgba, look: number) => void) {
    const [f, w] = [this.#floats, this.#words]
    for (let at = 0; at < this.#count * QUAD_WORDS; at += QUAD_WORDS) {
      visitor(
        f[at] as number,
        f[at + 1] as number,
        f[at + 2] as number,
        f[at + 3] as number,
        w[at + 4] as number,
        w[at + 5] as number,
      )
    }
  }

  #grow(): void {
    const floats = new Float32Array(this.#floats.length * 2)
    const words = new Uint32Array(floats.buffer)
    words.set(this.#words)
    this.#floats = floats
    this.#words = words
  }
}
