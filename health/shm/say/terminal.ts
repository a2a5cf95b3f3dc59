import { stripVTControlCharacters, styleText } from 'node:util'
import { countText } from '../../../events/quantities.ts'
import type { PasAdvice, PasScc, PasStatus } from '../report.ts'
import type { Assessment } from './assessment.ts'
import { bigNumber } from './big-number.ts'
import { comparedWithout, DIMENSION_WORDS, dimensionsOf } from './dimension-words.ts'
import {
  changeText,
  columnsOf,
  counted,
  cutTo,
  cycleSteps,
  gainText,
  outcomeText,
  padded,
  percentText,
  placeText,
  statusText,
  valueText,
  visible,
} from './plain-text.ts'

/** What it is written to. */
export interface TerminalShape {
  /** Columns. */
  width: number
  colour: boolean
  /** Whether a person looks at it as it is: with the score in big digits. */
  big: boolean
}

type Style = 'green' | 'yellow' | 'red' | 'dim' | 'bold'

const MARKS: Record<PasStatus, [mark: string, style: Style]> = {
  healthy: ['✓', 'green'],
  warning: ['!', 'yellow'],
  critical: ['✗', 'red'],
}
/** Wider lines are hard to read; narrower ones are broken by the terminal. */
const MAX_WIDTH = 100
const MIN_WIDTH = 32
const MARGIN = '  '
const MAX_CYCLES = 5
const MAX_CYCLE_STEPS = 8
const MAX_ADVICE = 3
const MAX_PLACES = 3
const MAX_SUBSYSTEMS = 12
const MAX_EDGES = 3
const MAX_WARNINGS = 5
const BAR_CELLS = 20

/** The report as a screen for a person: what the score is, why, and what to do first. */
export function sayTerminal(assessment: Assessment, shape: TerminalShape): string {
  return new Screen(assessment, shape).text()
}

class Screen {
  readonly #assessment: Assessment
  readonly #shape: TerminalShape
  readonly #width: number
  readonly #lines: string[] = []

  constructor(assessment: Assessment, shape: TerminalShape) {
    this.#assessment = assessment
    this.#shape = shape
    // A terminal's last column may break the line.
    this.#width = Math.max(Math.min(shape.width, MAX_WIDTH) - 1, MIN_WIDTH) - MARGIN.length
  }

  text(): string {
    this.#head()
    this.#dimensions()
    this.#verdict()
    this.#since()
    this.#advice()
    this.#cycles()
    this.#worstEdges()
    this.#subsystems()
    this.#unresolved()
    this.#warnings()
    this.#policy()
    const lines = this.#lines.map(line => (line === '' ? '' : MARGIN + line).trimEnd())
    return `\n${lines.join('\n')}\n\n`
  }

  #head(): void {
    const { report, title } = this.#assessment
    const { counts } = report
    const [, style] = report.status === null ? ['', 'dim' as const] : MARKS[report.status]
    const state = this.#styled(statusText(report.status), style)
    const score = valueText(report.score)
    const what = `PAS of ${visible(title)}`
    const size = `${counted(counts.files, 'file')} · ${counted(counts.lines, 'line')} · ${counted(counts.subsystems, 'part')}`
    const time = `${(report.duration_ms / 1000).toFixed(2)} s`
    const trend = this.#trend()
    if (report.score !== null && this.#shape.big && this.#width >= 48) {
      const digits = bigNumber(score)
      const beside = [state + trend, what, `${size} · ${time}`]
      const room = this.#width - columnsOf(digits[0] as string) - 3
      digits.forEach((row, i) => {
        this.#lines.push(`${this.#styled(row, style)}   ${this.#clipped(beside[i] as string, room)}`)
      })
    } else {
      this.#lines.push(`${this.#styled(`PAS ${score}`, 'bold')}  ${state}${trend}`)
      this.#paragraph(`${what}: ${size} · ${time}`)
    }
    this.#lines.push('')
  }

  /** How the score stands to the baseline's, if there is one. */
  #trend(): string {
    const { verdict } = this.#assessment
    // Scores of fewer dimensions than the one that is shown are told with the verdict.
    if (verdict === null || verdict.left_out.length > 0) return ''
    if (verdict.score === null || verdict.before === null) return ''
    const change = changeText(verdict.score - verdict.before)
    return this.#styled(`  ${change} from the baseline’s ${valueText(verdict.before)}`, 'dim')
  }

  #dimensions(): void {
    const { report } = this.#assessment
    const fixed = 2 + 13 + 15
    const words = this.#width - fixed - 2 - BAR_CELLS - 2
    const longest = Math.max(...Object.values(DIMENSION_WORDS).map(({ short }) => short.length))
    const cells = Math.min(BAR_CELLS, this.#width - fixed - 2)
    this.#lines.push(this.#styled(`${' '.repeat(15)}raw   → value`, 'dim'))
    for (const [name, { raw, value, status }] of dimensionsOf(report)) {
      const [mark, style] = status === null ? ['·', 'dim' as const] : MARKS[status]
      const lead = `${this.#styled(mark, style)} ${name.padEnd(13)}`
      if (value === null) {
        const why = `not defined: ${DIMENSION_WORDS[name].undefinedWhy}`
        this.#lines.push(lead + this.#styled(this.#clipped(why, this.#width - 15), 'dim'))
        continue
      }
      const bar = cells < 6 ? '' : `  ${this.#bar(value, cells, style)}`
      const note =
        words >= longest && cells >= 6 ? `  ${this.#styled(DIMENSION_WORDS[name].short, 'dim')}` : ''
      this.#lines.push(`${lead}${valueText(raw)} → ${valueText(value)}${bar}${note}`)
    }
    this.#lines.push('')
  }

  #verdict(): void {
    const { verdict } = this.#assessment
    if (verdict === null) return
    const without = comparedWithout(this.#assessment)
    if (without !== null) this.#paragraph(without, 'dim')
    if (verdict.passed) this.#lines.push(`${this.#styled('✓', 'green')} No worse than the baseline.`, '')
    else {
      this.#heading('Worse than the baseline')
      for (const { message } of verdict.failures) {
        this.#item(this.#styled('✗', 'red'), visible(message))
      }
      this.#lines.push('')
    }
  }

  #since(): void {
    const { since } = this.#assessment
    if (since === null) return
    const files = counted(since.changed.length, 'file')
    const verb = since.affected.length === 1 ? 'imports' : 'import'
    const others = `${counted(since.affected.length, 'other')} ${verb} ${since.changed.length === 1 ? 'it' : 'them'}, directly or not`
    this.#paragraph(
      `Since ${visible(since.rev)} ${files} changed; ${others}. Below is what names one that changed.`,
    )
    this.#lines.push('')
  }

  #advice(): void {
    const { advice } = this.#assessment.report
    if (advice.length === 0) return
    this.#heading('What to fix first')
    for (const one of shownOf(advice)) this.#oneAdvice(one)
    const more = advice.length - MAX_ADVICE
    if (more > 0) this.#lines.push(this.#styled(`and ${countText(more)} more`, 'dim'))
    this.#lines.push('')
  }

  #oneAdvice(advice: PasAdvice): void {
    const { what, places, gain } = advice
    const lead = this.#styled(gainText(gain), gain > 0 ? 'green' : 'dim')
    this.#item(lead, `${visible(what)} ${this.#styled(`(${outcomeText(advice)})`, 'dim')}`)
    const isLong = places.length > MAX_PLACES
    for (const place of isLong ? places.slice(0, 1) : places) {
      const arrow = this.#arrow(placeText(place), visible(place.to), this.#width - 8)
      this.#lines.push(`${' '.repeat(8)}${this.#styled(arrow, 'dim')}`)
    }
    const more = counted(places.length - 1, 'more import')
    if (isLong) this.#lines.push(`${' '.repeat(8)}${this.#styled(`and ${more}`, 'dim')}`)
  }

  #cycles(): void {
    const { sccs, counts } = this.#assessment.report
    if (sccs.length === 0) {
      if (this.#assessment.since === null && counts.files > 0)
        this.#lines.push(`${this.#styled('✓', 'green')} No import cycles.`, '')
      return
    }
    const files = sccs.reduce((all, { size }) => all + size, 0)
    this.#heading(`Import cycles: ${counted(files, 'file')} in ${counted(sccs.length, 'group')}`)
    for (const scc of sccs.slice(0, MAX_CYCLES)) this.#cycle(scc)
    if (sccs.length > MAX_CYCLES) {
      const left = sccs.slice(MAX_CYCLES).map(({ size }) => size)
      const [least, most] = [left.at(-1), left[0]]
      const sizes = least === most ? `${most} files each` : `${least} to ${most} files`
      this.#lines.push(this.#styled(`and ${counted(left.length, 'more group')} of ${sizes}`, 'dim'))
    }
    this.#lines.push('')
  }

  #cycle({ size, edges, cycle }: PasScc): void {
    const shown = size === cycle.length ? '' : '; a shortest cycle of them:'
    this.#lines.push(
      `${this.#styled('✗', 'red')} ${counted(size, 'file')}, ${counted(edges, 'import')}${shown}`,
    )
    const steps = cycleSteps(cycle, MAX_CYCLE_STEPS).map(step => cutTo(step, this.#width - 4))
    let line = steps[0] ?? ''
    for (const step of steps.slice(1)) {
      if (columnsOf(line) + columnsOf(step) + 3 > this.#width - 2) {
        this.#lines.push(`  ${line}`)
        line = `→ ${step}`
      } else line = `${line} → ${step}`
    }
    this.#lines.push(`  ${line}`)
  }

  #worstEdges(): void {
    const edges = this.#assessment.report.worst_edges
    if (edges.length === 0) return
    this.#heading('Imports from a stable part to a less stable one')
    for (const edge of edges.slice(0, MAX_EDGES)) {
      this.#lines.push(this.#arrow(placeText(edge), visible(edge.to), this.#width))
      const parts = `${visible(edge.from_subsystem)} (I ${edge.from_instability.toFixed(2)}) → ${visible(edge.to_subsystem)} (I ${edge.to_instability.toFixed(2)})`
      this.#lines.push(`  ${this.#styled(cutTo(parts, this.#width - 2), 'dim')}`)
    }
    const more = edges.length - MAX_EDGES
    if (more > 0) this.#lines.push(this.#styled(`and ${countText(more)} more`, 'dim'))
    this.#lines.push('')
  }

  #subsystems(): void {
    const { subsystems, counts } = this.#assessment.report
    if (subsystems.length === 0) return
    this.#heading('Parts by lines')
    const largest = [...subsystems].sort((one, other) => other.lines - one.lines)
    const shown = largest.slice(0, MAX_SUBSYSTEMS)
    const most = Math.max(shown[0]?.lines ?? 0, 1)
    const name = Math.min(
      Math.max(...shown.map(one => columnsOf(visible(one.name)))),
      Math.floor(this.#width / 3),
    )
    const lines = countText(most).length
    const cells = Math.min(BAR_CELLS, this.#width - name - lines - 10)
    for (const one of shown) {
      const share = percentText(counts.lines === 0 ? 0 : one.lines / counts.lines).padStart(5)
      const bar = cells < 6 ? '' : `${this.#bar(one.lines / most, cells, null)}  `
      const files = `  ${counted(one.files, 'file')}`
      const row = `${padded(cutTo(visible(one.name), name), name)}  ${bar}${countText(one.lines).padStart(lines)} ${share}`
      const fits = columnsOf(stripVTControlCharacters(row)) + files.length <= this.#width
      this.#lines.push(fits ? row + this.#styled(files, 'dim') : row)
    }
    const rest = largest.slice(MAX_SUBSYSTEMS)
    if (rest.length > 0) {
      const sum = rest.reduce((all, one) => all + one.lines, 0)
      this.#lines.push(
        this.#styled(`and ${counted(rest.length, 'smaller one')} with ${counted(sum, 'line')}`, 'dim'),
      )
    }
    this.#lines.push('')
  }

  #unresolved(): void {
    const { unresolved, counts } = this.#assessment.report
    if (unresolved.length === 0) return
    this.#heading(
      `${counted(counts.unresolved, 'import')} of the project lead${counts.unresolved === 1 ? 's' : ''} to no file`,
    )
    for (const one of unresolved.slice(0, MAX_EDGES)) {
      this.#lines.push(this.#arrow(placeText(one), visible(one.specifier), this.#width))
    }
    const more = unresolved.length - MAX_EDGES
    if (more > 0) this.#lines.push(this.#styled(`and ${countText(more)} more`, 'dim'))
    this.#lines.push('')
  }

  #warnings(): void {
    const { warnings } = this.#assessment.report
    if (warnings.length === 0) return
    this.#heading(counted(warnings.length, 'warning'))
    for (const { path, message } of warnings.slice(0, MAX_WARNINGS)) {
      const about = path === null || message.includes(path) ? '' : `${visible(path)}: `
      this.#item(this.#styled('!', 'yellow'), about + visible(message))
    }
    const more = warnings.length - MAX_WARNINGS
    if (more > 0) this.#lines.push(this.#styled(`and ${countText(more)} more`, 'dim'))
    this.#lines.push('')
  }

  #policy(): void {
    const { policy, ids } = this.#assessment.report
    const isIn = (is: boolean) => (is ? 'in' : 'out')
    const parts = { declared: 'declared', workspaces: 'the workspace’s packages', folders: 'folders' }
    const rules = `type-only imports ${isIn(policy.type_only)}, dynamic ${isIn(policy.dynamic)}, tests ${isIn(policy.tests)}`
    const text = `Parts: ${parts[policy.partition]} · ${rules} · ${ids.formula}, ${ids.calibration}`
    this.#paragraph(text, 'dim')
  }

  #heading(text: string): void {
    this.#lines.push(this.#styled(this.#clipped(text, this.#width), 'bold'))
  }

  /** A paragraph behind something that stands out, its further lines below its first. */
  #item(lead: string, text: string): void {
    const indent = columnsOf(stripVTControlCharacters(lead)) + 2
    const lines = wrapped(text, this.#width - indent)
    lines.forEach((line, i) => {
      this.#lines.push(i === 0 ? `${lead}  ${line}` : ' '.repeat(indent) + line)
    })
  }

  #paragraph(text: string, style?: Style): void {
    for (const line of wrapped(text, this.#width)) {
      this.#lines.push(style === undefined ? line : this.#styled(line, style))
    }
  }

  /** Two names with an arrow between them, each cut to what the other leaves. */
  #arrow(from: string, to: string, room: number): string {
    const half = Math.floor((room - 3) / 2)
    const left = cutTo(from, Math.max(half, room - 3 - columnsOf(to)))
    return `${left} → ${cutTo(to, room - 3 - columnsOf(left))}`
  }

  /** How much of a whole; a share that is not nothing shows. */
  #bar(share: number, cells: number, style: Style | null): string {
    const filled = share <= 0 ? 0 : Math.min(Math.max(Math.round(share * cells), 1), cells)
    const bar = '━'.repeat(filled)
    return (style === null ? bar : this.#styled(bar, style)) + this.#styled('─'.repeat(cells - filled), 'dim')
  }

  #clipped(text: string, columns: number): string {
    const plain = stripVTControlCharacters(text)
    if (columnsOf(plain) <= columns) return text
    let kept = ''
    for (const character of plain) {
      if (columnsOf(kept) + columnsOf(character) > columns - 1) break
      kept += character
    }
    return `${kept}…`
  }

  #styled(text: string, style: Style): string {
    return this.#shape.colour && text !== '' ? styleText(style, text, { validateStream: false }) : text
  }
}

/** What brings most; if that ends no cycle, the last one makes room for what does. */
function shownOf(advice: readonly PasAdvice[]): PasAdvice[] {
  const shown = advice.slice(0, MAX_ADVICE)
  const isBreaking = ({ breaks }: PasAdvice) => breaks !== undefined
  const breaking = shown.some(isBreaking) ? undefined : advice.find(isBreaking)
  return breaking === undefined ? shown : [...shown.slice(0, -1), breaking]
}

/** Text in lines of so many columns; a word that is longer than a line is cut. */
function wrapped(text: string, columns: number): string[] {
  const lines: string[] = []
  let used = 0
  for (const word of text.split(' ')) {
    const width = columnsOf(stripVTControlCharacters(word))
    const fitting = width > columns ? cutTo(stripVTControlCharacters(word), columns) : word
    const columnsTaken = Math.min(width, columns)
    if (lines.length > 0 && used + 1 + columnsTaken <= columns) {
      lines[lines.length - 1] += ` ${fitting}`
      used += 1 + columnsTaken
    } else {
      lines.push(fitting)
      used = columnsTaken
    }
  }
  return lines
}
