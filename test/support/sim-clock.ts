import { setImmediate } from 'node:timers/promises'
import type { ReplayClock } from '../../store/replay/replay-clock.ts'
import type { Replays } from '../../store/replay/replays.ts'

/** A clock that stands still until it is told to go on. */
export class SimClock implements ReplayClock {
  /** Resolves waits late by so much. */
  lateMs = 0
  #now = 1000
  #waiting: { at: number; over: () => void }[] = []

  now(): number {
    return this.#now
  }

  until(at: number, signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const wait = { at, over: resolve }
      if (at <= this.#now || signal.aborted) {
        resolve()
        return
      }
      this.#waiting.push(wait)
      signal.addEventListener('abort', () => {
        this.#waiting = this.#waiting.filter(other => other !== wait)
        resolve()
      })
    })
  }

  /** Waits that are not over. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Lets time pass. */
  pass(ms: number): void {
    this.#now += ms
    const over = this.#waiting.filter(({ at }) => at <= this.#now)
    this.#waiting = this.#waiting.filter(({ at }) => at > this.#now)
    for (const wait of over.sort((a, b) => a.at - b.at)) wait.over()
  }

  /** Lets time pass from one wait to the next while anything plays, until the condition holds. */
  async run(replays: Replays, until: () => boolean = () => false): Promise<void> {
    while (replays.running > 0 && !until()) {
      if (this.#waiting.length === replays.running) {
        this.pass(Math.min(...this.#waiting.map(({ at }) => at)) + this.lateMs - this.#now)
      }
      await setImmediate()
    }
  }
}
