import { effect, type Signal, signal } from '@preact/signals'
import type { ScopeClient } from '../../broadcast/client.ts'
import type { LayoutName, ViewToken } from '../../broadcast/protocol/view.ts'
import type { TokenVisualizationMessage } from '../../broadcast/protocol.ts'
import type { Generation } from '../generation.ts'
import type { Selected } from '../selection.ts'
import type { ScopeStore } from '../store.ts'
import type { Playhead } from '../time/playhead.ts'
import { CanvasSupply } from '../view/canvas-supply.ts'
import { Finder } from '../view/finder.ts'
import { LiveTokens } from '../view/live-tokens.ts'
import type { DrawnBy, PictureLayer } from '../view/picture-layer.ts'
import { ThreadPictures } from '../view/thread-pictures.ts'
import { type Look, ViewFeed, type ViewReply } from '../view/view-feed.ts'
import { ViewStage } from '../view/view-stage.ts'
import { workMs } from '../view/work-ms.ts'
import { oldIn } from './age.ts'
import { type CameraPose, type Insets, toScreen, toWorld, visibleBounds } from './camera.ts'
import { type Followed, fitAll, fitGeneration } from './follow.ts'
import { boundsOfAnswer, followedOf } from './followed.ts'
import { FrameClock } from './frame-clock.ts'
import { lookFrom } from './look-from.ts'
import { MapCamera } from './map-camera.ts'
import { MapFacts } from './map-facts.ts'
import type { MapLook } from './map-look.ts'
import { MapMarks } from './map-marks.ts'
import { type Hover, MapPointer } from './map-pointer.ts'
import { MapPainter } from './painter.ts'
import { readPalette } from './palette.ts'

export type { Hover } from './map-pointer.ts'

/** Device pixels along a side of the picture: larger ones not every GPU takes, so they are stretched. */
const MOST_PIXELS = 8192

export interface MapViewOptions {
  /** What takes gestures, above what is drawn; marks are painted on it where no thread draws them. */
  canvas: HTMLCanvasElement
  /** What lies below it, for the canvas that pictures are drawn on. */
  under: HTMLElement
  store: ScopeStore
  client: Pick<ScopeClient, 'view' | 'pick' | 'follow' | 'applied'>
  look: MapLook
  playhead: Playhead
}

/**
 * The live map: it shows what the server answers about the part of a layout that is in view, and draws only while
 * something changes.
 */
export class MapView {
  readonly following: Signal<boolean>
  readonly hover: Signal<Hover | null>
  /** Why no GPU draws the map, as the end of a sentence; null while one does or none was asked for. */
  readonly withoutGpu: Signal<string | null> = signal(null)
  /** What others are told of it. */
  readonly facts = new MapFacts()
  readonly #options: MapViewOptions
  readonly #stillness: MediaQueryList
  readonly #camera: MapCamera
  readonly #feed: ViewFeed
  readonly #finder: Finder
  readonly #canvases: CanvasSupply
  readonly #stage: ViewStage
  readonly #live: LiveTokens
  readonly #painter: MapPainter
  readonly #pointer: MapPointer
  readonly #marks: MapMarks
  #ratio = 1
  readonly #clock = new FrameClock((now, dt) => this.#tick(now, dt))
  readonly #stop: (() => void)[]

  constructor(options: MapViewOptions) {
    this.#options = options
    const { canvas, store, client, look } = options
    this.#stillness = matchMedia('(prefers-reduced-motion: reduce)')
    this.#camera = new MapCamera(look.layout.peek(), () => this.#still)
    this.following = this.#camera.following
    this.#live = new LiveTokens(store)
    this.#canvases = new CanvasSupply(canvas, {
      host: options.under,
      onFace: () => this.retheme(),
      onFailed: () => this.#stage.layer instanceof ThreadPictures && this.drawWith(null),
    })
    this.#stage = new ViewStage(this.#canvases.layer(), this.#live.more)
    this.#painter = new MapPainter(this.#stage, readPalette(canvas))
    this.#pointer = new MapPointer(this.#stage, this.#live, client)
    this.#marks = new MapMarks(this.#stage, this.#live, store)
    this.hover = this.#pointer.hover
    this.#feed = new ViewFeed({
      ask: question => client.view(question),
      onReply: reply => this.#reply(reply),
      onReady: () => this.draw(),
      onRefused: message => this.facts.refuse(message),
    })
    this.#finder = new Finder(question => client.view(question))
    this.#stop = [
      store.listen({
        landed: (generation, index) => this.#landed(generation, index),
        redrawn: () => this.#news(),
        began: () => this.draw(),
        changed: () => this.#news(),
      }),
      effect(() => this.#enter(look.layout.value)),
      effect(() => {
        // Read: whichever changes, something else is to be drawn.
        void [look.color.value, look.filter.value, options.playhead.at.value]
        this.draw()
      }),
      effect(() => {
        look.scale.value // read
        this.retheme()
      }),
      effect(() => {
        // A connection that is back may have missed what moved.
        if (store.connection.value.kind === 'open') this.#news()
      }),
    ]
  }

  /** Ends drawing and listening. */
  stop(): void {
    this.#clock.stop()
    for (const stop of this.#stop) stop()
    this.#feed.stop()
    this.#pointer.stop()
    this.#stage.stop()
  }

  /** What draws the pictures now; ready: it takes another frame, having no more than a few before that. */
  get layer(): { readonly by: DrawnBy; readonly ready: boolean } {
    return this.#stage.layer
  }

  /** Frames drawn so far. */
  get frames(): number {
    return this.#painter.frames
  }

  /** Whether what is shown is what is looked at, whole and sharp: nothing is asked, worked on, or on its way. */
  get settled(): boolean {
    const { shown, busy, layer } = this.#stage
    const rests = shown !== null && !busy && !this.#clock.pending && layer.idle
    return rests && this.#feed.idle && this.#feed.does(this.#lookNow())
  }

  /** Has pictures made by this layer from now on, or by Canvas 2D; the one before is ended. */
  drawWith(layer: PictureLayer | null): void {
    this.#painter.cutChange()
    this.#stage.drawWith(layer ?? this.#canvases.layer())
    // At once, so that nobody sees a frame in which both or neither have drawn.
    this.drawNow()
  }

  /** The context of the canvas, for a layer that has its marks painted there. */
  get context(): CanvasRenderingContext2D {
    return this.#canvases.context
  }

  /** The canvas has this size now, in CSS pixels, on a screen of this pixel ratio. */
  resize(width: number, height: number, ratio: number): void {
    const { canvas } = this.#options
    this.#ratio = Math.min(ratio, MOST_PIXELS / width, MOST_PIXELS / height)
    canvas.width = Math.max(1, Math.round(width * this.#ratio))
    canvas.height = Math.max(1, Math.round(height * this.#ratio))
    this.#camera.resize(width, height)
    this.draw()
  }

  /** Something floats over these edges now. What is shown stays where it is on the screen. */
  cover(insets: Insets): void {
    this.#camera.cover(insets)
    this.draw()
  }

  /** The theme, the scale or the face of letters changed. */
  retheme(): void {
    this.#painter.palette = readPalette(this.#options.canvas)
    this.#stage.restyle(this.#style)
    this.draw()
  }

  /** Marks what is chosen and brings its place into view. */
  pin(pinned: Selected | null): void {
    this.#marks.pinned = pinned
    const bounds = this.#marks.bounds(this.#layout)
    if (bounds !== null) this.#camera.reveal(bounds)
    this.draw()
  }

  /** Moves what is shown by so many CSS pixels. */
  pan(dx: number, dy: number, smooth = false): void {
    this.#camera.pan(dx, dy, smooth)
    this.draw()
  }

  /** Zooms by a factor about a point of the canvas, or about the middle. */
  zoom(factor: number, at: { x: number; y: number } | null = null, smooth = false): void {
    this.#camera.zoom(factor, at, smooth, this.#followed.bounds)
    this.draw()
  }

  /** Shows everything. */
  fit(): void {
    this.#camera.fit(this.#followed.bounds)
    this.draw()
  }

  /** Shows one generation, wherever it lies in the layout. */
  show(generation: Pick<Generation, 'id'>): void {
    this.following.value = false
    const layout = this.#layout
    const held = layout === 'map' ? this.#options.store.get(generation.id) : undefined
    const known = held ? fitGeneration(this.#options.store.blocks, held, this.#camera.view) : null
    if (known !== null) {
      this.#camera.go(known)
      this.draw()
    } else void this.#find(layout, generation.id)
  }

  /** Keeps what is live in view from now on. */
  follow(): void {
    this.#camera.follow(this.#followed)
    this.draw()
  }

  /** Looks from here: x, y in the middle of what is seen, in units; zooms in CSS pixels of a unit. At once. */
  goTo({ x, y, zoom, zoomY }: { x: number; y: number; zoom: number; zoomY?: number }): void {
    const { zoomY: before } = this.#camera.pose
    this.#camera.go({ x, y, zoom, zoomY: zoomY ?? (this.#layout === 'timeline' ? before : zoom) }, true)
    this.draw()
  }

  /** From where it is looked, once the camera has come to rest; as `goTo` takes it. */
  pose(): CameraPose {
    return { ...this.#camera.destination }
  }

  /** The pointer is here, in CSS pixels from the canvas's corner; null: it left. */
  point(at: { x: number; y: number } | null): void {
    this.#pointer.point(at)
    this.draw()
  }

  /** The token at a point of the canvas; null where there is none, or nobody knows. */
  tokenAt(at: { x: number; y: number }): Promise<ViewToken | null> {
    const place = toWorld(this.#camera.pose, this.#camera.view, at.x, at.y)
    return this.#pointer.tokenAt(this.#lookNow(), place)
  }

  /** The token nearest to the middle of what is seen; null where there is none near it. */
  tokenInMiddle(): Promise<ViewToken | null> {
    return this.#pointer.nearest(this.#lookNow(), this.#camera.pose)
  }

  /** The middle of a square of the map, in CSS pixels of the window: where it is once the camera has come to rest. */
  cellToClient(x: number, y: number): { x: number; y: number } {
    const box = this.#options.canvas.getBoundingClientRect()
    this.#camera.aimNow(this.#followed, performance.now())
    this.draw()
    const at = toScreen(this.#camera.destination, this.#camera.view, x + 0.5, y + 0.5)
    return { x: box.left + at.x, y: box.top + at.y }
  }

  /** Tokens were laid out, in the layout that is followed. */
  placed(message: TokenVisualizationMessage): void {
    const glows = this.#live.placed(message, performance.now(), this.#glows)
    if (message.layout !== this.#layout) return
    if (glows || message.tokens.length > 0) this.#news()
  }

  /** Draws at once: a canvas that got another size is blank, and is shown so if it waits for a frame. */
  drawNow(): void {
    this.#clock.now()
  }

  /** Asks for a frame. */
  draw(): void {
    this.#clock.ask()
  }

  get #layout(): LayoutName {
    return this.#options.look.layout.peek()
  }

  get #still(): boolean {
    return this.#stillness.matches
  }

  get #glows(): boolean {
    return !this.#still && this.#options.playhead.at.peek() === null
  }

  async #find(layout: LayoutName, generation: string): Promise<void> {
    const { bounds } = this.#followed
    if (bounds === null) return
    const found = await this.#finder.find(layout, generation, bounds, this.#options.playhead.at.peek())
    // Whoever follows what is live by now is not called back.
    if (found !== null && !this.following.peek()) this.#camera.go(fitAll(layout, found, this.#camera.view))
    this.draw()
  }

  #enter(layout: LayoutName): void {
    this.#options.client.follow(layout)
    this.#finder.cancel()
    this.#camera.enter(layout)
    this.#live.enter(layout)
    this.facts.bounds.value = null
    this.draw()
  }

  #landed(generation: Generation, index: number): void {
    const seq = this.#options.client.applied?.seq ?? Number.MAX_SAFE_INTEGER
    const place = this.#live.landed(generation, index, seq, performance.now(), this.#glows)
    if (this.#layout === 'map' && place !== null) this.#news()
  }

  #news(): void {
    this.#feed.news()
    this.draw()
  }

  #reply(reply: ViewReply): void {
    const { view, look } = reply
    if (look.layout !== this.#layout) return
    this.facts.reply(reply)
    if (!this.#camera.settled && view.bounds !== null) {
      // Only now it is known where to look; what was asked for is hardly that.
      this.#camera.aimNow(this.#followed, performance.now())
      if (!this.#feed.does(this.#lookNow())) return
    }
    this.#stage.take(reply, this.#style)
  }

  get #style() {
    const { look, playhead, store } = this.#options
    return this.#painter.styleOf(this.#ratio, look.scale.peek(), playhead.at.peek() ?? store.now)
  }

  get #followed(): Followed {
    const { store, playhead } = this.#options
    const origin = this.#stage.shown?.answer.origin ?? null
    const bounds = boundsOfAnswer(this.#layout, this.facts.bounds.peek(), store.blocks)
    return followedOf(this.#layout, bounds, this.#live, store, playhead.at.peek(), origin)
  }

  #lookNow(): Look {
    return lookFrom(this.#camera, this.#ratio, this.#options)
  }

  #tick(now: number, dt: number): boolean {
    // It draws no faster for being told more.
    if (!this.layer.ready) return true
    const camera = this.#camera
    const { store, playhead } = this.#options
    const followed = this.#followed
    if (!this.#pointer.reading(now)) this.#clock.askIn(camera.aim(followed, now))
    const moving = camera.step(dt)
    const scrolls = followed.newest !== null && this.following.peek() && playhead.at.peek() === null
    const seen = this.#lookNow()
    const look = scrolls ? { ...seen, moving: true } : seen
    this.#clock.askIn(camera.restsIn)
    if (!this.#finder.busy) this.#feed.want(look, this.#stage.busy)
    const { changing } = this.#painter
    // What would take the place of a picture on its way waits for it to arrive, unless it leads elsewhere.
    const first = this.#stage.shown?.answer.layout !== this.#layout
    const waits = changing !== null && changing.layout === this.#stage.working
    if (!waits && this.#stage.work(performance.now() + workMs(first, dt))) this.#swapped(now)
    this.#stage.add(now)
    this.#pointer.update(look, camera.pose, camera.view)
    const hover = this.hover.peek()?.token ?? null
    const again = this.#painter.paint({
      look,
      camera,
      ratio: this.#ratio,
      live: this.#live,
      store,
      hover,
      pinned: this.#marks.token(look.layout),
      traced: this.#marks.traced(hover),
      now,
    })
    this.#clock.askIn(this.facts.see(visibleBounds(camera.pose, camera.view), now))
    const old = oldIn(this.#options, this.#stage.shown)
    if (old !== 0) this.#clock.askIn(old)
    else if (!this.#stage.busy) this.#stage.restyle(this.#style)
    return moving || again || this.#stage.busy || scrolls
  }

  #swapped(now: number): void {
    const { shown } = this.#stage
    if (shown === null) return
    // News waited for it.
    this.draw()
    this.facts.shown(shown)
    this.#live.answered(shown.answer.layout, shown.answer.upto)
    this.#painter.swapped(this.#camera, this.#ratio, now, this.#still)
  }
}
