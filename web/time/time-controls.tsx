import { useScope } from '../scope.ts'
import { clockWords, spanWords } from './clock-words.ts'
import { SPEEDS, type Speed } from './playhead.ts'
import type { StripView } from './strip-view.ts'
import { IconInstruments, IconPause, IconPlay, IconStepBack, IconStepOn } from './time-icons.tsx'
import { SHORTEST_SESSION_S } from './time-view.ts'

/** Below this the tenths of a second tell one moment from the next. */
const TENTHS_BELOW_S = 120

/** Play, step, speed, live; and which moment it is that is shown. */
export function TimeControls({ strip }: { strip: StripView | null }) {
  const { playhead, panel } = useScope()
  const live = playhead.live.value
  const playing = playhead.playing.value && !live
  const open = panel.value === 'instruments'
  return (
    <div class="time-controls">
      <div class="time-buttons">
        <button
          type="button"
          class="icon-button time-step"
          aria-label="Previous token"
          title="Previous token ( , )"
          onClick={() => playhead.step(-1)}
        >
          <IconStepBack />
        </button>
        <button
          type="button"
          class="icon-button time-play"
          data-testid="play"
          aria-label={live ? 'Hold this moment' : playing ? 'Pause' : 'Play'}
          title={`${live ? 'Hold this moment' : playing ? 'Pause' : 'Play'} (space)`}
          onClick={() => playhead.toggle()}
        >
          {live || playing ? <IconPause /> : <IconPlay />}
        </button>
        <button
          type="button"
          class="icon-button time-step"
          aria-label="Next token"
          title="Next token ( . )"
          disabled={live}
          onClick={() => playhead.step(1)}
        >
          <IconStepOn />
        </button>
        <select
          class="time-speed"
          data-testid="speed"
          aria-label="Speed of playing"
          title="Speed of playing"
          value={String(playhead.speed.value)}
          onChange={event => {
            playhead.speed.value = Number(event.currentTarget.value) as Speed
          }}
        >
          {SPEEDS.map(speed => (
            <option key={speed} value={String(speed)}>
              ×{speed}
            </option>
          ))}
        </select>
        <button
          type="button"
          class="time-live"
          data-testid="live"
          aria-pressed={live}
          title={live ? 'The map shows now' : 'Back to now ( l )'}
          onClick={() => playhead.goLive()}
        >
          <span class="time-live-dot" aria-hidden="true" />
          {live ? 'live' : 'go live'}
        </button>
        <button
          type="button"
          class="icon-button time-instruments"
          data-testid="open-instruments"
          aria-label="Instruments"
          title="Instruments ( i )"
          aria-pressed={open}
          onClick={() => {
            panel.value = open ? null : 'instruments'
          }}
        >
          <IconInstruments />
        </button>
      </div>
      <Words strip={strip} />
    </div>
  )
}

/** The moment as a sentence; where it is not now, that it is not. */
function Words({ strip }: { strip: StripView | null }) {
  return (
    <p class="time-words" data-testid="time-words">
      {strip === null ? null : <StripWords strip={strip} />}
    </p>
  )
}

function StripWords({ strip }: { strip: StripView }) {
  const { playhead, store, lost } = useScope()
  const at = playhead.at.value
  const shownS = strip.shownS.value
  const skipped = playhead.skipped.value
  if (at !== null) {
    return (
      <>
        {skipped === null ? 'as it was at' : `skipped ${spanWords(skipped)}, to`}{' '}
        {clockWords(at, store.now, shownS < TENTHS_BELOW_S)}
      </>
    )
  }
  if (lost.value) return <>not connected · what was known last</>
  const { length, to } = strip.view.shape.value
  // A session that has just begun is shown with time before it.
  if (length === null && shownS > SHORTEST_SESSION_S) return <>live · session of {spanWords(shownS)}</>
  return to === null ? <>live · last {spanWords(shownS)}</> : <>live · {spanWords(shownS)} shown</>
}
