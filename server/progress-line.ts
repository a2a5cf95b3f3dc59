import { styleText } from 'node:util'
import { durationText } from '../events/quantities.ts'

/** What progress is written to: a terminal, or anything else. */
export type ProgressOutput = NodeJS.WritableStream & { isTTY?: boolean; columns?: number }

/** How much is done of what, and how both are written. */
export interface Progress {
  label: string
  done: number
  total: number
  /** As `512 MB`. */
  text: (amount: number) => string
  /** As `180 MB/s`, of an amount each second; without it no rate is shown. */
  rate?: (amount: number) => string
}

/** A bar is as long as the line has room for. */
const MAX_BAR_CELLS = 24
const MIN_BAR_CELLS = 8
/** How often a terminal is written to, and how often anything else. */
const REDRAW_MS = 100
const LINE_MS = 5000
/** Before so long there is no rate worth telling. */
const SETTLED_MS = 500
const START_OF_LINE = '\r'
const CLEAR_LINE = '\x1b[2K'

/**
 * How far something is, for a person: on a terminal one line with a bar that is drawn anew, elsewhere a plain line
 * every five seconds.
 */
export class ProgressLine {
  readonly #output: ProgressOutput
  readonly #now: () => number
  #label = ''
  #begunAt = 0
  #first = 0
  #writtenAt = Number.NEGATIVE_INFINITY
  #drawn = false

  /** @param now milliseconds, as `performance.now()` */
  constructor(output: ProgressOutput, now: () => number = () => performance.now()) {
    this.#output = output
    this.#now = now
  }

  /** Something goes on of which it is not known how far it is. */
  begin(label: string): void {
    this.#startOver(label, 0)
    this.#write(`  ${label}`)
  }

  /** Something goes on, and is so far. */
  show(progress: Progress): void {
    const now = this.#now()
    if (progress.label !== this.#label) this.#startOver(progress.label, progress.done)
    if (now - this.#writtenAt < (this.#output.isTTY ? REDRAW_MS : LINE_MS)) return
    this.#writtenAt = now
    this.#write(this.#lineOf(progress, now))
  }

  /** Takes away what is still to be seen of it, so that something else can be written. */
  clear(): void {
    if (this.#drawn) this.#output.write(START_OF_LINE + CLEAR_LINE)
    this.#drawn = false
    this.#label = ''
  }

  #startOver(label: string, done: number): void {
    this.#label = label
    this.#begunAt = this.#now()
    this.#first = done
    this.#writtenAt = Number.NEGATIVE_INFINITY
  }

  #lineOf({ label, done, total, text, rate }: Progress, now: number): string {
    const share = total > 0 ? Math.min(done / total, 1) : 1
    const ms = now - this.#begunAt
    const perSecond = ms < SETTLED_MS ? 0 : ((done - this.#first) / ms) * 1000
    const facts = [`${Math.floor(share * 100)} %`, `${text(done)} of ${text(total)}`]
    if (perSecond > 0) {
      if (rate !== undefined) facts.push(rate(perSecond))
      if (done < total) facts.push(`${durationText(Math.ceil((total - done) / perSecond))} left`)
    }
    if (!this.#output.isTTY) return `  ${label}: ${facts.join(', ')}`
    const rest = facts.join('   ')
    const plain = `  ${label}  ${rest}`
    // A line that is broken by the terminal could not be drawn over. One without a width says 0.
    const width = (this.#output.columns || 80) - 1
    const cells = Math.min(width - plain.length - 2, MAX_BAR_CELLS)
    if (cells < MIN_BAR_CELLS) return plain.slice(0, width)
    const filled = Math.round(share * cells)
    const bar = (length: number, style: 'green' | 'dim') =>
      length === 0 ? '' : styleText(style, '━'.repeat(length), { stream: this.#output })
    return `  ${label}  ${bar(filled, 'green')}${bar(cells - filled, 'dim')}  ${rest}`
  }

  #write(line: string): void {
    if (this.#output.isTTY) this.#output.write(START_OF_LINE + CLEAR_LINE + line)
    else this.#output.write(`${line}\n`)
    this.#drawn = this.#output.isTTY === true
  }
}
