import type { WholeTile } from '../../broadcast/client.ts'
import type { LayoutName, TileAnswer, ViewAnswer, ViewToken } from '../../broadcast/protocol/view.ts'
import type { ScaleName } from '../../compositor/draw/colour-scale.ts'
import { whole } from '../../compositor/draw/steps.ts'
import { type Easel, easelOf, paintTokens, sceneSteps } from '../../compositor/draw/view-scene.ts'
import type { ViewTheme } from '../../compositor/draw/view-theme.ts'
import { type Picture, type PictureLayer, WAITING } from './picture-layer.ts'
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
  /** How many of the tokens that came since are on the picture, or wait to be. */
  added: number
  /** Those that wait: they are painted over the picture in each frame. */
  waiting: ViewToken[]
  /** Since when the first one does, in milliseconds. */
  waitingSince: number
}

/**
 * Tokens that came after an answer: those after the first `from`, at most so many, and where to go on.
 */
export type MoreTokens = (
  view: Pick<ShownView, 'reply' | 'answer'>,
  from: number,
  most: number,
) => { tokens: ViewToken[]; next: number }

/** Tokens that are added to a picture in one step. */
const ADDED_A_STEP = 32
/**
 * To change a picture that is seen means to copy it first: a few tokens are painted in each frame, until there are
 * so many, or until the first one has waited so long, in milliseconds.
 */
const MOST_WAITING = 96
const WAITING_MS = 250

interface PageTile extends TileAnswer {
  whole: WholeTile
}

interface Work {
  reply: ViewReply
  answer: ViewAnswer
  style: Style
  steps: Generator<unknown, Painted>
}

type Painted = Pick<ShownView, 'picture' | 'added'>

/**
 * Makes pictures of answers, a little in each frame, and holds the one that is shown and the one that it came
 * after, for as long as both are to be seen.
 */
export class ViewStage {
  #layer: PictureLayer
  readonly #more: MoreTokens
  #work: Work | null = null
  /** What came while another was worked on. */
  #next: { reply: ViewReply; style: Style } | null = null
  shown: ShownView | null = null
  /** What was shown before, until it is let go. */
  leaving: ShownView | null = null

  constructor(layer: PictureLayer, more: MoreTokens) {
    this.#layer = layer
    this.#more = more
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
      const step = this.#step(this.#work)
      if (step.done === true) {
        this.#show(this.#work, step.value)
        return true
      }
      if (step.value === WAITING) return false
    }
    return false
  }

  /** Takes in what came since the last time, for what is shown. @param now milliseconds of `performance.now` */
  add(now: number): void {
    const { shown } = this
    if (shown === null) return
    const { tokens, next } = this.#more(shown, shown.added, MOST_WAITING)
    shown.added = next
    if (shown.waiting.length === 0) shown.waitingSince = now
    for (const token of tokens) shown.waiting.push(token)
    if (shown.waiting.length < MOST_WAITING && now - shown.waitingSince < WAITING_MS) return
    addTo(this.#layer, shown, shown.waiting)
    shown.waiting = []
  }

  /** Lets go of what was shown before. */
  leave(): void {
    if (this.leaving !== null) this.#layer.free(this.leaving.picture)
    this.leaving = null
  }

  /**
   * Another layer draws from now on. What is shown is painted anew, at once: its first frame is to have it. What was
   * worked on begins again: nobody would ask for it once more.
   */
  drawWith(layer: PictureLayer): void {
    const owed = this.#next ?? this.#work
    this.#drop()
    const { shown } = this
    this.leaving = null
    this.#layer.stop()
    this.#layer = layer
    if (shown !== null) {
      const picture = layer.paintNow(whole(sceneSteps(shown.answer, optionsOf(shown))))
      this.shown = { ...shown, picture, added: 0, waiting: [], waitingSince: 0 }
    }
    if (owed !== null) this.#begin(owed.reply, owed.style)
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
    this.#work = { reply, answer, style, steps: this.#paint({ reply, answer, style }) }
  }

  #step({ steps }: Work): IteratorResult<unknown, Painted> {
    try {
      return steps.next()
    } catch (error) {
      // What failed half-way has nothing to show, and the next one is not to wait for it.
      const next = this.#next
      this.#drop()
      if (next !== null) this.#begin(next.reply, next.style)
      throw error
    }
  }

  *#paint(view: Pick<ShownView, 'reply' | 'answer' | 'style'>): Generator<unknown, Painted> {
    const layer = this.#layer
    const scene = yield* sceneSteps(view.answer, optionsOf(view))
    yield
    const picture = yield* layer.paint(scene)
    let [added, complete] = [0, false]
    try {
      while (!complete) {
        yield
        const { tokens, next } = this.#more(view, added, ADDED_A_STEP)
        addTo(layer, { ...view, picture }, tokens)
        added = next
        complete = tokens.length < ADDED_A_STEP
      }
      return { picture, added }
    } finally {
      if (!complete) layer.free(picture)
    }
  }

  #show({ reply, answer, style }: Work, { picture, added }: Painted): void {
    this.leave()
    this.leaving = this.shown
    const known = this.shown
    const tokens = known?.reply.view === reply.view ? known.tokens : new TokenIndex(reply.view)
    this.shown = { reply, answer, style, picture, tokens, added, waiting: [], waitingSince: 0 }
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

/** Paints tokens over a picture, as they are painted in one. */
function addTo(
  layer: PictureLayer,
  { reply, answer, style, picture }: Pick<ShownView, 'reply' | 'answer' | 'style' | 'picture'>,
  tokens: readonly ViewToken[],
): void {
  if (tokens.length === 0) return
  const easel = easelOf(answer, { ...style, camera: reply.camera })
  paintTokens(easel, tokens)
  layer.add(picture, easel, style.theme)
}

function optionsOf({ reply, style }: Pick<ShownView, 'reply' | 'style'>) {
  const { theme, scale, now } = style
  return {
    camera: reply.camera,
    theme,
    scale,
    now,
    paintUnder: (easel: Easel) => style.paintUnder(easel),
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
