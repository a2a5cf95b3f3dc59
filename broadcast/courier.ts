/** Work at a time, before everybody else has a turn: entries of the log go between. */
const SLICE_MS = 2

export interface CourierOptions<A> {
  /** Sends somebody the next part, if there is one and it can be taken now; says whether it did and there is more. */
  send(asker: A): boolean
  /** Called with one for whom `send` threw. */
  fault(asker: A, error: unknown): void
}

/**
 * Sends answers about layouts, a part to each in turn, a few milliseconds at a time. So neither one answer nor many
 * hold up the rounds in which viewers are served the log, and a viewer that takes nothing costs nobody.
 */
export class Courier<A> {
  readonly #options: CourierOptions<A>
  readonly #ready = new Set<A>()
  #turn: NodeJS.Immediate | null = null

  constructor(options: CourierOptions<A>) {
    this.#options = options
  }

  /** Somebody may have something to be sent. */
  add(asker: A): void {
    this.#ready.add(asker)
    this.#turn ??= setImmediate(() => this.#run())
  }

  /** Somebody has gone. */
  delete(asker: A): void {
    this.#ready.delete(asker)
  }

  #run(): void {
    const begun = performance.now()
    // Those with more to be sent come again at its end, which this reaches.
    for (const asker of this.#ready) {
      this.#ready.delete(asker)
      if (this.#send(asker)) this.#ready.add(asker)
      if (performance.now() - begun > SLICE_MS) break
    }
    this.#turn = this.#ready.size === 0 ? null : setImmediate(() => this.#run())
  }

  #send(asker: A): boolean {
    try {
      return this.#options.send(asker)
    } catch (error) {
      this.#options.fault(asker, error)
      return false
    }
  }
}
