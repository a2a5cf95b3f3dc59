import { formatCount } from '../format.ts'
import type { RailState } from './rail-state.ts'

/** One line under the list: what was done just now, or how far the list goes. */
export function RailFoot({ rail }: { rail: RailState }) {
  const said = rail.said.value
  const trouble = rail.records.trouble.value
  if (said !== null) {
    return (
      <output class="rail-foot" data-tone={said.failed ? 'failed' : 'quiet'}>
        <span class="error-words" title={said.words} data-testid="rail-said">
          {said.words}
        </span>
      </output>
    )
  }
  if (trouble !== null) {
    return (
      <output class="rail-foot" data-tone="failed">
        <span class="error-words" title={trouble} data-testid="rail-trouble">
          {trouble}
        </span>
        <button type="button" class="text-button" onClick={() => rail.records.more()}>
          try again
        </button>
      </output>
    )
  }
  return (
    <output class="rail-foot">
      <span data-testid="rail-extent">{extentWords(rail)}</span>
    </output>
  )
}

function extentWords(rail: RailState): string {
  const count = rail.entries.value.length
  if (rail.records.reading.value) return 'reading the records'
  if (count === 0) return ''
  if (rail.off.value === true) return `${formatCount(count)} here; recording is off`
  return rail.records.complete.value ? `${formatCount(count)} in all` : `the newest ${formatCount(count)}`
}
