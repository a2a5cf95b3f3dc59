import { TokenscopeError } from '../events/errors.ts'
import { AnswerParts } from './answer-parts.ts'
import { Courier } from './courier.ts'
import type { Filter } from './payload.ts'
import { PlacedFrames } from './placed-frames.ts'
import { LAYOUTS, type LayoutName, type Placed, type ViewAnswer } from './protocol/view.ts'
import type { PickMessage, ServerMessage, Subprotocol, ViewportMessage } from './protocol.ts'
import { Questions } from './questions.ts'
import { inSlices } from './slices.ts'
import { TileTexts } from './tile-texts.ts'
import type { Views } from './views.ts'
import { WatchedLayouts } from './watched-layouts.ts'
import type { WireFrame } from './wire.ts'

/** What was laid out and waits to be told at most; more than that shows as a hole. */
const WAITING_PLACED = 64

const NOTHING_LAID_OUT = 'Nothing is laid out here but the map: this server runs without a compositor.'

/** Who asks about layouts, and is told. */
export interface Asker {
  readonly protocol: Subprotocol
  /** What it follows; null: everything. */
  readonly filter: Filter | null
  /** Whether there is room for a part of an answer now. */
  readonly hasRoom: boolean
  /** Sends something besides entries, if it can be taken now; says whether it did. */
  offer(frame: WireFrame): boolean
  tell(message: ServerMessage): void
}

/**
 * What viewers ask about layouts and are told of them: questions and their answers, the tokens that have just been
 * laid out, and which layouts are watched at all. All of it waits for the log's entries, and takes a few milliseconds
 * at a time.
 */
export class Layouts<A extends Asker> {
  readonly #views: Views | null
  readonly #fault: (asker: A, error: unknown) => void
  readonly #courier: Courier<A>
  readonly #watched: WatchedLayouts<A>
  readonly #texts = new TileTexts()
  /** Answers as they are sent, the same parts to all who get the same. */
  readonly #parts = new WeakMap<ViewAnswer, Map<Subprotocol, AnswerParts>>()
  /** Those who have asked something. */
  readonly #questions = new Map<A, Questions>()
  /** Entries after which nothing was laid out that concerns one who is told live. */
  readonly #quietSince = new Map<A, number>()
  /** Up to which entry each layout's tokens were told of. */
  readonly #toldTo = new Map<LayoutName, number>()
  readonly #placed: Placed[] = []
  #placing = false

  /**
   * @param views null: questions are refused, and there is the map alone
   * @param fault called with one that threw
   */
  constructor(views: Views | null, fault: (asker: A, error: unknown) => void) {
    this.#views = views
    this.#fault = fault
    this.#courier = new Courier({ send: asker => this.#answer(asker), fault })
    this.#watched = new WatchedLayouts(layouts => views?.watch(layouts))
    views?.onPlaced(placed => this.#onPlaced(placed))
  }

  /** Those that can be asked about. */
  get names(): LayoutName[] {
    return this.#views === null ? ['map'] : [...LAYOUTS]
  }

  /**
   * Tells somebody live of this layout from now on.
   *
   * @throws TokenscopeError COMPOSITOR_UNAVAILABLE if there is nothing to tell
   */
  follow(asker: A, layout: LayoutName): void {
    if (layout !== 'map' && this.#views === null) {
      throw new TokenscopeError('COMPOSITOR_UNAVAILABLE', NOTHING_LAID_OUT)
    }
    if (this.#watched.liveOf(asker) !== layout) this.#quietSince.delete(asker)
    this.#watched.follow(asker, layout)
  }

  /** Takes a question; it is answered by parts of a `view`, or by an `error` that names it. */
  ask(asker: A, message: ViewportMessage | PickMessage): void {
    const views = this.#views
    if (views === null) {
      asker.tell({ type: 'error', code: 'COMPOSITOR_UNAVAILABLE', message: NOTHING_LAID_OUT, id: message.id })
      return
    }
    this.#watched.ask(asker, message.layout)
    let questions = this.#questions.get(asker)
    if (questions === undefined) {
      questions = new Questions({
        views,
        partsOf: answer => this.#partsOf(answer, asker.protocol),
        hasRoom: () => asker.hasRoom,
        tell: error => asker.tell(error),
        ready: () => this.#courier.add(asker),
      })
      this.#questions.set(asker, questions)
    }
    questions.ask(message)
  }

  /** Somebody may have room again. */
  wake(asker: A): void {
    if (this.#questions.get(asker)?.pending) this.#courier.add(asker)
  }

  /** Once a second for each: what cannot be sent is not kept for ever. */
  tick(asker: A): void {
    this.#questions.get(asker)?.tick()
    this.wake(asker)
  }

  /** Somebody has gone. */
  leave(asker: A): void {
    this.#questions.get(asker)?.end()
    this.#questions.delete(asker)
    this.#quietSince.delete(asker)
    this.#courier.delete(asker)
    this.#watched.delete(asker)
  }

  #partsOf(answer: ViewAnswer, protocol: Subprotocol): AnswerParts {
    let byProtocol = this.#parts.get(answer)
    if (byProtocol === undefined) {
      byProtocol = new Map()
      this.#parts.set(answer, byProtocol)
    }
    let parts = byProtocol.get(protocol)
    if (parts === undefined) {
      parts = new AnswerParts(answer, protocol, this.#texts)
      byProtocol.set(protocol, parts)
    }
    return parts
  }

  /** Sends the next part, if there is one and it can be taken now; says whether it did and there is more. */
  #answer(asker: A): boolean {
    const questions = this.#questions.get(asker)
    if (questions === undefined || !asker.hasRoom) return false
    const frame = questions.next()
    return frame !== null && asker.offer(frame) && questions.sent()
  }

  #onPlaced(placed: Placed): void {
    if (this.#placed.length === WAITING_PLACED) {
      this.#placed.shift()
      this.#quietSince.clear()
    }
    this.#placed.push(placed)
    if (!this.#placing) void this.#place()
  }

  async #place(): Promise<void> {
    this.#placing = true
    for (let placed = this.#placed.shift(); placed !== undefined; placed = this.#placed.shift()) {
      const { layout, after, upto } = placed
      // What nobody was told of is not to be passed over as if nothing had been laid out.
      if (after > (this.#toldTo.get(layout) ?? 0)) this.#quietSince.clear()
      this.#toldTo.set(layout, upto)
      const frames = new PlacedFrames(placed)
      await inSlices(this.#watched.liveIn(layout), asker => {
        try {
          this.#tell(asker, frames)
        } catch (error) {
          this.#fault(asker, error)
        }
      })
    }
    this.#placing = false
  }

  /** Tells somebody, where that can be taken now. What was left out shows in `after` of the next message. */
  #tell(asker: A, frames: PlacedFrames): void {
    const { filter } = asker
    const { after } = frames.placed
    const since = this.#quietSince.get(asker) ?? after
    if (!frames.has(filter)) {
      this.#quietSince.set(asker, since)
      return
    }
    this.#quietSince.delete(asker)
    const frame = frames.frame(filter, since)
    if (frame !== null) asker.offer(frame)
  }
}
