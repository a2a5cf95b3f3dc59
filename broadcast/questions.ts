import { reasonOf, TokenscopeError } from '../events/errors.ts'
import type { AnswerParts } from './answer-parts.ts'
import type { PickQuestion, ViewAnswer, ViewFilter, ViewQuestion } from './protocol/view.ts'
import type { ErrorMessage, PickMessage, ViewportMessage } from './protocol.ts'
import type { Views } from './views.ts'
import type { WireFrame } from './wire.ts'

/** Picks of one viewer that may wait, beside the one in work. */
const WAITING_PICKS = 8

/** An answer of which nothing could be sent for so many seconds is dropped: its bytes are not kept for ever. */
const PATIENCE_SECONDS = 10

/** An answer that is being sent. */
interface Reply {
  readonly id: number
  readonly parts: AnswerParts
  /** Which part is next. */
  part: number
  /** Seconds since a part was sent. */
  seconds: number
}

export interface QuestionsOptions {
  views: Views
  partsOf(answer: ViewAnswer): AnswerParts
  /** Whether the viewer can be sent a part of an answer now. */
  hasRoom(): boolean
  tell(message: ErrorMessage): void
  /** There is something to send. */
  ready(): void
}

/**
 * What one viewer asks about layouts, and its answers on their way.
 *
 * One viewport at a time is worked on; while it is, only the newest question waits. An answer takes the place of the
 * one that is still being sent, which ends where it is. Picks are answered each, in their order, and before the rest
 * of a viewport. Who takes nothing is not worked for: a question waits until there is room to answer it, and an
 * answer that cannot be sent is dropped.
 */
export class Questions {
  readonly #options: QuestionsOptions
  #waiting: ViewportMessage | null = null
  #working = false
  #view: Reply | null = null
  readonly #waitingPicks: PickMessage[] = []
  #picking = false
  #pick: Reply | null = null
  /** The part that is to be sent next, once it was made. */
  #next: { reply: Reply; frame: WireFrame; last: boolean } | null = null
  #ended = false

  constructor(options: QuestionsOptions) {
    this.#options = options
  }

  /** Asks, or lets a question wait; picks beyond eight that wait are refused with RATE_LIMITED. */
  ask(message: ViewportMessage | PickMessage): void {
    if (message.type === 'viewport') this.#waiting = message
    else if (this.#waitingPicks.length < WAITING_PICKS) this.#waitingPicks.push(message)
    else {
      const sentence = `Pick ${message.id} is not answered: ${WAITING_PICKS} others wait already.`
      this.#refuse(message.id, new TokenscopeError('RATE_LIMITED', sentence))
    }
    this.#work()
  }

  /** The next part to send; null: there is none now. The same one until it was `sent`. */
  next(): WireFrame | null {
    this.#work()
    if (this.#next !== null) return this.#next.frame
    const reply = this.#pick ?? this.#view
    if (reply === null) return null
    try {
      this.#next = { reply, ...reply.parts.frame(reply.part, reply.id) }
    } catch (error) {
      this.#drop(reply)
      this.#refuse(reply.id, error)
      return null
    }
    return this.#next.frame
  }

  /** The part that `next` gave was sent; says whether there is more to send. */
  sent(): boolean {
    if (this.#next === null) return false
    const { reply, last } = this.#next
    this.#next = null
    if (last) this.#drop(reply)
    else {
      reply.part++
      reply.seconds = 0
    }
    this.#work()
    return this.#pick !== null || this.#view !== null
  }

  /** Once a second: drops an answer that has not moved for ten. */
  tick(): void {
    for (const reply of [this.#pick, this.#view]) {
      if (reply === null || ++reply.seconds <= PATIENCE_SECONDS) continue
      if (this.#next?.reply === reply) this.#next = null
      this.#drop(reply)
      const sentence = `Nothing of answer ${reply.id} could be sent for ${PATIENCE_SECONDS} s; the rest is dropped. Ask again once you read.`
      this.#refuse(reply.id, new TokenscopeError('RATE_LIMITED', sentence))
    }
  }

  /** Whether room for an answer would be of use. */
  get pending(): boolean {
    return (
      this.#pick !== null || this.#view !== null || this.#waiting !== null || this.#waitingPicks.length > 0
    )
  }

  /** The viewer has gone: nothing is worked on for it any more. */
  end(): void {
    this.#ended = true
    this.#waiting = null
    this.#waitingPicks.length = 0
    this.#view = null
    this.#pick = null
    this.#next = null
  }

  #work(): void {
    if (this.#ended || !this.#options.hasRoom()) return
    if (this.#waiting !== null && !this.#working) void this.#workOnView(this.#waiting)
    const pick = this.#picking || this.#pick !== null ? undefined : this.#waitingPicks.shift()
    if (pick !== undefined) void this.#workOnPick(pick)
  }

  async #workOnView(message: ViewportMessage): Promise<void> {
    this.#waiting = null
    this.#working = true
    const reply = await this.#answer(message.id, views => views.view(questionOf(message)))
    this.#working = false
    if (this.#ended) return
    if (reply !== null) {
      if (this.#next?.reply === this.#view) this.#next = null
      this.#view = reply
    }
    this.#options.ready()
  }

  async #workOnPick(message: PickMessage): Promise<void> {
    this.#picking = true
    this.#pick = await this.#answer(message.id, views => views.pick(pickOf(message)))
    this.#picking = false
    if (this.#ended) this.#pick = null
    else this.#options.ready()
  }

  /** The answer, on its way; null if there is none, which is told. */
  async #answer(id: number, ask: (views: Views) => Promise<ViewAnswer>): Promise<Reply | null> {
    const { views, partsOf } = this.#options
    try {
      return { id, parts: partsOf(await ask(views)), part: 0, seconds: 0 }
    } catch (error) {
      if (!this.#ended) this.#refuse(id, error)
      return null
    }
  }

  #refuse(id: number, error: unknown): void {
    const code = error instanceof TokenscopeError ? error.code : 'INTERNAL'
    this.#options.tell({ type: 'error', code, message: reasonOf(error), id })
  }

  #drop(reply: Reply): void {
    if (this.#view === reply) this.#view = null
    if (this.#pick === reply) this.#pick = null
  }
}

/** What is asked, without what the message has besides it. */
function questionOf({ x, y, w, h, zoom, zoom_y, color, have, ...rest }: ViewportMessage): ViewQuestion {
  return {
    layout: rest.layout,
    x,
    y,
    w,
    h,
    zoom,
    ...(zoom_y === undefined ? {} : { zoom_y }),
    ...(color === undefined ? {} : { color }),
    ...narrowing(rest),
    ...(have === undefined ? {} : { have }),
  }
}

function pickOf({ layout, x, y, ...rest }: PickMessage): PickQuestion {
  return { layout, x, y, ...narrowing(rest) }
}

function narrowing({ t, filter }: Pick<PickQuestion, 't' | 'filter'>): Pick<PickQuestion, 't' | 'filter'> {
  return { ...(t == null ? {} : { t }), ...(filter == null ? {} : { filter: filterOf(filter) }) }
}

function filterOf(filter: ViewFilter): ViewFilter {
  const { generations, models, kinds, since, until } = filter
  return {
    ...(generations === undefined ? {} : { generations }),
    ...(models === undefined ? {} : { models }),
    ...(kinds === undefined ? {} : { kinds }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  }
}
