import type { LayoutName } from '../../broadcast/protocol/view.ts'
import { cssOfRgba } from '../../compositor/draw/rgba.ts'
import { ViewInk } from '../../compositor/draw/view-ink.ts'
import type { Plot } from '../map/plot.ts'
import type { MarksContext } from './picture-layer.ts'
import { rectsOf, type UnitRect } from './token-index.ts'
import type { ShownView } from './view-stage.ts'

/** How long a change of layout takes, in milliseconds. */
export const CHANGE_MS = 300
/** More tokens than this do not move one by one: the pictures fade into each other. */
const MOST_MOVERS = 1500
/** Frames of the canvas that a token may lie beside it and still set out or arrive. */
const BESIDE = 0.25

/** A rectangle in device pixels. */
interface PixelRect {
  left: number
  top: number
  width: number
  height: number
}

interface Mover {
  from: PixelRect
  to: UnitRect
  colour: string
}

/** How much of the picture before and of the one after is to be seen, 0 … 1. */
export interface Crossing {
  before: number
  after: number
}

/** A change from one layout to another: tokens that are in both move from their old place to their new one. */
export class LayoutChange {
  readonly layout: LayoutName
  readonly since: number
  readonly #movers: Map<string, Mover>
  /** How far it has come. */
  #done = 0
  #now: Map<string, PixelRect> | null = null

  /**
   * @param before what was shown, and where it lay; tokens on their way are taken over from `interrupted`
   * @param size of the canvas, in device pixels
   */
  constructor(
    before: { shown: ShownView; plot: Plot; interrupted: LayoutChange | null },
    after: { shown: ShownView; plot: Plot },
    size: { width: number; height: number },
    now: number,
  ) {
    this.layout = after.shown.answer.layout
    this.since = now
    this.#movers = moversOf(before, after, size)
  }

  /** Whether tokens move one by one. */
  get moves(): boolean {
    return this.#movers.size > 0
  }

  /** Goes on to this time; null once it is over. */
  at(now: number): Crossing | null {
    this.#done = Math.min(1, Math.max(0, (now - this.since) / CHANGE_MS))
    if (this.#done >= 1) return null
    if (!this.moves) return { before: 1, after: ease(this.#done) }
    return { before: 1 - ease(this.#done / 0.4), after: ease((this.#done - 0.6) / 0.4) }
  }

  /** Paints the tokens that move. */
  paint(ctx: MarksContext, plot: Plot): void {
    const done = ease(this.#done)
    ctx.globalAlpha = Math.min(1, (1 - this.#done) / 0.25)
    this.#now = new Map()
    let colour = ''
    for (const [id, mover] of this.#movers) {
      const { from } = mover
      const to = pixelsOf(mover.to, plot)
      const left = mix(from.left, to.left, done)
      const top = mix(from.top, to.top, done)
      const width = mix(from.width, to.width, done)
      const height = mix(from.height, to.height, done)
      this.#now.set(id, { left, top, width, height })
      if (mover.colour !== colour) ctx.fillStyle = mover.colour
      colour = mover.colour
      ctx.fillRect(left, top, width, height)
    }
    ctx.globalAlpha = 1
  }

  /** Where tokens on their way are now. */
  get places(): ReadonlyMap<string, PixelRect> {
    return this.#now ?? new Map()
  }
}

function moversOf(
  before: { shown: ShownView; plot: Plot; interrupted: LayoutChange | null },
  after: { shown: ShownView; plot: Plot },
  { width, height }: { width: number; height: number },
): Map<string, Mover> {
  const movers = new Map<string, Mover>()
  const [from, to] = [before.shown.answer.layout, after.shown.answer.layout]
  const ink = new ViewInk(after.shown.answer, after.shown.style)
  const unknown = cssOfRgba(after.shown.style.theme.hatchLine)
  const near = ({ left, top, width: wide, height: high }: PixelRect) =>
    left < width * (1 + BESIDE) &&
    top < height * (1 + BESIDE) &&
    left + wide > -width * BESIDE &&
    top + high > -height * BESIDE
  for (const token of after.shown.tokens.all()) {
    const old = before.shown.tokens.get(token.id)
    if (old === undefined) continue
    const [oldRect] = rectsOf(from, old) as [UnitRect]
    const [newRect] = rectsOf(to, token) as [UnitRect]
    const start = before.interrupted?.places.get(token.id) ?? pixelsOf(oldRect, before.plot)
    if (!near(start) && !near(pixelsOf(newRect, after.plot))) continue
    const colour = ink.ofToken(token)
    movers.set(token.id, {
      from: start,
      to: newRect,
      colour: colour === null ? unknown : cssOfRgba(colour),
    })
    if (movers.size > MOST_MOVERS) return new Map()
  }
  return movers
}

function pixelsOf({ x, y, width, height }: UnitRect, { left, top, zoom, zoomY }: Plot): PixelRect {
  return {
    left: x * zoom - left,
    top: y * zoomY - top,
    width: Math.max(1, width * zoom - 1),
    height: Math.max(1, height * zoomY - 1),
  }
}

function ease(t: number): number {
  const held = Math.min(1, Math.max(0, t))
  return held * held * (3 - 2 * held)
}

function mix(from: number, to: number, share: number): number {
  return from + (to - from) * share
}
