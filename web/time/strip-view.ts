import { computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import { formatRate, stateWords } from '../format.ts'
import type { Scope } from '../scope.ts'
import { clockWords } from './clock-words.ts'
import { type Lane, rowsOf, sessionStart } from './lane.ts'
import { bucketFor, rateAt, ratesOf, stallsOf } from './lane-sums.ts'
import { laneRow, paintStrip, planOf, readStripInk, type StripInk, timeAt, xOf } from './strip-picture.ts'
import { narrowTo } from './time-filter.ts'
import { type Span, TimeView } from './time-view.ts'

/** CSS pixels of a bucket of the speed, at least. */
const BUCKET_PX = 4
/** Between two drawings for what is new, ms: the newest is a pixel or two further on by then. */
const NEWS_MS = 200
/** While tokens come it is drawn again once the newest is so many pixels further on, CSS pixels. */
const STEP_PX = 2
/** … and this often at least, ms. */
const SLOWEST_MS = 2000
/** A drawing that took long, as of many generations, is let stand for so many times as long. */
const STANDS = 400
const IDLE_MS = 1000
/** How far beside a lane a press still means it, CSS pixels. */
const REACH_PX = 4
/** A mark less wide than this is none, CSS pixels. */
const LEAST_MARK_PX = 3

/** The strip of the time line: draws it when something changed, and knows what lies where. */
export class StripView {
  readonly view = new TimeView()
  /** Where the pointer is over the strip; null: not over it. */
  readonly pointer: Signal<{ x: number; y: number } | null> = signal(null)
  /** Where the moment that is shown lies, CSS pixels from the left of the strip. */
  readonly headX: Signal<number> = signal(0)
  /** What is shown, in seconds; for a sentence about it. */
  readonly shownS: ReadonlySignal<number>
  readonly #shownS = signal(0)
  readonly #scope: Scope
  readonly #canvas: HTMLCanvasElement
  readonly #ink: ReadonlySignal<StripInk>
  readonly #stops: (() => void)[] = []
  #lanes: Lane[] = []
  #rows: number[] = []
  #span: Span = { from: 0, to: 1 }
  #width = 0
  #height = 0
  #frame = 0
  #news: ReturnType<typeof setTimeout> | undefined
  #drawnAt = 0
  /** How long that took, ms. */
  #drawnIn = 0

  constructor(canvas: HTMLCanvasElement, scope: Scope) {
    this.#canvas = canvas
    this.#scope = scope
    this.shownS = this.#shownS
    this.#ink = computed(() => {
      scope.theme.shown.value
      return readStripInk(canvas)
    })
    this.#watch()
  }

  /** What is shown now. */
  get span(): Span {
    return this.#span
  }

  /** The time at a place of the strip, Unix seconds. */
  timeAt(x: number): number {
    return timeAt(x, this.#span, this.#width)
  }

  /** The generation whose lane lies there. */
  laneAt(x: number, y: number): Lane | null {
    const plan = planOf(this.#height)
    if (y < plan.lanesTop - REACH_PX || y > plan.lanesFoot + REACH_PX) return null
    const count = this.#rows.reduce((most, row) => Math.max(most, row + 1), 0)
    const { now } = this.#scope.store
    let best: Lane | null = null
    let nearest = REACH_PX + 1
    this.#lanes.forEach((lane, i) => {
      const row = laneRow(this.#rows[i] as number, count, plan)
      const dx = beyond(x, this.#x(lane.began), this.#x(lane.ended ?? now))
      const dy = beyond(y, row.top, row.top + row.height)
      const distance = Math.max(dx, dy)
      if (distance >= nearest) return
      nearest = distance
      best = lane
    })
    return best
  }

  /** Chooses a generation, fetched if this page does not hold it. */
  async choose(lane: Lane): Promise<void> {
    const found = await this.#scope.library.open(lane.id).catch(() => true)
    if (!found) this.#scope.line.forget(lane.id)
  }

  /** Shows the moment at a place; at the right edge of what ends now, now. */
  seek(x: number): void {
    const { playhead, store } = this.#scope
    if (x >= this.#x(store.now) - 3) playhead.goLive()
    else playhead.seek(this.timeAt(x))
  }

  zoom(factor: number, x: number): void {
    this.view.zoom(factor, this.timeAt(x), this.#span, this.#scope.store.now)
  }

  pan(px: number): void {
    const seconds = this.timeAt(px) - this.timeAt(0)
    this.view.pan(seconds, this.#span, this.#scope.store.now)
  }

  /** Narrows map and time line to what came between two places; to everything, where they are the same. */
  mark(from: number, to: number): void {
    const { look } = this.#scope
    if (Math.abs(to - from) < LEAST_MARK_PX) narrowTo(look, null)
    else narrowTo(look, { since: this.timeAt(Math.min(from, to)), until: this.timeAt(Math.max(from, to)) })
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame)
    clearTimeout(this.#news)
    for (const stop of this.#stops) stop()
  }

  #watch(): void {
    const { store, line, playhead, selection, look } = this.#scope
    this.#stops.push(
      effect(() => {
        // Read: what the hand does is seen at once.
        playhead.at.value
        selection.current.value
        look.filter.value
        line.revision.value
        this.view.shape.value
        this.pointer.value
        this.#ink.value
        this.#soon()
      }),
      effect(() => {
        store.held.value
        store.list.value
        // What is live is drawn with everything else that is.
        if (!store.list.peek().some(generation => generation.live)) this.#later(NEWS_MS)
      }),
      effect(() => {
        this.#scope.tick.value // read
        const stepMs = ((this.#span.to - this.#span.from) / Math.max(1, this.#width)) * STEP_PX * 1000
        const rest = Math.min(SLOWEST_MS, Math.max(stepMs, STANDS * this.#drawnIn))
        if (performance.now() - this.#drawnAt >= rest) this.#soon()
      }),
      effect(() => {
        const at = playhead.at.value
        if (at !== null && playhead.playing.value) this.view.keepIn(at, this.#span, store.now)
      }),
    )
    const resized = new ResizeObserver(() => this.#resize())
    resized.observe(this.#canvas)
    // Time passes, whether something comes or not.
    const clock = setInterval(() => {
      const idle = store.list.peek().every(generation => !generation.live)
      if (performance.now() - this.#drawnAt >= (idle ? IDLE_MS : NEWS_MS * 3)) this.#soon()
    }, 250)
    this.#stops.push(
      () => resized.disconnect(),
      () => clearInterval(clock),
    )
    this.#resize()
  }

  #resize(): void {
    const { width, height } = this.#canvas.getBoundingClientRect()
    const ratio = window.devicePixelRatio || 1
    this.#width = width
    this.#height = height
    this.#canvas.width = Math.max(1, Math.round(width * ratio))
    this.#canvas.height = Math.max(1, Math.round(height * ratio))
    this.#soon()
  }

  #later(ms: number): void {
    this.#news ??= setTimeout(() => {
      this.#news = undefined
      this.#soon()
    }, ms)
  }

  #soon(): void {
    if (this.#frame !== 0 || document.visibilityState === 'hidden') return
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0
      this.#draw()
    })
  }

  #draw(): void {
    const { store, line, playhead, selection, look } = this.#scope
    const ctx = this.#canvas.getContext('2d')
    if (ctx === null || this.#width <= 0) return
    this.#drawnAt = performance.now()
    const { now } = store
    const lanes = line.lanes()
    const span = this.view.span(now, sessionStart(lanes, now))
    void line.reach(span.from)
    const seconds = span.to - span.from
    const rows = rowsOf(lanes, now, (seconds / this.#width) * 2)
    this.#lanes = lanes
    this.#rows = rows
    this.#span = span
    this.#shownS.value = Math.round(seconds)
    const at = playhead.at.peek()
    this.headX.value = Math.round(this.#x(at ?? now) * 2) / 2
    const { since = null, until = null } = look.filter.peek() ?? {}
    const ratio = this.#canvas.width / this.#width
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
    paintStrip(ctx, {
      width: this.#width,
      height: this.#height,
      span,
      now,
      lanes,
      rows,
      rates: ratesOf(
        lanes,
        span.from,
        Math.min(now, span.to),
        bucketFor(seconds, this.#width / BUCKET_PX),
        now,
      ),
      stalls: stallsOf(lanes, span.from, span.to, now),
      at,
      chosen: selection.current.peek()?.generation.id ?? null,
      marked: { since, until },
      hover: this.#hover(now),
      ink: this.#ink.peek(),
    })
    this.#drawnIn = performance.now() - this.#drawnAt
  }

  #hover(now: number) {
    const pointer = this.pointer.peek()
    if (pointer === null) return null
    const at = this.timeAt(pointer.x)
    if (at > now) return null
    const lane = this.laneAt(pointer.x, pointer.y)
    const time = clockWords(at, now, this.#span.to - this.#span.from < 60)
    const words =
      lane === null
        ? [time, rateWords(rateAt(this.#lanes, at, now))]
        : [lane.model ?? 'model not named', stateWords(lane.state), clockWords(lane.began, now)]
    return { x: pointer.x, words: words.join(' · '), lane: lane?.id ?? null }
  }

  #x(at: number): number {
    return xOf(at, this.#span, this.#width)
  }
}

function rateWords(rate: number | null): string {
  return rate === null ? 'nothing ran' : `${formatRate(rate)} tok/s`
}

function beyond(value: number, from: number, to: number): number {
  return Math.max(0, from - value, value - to)
}
