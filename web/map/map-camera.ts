import { type Signal, signal } from '@preact/signals'
import type { LayoutName } from '../../broadcast/protocol/view.ts'
import type { CellBounds } from '../../compositor/draw/cell.ts'
import { type CameraPose, panned, reveal, type Viewport, viewCentre, zoomAbout } from './camera.ts'
import { type Followed, firstPose, fitAll, followPose, zoomRange } from './follow.ts'
import { CameraSpring } from './spring.ts'

/** How often following looks whether the camera must move, in milliseconds. */
const FOLLOW_EACH_MS = 250
/** The first look, before it is known what there is. */
const FIRST_POSES: Record<LayoutName, CameraPose> = {
  map: { x: 8, y: 8, zoom: 32, zoomY: 32 },
  flow: { x: 40, y: 30, zoom: 9, zoomY: 9 },
  timeline: { x: 5000, y: 120, zoom: 0.1, zoomY: 1.5 },
}
/** A hand that has not moved the map for so long rests. */
const RESTED_MS = 120
/** Free space around what is brought into view, in CSS pixels. */
const REVEAL_MARGIN = 40

/** Where the map is looked at from: a pose for each layout, moved by hand, by a spring, or by what is live. */
export class MapCamera {
  readonly following: Signal<boolean> = signal(true)
  view: Viewport = { width: 1, height: 1, left: 0, top: 0, right: 0, bottom: 0 }
  #layout: LayoutName
  readonly #spring: CameraSpring
  readonly #poses = { ...FIRST_POSES }
  /** Layouts that were looked at once: the first look at what was there before is no journey. */
  readonly #settled = new Set<LayoutName>()
  readonly #isStill: () => boolean
  #lastFollow = Number.NEGATIVE_INFINITY
  #handAt = Number.NEGATIVE_INFINITY

  /** @param isStill whether nothing is to move by itself */
  constructor(layout: LayoutName, isStill: () => boolean) {
    this.#layout = layout
    this.#isStill = isStill
    this.#spring = new CameraSpring(FIRST_POSES[layout])
  }

  get pose(): CameraPose {
    return this.#spring.pose
  }

  /** Where it will come to rest. */
  get destination(): CameraPose {
    return this.#spring.destination
  }

  /** Whether it is on its way, or under a hand that has not rested yet. */
  get moving(): boolean {
    return this.#spring.moving || this.restsIn !== null
  }

  /** In how many milliseconds the hand that moved it last will have rested; null: it has. */
  get restsIn(): number | null {
    const left = this.#handAt + RESTED_MS - performance.now()
    return left > 0 ? left : null
  }

  /** Whether the present layout was looked at already. */
  get settled(): boolean {
    return this.#settled.has(this.#layout)
  }

  /** The pose in which a layout is, or was last, looked at. */
  poseOf(layout: LayoutName): CameraPose {
    return layout === this.#layout ? this.#spring.pose : this.#poses[layout]
  }

  /** Looks at another layout, as it was looked at last. */
  enter(layout: LayoutName): void {
    if (layout === this.#layout) return
    this.#poses[this.#layout] = this.#spring.destination
    this.#layout = layout
    this.#spring.hold(this.#poses[layout])
    this.#lastFollow = Number.NEGATIVE_INFINITY
  }

  /** The canvas has this size now, in CSS pixels. */
  resize(width: number, height: number): void {
    this.view = { ...this.view, width, height }
    if (this.following.peek()) this.#settled.delete(this.#layout)
    this.#lastFollow = Number.NEGATIVE_INFINITY
  }

  /** Something floats over these edges now. What is shown stays where it is on the screen. */
  cover(insets: Pick<Viewport, 'left' | 'top' | 'right' | 'bottom'>): void {
    const before = viewCentre(this.view)
    this.view = { ...this.view, ...insets }
    const after = viewCentre(this.view)
    const { pose, destination, moving } = this.#spring
    const shifted = (of: CameraPose) => panned(of, before.x - after.x, before.y - after.y)
    this.#spring.hold(shifted(pose))
    if (moving) this.#spring.aim(destination, this.#isStill())
  }

  /** Moves what is shown by so many CSS pixels. */
  pan(dx: number, dy: number, smooth: boolean): void {
    this.#byHand(panned(this.#from(smooth), dx, dy), smooth)
  }

  /** Zooms by a factor about a point of the canvas, or about the middle; no farther out than is of use. */
  zoom(
    factor: number,
    at: { x: number; y: number } | null,
    smooth: boolean,
    bounds: CellBounds | null,
  ): void {
    const from = this.#from(smooth)
    const range = zoomRange(this.#layout, bounds, this.view)
    // Who is farther out than that already need not come nearer.
    const least = Math.min(range.least, from.zoom)
    const leastY = Math.min(range.leastY, from.zoomY)
    this.#byHand(
      zoomAbout(from, this.view, at ?? viewCentre(this.view), factor, { ...range, least, leastY }),
      smooth,
    )
  }

  /** Goes to a pose: at once, or by the spring. */
  go(pose: CameraPose, cut = false): void {
    this.following.value = false
    this.#settled.add(this.#layout)
    this.#spring.aim(pose, cut || this.#isStill())
  }

  /** Shows everything. */
  fit(bounds: CellBounds | null): void {
    this.following.value = false
    if (bounds !== null) this.go(fitAll(this.#layout, bounds, this.view))
  }

  /** Brings a rectangle of the layout into view, with as little movement as that takes. */
  reveal(bounds: CellBounds): void {
    const { destination } = this.#spring
    const pose = reveal(destination, this.view, bounds, REVEAL_MARGIN)
    if (pose !== destination) this.#spring.aim(pose, this.#isStill())
  }

  /** Keeps what is live in view from now on; where nothing is, shows everything. */
  follow(followed: Followed): void {
    this.following.value = true
    this.#lastFollow = Number.NEGATIVE_INFINITY
    const { bounds, targets, newest } = followed
    if (bounds !== null && targets.length === 0 && newest === null)
      this.#spring.aim(fitAll(this.#layout, bounds, this.view), this.#isStill())
  }

  /**
   * Aims at what is followed, if the camera follows.
   *
   * @returns in how many milliseconds it is to be asked again, if nothing else happens; null: need not be
   */
  aim(followed: Followed, now: number): number | null {
    const { bounds, newest } = followed
    if (bounds === null) return null
    if (!this.following.value) {
      // Who comes by a link has a pose already; all others begin with a look at what there is.
      if (!this.settled) this.go(firstPose(this.#layout, bounds, this.view), true)
      return null
    }
    const early = FOLLOW_EACH_MS - (now - this.#lastFollow)
    if (early > 0 && newest === null) return early
    this.#lastFollow = now
    const { settled } = this
    const from = settled ? this.#spring.destination : firstPose(this.#layout, bounds, this.view)
    const pose = followPose(this.#layout, followed, this.view, from) ?? (settled ? null : from)
    if (pose === null) return null
    const creeps = newest !== null && settled && Math.abs(pose.x - from.x) * pose.zoom < 40
    if (creeps && !this.#spring.moving) this.#spring.hold(pose)
    else this.#spring.aim(pose, this.#isStill() || !settled)
    this.#settled.add(this.#layout)
    return null
  }

  /** Where it comes to rest if it follows: as `aim`, without waiting. */
  aimNow(followed: Followed, now: number): void {
    this.#lastFollow = Number.NEGATIVE_INFINITY
    this.aim(followed, now)
  }

  /** Moves on by `dt` seconds; says whether it is still on its way. */
  step(dt: number): boolean {
    return this.#spring.step(dt)
  }

  #from(smooth: boolean): CameraPose {
    return smooth ? this.#spring.destination : this.#spring.pose
  }

  #byHand(pose: CameraPose, smooth: boolean): void {
    this.following.value = false
    this.#settled.add(this.#layout)
    if (smooth) {
      this.#spring.aim(pose, this.#isStill())
      return
    }
    this.#spring.hold(pose)
    this.#handAt = performance.now()
  }
}
