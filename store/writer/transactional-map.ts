/** A map whose changes count once they are committed, and are as if they had never been after a rollback. */
export class TransactionalMap<K, V> {
  readonly #kept = new Map<K, V>()
  /** Undefined: deleted. */
  readonly #changes = new Map<K, V | undefined>()

  get(key: K): V | undefined {
    return this.#changes.has(key) ? this.#changes.get(key) : this.#kept.get(key)
  }

  set(key: K, value: V): void {
    this.#changes.set(key, value)
  }

  delete(key: K): void {
    this.#changes.set(key, undefined)
  }

  commit(): void {
    for (const [key, value] of this.#changes) {
      if (value === undefined) this.#kept.delete(key)
      else this.#kept.set(key, value)
    }
    this.#changes.clear()
  }

  rollback(): void {
    this.#changes.clear()
  }
}
