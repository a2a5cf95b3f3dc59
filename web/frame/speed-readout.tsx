import { useComputed } from '@preact/signals'
import { formatDuration, formatRate } from '../format.ts'
import type { Generation } from '../generation.ts'
import { useScope } from '../scope.ts'
import { clockWords } from '../time/clock-words.ts'
import { rateAt } from '../time/lane-sums.ts'

/** Of a moment that is played through, so often a second is as often as one can read it. */
const READS_A_SECOND = 4

/** The one large number, tokens a second, and the time to the first token: now, or at the moment that is shown. */
export function SpeedReadout() {
  const { playhead } = useScope()
  const at = useComputed(() => {
    const moment = playhead.at.value
    if (moment === null || !playhead.playing.value) return moment
    return Math.round(moment * READS_A_SECOND) / READS_A_SECOND
  })
  return at.value === null ? <SpeedNow /> : <SpeedThen at={at.value} />
}

function SpeedNow() {
  const { store, tick, lost } = useScope()
  tick.value // read
  const list = store.list.value
  const live = list.filter(generation => generation.live)
  if (live.length === 0) store.held.value // read: history may still come in
  const running = live.filter(generation => generation.tokens.held > 0)
  const newest = latestOf(list)
  newest?.states.value // the last numbers of all come with its end
  const now = store.now
  // Of what is live nobody knows how fast it is while the server cannot be heard.
  const away = live.length > 0 && lost.value
  const rate = away
    ? null
    : live.length > 0
      ? running.reduce((sum, generation) => sum + (generation.rate(now) ?? 0), 0)
      : (newest?.rate(now) ?? null)
  const estimated = (live.length > 0 ? live : newest ? [newest] : []).some(one => one.estimated)
  return (
    <Numbers
      rate={rate}
      live={live.length > 0 && !away}
      estimated={estimated}
      window={away ? 'not known' : live.length > 0 ? 'last 2 s' : newest ? 'last answer' : 'nothing yet'}
      title={
        live.length > 0
          ? 'All live generations together, over the last 2 s'
          : 'The last generation, over all of it'
      }
      ttftMs={list.filter(one => one.ttftMs !== null).sort(newestFirst)[0]?.ttftMs ?? null}
    />
  )
}

/** As it was at a moment, Unix seconds. */
function SpeedThen({ at }: { at: number }) {
  const { store, line } = useScope()
  line.revision.value // read: older ones may come
  const lanes = line.lanes()
  const running = lanes.filter(({ began, ended }) => began <= at && (ended ?? at) >= at)
  const newest = lanes.findLast(({ firstToken }) => firstToken !== null && firstToken <= at)
  return (
    <Numbers
      rate={rateAt(lanes, at, store.now)}
      live={false}
      estimated={running.some(({ id }) => store.get(id)?.estimated ?? false)}
      window={`at ${clockWords(at, at)}`}
      title="All generations of that moment together, over the 2 s before it"
      ttftMs={newest === undefined ? null : ((newest.firstToken as number) - newest.began) * 1000}
    />
  )
}

interface NumbersProps {
  rate: number | null
  live: boolean
  estimated: boolean
  window: string
  title: string
  ttftMs: number | null
}

function Numbers({ rate, live, estimated, window, title, ttftMs }: NumbersProps) {
  return (
    <>
      <span class="readout speed" data-live={live} title={title}>
        <span class="speed-value" data-testid="tok-rate">
          {formatRate(rate)}
        </span>
        <span class="speed-unit">
          tok/s
          <span class="speed-window">
            {estimated ? <Estimated /> : null}
            {window}
          </span>
        </span>
      </span>
      <span class="readout ttft" title="Time to the first token of the newest generation that has one">
        <span class="readout-value" data-testid="ttft">
          {formatDuration(ttftMs)}
        </span>
        <span class="readout-name">TTFT</span>
      </span>
    </>
  )
}

function latestOf(list: readonly Generation[]): Generation | undefined {
  return list.filter(generation => generation.tokens.held > 1).sort(newestFirst)[0]
}

/** ULIDs sort by time. */
function newestFirst(a: Generation, b: Generation): number {
  return a.id < b.id ? 1 : -1
}

/** Pieces were counted, which may hold several tokens each. */
function Estimated() {
  return (
    <abbr title="estimated: pieces counted, not tokens">
      <span class="for-wide">estimated</span>
      <span class="for-narrow">est.</span>,{' '}
    </abbr>
  )
}
