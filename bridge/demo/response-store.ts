/** Answers that a client may come back to by id, the newest so many; what is older is forgotten. */

/** An answer that was asked to be kept. */
export interface StoredResponse {
  /** What the model was asked last. */
  readonly prompt: string
  /** The text that it answered. */
  readonly text: string
  /** The answer as its surface gave it. */
  readonly body: unknown
}

export class ResponseStore {
  readonly #limit: number
  readonly #responses = new Map<string, StoredResponse>()

  /** Keeps at most `limit` responses. */
  constructor(limit = 256) {
    this.#limit = limit
  }

  /** Keeps a response under its id. */
  put(id: string, response: StoredResponse): void {
    this.#responses.set(id, response)
    const oldest = this.#responses.keys().next()
    if (this.#responses.size > this.#limit && !oldest.done) this.#responses.delete(oldest.value)
  }

  /** The response with this id; undefined if there is none, or no longer. */
  get(id: string): StoredResponse | undefined {
    return this.#responses.get(id)
  }

  /** Forgets a response; false if there was none. */
  delete(id: string): boolean {
    return this.#responses.delete(id)
  }
}
