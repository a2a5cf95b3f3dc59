import type { LayoutName, PickQuestion, Placed, ViewAnswer, ViewQuestion } from './protocol/view.ts'

/**
 * Who answers viewers' questions about layouts.
 *
 * An answer and all that is in it does not change once it was given: it is sent over many turns, and the same one
 * may be given to all who ask the same. A tile's version is never given twice for different content, under the same
 * layout, colour, filter and time. A place in `models` stands for the same name in every answer, as long as the
 * versions of tiles hold. Who asks waits: a promise is settled in the end, whatever becomes of the process that works
 * on it.
 */
export interface Views {
  /**
   * What is in a viewport.
   *
   * @throws TokenscopeError COMPOSITOR_UNAVAILABLE where nobody can tell
   */
  view(question: ViewQuestion): Promise<ViewAnswer>
  /**
   * The token at a place: `tokens` holds it, or nothing; `tiles` is empty.
   *
   * @throws TokenscopeError COMPOSITOR_UNAVAILABLE where nobody can tell
   */
  pick(question: PickQuestion): Promise<ViewAnswer>
  /** Is told which layouts somebody watches, whenever that changes; nobody any before the first time. */
  watch(layouts: ReadonlySet<LayoutName>): void
  /** Calls `listener` with what was laid out, in the order of the log; of one layout each time. */
  onPlaced(listener: (placed: Placed) => void): void
}
