import { styleText } from 'node:util'
import { type Figure, isMet } from './figure.ts'

type Style = Parameters<typeof styleText>[0]
type Paint = (style: Style, text: string) => string

interface Cell {
  text: string
  style?: Style
}

const HEAD = ['figure', 'now', '', 'min – max', 'baseline', 'against it', 'target', '']
const RIGHT = [false, true, false, true, true, true, true, false]
/** Widths that the benches share, so that their tables stand under each other. */
const WIDTHS = [33, 8, 7, 17, 8, 14, 6, 8]
const NUMBER = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 3 })

/** A bench's figures beside the baseline's, plain where `stream` is no terminal. */
export function tableText(
  figures: readonly Figure[],
  baseline: readonly Figure[],
  stream: NodeJS.WritableStream,
): string[] {
  const paint: Paint = (style, text) => styleText(style, text, { stream })
  const rows = figures.map((figure, at) => rowOf(figure, baseline[baselineIndex(figures, baseline, at)]))
  const widths = WIDTHS.map((width, column) =>
    Math.max(width, ...rows.map(row => (row[column] as Cell).text.length)),
  )
  const line = (cells: readonly Cell[]) =>
    cells
      .map(({ text, style }, column) => {
        const width = widths[column] as number
        const padded = RIGHT[column] ? text.padStart(width) : text.padEnd(width)
        return style === undefined ? padded : paint(style, padded)
      })
      .join(' ')
      .trimEnd()
  const head = line(HEAD.map(text => ({ text, style: 'dim' })))
  return [head, ...rows.map(line), ...notesOf(figures).map(note => paint('dim', note))]
}

/**
 * Rows below a row are named within it ("of the floor" of this or that load): the same name stands for the
 * same figure where it comes as the same occurrence.
 */
function baselineIndex(figures: readonly Figure[], baseline: readonly Figure[], at: number): number {
  const key = keysOf(figures)[at]
  return keysOf(baseline).indexOf(key as string)
}

/** The full name of each figure: an indented one is part of the last that is not. */
export function keysOf(figures: readonly Figure[]): string[] {
  let whole = ''
  return figures.map(({ name }) => {
    if (!name.startsWith(' ')) whole = name
    return name.startsWith(' ') ? `${whole} /${name}` : name
  })
}

function rowOf(figure: Figure, before: Figure | undefined): Cell[] {
  const met = isMet(figure)
  const sign = figure.target === 0 ? '' : figure.better === 'higher' ? '> ' : '< '
  return [
    { text: figure.name },
    { text: number(figure.value) },
    { text: figure.unit },
    { text: figure.min === figure.max ? '' : `${number(figure.min)} – ${number(figure.max)}` },
    { text: before === undefined ? '—' : number(before.value) },
    before === undefined ? { text: '—' } : against(figure, before),
    { text: figure.target === null ? '' : sign + number(figure.target) },
    met === null
      ? { text: '' }
      : met
        ? { text: '✓ met', style: 'green' }
        : { text: '✗ missed', style: 'red' },
  ]
}

/** How many times better or worse; `~` where the rounds of both overlap. */
function against(figure: Figure, before: Figure): Cell {
  if (figure.value === before.value) return { text: 'same' }
  if (figure.value <= 0 || before.value <= 0) return { text: '—' }
  const ratio = figure.value / before.value
  const better = ratio > 1 === (figure.better === 'higher')
  const text = `${Math.max(ratio, 1 / ratio).toFixed(2)}× ${better ? 'better' : 'worse'}`
  const overlap = figure.min <= before.max && before.min <= figure.max
  return overlap ? { text: `~ ${text}` } : { text, style: better ? 'green' : 'yellow' }
}

/** Each note once, however many figures have it. */
function notesOf(figures: readonly Figure[]): string[] {
  const notes = figures.flatMap(({ name, note }) => (note === undefined ? [] : [`  ${name.trim()}: ${note}`]))
  return [...new Set(notes)]
}

/** Three significant digits. */
export function number(value: number): string {
  return NUMBER.format(value)
}
