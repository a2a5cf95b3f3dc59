import { type Signal, signal } from '@preact/signals'
import type { ScopeClient } from '../../broadcast/client.ts'
import { TOKEN_TILES, type ViewToken } from '../../broadcast/protocol/view.ts'
import type { LiveTokens } from '../view/live-tokens.ts'
import { rectsOf } from '../view/token-index.ts'
import type { Look } from '../view/view-feed.ts'
import type { ViewStage } from '../view/view-stage.ts'
import { type CameraPose, toScreen, toWorld, type Viewport } from './camera.ts'

/** A pointer that rests on a token for longer than this is not reading it any more. */
const READING_MS = 4000
/** Where tokens are far, the server is asked for the one under a pointer that has rested so long. */
const REST_MS = 140
/** The token in the middle is looked for so many CSS pixels around it. */
const AROUND_PX = 240

/** A token under the pointer and where on the screen it is. */
export interface Hover {
  token: ViewToken
  /** CSS pixels from the canvas's corner: the token's rectangle, or that of the piece that is pointed at. */
  left: number
  top: number
  width: number
  height: number
}

type Point = { x: number; y: number }

/** Which token the pointer is on. */
export class MapPointer {
  readonly hover: Signal<Hover | null> = signal(null)
  readonly #stage: ViewStage
  readonly #live: LiveTokens
  readonly #client: Pick<ScopeClient, 'pick'>
  #at: Point | null = null
  #movedAt = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  /** From where it is looked at the place of the pointer. */
  #seen: { look: Look; pose: CameraPose; view: Viewport } | null = null
  /** What the server said lies under the pointer, where tokens are far, and where that was asked. */
  #picked: { at: Point; token: ViewToken | null } | null = null

  constructor(stage: ViewStage, live: LiveTokens, client: Pick<ScopeClient, 'pick'>) {
    this.#stage = stage
    this.#live = live
    this.#client = client
  }

  /** The pointer is here, in CSS pixels from the canvas's corner; null: it left. */
  point(at: Point | null): void {
    this.#at = at
    this.#movedAt = performance.now()
    this.#picked = null
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** While a token is read under the pointer the map must not slip away from under it. */
  reading(now: number): boolean {
    return this.hover.peek() !== null && now - this.#movedAt < READING_MS
  }

  /** Finds out anew: the pointer, the camera or what is shown may have moved. */
  update(look: Look, pose: CameraPose, view: Viewport): void {
    this.#seen = { look, pose, view }
    const found = this.#at === null ? null : this.#found(look, pose, view, this.#at)
    const before = this.hover.peek()
    if (found === null || this.#at === null) {
      if (before !== null) this.hover.value = null
      return
    }
    const place = toWorld(pose, view, this.#at.x, this.#at.y)
    const rects = rectsOf(look.layout, found)
    const rect = rects.find(({ y, height }) => place.y >= y && place.y < y + height) ?? rects[0]
    if (rect === undefined) return
    const from = toScreen(pose, view, rect.x, rect.y)
    const to = toScreen(pose, view, rect.x + rect.width, rect.y + rect.height)
    const hover = { token: found, left: from.x, top: from.y, width: to.x - from.x, height: to.y - from.y }
    const same = before?.token.id === found.id && before.left === hover.left && before.top === hover.top
    if (same && before.width === hover.width && before.height === hover.height) return
    this.hover.value = hover
  }

  /** The token at a place, in units; the server is asked where it is not here. */
  async tokenAt(look: Look, place: Point): Promise<ViewToken | null> {
    return this.#here(look, place) ?? (await this.#pick(look, place))
  }

  /** The token nearest to the middle of what is seen, if it is not far from it. */
  async nearest(look: Look, { x, y, zoom, zoomY }: CameraPose): Promise<ViewToken | null> {
    const { shown } = this.#stage
    const near = shown !== null && shown.answer.layout === look.layout && shown.answer.z === TOKEN_TILES
    if (!near) return this.#pick(look, { x, y })
    const token = shown.tokens.nearest(x, y, zoom, zoomY)
    if (token === null) return null
    const away = Math.hypot((token.x - x) * zoom, (token.y - y) * zoomY)
    return away <= AROUND_PX ? token : null
  }

  /** Ends it. */
  stop(): void {
    this.point(null)
  }

  #found(look: Look, pose: CameraPose, view: Viewport, at: Point): ViewToken | null {
    const place = toWorld(pose, view, at.x, at.y)
    const here = this.#here(look, place)
    if (here !== null || !this.#isFar(look)) return here
    const picked = this.#picked
    if (picked !== null && picked.at.x === place.x && picked.at.y === place.y) return picked.token
    this.#timer ??= setTimeout(() => {
      this.#picked = { at: place, token: null }
      void this.#pick(look, place).then(token => {
        if (this.#picked?.at !== place) return
        this.#picked = { at: place, token }
        // The camera may have moved on since it was asked.
        if (this.#seen !== null) this.update(this.#seen.look, this.#seen.pose, this.#seen.view)
      })
    }, REST_MS)
    return null
  }

  #isFar({ layout }: Look): boolean {
    const { shown } = this.#stage
    return shown !== null && shown.answer.layout === layout && shown.answer.z !== TOKEN_TILES
  }

  #here({ layout, filter, t }: Look, { x, y }: Point): ViewToken | null {
    const { shown } = this.#stage
    if (shown === null || shown.answer.layout !== layout) return null
    const known = shown.tokens.at(x, y)
    if (known !== null || t !== null) return known
    for (const token of this.#live.told(shown.answer.models, filter)) {
      const lies = rectsOf(layout, token).some(
        rect => x >= rect.x && y >= rect.y && x < rect.x + rect.width && y < rect.y + rect.height,
      )
      if (lies) return token
    }
    return null
  }

  async #pick({ layout, filter, t }: Look, { x, y }: Point): Promise<ViewToken | null> {
    try {
      const { tokens, models } = await this.#client.pick({ layout, x, y, t, filter })
      const [token] = tokens
      if (token === undefined) return null
      // Each answer numbers the models anew: what is shown has numbers of its own.
      const shown = this.#stage.shown?.answer.models ?? models
      const number = token.model === null ? -1 : shown.indexOf(models[token.model] ?? '')
      return { ...token, model: number === -1 ? null : number }
    } catch {
      return null // the next rest of the pointer asks again
    }
  }
}
