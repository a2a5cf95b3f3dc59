import { countText } from '../../../events/quantities.ts'
import type { PasReport } from '../report.ts'
import { dataColour } from './data-colour.ts'
import { counted, escapeMarkup, percentText, visible } from './plain-text.ts'
import { subsystemGraphOf } from './subsystem-graph.ts'
import { type Rectangle, treemapOf } from './treemap.ts'

const AREA: Rectangle = { x: 0, y: 0, width: 1072, height: 320 }
/** Widths of a character at both sizes of text, and the room around a text. */
const NAME_CHARACTER = 7.3
const SMALL_CHARACTER = 6.1
const PADDING = 7
const LEGEND_STEPS = 32

/** The subsystems as areas by lines, coloured by how unstable each is. */
export function treemapPicture(report: PasReport): string {
  const { instability } = subsystemGraphOf(report)
  const parts = report.subsystems
    .map((subsystem, i) => ({ ...subsystem, instability: instability[i] ?? null }))
    .filter(({ lines }) => lines > 0)
    .sort((one, other) => other.lines - one.lines)
  if (parts.length === 0) return '<p class="soft">There are no lines.</p>'
  const rectangles = treemapOf(
    parts.map(({ lines }) => lines),
    AREA,
  )
  const tiles = parts.map((part, i) => tile(part, rectangles[i] as Rectangle, report.counts.lines))
  const label = `The ${counted(parts.length, 'part')} by lines; the largest is ${escapeMarkup(visible(parts[0]?.name ?? ''))}`
  return `<div class="wide"><svg class="treemap" role="img" aria-label="${label}" viewBox="0 0 ${AREA.width} ${AREA.height}">${hatch()}${tiles.join('')}</svg></div>${legend()}`
}

type Part = PasReport['subsystems'][number] & { instability: number | null }

function tile(part: Part, { x, y, width, height }: Rectangle, lines: number): string {
  const { instability } = part
  const colour =
    instability === null ? { fill: 'url(#unknown)', text: 'currentColor' } : dataColour(instability)
  const name = visible(part.name)
  const stable = instability === null ? 'no import crosses its border' : `I = ${instability.toFixed(2)}`
  const title = `${name}: ${counted(part.lines, 'line')} (${percentText(part.lines / lines)}), ${counted(part.files, 'file')}, ${stable}`
  const room = width - 2 * PADDING
  const shown = shortened(name, Math.floor(room / NAME_CHARACTER))
  const small = `${countText(part.lines)} lines`
  const texts = [
    height >= 24 && shown !== '' ? text(x + PADDING, y + 18, 'name', colour.text, shown) : '',
    height >= 42 && shown !== '' && small.length * SMALL_CHARACTER <= room
      ? text(x + PADDING, y + 34, 'small', colour.text, small)
      : '',
  ]
  return `<g><title>${escapeMarkup(title)}</title><rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${colour.fill}"/>${texts.join('')}</g>`
}

function text(x: number, y: number, kind: string, fill: string, content: string): string {
  return `<text class="${kind}" x="${round(x)}" y="${round(y)}" fill="${fill}">${escapeMarkup(content)}</text>`
}

/** A name in so many characters, nothing where not even three have room. */
function shortened(name: string, characters: number): string {
  if (name.length <= characters) return name
  return characters < 3 ? '' : `${name.slice(0, characters - 1)}…`
}

/** What is unknown is hatched, and never a colour of the scale. */
function hatch(): string {
  return '<defs><pattern id="unknown" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6"/><rect class="hatch-line" width="1.2" height="6"/></pattern></defs>'
}

function legend(): string {
  const steps = Array.from({ length: LEGEND_STEPS }, (_, i) => {
    const { fill } = dataColour(i / (LEGEND_STEPS - 1))
    return `<rect x="${i * 4}" y="0" width="4.5" height="8" fill="${fill}"/>`
  })
  return `<p class="legend"><span>stable, others rely on it</span><svg aria-hidden="true" viewBox="0 0 128 8" width="128" height="8">${steps.join('')}</svg><span>unstable, it relies on others (I = 1)</span><span class="gap"></span><svg aria-hidden="true" viewBox="0 0 16 8" width="16" height="8"><rect width="16" height="8" fill="url(#unknown)"/></svg><span>no import crosses its border</span></p>`
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
