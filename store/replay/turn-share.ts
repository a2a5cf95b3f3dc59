/** What replays together may take of a turn of the event loop, ms: live tokens have the same one. */
const SHARE_MS = 2

/** Divides what replays may take of a turn among those that have something to tell at once. */
export class TurnShare {
  readonly #waiting: (() => void)[] = []
  /** When the first of this turn began; null before it. */
  #begunAt: number | null = null

  /** Whether nothing is left of this turn: who has more to do asks for the `next`. To be asked while at work. */
  get isSpent(): boolean {
    if (this.#begunAt === null) {
      this.#begin()
      return false
    }
    return performance.now() - this.#begunAt >= SHARE_MS
  }

  /** Resolves in a later turn, in the order in which it was asked for, with all of that turn's share. */
  next(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    if (this.#begunAt === null) this.#begin()
    return promise
  }

  #begin(): void {
    this.#begunAt = performance.now()
    setImmediate(() => {
      this.#begunAt = null
      const first = this.#waiting.shift()
      if (first === undefined) return
      this.#begin()
      first()
    })
  }
}
