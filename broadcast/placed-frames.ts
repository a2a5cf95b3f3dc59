import { LIMITS } from './limits.ts'
import type { Filter } from './payload.ts'
import type { Placed } from './protocol/view.ts'
import type { TokenVisualizationMessage } from './protocol.ts'
import { type WireFrame, wireFrame } from './wire.ts'

/** What was laid out, as messages to viewers: each made once for all who follow the same. */
export class PlacedFrames {
  readonly placed: Placed
  readonly #frames = new Map<string, WireFrame | null>()

  constructor(placed: Placed) {
    this.placed = placed
  }

  /** Whether there is anything of it that passes `filter`. */
  has(filter: Filter | null): boolean {
    const { tokens } = this.placed
    return filter === null ? tokens.length > 0 : tokens.some(({ generation }) => filter.has(generation))
  }

  /**
   * The message.
   *
   * @param after who has been told all up to there; at most `placed.after`
   * @returns null if it would be larger than a frame may be
   */
  frame(filter: Filter | null, after: number): WireFrame | null {
    const key = filter === null ? `${after}` : `${after}:${filter.key}`
    let frame = this.#frames.get(key)
    if (frame === undefined) {
      frame = this.#make(filter, after)
      this.#frames.set(key, frame)
    }
    return frame
  }

  #make(filter: Filter | null, after: number): WireFrame | null {
    const { layout, upto, tokens } = this.placed
    const told = filter === null ? tokens : tokens.filter(({ generation }) => filter.has(generation))
    const message: TokenVisualizationMessage = {
      type: 'token_visualization',
      layout,
      after,
      upto,
      tokens: told.map(({ id, text, x, y }) => ({ id, text, x, y })),
    }
    const payload = Buffer.from(JSON.stringify(message))
    return payload.length > LIMITS.frameBytes ? null : wireFrame(payload, false)
  }
}
