import { readFileSync, writeFileSync } from 'node:fs'
import { conditionsText } from './conditions.ts'
import { type Figure, isMet } from './figure.ts'
import type { Results } from './kept.ts'
import { number } from './table.ts'

const BEGIN = '<!-- measured: written by `pnpm bench --keep` -->'
const END = '<!-- end of measured -->'

/**
 * Puts the kept baseline's figures into a document, between two marks, so that it says what was measured.
 *
 * @throws Error if the document lacks the marks
 */
export function writeMeasured(path: string, baseline: Results): void {
  const text = readFileSync(path, 'utf8')
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`${path} has no place for what was measured (${BEGIN})`)
  const sections = Object.entries(baseline).map(sectionText)
  writeFileSync(path, `${text.slice(0, begin)}${BEGIN}\n\n${sections.join('\n')}\n${text.slice(end)}`)
}

function sectionText([name, { conditions, seconds, busy, figures }]: [string, Results[string]]): string {
  const rows = figures.map(figure => `| ${rowOf(figure).join(' | ')} |`)
  return [
    `### ${name}`,
    '',
    `${conditionsText(conditions)
      .map(line => line.replaceAll(/ {2,}/g, '; '))
      .join('; ')}; took ${seconds} s, machine ${busy} % busy.`,
    '',
    '| figure | measured (min – max) | target |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

function rowOf(figure: Figure): string[] {
  const { name, value, min, max, unit, better, target } = figure
  const spread = min === max ? '' : ` (${number(min)} – ${number(max)})`
  const sign = target === 0 ? '' : better === 'higher' ? '> ' : '< '
  const met = isMet(figure)
  const asked = target === null ? '' : `${sign}${number(target)}, ${met ? 'met' : 'missed'}`
  const shown = name.startsWith(' ') ? `… ${name.trim()}` : name
  return [shown, `${number(value)} ${unit}${spread}`, asked]
}
