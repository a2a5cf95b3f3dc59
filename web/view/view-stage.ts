import type { WholeTile } from '../../broadcast/client.ts'
import type { LayoutName, TileAnswer, ViewAnswer } from '../../broadcast/protocol/view.ts'
import type { ScaleName } from '../../compositor/draw/colour-scale.ts'
import { type Easel, sceneSteps, whole } from '../../compositor/draw/view-scene.ts'
import type { ViewTheme } from '../../compositor/draw/view-theme.ts'
import type { Picture, PictureLayer } from './picture-layer.ts'
import { TokenIndex } from './token-index.ts'
import type { ViewReply } from './view-feed.ts'

/** How a view is painted. */
export interface Style {
  theme: ViewTheme
  scale: ScaleName
  /** Unix seconds of the server, from which age is told. */
  now: number
  /** What lies below tokens and cells. */
  paintUnder(easel: Easel): void
}

/** An answer that can be seen. */
export interface ShownView {
  reply: ViewReply
  answer: ViewAnswer
  tokens: TokenIndex
  style: Style
  picture: Picture
}

interface PageTile extends TileAnswer {
  whole: WholeTile
}

interface Work {
  reply: ViewReply
  answer: ViewAnswer
  style: Style
  steps: Generator<void, Picture>
}

/**
 * Makes pictures of answers, a little in each frame, and holds the one that is shown and the one that it came
 * after, for as long as both are to be seen.
 */
export class ViewStage {
  #layer: PictureLayer
  #work: Work | null = null
  /** What came while another was worked on. */
  #next: { reply: ViewReply; style: Style } | null = null
  shown: ShownView | null = null
  /** What was shown before, until it is let go. */
  leaving: ShownView | null = null

  constructor(layer: PictureLayer) {
    this.#layer = layer
  }

  get layer(): PictureLayer {
    return this.#layer
  }

  /** Whether something is worked on. */
  get busy(): boolean {
    return this.#work !== null
  }

  /** The layout that is worked on; null: none is. */
  get working(): LayoutName | null {
    return this.#work?.reply.look.layout ?? null
  }

  /** Makes a picture of an answer next. One of the same layout that is being worked on is shown first. */
  take(reply: ViewReply, style: Style): void {
    if (this.#work !== null && this.#work.reply.look.layout === reply.look.layout) {
      this.#next = { reply, style }
      return
    }
    this.#drop()
    this.#begin(reply, style)
  }

  /** Makes another picture of what is shown: it is to look otherwise. */
  restyle(style: Style): void {
    const reply = this.#next?.reply ?? this.#work?.reply ?? this.shown?.reply
    if (reply === undefined) return
    this.#drop()
    this.#begin(reply, style)
  }

  /**
   * Works on, until this time (of `performance.now`) or until there is something to show.
   *
   * @returns whether another picture is shown from now on; what was shown before is `leaving`
   */
  work(until: number): boolean {
    while (this.#work !== null && performance.now() < until) {
      const { done, value } = this.#work.steps.next()
      if (done !== true) continue
      this.#show(this.#work, value)
      return true
    }
    return false
  }

  /** Lets go of what was shown before. */
  leave(): void {
    if (this.leaving !== null) this.#layer.free(this.leaving.picture)
    this.leaving = null
  }

  /** Another layer draws from now on. What is shown is painted anew, at once: nobody is to see a frame without it. */
  drawWith(layer: PictureLayer): void {
    this.#drop()
    const { shown } = this
    this.leaving = null
    this.#layer.stop()
    this.#layer = layer
    if (shown === null) return
    const picture = whole(layer.paint(whole(sceneSteps(shown.answer, optionsOf(shown)))))
    this.shown = { ...shown, picture }
  }

  /** Ends it and frees what it holds. */
  stop(): void {
    this.#drop()
    this.leave()
    if (this.shown !== null) this.#layer.free(this.shown.picture)
    this.shown = null
    this.#layer.stop()
  }

  #begin(reply: ViewReply, style: Style): void {
    const answer = answerOf(reply)
    this.#work = { reply, answer, style, steps: paint(this.#layer, { reply, answer, style }) }
  }

  #show({ reply, answer, style }: Work, picture: Picture): void {
    this.leave()
    this.leaving = this.shown
    const known = this.shown
    const tokens = known?.reply.view === reply.view ? known.tokens : new TokenIndex(reply.view)
    this.shown = { reply, answer, style, picture, tokens }
    this.#work = null
    const next = this.#next
    this.#next = null
    if (next !== null) this.#begin(next.reply, next.style)
  }

  #drop(): void {
    this.#work?.steps.return(undefined as never)
    this.#work = null
    this.#next = null
  }
}

function* paint(layer: PictureLayer, view: Pick<ShownView, 'reply' | 'answer' | 'style'>) {
  const scene = yield* sceneSteps(view.answer, optionsOf(view))
  yield
  return yield* layer.paint(scene)
}

function optionsOf({ reply, style }: Pick<ShownView, 'reply' | 'style'>) {
  const { theme, scale, now } = style
  return {
    camera: reply.camera,
    theme,
    scale,
    now,
    paintUnder: (easel: Easel) => style.paintUnder(easel),
    legend: false,
    narrowed: null,
    isPart: true,
    contentOf: (tile: TileAnswer) => (tile as PageTile).whole,
  }
}

/** The answer as what draws views takes it, its tiles as they are here. */
function answerOf({ view }: ViewReply): ViewAnswer {
  const tiles = view.tiles.map(
    (tile): PageTile => ({
      z: tile.z,
      x: tile.x,
      y: tile.y,
      version: tile.version,
      count: tile.count,
      content: null,
      whole: tile,
    }),
  )
  return { ...view, tiles }
}
