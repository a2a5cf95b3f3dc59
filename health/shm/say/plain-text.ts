/** Text of a report for a person: names that can do no harm, numbers, widths. */
import { eastAsianWidth } from 'get-east-asian-width'
import { countText } from '../../../events/quantities.ts'
import type { PasAdvice, PasPlace, PasStatus } from '../report.ts'

/** Characters that steer a terminal, turn the direction of text, or end a line. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
const NO_WIDTH = /^[\p{Mn}\p{Me}]$/u

/** Text as it can be shown: what would not be seen is written out, as `\u{1b}`. */
export function visible(text: string): string {
  return text.replace(UNSEEN, one => `\\u{${(one.codePointAt(0) as number).toString(16)}}`)
}

/** Columns that a text takes in a terminal. */
export function columnsOf(text: string): number {
  let columns = 0
  for (const character of text) {
    if (!NO_WIDTH.test(character)) columns += eastAsianWidth(character.codePointAt(0) as number)
  }
  return columns
}

/** Text in so many columns at most: what is cut off is its beginning, since paths differ at their end. */
export function cutTo(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text
  const characters = [...text]
  let kept = ''
  let width = 1
  for (let i = characters.length - 1; i >= 0; i--) {
    width += columnsOf(characters[i] as string)
    if (width > columns) break
    kept = (characters[i] as string) + kept
  }
  return columns < 1 ? '' : `…${kept}`
}

/** Text filled up with spaces to so many columns. */
export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(columns - columnsOf(text), 0))
}

/** As `1 file`, `1,204 files`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${countText(count)} ${count === 1 ? noun : plural}`
}

/** A value in [0, 1] with three digits, cut and not rounded up: what reads 0.900 is not below it. `–` for none. */
export function valueText(value: number | null): string {
  return value === null ? '–' : (Math.floor(value * 1000 + 1e-9) / 1000).toFixed(3)
}

/** A change of a score with its sign. */
export function changeText(change: number): string {
  const text = Math.abs(change).toFixed(3)
  if (text === '0.000') return '±0.000'
  return `${change < 0 ? '−' : '+'}${text}`
}

/** What a step brings: a change of a score, of which a small one is not told as none. */
export function gainText(gain: number): string {
  return isSlight(gain) ? '<0.001' : changeText(gain)
}

/** What the score is once a step is done; of one that hardly changes it that. */
export function outcomeText({ gain, score_then }: PasAdvice): string {
  return isSlight(gain) ? 'it changes the score by less than 0.001' : `then ${valueText(score_then)}`
}

/** A share as whole percents, of which what is not nothing is never 0. */
export function percentText(share: number): string {
  const percent = Math.round(share * 100)
  if (percent === 0 && share > 0) return '<1 %'
  return percent === 100 && share < 1 ? '>99 %' : `${percent} %`
}

/** A file and its line. */
export function placeText({ file, line }: PasPlace): string {
  return `${visible(file)}:${line}`
}

/** The places of a cycle, and its first file again; of a long one those in the middle are left out. */
export function cycleSteps(cycle: readonly PasPlace[], most: number): string[] {
  const first = cycle[0]
  if (first === undefined) return []
  const end = visible(first.file)
  if (cycle.length <= most) return [...cycle.map(placeText), end]
  const head = cycle.slice(0, most - 2)
  const last = cycle.at(-1) as PasPlace
  const left = counted(cycle.length - head.length - 1, 'more file', 'more files')
  return [...head.map(placeText), `(${left})`, placeText(last), end]
}

/** How a status is said. */
export function statusText(status: PasStatus | null): string {
  return status ?? 'not scored'
}

/** Text with the named characters of XML and HTML written out, also as the value of an attribute. */
export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"']/g, at => `&#${at.charCodeAt(0)};`)
}

function isSlight(gain: number): boolean {
  return Math.abs(gain) < 0.001
}
