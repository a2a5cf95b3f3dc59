import { type Glide, Inertia } from './inertia.ts'
import { WheelReader } from './wheel.ts'

/** A press that moves less than this, in CSS pixels, is a click. */
const CLICK_SLOP = 5
/** Two fingers are never closer, as far as their scale goes. */
const LEAST_SPREAD = 8
const DOUBLE_CLICK_ZOOM = 2

/** A point of the canvas, in CSS pixels from its corner. */
export interface Point {
  x: number
  y: number
}

/** What gestures move. */
export interface GestureTarget {
  /** Moves what is shown by so many CSS pixels. */
  pan(dx: number, dy: number): void
  /** Zooms by a factor about a point. */
  zoom(factor: number, at: Point, smooth?: boolean): void
  /** The pointer is here; null: it left, or drags. */
  point(at: Point | null): void
}

/**
 * Turns what fingers, mouse and wheel do on the canvas into moves of the map. `pick` is called for a click
 * or tap. Returns what detaches it.
 */
export function attachGestures(
  canvas: HTMLCanvasElement,
  view: GestureTarget,
  pick: (at: Point) => void,
): () => void {
  const gestures = new Gestures(canvas, view, pick)
  return () => gestures.detach()
}

class Gestures {
  readonly #canvas: HTMLCanvasElement
  readonly #view: GestureTarget
  readonly #pick: (at: Point) => void
  readonly #listening = new AbortController()
  readonly #stillness = matchMedia('(prefers-reduced-motion: reduce)')
  readonly #pressed = new Map<number, Point>()
  readonly #inertia = new Inertia()
  readonly #wheel = new WheelReader()
  #travelled = 0
  #glide: Glide | null = null
  #frame = 0

  constructor(canvas: HTMLCanvasElement, view: GestureTarget, pick: (at: Point) => void) {
    this.#canvas = canvas
    this.#view = view
    this.#pick = pick
    const { signal } = this.#listening
    // Whatever is done next, on the canvas or not, ends what glides.
    window.addEventListener('pointerdown', () => this.#stopGlide(), { signal })
    window.addEventListener('keydown', () => this.#stopGlide(), { signal, capture: true })
    canvas.addEventListener('pointerdown', event => this.#press(event), { signal })
    canvas.addEventListener('pointermove', event => this.#move(event), { signal })
    canvas.addEventListener('pointerup', event => this.#release(event), { signal })
    canvas.addEventListener('pointercancel', event => this.#release(event), { signal })
    canvas.addEventListener('pointerleave', () => view.point(null), { signal })
    canvas.addEventListener('dblclick', event => this.#doubleClick(event), { signal })
    canvas.addEventListener('wheel', event => this.#turn(event), { signal, passive: false })
  }

  detach(): void {
    this.#listening.abort()
    this.#stopGlide()
  }

  #press(event: PointerEvent): void {
    if (event.button !== 0) return
    if (this.#pressed.size === 0) {
      // A press that catches what glides is no click.
      this.#travelled = this.#glide === null ? 0 : CLICK_SLOP
    }
    this.#stopGlide()
    const at = this.#local(event)
    this.#inertia.reset()
    this.#inertia.move(at.x, at.y, event.timeStamp)
    this.#pressed.set(event.pointerId, at)
    this.#canvas.setPointerCapture(event.pointerId)
  }

  #move(event: PointerEvent): void {
    const now = this.#local(event)
    const before = this.#pressed.get(event.pointerId)
    if (before === undefined) {
      if (event.pointerType === 'mouse' || event.pointerType === 'pen') this.#view.point(now)
      return
    }
    this.#pressed.set(event.pointerId, now)
    const [other] = [...this.#pressed].filter(([id]) => id !== event.pointerId)
    // Two fingers never mean a click.
    this.#travelled +=
      other === undefined ? Math.abs(now.x - before.x) + Math.abs(now.y - before.y) : CLICK_SLOP
    if (this.#travelled < CLICK_SLOP) return
    this.#canvas.dataset.dragging = 'true'
    this.#view.point(null)
    if (other !== undefined) {
      this.#pinch(before, now, other[1])
      return
    }
    this.#inertia.move(now.x, now.y, event.timeStamp)
    this.#view.pan(now.x - before.x, now.y - before.y)
  }

  /** The point between two fingers stays under them, and their distance is the scale. */
  #pinch(before: Point, now: Point, still: Point): void {
    this.#view.pan((now.x - before.x) / 2, (now.y - before.y) / 2)
    const spread = (p: Point) => Math.max(LEAST_SPREAD, Math.hypot(p.x - still.x, p.y - still.y))
    this.#view.zoom(spread(now) / spread(before), { x: (now.x + still.x) / 2, y: (now.y + still.y) / 2 })
  }

  #release(event: PointerEvent): void {
    if (!this.#pressed.delete(event.pointerId)) return
    if (this.#pressed.size > 0) {
      // The finger that stays drags on; how the other moved says nothing about it.
      this.#inertia.reset()
      return
    }
    delete this.#canvas.dataset.dragging
    if (event.type !== 'pointerup') return
    if (this.#travelled < CLICK_SLOP) this.#pick(this.#local(event))
    else if (!this.#stillness.matches) this.#throw(this.#inertia.release(event.timeStamp))
  }

  #throw(glide: Glide | null): void {
    this.#glide = glide
    if (glide !== null) this.#frame = requestAnimationFrame(now => this.#slide(now))
  }

  #slide(now: number): void {
    const moved = this.#glide?.step(now) ?? null
    if (moved === null) {
      this.#glide = null
      return
    }
    this.#view.pan(moved.dx, moved.dy)
    this.#frame = requestAnimationFrame(later => this.#slide(later))
  }

  #stopGlide(): void {
    cancelAnimationFrame(this.#frame)
    this.#glide = null
  }

  #doubleClick(event: MouseEvent): void {
    const factor = event.shiftKey ? 1 / DOUBLE_CLICK_ZOOM : DOUBLE_CLICK_ZOOM
    this.#view.zoom(factor, this.#local(event), true)
  }

  #turn(event: WheelEvent): void {
    event.preventDefault()
    this.#stopGlide()
    const ask = this.#wheel.read(event)
    const at = this.#local(event)
    if ('zoom' in ask) this.#view.zoom(ask.zoom, at)
    else this.#view.pan(ask.dx, ask.dy)
    this.#view.point(at)
  }

  #local(event: MouseEvent): Point {
    const box = this.#canvas.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }
}
