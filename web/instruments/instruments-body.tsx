import { type Signal, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { formatCount, formatDuration, formatRate, NOTHING } from '../format.ts'
import { useScope } from '../scope.ts'
import { type Lane, sessionStart } from '../time/lane.ts'
import { ChartFigure } from './chart-figure.tsx'
import { askUpstreams, askViewers, type Upstreams, type Viewers } from './pool-api.ts'
import { type Samples, WINDOW_S, windowFor } from './samples.ts'
import { firstTokenSeries, intervalSeries, QUANTILE_BUCKET_S, SPEED_BUCKET_S, speedSeries } from './series.ts'
import { UpstreamsTable } from './upstreams-table.tsx'
import { ViewersTable } from './viewers-table.tsx'

const BEAT_MS = 1000
const ASK_MS = 2000

/**
 * The charts, and who is behind and before the server. While the page is not seen nothing is asked or drawn.
 *
 * @param windowS told over how many seconds they are
 */
export function InstrumentsBody({ windowS }: { windowS: Signal<number> }) {
  const { store, line, health } = useScope()
  const beat = useSignal(0)
  const cursor = useSignal<number | null>(null)
  const upstreams = useSignal<Upstreams | null>(null)
  const viewers = useSignal<Viewers | null>(null)
  const trouble = useSignal<string | null>(null)
  // Made once for all charts of a beat.
  const lanes = useRef<{ beat: number; all: Lane[] }>({ beat: -1, all: [] })

  useEffect(() => {
    const seen = () => document.visibilityState === 'visible'
    let asking = false
    const ask = async () => {
      if (asking || !seen()) return
      asking = true
      try {
        const [pool, watching] = await Promise.all([askUpstreams(), askViewers()])
        upstreams.value = pool
        viewers.value = watching
        health.lagSeen.add(Math.max(0, ...watching.clients.map(({ lag }) => lag)))
        trouble.value = null
      } catch (error) {
        trouble.value = (error as Error).message
      } finally {
        asking = false
      }
    }
    const look = () => {
      const began = sessionStart(allLanes(), store.now)
      windowS.value = windowFor(began === null ? null : store.now - began)
    }
    void ask()
    look()
    void line.reach(store.now - WINDOW_S)
    const beats = setInterval(() => {
      if (!seen()) return
      beat.value++
      look()
    }, BEAT_MS)
    const asks = setInterval(ask, ASK_MS)
    return () => {
      clearInterval(beats)
      clearInterval(asks)
    }
  }, [])

  const allLanes = () => {
    if (lanes.current.beat !== beat.peek()) lanes.current = { beat: beat.peek(), all: line.lanes() }
    return lanes.current.all
  }
  const since = () => store.now - WINDOW_S
  const shared = { beat, cursor, windowS }

  return (
    <>
      <div class="charts">
        <ChartFigure
          {...shared}
          name="Speed"
          testId="chart-speed"
          window={`over ${SPEED_BUCKET_S} s`}
          lines={['line']}
          reachS={SPEED_BUCKET_S}
          axis={formatRate}
          format={value => `${formatRate(value)} tok/s`}
          read={() => {
            const { times, values } = speedSeries(allLanes(), since(), store.now)
            return { times, lines: [values] }
          }}
        />
        <ChartFigure
          {...shared}
          name="Time to first token"
          testId="chart-ttft"
          window="each generation"
          lines={['points']}
          reachS={WINDOW_S / 60}
          axis={formatAxisMs}
          format={formatDuration}
          read={() => {
            const { times, values } = firstTokenSeries(allLanes(), since())
            return { times, lines: [values] }
          }}
        />
        <ChartFigure
          {...shared}
          name="Between tokens"
          testId="chart-intervals"
          window={`over ${QUANTILE_BUCKET_S} s`}
          lines={['line', 'faint']}
          names={['p50', 'p99']}
          log
          reachS={QUANTILE_BUCKET_S}
          axis={formatAxisMs}
          format={formatDuration}
          read={() => {
            const { times, median, p99 } = intervalSeries(allLanes(), since(), store.now)
            return { times, lines: [median, p99] }
          }}
        />
        <ChartFigure
          {...shared}
          name="Viewers"
          testId="chart-viewers"
          window="each 5 s"
          lines={['steps']}
          reachS={15}
          axis={formatWhole}
          format={value => (value === null ? NOTHING : `${formatCount(value)}`)}
          read={() => one(health.viewersSeen, store.now)}
        />
        <ChartFigure
          {...shared}
          name="Lag of the slowest viewer"
          testId="chart-lag"
          window="each 2 s while open"
          lines={['steps']}
          reachS={15}
          axis={formatWhole}
          format={value => (value === null ? NOTHING : `${formatCount(value)} entries`)}
          read={() => one(health.lagSeen, store.now)}
        />
      </div>
      {trouble.value === null ? null : (
        <p class="note instruments-trouble" role="status">
          {trouble.value}
        </p>
      )}
      <div class="instrument-tables">
        <UpstreamsTable upstreams={upstreams.value} />
        <ViewersTable viewers={viewers.value} now={store.now} />
      </div>
    </>
  )
}

function one(samples: Samples, now: number) {
  const { times, values } = samples.series(now)
  return { times, lines: [values] }
}

function formatWhole(value: number): string {
  return Number.isInteger(value) ? formatCount(value) : ''
}

function formatAxisMs(ms: number): string {
  if (ms === 0) return '0'
  return ms < 1000 ? `${Math.round(ms * 10) / 10} ms` : `${Math.round(ms / 100) / 10} s`
}
