import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const SANE = /^[\w.:-]{1,128}$/

/** The id under which a request is spoken of: the caller's `X-Correlation-ID` if it is sane, else a new one. */
export function correlationIdOf(request: IncomingMessage): string {
  const given = request.headers['x-correlation-id']
  return typeof given === 'string' && SANE.test(given) ? given : randomUUID()
}

/** What is done for a request: over once this is closed, as an answer is. */
interface Errand {
  id: string
  until: { readonly closed: boolean }
}

/** Which request it is that something is done for, wherever it is done. */
export class Correlation {
  readonly #storage = new AsyncLocalStorage<Errand>()

  /**
   * Its id; undefined outside of one, and for what was begun by one that is over: connections, processes and timers
   * outlive it.
   */
  get id(): string | undefined {
    const errand = this.#storage.getStore()
    return errand === undefined || errand.until.closed ? undefined : errand.id
  }

  /** Does something, and all that comes of it, for the request of that id, which is over once `until` is closed. */
  run<T>(id: string, until: Errand['until'], work: () => T): T {
    return this.#storage.run({ id, until }, work)
  }
}
