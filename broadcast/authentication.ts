import type { IncomingMessage } from 'node:http'
import type { CloseName } from '../events/close-codes.ts'
import type { ClientMessage, ServerMessage } from './protocol.ts'

/** That somebody may watch. */
export interface Admission {
  /** When that ends, in Unix ms; null: never. */
  readonly until: number | null
}

/**
 * Says who may watch.
 *
 * Guarantees: an answer of null means that this caller is nobody who may watch, and is final for what was asked; what
 * could not be found out is thrown, and admits nobody. The same request or token may be asked about any
 * number of times, and asking changes nothing. `atUpgrade` answers at once, from what the request carries (a
 * cookie, a header), and reads none of its body. `byToken` may take its time and resolves or rejects in
 * the end; calls do not wait for each other, and one viewer has at most one going. An `Admission` does not change after
 * it was given: one whose `until` has passed admits nobody.
 */
export interface Authenticator {
  /** By the request that asked for the upgrade; null: by nothing in it, so a token has to come. */
  atUpgrade(request: IncomingMessage): Admission | null
  /** By the token of an `auth` message; null: the token is not one of ours, or not valid any more. */
  byToken(token: string): Promise<Admission | null>
}

export interface AuthenticationOptions {
  /** Without one everybody is admitted, for good. */
  authenticator: Authenticator | undefined
  /** Called once: from now on the viewer may be sent what is in the log. */
  onAdmitted(): void
  tell(message: ServerMessage): void
  /** The authenticator threw: not for the viewer to read. */
  fault(error: unknown): void
  close(code: CloseName): void
}

/** How long somebody may stay without a token, ms. */
const PATIENCE_MS = 10_000
/** The clock of the wall is looked at this often at least, ms: timers stand still while a machine sleeps. */
const LOOK_MS = 60_000

/**
 * Whether one viewer may watch, from its upgrade to its close.
 *
 * Who is not admitted by the upgrade has 10 s for an `auth` message, then it is closed with UNAUTHORIZED; by a wrong
 * token at once.
 * An admission that ends closes with TOKEN_EXPIRED, unless another token renewed it in time. A token that does not
 * renew is told, and the admission that holds goes on. One token is looked at at a time, and of those that come
 * meanwhile only the last.
 */
export class Authentication {
  readonly #options: AuthenticationOptions
  #admission: Admission | null = null
  #greeted = false
  /** Closed by us, or the socket is gone: nothing is changed any more. */
  #over = false
  #looking = false
  /** The token to be looked at next. */
  #next: string | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(options: AuthenticationOptions) {
    this.#options = options
  }

  /** Whether the viewer may be sent what is in the log now. */
  get admitted(): boolean {
    return !this.#over && this.#admission !== null && holds(this.#admission)
  }

  /** Begins: admits by what the upgrade carries, or waits for a token. */
  begin(request: IncomingMessage): void {
    const { authenticator } = this.#options
    if (authenticator === undefined) {
      this.#admit({ until: null })
      return
    }
    try {
      const admission = authenticator.atUpgrade(request)
      if (admission !== null && holds(admission)) {
        this.#admit(admission)
        return
      }
    } catch (error) {
      this.#options.fault(error)
      this.#say('INTERNAL', 'It could not be found out who you are. Send a token by an auth message.')
    }
    this.#timer = setTimeout(() => {
      // A token that came in time is not wrong because looking at it takes long; but nothing is waited for for ever.
      if (this.#looking) this.#timer = setTimeout(() => this.#close('UNAUTHORIZED'), PATIENCE_MS)
      else this.#close('UNAUTHORIZED')
    }, PATIENCE_MS)
  }

  /**
   * Takes what the viewer sent if it is not for others to hear: an `auth`, or anything before admission.
   *
   * @returns whether it was taken
   */
  take(message: ClientMessage): boolean {
    if (this.#over) return true
    if (message.type === 'auth') {
      if (this.#options.authenticator === undefined) return true
      this.#next = message.token
      if (!this.#looking) void this.#look(this.#options.authenticator)
      return true
    }
    if (this.admitted) return false
    if (this.#admission !== null) this.#close('TOKEN_EXPIRED')
    else
      this.#say(
        'UNAUTHORIZED',
        `${message.type} was not read. Send an auth message first, and wait for hello.`,
      )
    return true
  }

  /** The socket is gone; answers on their way do nothing any more. */
  end(): void {
    this.#over = true
    this.#next = null
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  async #look(authenticator: Authenticator): Promise<void> {
    this.#looking = true
    while (this.#next !== null) {
      const token = this.#next
      this.#next = null
      let admission: Admission | null
      try {
        admission = await authenticator.byToken(token)
      } catch (error) {
        this.#options.fault(error)
        if (!this.#over) this.#say('INTERNAL', 'The token could not be looked at. Send it again.')
        continue
      }
      if (this.#over) break
      if (admission !== null && holds(admission)) this.#admit(admission)
      else if (this.admitted)
        this.#say('UNAUTHORIZED', 'This token does not renew the admission, which holds until it ends.')
      // Who corrected itself meanwhile is judged by that.
      else if (this.#next === null) this.#close(this.#admission === null ? 'UNAUTHORIZED' : 'TOKEN_EXPIRED')
    }
    this.#looking = false
  }

  #admit(admission: Admission): void {
    this.#admission = admission
    this.#watchEnd(admission)
    if (this.#greeted) return
    this.#greeted = true
    this.#options.onAdmitted()
  }

  #watchEnd({ until }: Admission): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (until === null) return
    const left = until - Date.now()
    if (left <= 0) this.#close('TOKEN_EXPIRED')
    else this.#timer = setTimeout(() => this.#watchEnd({ until }), Math.min(left, LOOK_MS))
  }

  #say(code: 'INTERNAL' | 'UNAUTHORIZED', message: string): void {
    this.#options.tell({ type: 'error', code, message })
  }

  #close(code: CloseName): void {
    if (this.#over) return
    this.end()
    this.#options.close(code)
  }
}

function holds({ until }: Admission): boolean {
  return until === null || until > Date.now()
}
