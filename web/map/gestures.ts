import type { MapView } from './map-view.ts'

/** A press that moves less than this, in CSS pixels, is a click. */
const CLICK_SLOP = 5
/** What one notch of a wheel or one pixel of a trackpad zooms by, as an exponent. */
const WHEEL_ZOOM = 0.0016
/** A pinch on a trackpad arrives as a wheel event with ctrlKey and far smaller steps. */
const PINCH_ZOOM = 0.01
const LINE_PX = 16

interface Point {
  x: number
  y: number
}

/**
 * Turns what fingers, mouse and wheel do on the canvas into moves of the map. `pick` is called for a click
 * or tap. Returns what detaches it.
 */
export function attachGestures(
  canvas: HTMLCanvasElement,
  view: MapView,
  pick: (at: Point) => void,
): () => void {
  const pressed = new Map<number, Point>()
  let travelled = 0
  const detach = new AbortController()
  const { signal } = detach

  const local = (event: MouseEvent): Point => {
    const box = canvas.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }

  canvas.addEventListener(
    'pointerdown',
    event => {
      if (event.button !== 0) return
      if (pressed.size === 0) travelled = 0
      pressed.set(event.pointerId, local(event))
      canvas.setPointerCapture(event.pointerId)
    },
    { signal },
  )

  canvas.addEventListener(
    'pointermove',
    event => {
      const now = local(event)
      const before = pressed.get(event.pointerId)
      if (before === undefined) {
        if (event.pointerType === 'mouse' || event.pointerType === 'pen') view.point(now)
        return
      }
      pressed.set(event.pointerId, now)
      travelled += Math.abs(now.x - before.x) + Math.abs(now.y - before.y)
      if (travelled < CLICK_SLOP) return
      canvas.dataset.dragging = 'true'
      view.point(null)
      const [other] = [...pressed.entries()].filter(([id]) => id !== event.pointerId)
      if (other === undefined) {
        view.pan(now.x - before.x, now.y - before.y)
        return
      }
      // Two fingers: the point between them stays under them, and their distance is the scale.
      const still = other[1]
      view.pan((now.x - before.x) / 2, (now.y - before.y) / 2)
      const spread = (p: Point) => Math.max(8, Math.hypot(p.x - still.x, p.y - still.y))
      view.zoom(spread(now) / spread(before), { x: (now.x + still.x) / 2, y: (now.y + still.y) / 2 })
    },
    { signal },
  )

  const release = (event: PointerEvent) => {
    const at = pressed.get(event.pointerId)
    if (at === undefined) return
    pressed.delete(event.pointerId)
    if (pressed.size === 0) delete canvas.dataset.dragging
    if (event.type === 'pointerup' && pressed.size === 0 && travelled < CLICK_SLOP) pick(local(event))
  }
  canvas.addEventListener('pointerup', release, { signal })
  canvas.addEventListener('pointercancel', release, { signal })
  canvas.addEventListener('pointerleave', () => view.point(null), { signal })
  canvas.addEventListener('dblclick', event => view.zoom(event.shiftKey ? 0.5 : 2, local(event), true), {
    signal,
  })

  canvas.addEventListener(
    'wheel',
    event => {
      event.preventDefault()
      const unit = event.deltaMode === 1 ? LINE_PX : 1
      const amount = Math.max(-240, Math.min(240, event.deltaY * unit))
      view.zoom(Math.exp(-amount * (event.ctrlKey ? PINCH_ZOOM : WHEEL_ZOOM)), local(event))
      view.point(local(event))
    },
    { signal, passive: false },
  )

  return () => detach.abort()
}
