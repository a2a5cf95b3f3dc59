import { type Signal, useSignal } from '@preact/signals'
import type { PasReport } from '../../health/shm/report.ts'
import type { TreeStanding } from '../../health/shm/tree-standing.ts'
import { ChartFigure } from '../instruments/chart-figure.tsx'
import { formatWhen } from '../rail/when.ts'
import { useScope } from '../scope.ts'
import { Place } from './place.tsx'
import { countWords, scoreSeries, scoreWords, statusTone } from './structure-words.ts'

/** A line over less time than this says nothing, in seconds. */
const LEAST_S = 60

/** The score in large, and what it is of. */
export function ScoreHead({ report, root }: { report: PasReport; root: string | null }) {
  return (
    <>
      <p class="structure-score" data-tone={statusTone(report.status)}>
        <output data-testid="structure-score">{scoreWords(report.score)}</output>
        <span class="state-dot" aria-hidden="true" />
        <span data-testid="structure-status">{report.status ?? 'nothing to score'}</span>
        <span
          class="note"
          title={`Phase Alignment Stability, ${report.ids.formula}, ${report.ids.calibration}`}
        >
          PAS, of 1
        </span>
      </p>
      <p>
        <Place file={root ?? ''} />
      </p>
      <p class="note">{countWords(report)}</p>
    </>
  )
}

interface HistoryProps {
  standing: Signal<TreeStanding | null>
  beat: Signal<number>
}

/** The score over the time in which it could be compared. */
export function ScoreHistory({ standing, beat }: HistoryProps) {
  const { store } = useScope()
  const cursor = useSignal<number | null>(null)
  const windowS = useSignal(LEAST_S)
  const first = standing.value?.history[0]?.at ?? store.now
  return (
    <ChartFigure
      {...{ beat, cursor, windowS }}
      name="Score over time"
      testId="chart-score"
      window={`since ${formatWhen(first, store.now).words}`}
      lines={['line']}
      reachS={Number.POSITIVE_INFINITY}
      axis={String}
      format={scoreWords}
      read={() => {
        const { history } = standing.peek() ?? { history: [] }
        windowS.value = Math.max(LEAST_S, store.now - (history[0]?.at ?? store.now))
        const { times, values } = scoreSeries(history, store.now)
        return { times, lines: [values] }
      }}
    />
  )
}
