/** Between two acknowledgements. */
const EACH_MS = 250

/**
 * Tells the server what was applied: at once where nothing was told lately, else after a quarter of a second,
 * so that the last one is always told and never more than four a second.
 */
export class Acknowledgement {
  readonly #tell: (seq: number) => void
  #applied: number | null = null
  #told: number | null = null
  #pause: ReturnType<typeof setTimeout> | undefined

  /** @param tell sends an acknowledgement */
  constructor(tell: (seq: number) => void) {
    this.#tell = tell
  }

  /** Everything up to `seq` was applied. */
  applied(seq: number): void {
    this.#applied = seq
    if (this.#pause === undefined) this.flush()
  }

  /** Tells the last one now, unless it was told. */
  flush(): void {
    if (this.#applied === null || this.#applied === this.#told) return
    this.#told = this.#applied
    this.#tell(this.#applied)
    clearTimeout(this.#pause)
    this.#pause = setTimeout(() => {
      this.#pause = undefined
      this.flush()
    }, EACH_MS)
  }

  /** The connection is gone: the next one knows of nothing. */
  reset(): void {
    clearTimeout(this.#pause)
    this.#pause = undefined
    this.#applied = null
    this.#told = null
  }
}
