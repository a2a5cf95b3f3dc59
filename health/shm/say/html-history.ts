import type { PastScore } from '../baseline.ts'
import type { PasReport } from '../report.ts'
import { escapeMarkup, statusText, valueText } from './plain-text.ts'

const WIDTH = 1072
const HEIGHT = 160
const LEFT = 40
const RIGHT = 56
const TOP = 12
const BOTTOM = 24
/** Where a status ends. */
const BORDERS = [0.9, 0.75]
/** A picture of less than this would make noise look like news. */
const LEAST_SPAN = 0.2

/** The scores of the baseline's history, and the one of now, as a line; nothing without a history. */
export function historyPicture(history: readonly PastScore[], report: PasReport): string {
  const past = history.flatMap(({ at, score, tree }) => (score === null ? [] : [{ at, score, tree }]))
  if (past.length === 0) return ''
  const isTold = past.at(-1)?.tree === report.ids.tree && past.at(-1)?.score === report.score
  const points =
    report.score === null || isTold
      ? past
      : [...past, { at: 'now', score: report.score, tree: report.ids.tree }]
  const lowest = Math.min(...points.map(({ score }) => score), 1 - LEAST_SPAN)
  const floor = Math.max(Math.floor((lowest - 0.02) * 20) / 20, 0)
  const x = (i: number) =>
    LEFT + (points.length === 1 ? 0 : (i / (points.length - 1)) * (WIDTH - LEFT - RIGHT))
  const y = (score: number) => TOP + ((1 - score) / (1 - floor)) * (HEIGHT - TOP - BOTTOM)
  const place = (i: number, score: number) => `${x(i).toFixed(1)} ${y(score).toFixed(1)}`
  const line = points.map(({ score }, i) => `${i === 0 ? 'M' : 'L'}${place(i, score)}`).join('')
  const marks = [1, ...BORDERS, floor].filter(border => border >= floor)
  const rules = marks.map(
    border =>
      `<path class="${BORDERS.includes(border) ? 'border' : 'grid'}" d="M${LEFT} ${y(border).toFixed(1)}H${WIDTH - RIGHT}"/><text class="axis" x="${LEFT - 6}" y="${y(border).toFixed(1)}">${border.toFixed(2)}</text>`,
  )
  const dots = points.map(({ at, score }, i) => {
    const [cx, cy] = place(i, score).split(' ')
    const title = `${dayOf(at)}: ${valueText(score)}`
    return `<circle cx="${cx}" cy="${cy}" r="${i === points.length - 1 ? 4 : 2.5}"><title>${escapeMarkup(title)}</title></circle>`
  })
  const last = points.at(-1) as (typeof points)[number]
  const end = `<text class="last" x="${(x(points.length - 1) + 10).toFixed(1)}" y="${y(last.score).toFixed(1)}">${valueText(last.score)}</text>`
  const dates = `<text class="date" x="${LEFT}" y="${HEIGHT - 6}">${escapeMarkup(dayOf((points[0] as PastScore).at))}</text><text class="date end" x="${WIDTH - RIGHT}" y="${HEIGHT - 6}">${points.length > 1 ? escapeMarkup(dayOf(last.at)) : ''}</text>`
  const label = `PAS over ${points.length} assessments, the last one ${valueText(last.score)}, ${statusText(report.status)}`
  return `<svg class="history" role="img" aria-label="${label}" viewBox="0 0 ${WIDTH} ${HEIGHT}">${rules.join('')}<path class="line" d="${line}"/>${dots.join('')}${end}${dates}</svg>`
}

/** The day of a time in ISO 8601. */
function dayOf(at: string): string {
  return /^\d{4}-\d\d-\d\d/.exec(at)?.[0] ?? at
}
