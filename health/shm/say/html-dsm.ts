import type { PasReport } from '../report.ts'
import { counted, escapeMarkup, visible } from './plain-text.ts'
import { type SubsystemGraph, subsystemGraphOf } from './subsystem-graph.ts'

/** More parts than this are a texture and no matrix: the largest are shown. */
const MAX_PARTS = 100
/** In units of the picture, which are pixels where there is room. */
const SIDE = 640
const MIN_CELL = 7
const MAX_CELL = 34
const MIN_NAMED_CELL = 12
const MIN_NUMBERED_CELL = 24
const NAME_CHARACTERS = 22
const STRONGEST = 12
const MAX_PAIRS = 1000
const CHARACTER = 6.7

/** The imports between subsystems as a matrix: rows import columns; parts that form a cycle stand in a red square. */
export function dsmPicture(report: PasReport): string {
  if (report.dsm.length === 0) return '<p class="soft">There are too many parts for a matrix.</p>'
  const graph = subsystemGraphOf(report)
  const isShown = largest(report)
  const order = graph.order.filter(i => isShown.has(i))
  const count = order.length
  const cell = Math.max(Math.min(MAX_CELL, Math.floor(SIDE / count)), MIN_CELL)
  const isNamed = cell >= MIN_NAMED_CELL
  const longest = Math.max(...order.map(i => nameOf(report, i).length))
  const margin = isNamed ? Math.ceil(longest * CHARACTER) + 10 : 4
  const size = margin + count * cell
  const most = Math.max(...order.flatMap(i => order.map(j => (i === j ? 0 : importsOf(report, i, j)))), 1)
  const at = (position: number) => margin + position * cell
  const names = isNamed ? order.map((i, p) => heads(nameOf(report, i), at(p) + cell / 2, margin)) : []
  const cells = order.flatMap((i, row) =>
    order.map((j, column) => {
      const imports = importsOf(report, i, j)
      if (imports === 0 && i !== j) return ''
      const [x, y] = [at(column), at(row)]
      const title = cellTitle(report, i, j, imports)
      const kind = cellClass(graph, i, j, imports, most)
      const number =
        cell >= MIN_NUMBERED_CELL && imports > 0 && imports < 1000
          ? `<text class="${kind}" x="${x + cell / 2}" y="${y + cell / 2}">${imports}</text>`
          : ''
      return `<g><title>${title}</title><rect class="${kind}" x="${x + 0.5}" y="${y + 0.5}" width="${cell - 1}" height="${cell - 1}"/>${number}</g>`
    }),
  )
  const squares = graph.cycles.map(parts => {
    const positions = parts.map(part => order.indexOf(part)).filter(position => position !== -1)
    if (positions.length < 2) return ''
    const [from, to] = [at(Math.min(...positions)), at(Math.max(...positions) + 1)]
    return `<rect class="cycle" x="${from}" y="${from}" width="${to - from}" height="${to - from}"><title>${counted(parts.length, 'part')} import each other in a circle</title></rect>`
  })
  const lines = Array.from({ length: count + 1 }, (_, p) => {
    const place = at(p)
    return `<path class="grid" d="M${margin} ${place}H${size}M${place} ${margin}V${size}"/>`
  })
  const left = report.subsystems.length - count
  const note =
    left > 0 ? `<p class="soft">The ${count} largest parts; ${left} smaller ones are left out.</p>` : ''
  const label = `Imports between ${count} parts; ${counted(graph.cycles.length, 'cycle')} of parts`
  return `<svg class="dsm" role="img" aria-label="${label}" viewBox="0 0 ${size} ${size}" width="${size}" height="${size}">${lines.join('')}${names.join('')}${cells.join('')}${squares.join('')}</svg>${note}`
}

/** The same imports as lists: the strongest, and behind a summary all, for who cannot see the matrix. */
export function dsmList(report: PasReport): string {
  const pairs = report.dsm.flatMap((row, i) =>
    row.flatMap((imports, j) => (i === j || imports === 0 ? [] : [{ i, j, imports }])),
  )
  if (report.dsm.length === 0) return ''
  if (pairs.length === 0) return '<p class="soft">No part imports another.</p>'
  pairs.sort((one, other) => other.imports - one.imports)
  const rows = pairs
    .slice(0, MAX_PAIRS)
    .map(
      ({ i, j, imports }) =>
        `<tr><td><code>${name(report, i)}</code> → <code>${name(report, j)}</code></td><td class="number">${imports}</td></tr>`,
    )
  const head = '<thead><tr><th>part → part that it imports</th><th class="number">imports</th></tr></thead>'
  const table = (some: readonly string[]) => `<table>${head}<tbody>${some.join('')}</tbody></table>`
  const left = pairs.length - rows.length
  const more = left > 0 ? `<p class="soft">and ${counted(left, 'pair')} with fewer imports</p>` : ''
  if (rows.length <= STRONGEST) return table(rows)
  return `${table(rows.slice(0, STRONGEST))}<details><summary>${counted(pairs.length - STRONGEST, 'weaker pair')}</summary>${table(rows.slice(STRONGEST))}${more}</details>`
}

function heads(text: string, middle: number, margin: number): string {
  const shown = escapeMarkup(text)
  const row = `<text class="name row" x="${margin - 6}" y="${middle}">${shown}</text>`
  return `${row}<text class="name" transform="translate(${middle} ${margin - 6}) rotate(-90)">${shown}</text>`
}

/** How dark: by the logarithm of the number, in five steps. */
function cellClass({ cycleOf }: SubsystemGraph, i: number, j: number, imports: number, most: number): string {
  if (i === j) return 'own'
  const step = most === 1 ? 3 : 1 + Math.round((4 * Math.log(imports)) / Math.log(most))
  return cycleOf[i] !== -1 && cycleOf[i] === cycleOf[j] ? `bad s${step}` : `s${step}`
}

function cellTitle(report: PasReport, i: number, j: number, imports: number): string {
  if (i === j) return `inside ${name(report, i)}: ${counted(imports, 'import')}`
  return `${name(report, i)} → ${name(report, j)}: ${counted(imports, 'import')}`
}

function largest({ subsystems }: PasReport): Set<number> {
  const indices = [...subsystems.keys()]
  const lines = (i: number) => (subsystems[i] as (typeof subsystems)[number]).lines
  return new Set(indices.sort((one, other) => lines(other) - lines(one) || one - other).slice(0, MAX_PARTS))
}

function importsOf({ dsm }: PasReport, i: number, j: number): number {
  return dsm[i]?.[j] ?? 0
}

function nameOf({ subsystems }: PasReport, i: number): string {
  const shown = visible((subsystems[i] as (typeof subsystems)[number]).name)
  return shown.length > NAME_CHARACTERS ? `…${shown.slice(1 - NAME_CHARACTERS)}` : shown
}

function name({ subsystems }: PasReport, i: number): string {
  return escapeMarkup(visible((subsystems[i] as (typeof subsystems)[number]).name))
}
