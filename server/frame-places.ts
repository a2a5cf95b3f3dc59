import { TokenscopeError } from '../events/errors.ts'

/** Pictures that are drawn at a time: each takes a processor for seconds, and what is asked by viewers with it. */
const AT_WORK = 2
/** Those that wait beside them. */
const WAITING = 18

/** Places for those who have pictures drawn: two at a time, the others wait in their order. */
export class FramePlaces {
  #atWork = 0
  readonly #waiting: (() => void)[] = []

  /**
   * Does `work` as soon as there is a place.
   *
   * @param signal aborted when nobody waits for it any more: what has not begun then is not done
   * @throws TokenscopeError POOL_FULL if too many wait; whatever `work` or the signal's reason throws
   */
  async with<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted()
    if (this.#atWork >= AT_WORK) await this.#wait(signal)
    else this.#atWork++
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      // The place goes on to the next one.
      if (next === undefined) this.#atWork--
      else next()
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= WAITING) {
      const message = `${AT_WORK + WAITING} pictures are drawn or wait already. Try again in a few seconds.`
      throw new TokenscopeError('POOL_FULL', message, { retryAfterSeconds: 2 })
    }
    return new Promise((resolve, reject) => {
      const go = () => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1)
        reject(signal.reason)
      }
      this.#waiting.push(go)
      signal.addEventListener('abort', leave, { once: true })
    })
  }
}
