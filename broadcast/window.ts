/** A ping that has not been answered. */
interface Ping {
  readonly seq: number
  /** Bytes sent before it. */
  readonly sent: number
  readonly at: number
  next: Ping | null
}

/**
 * What is under way to one viewer: bytes and pings that it has not acknowledged. A ping carries the seq up to which
 * the viewer was served, and its pong acknowledges all that was sent before it.
 */
export class Window {
  #sent = 0
  #acked = 0
  /** Bytes sent before the last ping. */
  #pinged = 0
  /** Pings not answered yet, in a list: mostly there is none, or one. */
  #oldest: Ping | null = null
  #newest: Ping | null = null
  #unanswered = 0
  /** When the last pong came, or something became outstanding after nothing was. */
  #heardAt = 0
  #acknowledged: number | null = null
  #rttMs: number | null = null

  /** Bytes that were sent and not acknowledged. */
  get unacked(): number {
    return this.#sent - this.#acked
  }

  /** Bytes sent since the last ping. */
  get unpinged(): number {
    return this.#sent - this.#pinged
  }

  /** Pings that were sent and not answered. */
  get unanswered(): number {
    return this.#unanswered
  }

  /** The seq that the last pong carried. */
  get acknowledged(): number | null {
    return this.#acknowledged
  }

  /** From the ping to its pong, the last time. */
  get rttMs(): number | null {
    return this.#rttMs
  }

  /** For how long, in ms, nothing was heard though something was outstanding, be it a ping alone. */
  get silentMs(): number {
    return this.#outstanding ? performance.now() - this.#heardAt : 0
  }

  /** Does not count so many ms as silence. */
  excuse(ms: number): void {
    this.#heardAt += ms
  }

  /** Takes note that so many bytes are being sent. */
  send(bytes: number): void {
    if (!this.#outstanding) this.#heardAt = performance.now()
    this.#sent += bytes
  }

  /** Takes note that a ping with `seq` is being sent. */
  ping(seq: number): void {
    const at = performance.now()
    if (!this.#outstanding) this.#heardAt = at
    const ping = { seq, sent: this.#sent, at, next: null }
    if (this.#newest === null) this.#oldest = ping
    else this.#newest.next = ping
    this.#newest = ping
    this.#unanswered++
    this.#pinged = this.#sent
  }

  /**
   * Takes note of a pong with `seq`.
   *
   * @returns the seq of the ping that it answers; null if it answers none
   */
  pong(seq: number): number | null {
    // A pong may answer several pings at once (RFC 6455 §5.5.3: the most recent one). Of pings with the same
    // seq the first is taken as answered: bytes counted as arrived too late do less harm than too early.
    let answered: Ping | null = null
    let passed = 0
    let count = 0
    for (let ping = this.#oldest; ping !== null; ping = ping.next) {
      passed++
      if (ping.seq <= seq) {
        answered = ping
        count = passed
      }
      if (ping.seq === seq) break
    }
    if (answered === null) return null
    this.#unanswered -= count
    this.#oldest = answered.next
    if (answered.next === null) this.#newest = null
    this.#acked = answered.sent
    this.#heardAt = performance.now()
    this.#rttMs = this.#heardAt - answered.at
    this.#acknowledged = answered.seq
    return answered.seq
  }

  get #outstanding(): boolean {
    return this.#sent > this.#acked || this.#oldest !== null
  }
}
