/** Pictures of what changes all the time come at least this far apart, in milliseconds. */
const EACH_MS = 2000
/** And at most this share of the time goes into them: a slow server is asked less often. */
const SHARE = 0.2
/** What failed is tried again after this. */
const AGAIN_MS = 5000

export interface MinimapSupplyOptions<Question, Picture> {
  /** Makes a picture. */
  draw(question: Question): Promise<Picture>
  show(picture: Picture, question: Question): void
  /** Milliseconds of a clock that never jumps. */
  now(): number
  /** Calls back after so many milliseconds; returns what calls that off. */
  after(callback: () => void, ms: number): () => void
}

/**
 * Keeps a picture as new as it is worth: one is made at a time, another look at once, more of the same only every
 * so often. What fails leaves the picture that there is.
 */
export class MinimapSupply<Question, Picture> {
  readonly #options: MinimapSupplyOptions<Question, Picture>
  #wanted: { question: Question; look: string } | null = null
  #shownLook: string | null = null
  #drawing = false
  #notBefore = Number.NEGATIVE_INFINITY
  #callOff: (() => void) | null = null

  constructor(options: MinimapSupplyOptions<Question, Picture>) {
    this.#options = options
  }

  /** Asks for this picture. With the same `look` as the last one it may wait for its turn. */
  want(question: Question, look: string): void {
    this.#wanted = { question, look }
    this.#next()
  }

  /** Asks for nothing more. */
  rest(): void {
    this.#wanted = null
    this.#stopWaiting()
  }

  #next(): void {
    if (this.#drawing || this.#wanted === null) return
    this.#stopWaiting()
    const { now, after } = this.#options
    const early = this.#notBefore - now()
    if (early > 0 && this.#wanted.look === this.#shownLook) {
      this.#callOff = after(() => this.#next(), early)
      return
    }
    void this.#draw(this.#wanted.question, this.#wanted.look)
  }

  async #draw(question: Question, look: string): Promise<void> {
    const { draw, show, now } = this.#options
    this.#wanted = null
    this.#drawing = true
    this.#shownLook = look
    const begun = now()
    try {
      const picture = await draw(question)
      this.#notBefore = begun + Math.max(EACH_MS, (now() - begun) / SHARE)
      show(picture, question)
    } catch {
      this.#notBefore = now() + AGAIN_MS
      this.#wanted ??= { question, look }
    }
    this.#drawing = false
    this.#next()
  }

  #stopWaiting(): void {
    this.#callOff?.()
    this.#callOff = null
  }
}
