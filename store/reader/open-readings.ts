/** What is read in pieces, each under a number that it is asked for by. */
export class OpenReadings<T> {
  readonly #open = new Map<number, T>()
  readonly #close: (reading: T) => void
  #numbers = 0

  constructor(close: (reading: T) => void = () => {}) {
    this.#close = close
  }

  /** Keeps it; gives its number. */
  add(reading: T): number {
    const id = ++this.#numbers
    this.#open.set(id, reading)
    return id
  }

  get(id: number): T {
    const reading = this.#open.get(id)
    if (reading === undefined) throw new Error(`reading ${id} is closed`)
    return reading
  }

  /** Lets go of it; nothing if it is closed. */
  close(id: number): void {
    const reading = this.#open.get(id)
    if (reading === undefined) return
    this.#open.delete(id)
    this.#close(reading)
  }

  closeAll(): void {
    for (const id of [...this.#open.keys()]) this.close(id)
  }
}
