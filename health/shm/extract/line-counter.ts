/** Tells lines of a text for offsets that mostly ascend; what lies between two questions is read once. */
export class LineCounter {
  readonly #source: string
  #offset = 0
  #line = 1
  /** The first line feed from the offset on; -1: there is none. Kept, so that many questions about a long line read it once. */
  #feed: number

  constructor(source: string) {
    this.#source = source
    this.#feed = source.indexOf('\n')
  }

  /** The line of an offset, from 1; a line ends with a line feed. */
  lineAt(offset: number): number {
    if (offset < this.#offset) {
      this.#offset = 0
      this.#line = 1
      this.#feed = this.#source.indexOf('\n')
    }
    while (this.#feed !== -1 && this.#feed < offset) {
      this.#line += 1
      this.#offset = this.#feed + 1
      this.#feed = this.#source.indexOf('\n', this.#offset)
    }
    return this.#line
  }
}
