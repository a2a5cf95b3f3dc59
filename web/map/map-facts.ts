import { type Signal, signal } from '@preact/signals'
import { TOKEN_TILES } from '../../broadcast/protocol/view.ts'
import type { CellBounds } from '../../compositor/draw/cell.ts'
import type { ViewReply } from '../view/view-feed.ts'
import type { ShownView } from '../view/view-stage.ts'

/** How often `seen` is told while the camera moves, in milliseconds. */
const SEEN_EACH_MS = 100

/** What others are told of the map. */
export class MapFacts {
  /** What is seen, in units of the layout. */
  readonly seen: Signal<CellBounds> = signal({ left: 0, top: 0, right: 1, bottom: 1 })
  /** All that the layout has: left, top, right, bottom in its units; null while that is nothing, or not known. */
  readonly bounds: Signal<readonly [number, number, number, number] | null> = signal(null)
  /** Names of the models that tokens refer to. */
  readonly models: Signal<readonly string[]> = signal([])
  /** Whether cells of many tokens are shown, not tokens. */
  readonly far = signal(false)
  /** Whether the server has answered at all. */
  readonly answered = signal(false)
  /** Why the server does not answer; null while it does. */
  readonly refused: Signal<string | null> = signal(null)
  #lastSeen = Number.NEGATIVE_INFINITY

  /** The server has answered about the layout that is looked at. */
  reply({ view }: ViewReply): void {
    this.refused.value = null
    this.answered.value = true
    if (this.bounds.peek()?.join() !== view.bounds?.join()) this.bounds.value = view.bounds
    if (this.models.peek().join('\n') !== view.models.join('\n')) this.models.value = view.models
  }

  /** The server does not answer, for this reason. */
  refuse(reason: string): void {
    this.refused.value = reason
  }

  /** This is shown from now on. */
  shown({ answer }: ShownView): void {
    this.far.value = answer.z !== TOKEN_TILES
  }

  /**
   * This is seen.
   *
   * @returns in how many milliseconds it can be told, if it is not now; null: it was, or need not be
   */
  see(seen: CellBounds, now: number): number | null {
    const { left, top, right, bottom } = this.seen.peek()
    if (seen.left === left && seen.top === top && seen.right === right && seen.bottom === bottom) return null
    const early = SEEN_EACH_MS - (now - this.#lastSeen)
    if (early > 0) return early
    this.#lastSeen = now
    this.seen.value = seen
    return null
  }
}
