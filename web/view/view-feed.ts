import { ViewError, type Viewport, type WholeView } from '../../broadcast/client.ts'
import type { ColorName, LayoutName, ViewFilter } from '../../broadcast/protocol/view.ts'
import type { ViewCamera } from '../../compositor/draw/view-scene.ts'

/** What is looked at, in device pixels. */
export interface Look {
  layout: LayoutName
  color: ColorName
  filter: ViewFilter | null
  /** As it was then, Unix seconds; null: now. */
  t: number | null
  /** What lies in the left upper corner of the screen, in units. */
  left: number
  top: number
  /** Size of the screen. */
  width: number
  height: number
  /** Pixels of a unit. */
  zoom: number
  zoomY: number
  /** Pixels of a CSS pixel. */
  ratio: number
  /** Whether it goes on moving: then what was asked for before will do for longer. */
  moving: boolean
}

/** What the server answered, and what it was asked. */
export interface ViewReply {
  look: Look
  /** What was asked about: more than is seen. */
  camera: ViewCamera
  view: WholeView
}

export interface ViewFeedOptions {
  ask(question: Viewport): Promise<WholeView>
  onReply(reply: ViewReply): void
  /** Called when `want` should be called again: something may be asked now that could not be before. */
  onReady(): void
  /** There is no answer, for this reason. */
  onRefused(message: string): void
  /** Milliseconds of a clock that never goes back. */
  now?(): number
}

/** How much more than what is seen is asked for, on each side, and how much of that must be left while moving. */
const MARGIN = 0.25
const LEFT_MOVING = 0.1
/** While moving, what was asked for at another zoom does as long as it is no more than this off. */
const ZOOM_MOVING = 1.3
/** A picture is no larger than this along a side: larger ones not every GPU takes. */
const MOST_PIXELS = 8192
/** A time that plays on is asked for no more often. */
const PLAYED_MS = 100
/** Nor are news: what lands is on the picture before it is answered. */
const NEWS_MS = 1000
/** After a refusal, in milliseconds. */
const REFUSED_MS = 1000

/**
 * Asks the server for what is seen and a margin around it: one question at a time, and the next only where what
 * came does not do any more.
 */
export class ViewFeed {
  readonly #options: ViewFeedOptions
  /** What was answered last, and what is asked now. */
  #reply: ViewReply | null = null
  #asking: { look: Look; camera: ViewCamera } | null = null
  #askedAt = Number.NEGATIVE_INFINITY
  #notBefore = Number.NEGATIVE_INFINITY
  /** There were news that no question was asked about. */
  #news = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopped = false

  constructor(options: ViewFeedOptions) {
    this.#options = options
  }

  /** Whether nothing is asked and nothing is owed. */
  get idle(): boolean {
    return this.#asking === null && !this.#news
  }

  /** There are new tokens. */
  news(): void {
    this.#news = true
  }

  /**
   * This is looked at: asks, if what was answered does not do for it.
   *
   * @param busy whether the last answer is still being worked on: then news wait
   */
  want(look: Look, busy: boolean): void {
    if (this.#stopped) return
    if (this.#asking !== null) {
      // Of another layout nothing of what comes is of use; anything else is soon here.
      if (this.#asking.look.layout !== look.layout) this.#ask(look)
      return
    }
    const now = this.#now
    if (now < this.#notBefore) {
      this.#later(this.#notBefore - now)
      return
    }
    if (!this.does(look)) {
      // A time that plays on is another one each time.
      const early = look.t === null || this.#differs(look) ? 0 : this.#askedAt + PLAYED_MS - now
      if (early > 0) this.#later(early)
      else this.#ask(look)
      return
    }
    if (!this.#news || look.t !== null) return
    const due = this.#askedAt + NEWS_MS
    if (now < due) this.#later(due - now)
    else if (!busy) this.#ask(look)
  }

  /** Whether what was answered last does for this. */
  does(look: Look): boolean {
    if (this.#reply === null || this.#differs(look)) return false
    const { look: had, camera } = this.#reply
    if (had.t !== look.t) return false
    if (!look.moving) return look.zoom === had.zoom && look.zoomY === had.zoomY && covers(camera, look, 0)
    const off = Math.max(ratio(look.zoom, had.zoom), ratio(look.zoomY, had.zoomY))
    return off < ZOOM_MOVING && covers(camera, look, LEFT_MOVING)
  }

  /** Ends it: nothing is asked or told any more. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  /** Whether this is about other tokens than what was answered last, or other values of them, its time aside. */
  #differs({ layout, color, filter }: Look): boolean {
    const had = this.#reply?.look
    return had?.layout !== layout || had.color !== color || had.filter !== filter
  }

  #ask(look: Look): void {
    const camera = cameraOf(look)
    const asked = { look, camera }
    this.#asking = asked
    this.#askedAt = this.#now
    const news = this.#news
    this.#news = false
    this.#options.ask(questionOf(look, camera)).then(
      view => {
        if (this.#asking !== asked || this.#stopped) return
        this.#asking = null
        this.#reply = { ...asked, view }
        this.#options.onReply(this.#reply)
        this.#options.onReady()
      },
      error => {
        if (this.#asking !== asked || this.#stopped) return
        this.#asking = null
        if (news) this.news()
        const code = error instanceof ViewError ? error.code : null
        if (code === 'CLOSED') return
        if (code !== 'SUPERSEDED') {
          this.#notBefore = this.#now + REFUSED_MS
          this.#options.onRefused((error as Error).message)
        }
        this.#options.onReady()
      },
    )
  }

  #later(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#options.onReady()
    }, ms)
  }

  get #now(): number {
    return this.#options.now?.() ?? performance.now()
  }
}

/** What is asked for a look: more than is seen, from whole pixel to whole pixel of the layout. */
export function cameraOf({ left, top, width, height, zoom, zoomY, ratio }: Look): ViewCamera {
  const padX = pad(width)
  const padY = pad(height)
  return {
    x: (Math.floor(left * zoom) - padX) / zoom,
    y: (Math.floor(top * zoomY) - padY) / zoomY,
    // One more than the rounding takes.
    width: Math.min(MOST_PIXELS, width + 2 * padX + 1),
    height: Math.min(MOST_PIXELS, height + 2 * padY + 1),
    zoom,
    zoomY,
    ratio,
  }
}

function questionOf({ layout, color, filter, t }: Look, camera: ViewCamera): Viewport {
  const { x, y, width: w, height: h, zoom, zoomY } = camera
  return { layout, color, filter, t, x, y, w, h, zoom, zoom_y: zoomY }
}

function pad(side: number): number {
  return Math.max(0, Math.min(Math.floor(side * MARGIN), (MOST_PIXELS - side - 1) >> 1))
}

/** Whether a camera sees all of a look, and so much more (of the screen's size) on each side. */
function covers(camera: ViewCamera, look: Look, more: number): boolean {
  const along = (from: number, size: number, zoom: number, at: number, seen: number, seenZoom: number) => {
    const wide = seen / seenZoom
    // A pixel is what rounding may take.
    const slack = 1 / seenZoom - more * wide
    return at >= from - slack && at + wide <= from + size / zoom + slack
  }
  return (
    along(camera.x, camera.width, camera.zoom, look.left, look.width, look.zoom) &&
    along(camera.y, camera.height, camera.zoomY, look.top, look.height, look.zoomY)
  )
}

function ratio(a: number, b: number): number {
  return Math.max(a / b, b / a)
}
