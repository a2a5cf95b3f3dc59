import type { Playhead } from './playhead.ts'
import type { StripView } from './strip-view.ts'

/** A press that goes no further than this is a click, CSS pixels. */
const CLICK_PX = 4
/** Zoom of a pixel of the wheel, as an exponent of e. */
const WHEEL_ZOOM = 0.0016
const LINE_PX = 16

interface Press {
  startX: number
  x: number
  y: number
}

/**
 * Hands on the strip: a press shows its moment and a drag the moments under it, a click on a lane chooses it, with Shift
 * a drag marks a stretch, the wheel zooms, sideways it pans, and so do two fingers.
 *
 * @returns what lets go of it
 */
export function attachStripGestures(canvas: HTMLElement, view: StripView, playhead: Playhead): () => void {
  const presses = new Map<number, Press>()
  let marking = false
  let wasPlaying = false
  /** The press may still become a click on this lane. */
  let lane: ReturnType<StripView['laneAt']> = null

  const placeOf = (event: MouseEvent) => {
    const { left, top } = canvas.getBoundingClientRect()
    return { x: event.clientX - left, y: event.clientY - top }
  }
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return
    const { x, y } = placeOf(event)
    canvas.setPointerCapture(event.pointerId)
    presses.set(event.pointerId, { startX: x, x, y })
    if (presses.size > 1) {
      lane = null
      return
    }
    marking = event.shiftKey
    lane = marking ? null : view.laneAt(x, y)
    wasPlaying = playhead.playing.peek()
    if (marking || lane !== null) return
    playhead.playing.value = false
    view.seek(x)
  }
  const move = (event: PointerEvent) => {
    const place = placeOf(event)
    view.pointer.value = place
    const press = presses.get(event.pointerId)
    if (press === undefined) return
    if (presses.size === 2) pinch(view, presses, event.pointerId, place.x)
    else if (marking) view.mark(press.startX, place.x)
    else if (lane === null || Math.abs(place.x - press.startX) > CLICK_PX) {
      lane = null
      playhead.playing.value = false
      view.seek(place.x)
    }
    Object.assign(press, place)
  }
  const up = (event: PointerEvent) => {
    const press = presses.get(event.pointerId)
    if (!presses.delete(event.pointerId) || press === undefined) return
    if (marking) view.mark(press.startX, press.x)
    else if (lane !== null && event.type === 'pointerup') void view.choose(lane)
    else if (wasPlaying && presses.size === 0 && !playhead.live.peek()) playhead.playing.value = true
    lane = null
  }
  const leave = () => {
    view.pointer.value = null
  }
  const wheel = (event: WheelEvent) => {
    event.preventDefault()
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1
    const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX
    if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) view.pan(sideways * unit)
    else view.zoom(Math.exp(event.deltaY * unit * WHEEL_ZOOM), placeOf(event).x)
  }
  const whole = () => view.view.whole()

  canvas.addEventListener('pointerdown', down)
  canvas.addEventListener('pointermove', move)
  canvas.addEventListener('pointerup', up)
  canvas.addEventListener('pointercancel', up)
  canvas.addEventListener('pointerleave', leave)
  canvas.addEventListener('wheel', wheel, { passive: false })
  canvas.addEventListener('dblclick', whole)
  return () => {
    canvas.removeEventListener('pointerdown', down)
    canvas.removeEventListener('pointermove', move)
    canvas.removeEventListener('pointerup', up)
    canvas.removeEventListener('pointercancel', up)
    canvas.removeEventListener('pointerleave', leave)
    canvas.removeEventListener('wheel', wheel)
    canvas.removeEventListener('dblclick', whole)
  }
}

/** One of two fingers moved to `x`. */
function pinch(view: StripView, presses: Map<number, Press>, moved: number, x: number): void {
  const before = presses.get(moved) as Press
  const other = [...presses].find(([id]) => id !== moved)?.[1] as Press
  const apart = Math.abs(x - other.x)
  if (apart < 1) return
  view.pan((before.x - x) / 2)
  view.zoom(Math.abs(before.x - other.x) / apart, (x + other.x) / 2)
}
