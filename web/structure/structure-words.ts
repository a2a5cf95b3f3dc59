import type { PasDimensions, PasReport, PasStatus } from '../../health/shm/report.ts'
import type { SeenScore, TreeStanding } from '../../health/shm/tree-standing.ts'
import { formatCount, NOTHING } from '../format.ts'
import { visiblePieces } from '../invisible.ts'
import { beginningOf } from '../long-text.ts'
import { spanWords } from '../time/clock-words.ts'

export type DimensionName = keyof PasDimensions

/** UTF-16 units of a name or a path that are shown. */
const MOST = 160
/** A moment before, for a line that goes up and down in steps. */
const BEFORE_S = 0.001

/** What each dimension measures, and why it may have no value: in the order in which they are told. */
export const DIMENSIONS: Record<DimensionName, [measures: string, missing: string]> = {
  symmetry: ['Parts of similar size, and no imports in a circle', 'there are no files'],
  coupling: ['Few files are reached from a file through imports', 'there is only one file'],
  modularity: ['Files import their own part rather than others', 'nothing is imported from part to part'],
  consistency: ['Imports lead to parts that are at least as stable', 'nothing is imported from part to part'],
  stability: ['Commits of 90 days touch one part at a time', 'there is no git history'],
}

/** The group that a status's colour goes by. */
export function statusTone(status: PasStatus | null): 'live' | 'waiting' | 'failed' | 'quiet' {
  if (status === null) return 'quiet'
  return ({ healthy: 'live', warning: 'waiting', critical: 'failed' } as const)[status]
}

/** A value of 0 … 1 with three digits, cut and not rounded up: what reads 0.900 is not below it. */
export function scoreWords(value: number | null): string {
  return value === null ? NOTHING : (Math.floor(value * 1000 + 1e-9) / 1000).toFixed(3)
}

/** As `1 file`, `12 files`. */
export function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** A name or a path: what one would not see is a sign, of a very long one there is the beginning. */
export function shownText(text: string, most = MOST): string {
  const { shown, rest } = beginningOf(text, most)
  const pieces = visiblePieces(shown).map(piece => (piece.sign && piece.text === '·' ? ' ' : piece.text))
  return pieces.join('') + (rest ?? '')
}

/** How far a scan is, or when the last one was and whether changes are seen. */
export function scanWords({ progress, state, scanned_at, watching }: TreeStanding, now: number): string {
  if (progress?.phase === 'scan') return `looking for files: ${formatCount(progress.done)}`
  if (progress !== null) {
    const { done, total } = progress
    return total === null
      ? `${counted(done, 'file')} read`
      : `${formatCount(done)} of ${counted(total, 'file')} read`
  }
  if (state === 'scanning') return 'scanning'
  if (scanned_at === null) return 'not scanned'
  // In its larger unit alone: seconds that run on beside hours tell nothing.
  const [count, unit] = spanWords(now - scanned_at).split(' ')
  return `scanned ${count} ${unit} ago · ${watching ? 'watching' : 'not watching'}`
}

/** What a report is about, in numbers. */
export function countWords({ counts, subsystems }: PasReport): string {
  return `${counted(counts.files, 'file')} · ${counted(counts.lines, 'line')} · ${counted(subsystems.length, 'part')}`
}

/** Scores as a line over time, up to now: each holds until the next. Unix seconds. */
export function scoreSeries(
  history: readonly SeenScore[],
  now: number,
): { times: number[]; values: (number | null)[] } {
  const points = history.flatMap((one, i) => {
    const last = history[i - 1]
    return last === undefined ? [one] : [{ at: one.at - BEFORE_S, score: last.score }, one]
  })
  const last = history.at(-1)
  if (last !== undefined && now > last.at) points.push({ at: now, score: last.score })
  return { times: points.map(({ at }) => at), values: points.map(({ score }) => score) }
}
