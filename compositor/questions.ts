import type { ViewAnswer } from '../broadcast/protocol/view.ts'
import { TokenscopeError } from '../events/errors.ts'
import type { Question, Reply, Request } from './messages.ts'
import { unpackAnswer } from './packed-answer.ts'

/** How long a question waits for a process that can be asked. */
export const WAIT_MS = 10_000
/** How long an answer is waited for: a process that answers others but not this has lost it. */
const ANSWER_MS = 30_000
/** Processes that may end over a question before it is taken to be the reason. */
const MAX_ENDS = 3

/** A reply to a question. */
export type QuestionReply = Extract<Reply, { type: 'view' | 'frame' | 'refused' }>

/** What is asked. */
export interface Asking {
  /** Called whenever the question is sent. */
  ask(): Question
  /** Called once with the answer to the last of these; gives what everybody gets who asked. */
  complete?(answer: ViewAnswer): ViewAnswer
}

/** A question that is owed an answer. */
interface Asked {
  readonly id: number
  /** Equal for questions with the same answer. */
  readonly key: string
  readonly asking: Asking
  readonly answer: PromiseWithResolvers<ViewAnswer | Uint8Array>
  /** Processes that ended over it. */
  ends: number
  /** Whether it waits for a process; else it was sent. */
  waits: boolean
  /** Runs while it waits for a process, then for its answer. */
  patience: NodeJS.Timeout | null
}

/**
 * The questions to a process that may end at any time. Each is answered once: one that a process ended over is
 * asked again of the next, one that finds none for ten seconds is refused, and one that is not answered for thirty.
 * Equal ones that wait share an answer.
 */
export class Questions {
  readonly #waitMs: number
  readonly #answerMs: number
  readonly #send: (request: Request) => void
  readonly #asked = new Map<number, Asked>()
  readonly #byKey = new Map<string, Asked>()
  #ids = 0
  /** Whether there is a process that can be asked. */
  #open = false
  /** Why there is none, as half a sentence that follows "its process". */
  #why = 'has not begun'
  #stopped = false

  /** @param send asks the process */
  constructor(send: (request: Request) => void, waitMs = WAIT_MS, answerMs = ANSWER_MS) {
    this.#send = send
    this.#waitMs = waitMs
    this.#answerMs = answerMs
  }

  /** How many are owed an answer. */
  get size(): number {
    return this.#asked.size
  }

  /**
   * Asks.
   *
   * @param key equal for questions with the same answer
   * @returns rejects with COMPOSITOR_UNAVAILABLE if there is no process or no answer for too long, DRAINING after
   *   `stop`, INTERNAL if process after process ends over it, and with what the process refuses it with
   */
  ask(key: string, asking: Asking): Promise<ViewAnswer | Uint8Array> {
    if (this.#stopped) return Promise.reject(stopping())
    const equal = this.#byKey.get(key)
    if (equal !== undefined) return equal.answer.promise
    const asked: Asked = {
      id: ++this.#ids,
      key,
      asking,
      answer: Promise.withResolvers(),
      ends: 0,
      waits: true,
      patience: null,
    }
    this.#asked.set(asked.id, asked)
    this.#byKey.set(key, asked)
    if (this.#open) this.#put(asked)
    else this.#wait(asked)
    return asked.answer.promise
  }

  /** There is a process that can be asked now. */
  open(): void {
    if (this.#open) return
    this.#open = true
    for (const asked of this.#asked.values()) if (asked.waits) this.#put(asked)
  }

  /**
   * The process cannot be asked for now; what it was asked it answers.
   *
   * @param why as half a sentence that follows "its process"
   */
  pause(why = 'has not caught up'): void {
    this.#open = false
    this.#why = why
  }

  /**
   * The process has ended.
   *
   * @param why as half a sentence that follows "its process"
   */
  close(why: string): void {
    this.#open = false
    this.#why = why
    for (const asked of [...this.#asked.values()]) {
      if (asked.waits) continue
      if (++asked.ends < MAX_ENDS) this.#wait(asked)
      else this.#refuse(asked, new TokenscopeError('INTERNAL', `The compositor’s process ${why} over this.`))
    }
  }

  /** An answer has come; one to a question that nobody waits for any more is let go. */
  take(reply: QuestionReply): void {
    const asked = this.#asked.get(reply.id)
    if (asked === undefined) return
    this.#forget(asked)
    const { complete = answer => answer } = asked.asking
    if (reply.type === 'view') asked.answer.resolve(unpackAnswer(reply.answer).then(complete))
    else if (reply.type === 'frame') asked.answer.resolve(reply.png)
    else {
      const { code, message, param } = reply
      asked.answer.reject(new TokenscopeError(code, message, param === null ? {} : { param }))
    }
  }

  /** Refuses all, from now on. */
  stop(): void {
    this.#stopped = true
    for (const asked of [...this.#asked.values()]) this.#refuse(asked, stopping())
  }

  #put(asked: Asked): void {
    asked.waits = false
    this.#within(asked, this.#answerMs, `has not answered this for ${this.#answerMs / 1000} s`)
    this.#send({ id: asked.id, ...asked.asking.ask() })
  }

  #wait(asked: Asked): void {
    asked.waits = true
    this.#within(asked, this.#waitMs)
  }

  /** Refuses it after so long; `why` as half a sentence, the one that there is then if none is given. */
  #within(asked: Asked, ms: number, why?: string): void {
    if (asked.patience !== null) clearTimeout(asked.patience)
    asked.patience = setTimeout(() => {
      const message = `The compositor has nothing to show yet: its process ${why ?? this.#why}. Try again later.`
      this.#refuse(asked, new TokenscopeError('COMPOSITOR_UNAVAILABLE', message, { retryAfterSeconds: 1 }))
    }, ms)
  }

  #refuse(asked: Asked, error: TokenscopeError): void {
    this.#forget(asked)
    asked.answer.reject(error)
  }

  #forget(asked: Asked): void {
    if (asked.patience !== null) clearTimeout(asked.patience)
    this.#asked.delete(asked.id)
    this.#byKey.delete(asked.key)
  }
}

function stopping(): TokenscopeError {
  return new TokenscopeError('DRAINING', 'Tokenscope is stopping; come back later.')
}
