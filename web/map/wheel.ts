/** What one pixel of a wheel's notch zooms by, as an exponent. */
const NOTCH_ZOOM = 0.0016
/** A pinch on a trackpad arrives as a wheel event with ctrlKey and far smaller steps. */
const PINCH_ZOOM = 0.01
/** No event moves or zooms by more than this many pixels: some wheels spin freely. */
const MOST_PX = 240
const LINE_PX = 16
const PAGE_PX = 400
/** Less than this in one event no notch of a wheel gives. */
const FINE_PX = 50
/** Browsers' older unit: a notch of a wheel has this many, a trackpad three for each pixel. */
const NOTCH_UNITS = 120
/** Events closer than this, in milliseconds, are of one movement, and of one kind. */
const SAME_MS = 180

/** What is used of a wheel event. */
export type WheelMove = Pick<WheelEvent, 'ctrlKey' | 'deltaMode' | 'deltaX' | 'deltaY' | 'timeStamp'> & {
  /** Not in every browser. */
  wheelDeltaY?: number
}

/** What a wheel event asks of the map: to zoom by a factor, or to move by CSS pixels. */
export type WheelAsk = { zoom: number } | { dx: number; dy: number }

/**
 * Tells wheels from trackpads, which browsers do not: a wheel and a pinch zoom, two fingers on a trackpad pan.
 * A trackpad is known by what moves sideways, or by less than a notch.
 */
export class WheelReader {
  #pans = false
  #last = Number.NEGATIVE_INFINITY

  /** What this event asks for. */
  read(event: WheelMove): WheelAsk {
    const unit = event.deltaMode === 1 ? LINE_PX : event.deltaMode === 2 ? PAGE_PX : 1
    const [dx, dy] = [within(event.deltaX * unit), within(event.deltaY * unit)]
    const notched = isNotch(event)
    if (event.ctrlKey) return { zoom: Math.exp(-dy * (notched ? NOTCH_ZOOM : PINCH_ZOOM)) }
    const goesOn = event.timeStamp - this.#last < SAME_MS
    this.#last = event.timeStamp
    // What is thrown on a trackpad may become as fast as a wheel, and what ends becomes slow.
    this.#pans = event.deltaX !== 0 || (goesOn ? this.#pans : !notched)
    return this.#pans ? { dx: -dx, dy: -dy } : { zoom: Math.exp(-dy * NOTCH_ZOOM) }
  }
}

function isNotch({ deltaMode, deltaY, wheelDeltaY = 0 }: WheelMove): boolean {
  if (deltaMode !== 0 || Math.abs(deltaY) >= FINE_PX) return true
  // Some systems slow a notch down to a few pixels; the older unit still tells.
  const isWhole = wheelDeltaY !== 0 && wheelDeltaY % NOTCH_UNITS === 0
  return isWhole && Math.abs(wheelDeltaY) !== Math.abs(deltaY) * 3
}

function within(pixels: number): number {
  return Math.max(-MOST_PX, Math.min(MOST_PX, pixels))
}
