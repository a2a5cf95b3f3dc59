import { useEffect, useRef, useState } from 'preact/hooks'
import { formatRate } from '../format.ts'
import { IconClose } from '../frame/icons.tsx'
import { useScope } from '../scope.ts'
import { clockWords, spanWords } from './clock-words.ts'
import { attachStripGestures } from './strip-gestures.ts'
import { StripView } from './strip-view.ts'
import { TimeControls } from './time-controls.tsx'
import { narrowFrom, narrowTo } from './time-filter.ts'

const KEY_ZOOM = 1.4

/** The time line of the session: what was when, and which moment is shown. */
export function TimeBar() {
  const scope = useScope()
  const canvas = useRef<HTMLCanvasElement>(null)
  const [strip, setStrip] = useState<StripView | null>(null)

  useEffect(() => {
    const surface = canvas.current as HTMLCanvasElement
    const view = new StripView(surface, scope)
    const letGo = attachStripGestures(surface, view, scope.playhead)
    setStrip(view)
    return () => {
      letGo()
      view.dispose()
    }
  }, [scope])

  return (
    <section class="time-bar" data-testid="time-bar" aria-label="Time" data-live={scope.playhead.live.value}>
      <TimeControls strip={strip} />
      <div class="time-strip">
        <canvas
          ref={canvas}
          class="time-canvas"
          data-testid="time-strip"
          role="img"
          aria-label="The session: tokens a second as an area, a lane for each generation"
        />
        {strip === null ? null : <Head strip={strip} />}
        <Marked />
      </div>
    </section>
  )
}

/** The moment that is shown, as a line that can be moved by keys; by hand the strip as a whole moves it. */
function Head({ strip }: { strip: StripView }) {
  const { playhead, line, look, store } = useScope()
  const at = playhead.at.value
  const x = strip.headX.value
  const { from, to } = strip.span
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const page = (to - from) / 10
    const now = at ?? store.now
    if (event.key === 'ArrowLeft' || event.key === 'ArrowDown') playhead.step(-1)
    else if (event.key === 'ArrowRight' || event.key === 'ArrowUp') playhead.step(1)
    else if (event.key === 'PageDown') playhead.seek(now - page)
    else if (event.key === 'PageUp') playhead.seek(now + page)
    else if (event.key === 'Home') playhead.seek(line.moment(from, 1) ?? from)
    else if (event.key === 'End') playhead.goLive()
    else if (event.key === '[') narrowFrom(look, 'since', now)
    else if (event.key === ']') narrowFrom(look, 'until', now)
    else if (event.key === '+' || event.key === '=') strip.zoom(1 / KEY_ZOOM, x)
    else if (event.key === '-') strip.zoom(KEY_ZOOM, x)
    else if (event.key === '0') strip.view.whole()
    else return
    event.preventDefault()
    event.stopPropagation()
    const moved = playhead.at.peek()
    if (moved !== null) strip.view.keepIn(moved, strip.span, store.now)
  }
  const rate = at === null ? null : line.rateAt(at)
  return (
    <div
      class="time-head"
      data-testid="playhead"
      role="slider"
      tabIndex={0}
      aria-label="Moment shown"
      aria-valuemin={Math.round(from)}
      aria-valuemax={Math.round(to)}
      aria-valuenow={Math.round(at ?? to)}
      aria-valuetext={
        at === null ? 'now, live' : `${clockWords(at, store.now, true)}, ${formatRate(rate)} tokens a second`
      }
      data-out={at !== null && (at < from || at > to)}
      style={{ transform: `translateX(${x}px)` }}
      onKeyDown={onKey}
    />
  )
}

/** What map and time line are narrowed to, and the way back. */
function Marked() {
  const { look, store } = useScope()
  const { since, until } = look.filter.value ?? {}
  if (since === undefined && until === undefined) return null
  const words = [since, until].map(time => (time === undefined ? '…' : clockWords(time, store.now)))
  const length = since !== undefined && until !== undefined ? ` · ${spanWords(until - since)}` : ''
  return (
    <p class="time-marked" data-testid="time-marked">
      <span>
        only {words.join(' – ')}
        {length}
      </span>
      <button
        type="button"
        class="time-marked-clear"
        aria-label="Show all times"
        title="Show all times"
        onClick={() => narrowTo(look, null)}
      >
        <IconClose />
      </button>
    </p>
  )
}
