import { countText } from '../events/quantities.ts'
import type { AssessProgress } from '../health/shm/assess.ts'
import { ProgressLine, type ProgressOutput } from './progress-line.ts'

/** What takes less long needs no line: a person wonders sooner than a log. */
const PERSON_PATIENCE_MS = 300
const LOG_PATIENCE_MS = 5000

/** Shows how far an assessment is. @param now milliseconds, as `performance.now()` */
export function assessLine(
  output: ProgressOutput,
  now: () => number = () => performance.now(),
): { show: (progress: AssessProgress) => void; clear: () => void } {
  const line = new ProgressLine(output, now)
  const patience = output.isTTY ? PERSON_PATIENCE_MS : LOG_PATIENCE_MS
  let begunAt: number | null = null
  let isScanTold = false
  return {
    show: ({ done, total }) => {
      begunAt ??= now()
      if (now() - begunAt < patience) return
      if (total !== null) line.show({ label: 'reading', done, total, text: filesText, rate: rateText })
      else if (!isScanTold) {
        isScanTold = true
        line.begin('looking for source files')
      }
    },
    clear: () => {
      line.clear()
      begunAt = null
      isScanTold = false
    },
  }
}

function filesText(files: number): string {
  return `${countText(files)} ${files === 1 ? 'file' : 'files'}`
}

function rateText(perSecond: number): string {
  return `${countText(Math.round(perSecond))}/s`
}
