import { type Signal, signal } from '@preact/signals'
import type { Generation } from '../generation.ts'
import type { ScopeStore } from '../store.ts'
import { type CameraPose, reveal, toScreen, toWorld, type Viewport, viewCentre, zoomAbout } from './camera.ts'
import type { CellLayer, DrawnBy } from './cell-layer.ts'
import { CanvasCellLayer } from './cell-layer-canvas.ts'
import { fitAll, fitGeneration, followPose } from './follow.ts'
import { Landings } from './landings.ts'
import { MapPainter } from './painter.ts'
import { readPalette } from './palette.ts'
import type { Marks } from './scene.ts'
import { CameraSpring } from './spring.ts'

/** How often following looks whether the camera must move, in milliseconds. */
const FOLLOW_EACH_MS = 250
/** A pointer that rests on a token for longer than this is not reading it any more. */
const READING_MS = 4000
/** Device pixels along a side of the picture: larger ones not every GPU takes, so they are stretched. */
const MOST_PIXELS = 8192
/** The first look, before anything is there: one block fills the view. */
const FIRST_POSE: CameraPose = { x: 8, y: 8, scale: 32 }

/** A token under the pointer and where on the screen it is. */
export interface Hover {
  generation: Generation
  index: number
  /** CSS pixels from the canvas's corner: the cell's rectangle. */
  left: number
  top: number
  size: number
}

/** The part of the window that floats over the map, by edge. */
export type Insets = Pick<Viewport, 'left' | 'top' | 'right' | 'bottom'>

/** The live map: camera, animation and what is marked; it draws only while something changes. */
export class MapView {
  readonly following: Signal<boolean> = signal(true)
  readonly hover: Signal<Hover | null> = signal(null)
  /** Why no GPU draws the map, as the end of a sentence; null while one does or none was asked for. */
  readonly withoutGpu: Signal<string | null> = signal(null)
  readonly #store: ScopeStore
  readonly #canvas: HTMLCanvasElement
  readonly #ctx: CanvasRenderingContext2D
  readonly #painter: MapPainter
  readonly #spring = new CameraSpring(FIRST_POSE)
  readonly #landings = new Landings()
  readonly #stillness: MediaQueryList
  #view: Viewport = { width: 1, height: 1, left: 0, top: 0, right: 0, bottom: 0 }
  #ratio = 1
  #pinned: Marks['pinned'] = null
  #pointer: { x: number; y: number } | null = null
  #pointedAt = 0
  #frame = 0
  #lastFrame = 0
  #lastFollow = Number.NEGATIVE_INFINITY
  #later: ReturnType<typeof setTimeout> | undefined
  #settled = false
  readonly #stopListening: () => void

  constructor(canvas: HTMLCanvasElement, store: ScopeStore) {
    this.#canvas = canvas
    this.#store = store
    this.#stillness = matchMedia('(prefers-reduced-motion: reduce)')
    this.#ctx = canvas.getContext('2d') as CanvasRenderingContext2D
    this.#painter = new MapPainter(this.#ctx, new CanvasCellLayer(this.#ctx), readPalette(canvas))
    this.#stopListening = store.listen({
      landed: (generation, index) => {
        if (!this.#still) this.#landings.add(generation, index, performance.now())
        this.draw()
      },
      redrawn: () => {
        // History comes in parts: the first look is over when it is all there.
        if (this.#live.length === 0) this.#settled = false
        this.draw()
      },
      changed: () => this.draw(),
    })
    this.draw()
  }

  /** Ends drawing and listening. */
  stop(): void {
    cancelAnimationFrame(this.#frame)
    clearTimeout(this.#later)
    this.#stopListening()
    this.#painter.layer.stop()
  }

  /** What draws the cells now. */
  get drawnBy(): DrawnBy {
    return this.#painter.layer.by
  }

  /** Frames drawn so far. */
  get frames(): number {
    return this.#painter.frames
  }

  /** Has the cells drawn by this layer from now on, or with Canvas 2D; the one before is ended. */
  drawWith(layer: CellLayer | null): void {
    this.#painter.layer.stop()
    this.#painter.layer = layer ?? new CanvasCellLayer(this.#ctx)
    // At once, so that nobody sees a frame in which both or neither have drawn.
    this.drawNow()
  }

  get #live(): Generation[] {
    return this.#store.list.peek().filter(generation => generation.live)
  }

  get #still(): boolean {
    return this.#stillness.matches
  }

  /** The canvas has this size now, in CSS pixels, on a screen of this pixel ratio. */
  resize(width: number, height: number, ratio: number): void {
    this.#ratio = Math.min(ratio, MOST_PIXELS / width, MOST_PIXELS / height)
    this.#canvas.width = Math.max(1, Math.round(width * this.#ratio))
    this.#canvas.height = Math.max(1, Math.round(height * this.#ratio))
    this.#view = { ...this.#view, width, height }
    this.#settled = false
    this.draw()
  }

  /** Something floats over these edges now. What is shown stays where it is on the screen. */
  cover(insets: Insets): void {
    const before = viewCentre(this.#view)
    this.#view = { ...this.#view, ...insets }
    const after = viewCentre(this.#view)
    const { pose, destination, moving } = this.#spring
    const shifted = (of: CameraPose): CameraPose => ({
      x: of.x + (after.x - before.x) / of.scale,
      y: of.y + (after.y - before.y) / of.scale,
      scale: of.scale,
    })
    this.#spring.hold(shifted(pose))
    if (moving) this.#spring.aim(destination, this.#still)
    this.draw()
  }

  /** The theme changed. */
  retheme(): void {
    this.#painter.palette = readPalette(this.#canvas)
    this.draw()
  }

  /** Marks what is chosen and brings its cell into view. */
  pin(pinned: Marks['pinned']): void {
    this.#pinned = pinned
    if (pinned && pinned.index !== null && pinned.generation.tokens.has(pinned.index)) {
      const { tokens } = pinned.generation
      const left = tokens.x(pinned.index)
      const top = tokens.y(pinned.index)
      const { destination } = this.#spring
      const pose = reveal(destination, this.#view, { left, top, right: left + 1, bottom: top + 1 }, 40)
      if (pose !== destination) this.#go(pose)
    }
    this.draw()
  }

  /** Moves what is shown by so many CSS pixels. */
  pan(dx: number, dy: number, smooth = false): void {
    this.following.value = false
    const from = smooth ? this.#spring.destination : this.#spring.pose
    const pose = { x: from.x - dx / from.scale, y: from.y - dy / from.scale, scale: from.scale }
    if (smooth) this.#spring.aim(pose, this.#still)
    else this.#spring.hold(pose)
    this.draw()
  }

  /** Zooms by a factor about a point of the canvas, or about the middle. */
  zoom(factor: number, at: { x: number; y: number } | null = null, smooth = false): void {
    this.following.value = false
    const from = smooth ? this.#spring.destination : this.#spring.pose
    // Farther out there is only emptiness to be seen, and the way back is hard to find.
    const whole = fitAll(this.#store.blocks, this.#view)?.scale ?? from.scale
    const scale = Math.max(from.scale * factor, Math.min(from.scale, whole / 3))
    const pose = zoomAbout(from, this.#view, at ?? viewCentre(this.#view), scale)
    if (smooth) this.#spring.aim(pose, this.#still)
    else this.#spring.hold(pose)
    this.draw()
  }

  /** Shows everything. */
  fit(): void {
    this.following.value = false
    const pose = fitAll(this.#store.blocks, this.#view)
    if (pose) this.#go(pose)
  }

  /** Shows one generation. */
  show(generation: Generation): void {
    this.following.value = false
    const pose = fitGeneration(this.#store.blocks, generation, this.#view)
    if (pose) this.#go(pose)
  }

  /** Keeps what is live in view from now on. */
  follow(): void {
    this.following.value = true
    this.#lastFollow = Number.NEGATIVE_INFINITY
    const pose = this.#live.length === 0 ? fitAll(this.#store.blocks, this.#view) : null
    if (pose) this.#go(pose)
    this.draw()
  }

  /** The pointer is here, in CSS pixels from the canvas's corner; null: it left. */
  point(at: { x: number; y: number } | null): void {
    this.#pointer = at
    this.#pointedAt = performance.now()
    this.#updateHover()
    this.draw()
  }

  /** The token at a point of the canvas. */
  tokenAt(at: { x: number; y: number }): { generation: Generation; index: number } | null {
    const world = toWorld(this.#spring.pose, this.#view, at.x, at.y)
    return this.#store.blocks.at(Math.floor(world.x), Math.floor(world.y))
  }

  /** The token nearest to the middle of what is seen, within a few cells. */
  tokenInMiddle(): { generation: Generation; index: number } | null {
    const { x, y } = this.#spring.pose
    let best: { generation: Generation; index: number } | null = null
    let nearest = Number.POSITIVE_INFINITY
    for (let dy = -24; dy <= 24; dy++) {
      for (let dx = -24; dx <= 24; dx++) {
        if (dx * dx + dy * dy >= nearest) continue
        const found = this.#store.blocks.at(Math.floor(x) + dx, Math.floor(y) + dy)
        if (found === null) continue
        best = found
        nearest = dx * dx + dy * dy
      }
    }
    return best
  }

  /** The middle of a cell, in CSS pixels of the window: where it is once the camera has come to rest. */
  cellToClient(x: number, y: number): { x: number; y: number } {
    const box = this.#canvas.getBoundingClientRect()
    this.#lastFollow = Number.NEGATIVE_INFINITY
    this.#aimAtLive(performance.now(), this.#live)
    this.draw()
    const at = toScreen(this.#spring.destination, this.#view, x + 0.5, y + 0.5)
    return { x: box.left + at.x, y: box.top + at.y }
  }

  /** Draws at once: a canvas that got another size is blank, and is shown so if it waits for a frame. */
  drawNow(): void {
    cancelAnimationFrame(this.#frame)
    this.#tick(performance.now())
  }

  /** Asks for a frame. */
  draw(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(now => this.#tick(now))
  }

  #go(pose: CameraPose): void {
    this.#spring.aim(pose, this.#still)
    this.draw()
  }

  #tick(now: number): void {
    this.#frame = 0
    const dt = this.#lastFrame === 0 ? 0.016 : Math.min(0.1, (now - this.#lastFrame) / 1000)
    const live = this.#live
    this.#aimAtLive(now, live)
    const moving = this.#spring.step(dt)
    // The camera may have moved, or a token landed, under a pointer that rests.
    this.#updateHover()
    const landings = this.#landings.at(now)
    const again = this.#painter.paint({
      pose: this.#spring.pose,
      view: this.#view,
      width: this.#canvas.width,
      height: this.#canvas.height,
      ratio: this.#ratio,
      blocks: this.#store.blocks,
      live,
      landings,
      marks: { hover: this.hover.value, pinned: this.#pinned },
      now,
      moving,
      glow: !this.#still,
    })
    if (moving || again || landings.length > 0) {
      this.#lastFrame = now
      this.draw()
    } else this.#lastFrame = 0
  }

  #aimAtLive(now: number, live: readonly Generation[]): void {
    if (!this.following.value || this.#reading(now)) return
    const early = FOLLOW_EACH_MS - (now - this.#lastFollow)
    if (early > 0) {
      // It may be the last frame for long: what came in it must be followed as well.
      this.#later ??= setTimeout(() => {
        this.#later = undefined
        this.draw()
      }, early)
      return
    }
    this.#lastFollow = now
    const pose =
      followPose(this.#store.blocks, live, this.#view, this.#spring.destination) ?? this.#firstLook(live)
    if (pose === null) return
    // The first look at what was there before is no journey.
    this.#spring.aim(pose, this.#still || !this.#settled)
    this.#settled = true
  }

  /** Where nothing is being written and not all is readable the first look is at everything. */
  #firstLook(live: readonly Generation[]): CameraPose | null {
    const { blocks } = this.#store
    const writing = live.some(generation => blocks.blocksOf(generation).length > 0)
    return this.#settled || writing ? null : fitAll(blocks, this.#view)
  }

  /** While a token is read under the pointer the map must not slip away from under it. */
  #reading(now: number): boolean {
    return this.#settled && this.hover.value !== null && now - this.#pointedAt < READING_MS
  }

  #updateHover(): void {
    const found = this.#pointer && this.tokenAt(this.#pointer)
    if (!found) {
      if (this.hover.value !== null) this.hover.value = null
      return
    }
    const { tokens } = found.generation
    const { pose } = this.#spring
    const at = toScreen(pose, this.#view, tokens.x(found.index), tokens.y(found.index))
    const before = this.hover.peek()
    const same = before?.generation === found.generation && before.index === found.index
    if (same && before.left === at.x && before.top === at.y && before.size === pose.scale) return
    this.hover.value = { ...found, left: at.x, top: at.y, size: pose.scale }
  }
}
