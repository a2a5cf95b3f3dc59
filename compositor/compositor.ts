/**
 * The compositor: keeps the tokens of the log in pages and lays them out, a batch at a time.
 *
 * It reads the log by its own cursor and works only while somebody watches; what was appended meanwhile it
 * catches up with, as far as the log keeps it. Pages are flat arrays, appended to and never moved, of which
 * the oldest is let go when there are too many.
 */
import type { TokenLog } from '../broadcast/token-log.ts'
import type { ComponentReport } from '../events/components.ts'
import type { Meter } from '../events/metrics.ts'
import { layoutMap } from './map.ts'

const PAGE_TOKENS = 65_536
const MAX_PAGES = 16

/** A run of tokens in log order. */
export interface TokenPage {
  /** Seq of each token's entry. */
  readonly seqs: Float64Array
  /** Cell number of each token. */
  readonly cells: Uint32Array
  /** Where each lies on the map: x in the low, y in the high 16 bits. */
  readonly places: Uint32Array
  /** Tokens in the page. */
  used: number
  /** Of these, how many are laid out. */
  laidOut: number
}

export class Compositor {
  readonly #log: TokenLog
  readonly #meter: Meter
  readonly #pages: TokenPage[] = []
  #cursor = 0
  #watched = false
  #unlisten: (() => void) | null = null
  #turn: NodeJS.Immediate | null = null
  #lastStepMs: number | null = null

  constructor(options: { log: TokenLog; meter: Meter }) {
    this.#log = options.log
    this.#meter = options.meter
  }

  start(): void {
    this.#unlisten = this.#log.onAppend(() => this.#schedule())
  }

  stop(): void {
    this.#unlisten?.()
    this.#unschedule()
  }

  /** Says whether somebody watches; nothing is laid out while nobody does. */
  watch(watched: boolean): void {
    this.#watched = watched
    if (watched) this.#schedule()
    else this.#unschedule()
  }

  /** The pages, oldest first; read only. */
  get pages(): readonly TokenPage[] {
    return this.#pages
  }

  /** Takes in what the log has since the last step and lays it out; the layout is what is timed. */
  step(): void {
    this.#turn = null
    const { head, tail } = this.#log
    for (let seq = Math.max(this.#cursor + 1, tail); seq <= head; seq++) {
      const record = this.#log.record(seq)
      if (record?.cell != null) this.#add(seq, record.cell)
    }
    this.#cursor = head
    const begun = performance.now()
    let tokens = 0
    for (const page of this.#pages) {
      if (page.laidOut === page.used) continue
      layoutMap(page.cells, page.places, page.laidOut, page.used)
      tokens += page.used - page.laidOut
      page.laidOut = page.used
    }
    if (tokens === 0) return
    this.#lastStepMs = performance.now() - begun
    this.#meter.observe(
      'tokenscope_layout_seconds',
      { backend: 'cpu', layout: 'map' },
      this.#lastStepMs / 1000,
    )
  }

  /** For `/readyz`. */
  report(): ComponentReport {
    const tokens = this.#pages.reduce((sum, page) => sum + page.used, 0)
    const last = this.#lastStepMs === null ? '' : `, last step ${this.#lastStepMs.toFixed(3)} ms`
    return {
      name: 'compositor',
      status: 'ok',
      detail: `no GPU in use, layout runs on the CPU${tokens === 0 ? '' : `: ${tokens} tokens${last}`}`,
      facts: { backend: 'cpu', layouts: ['map'], tokens },
    }
  }

  #schedule(): void {
    if (this.#watched && this.#turn === null) this.#turn = setImmediate(() => this.step())
  }

  #unschedule(): void {
    if (this.#turn) clearImmediate(this.#turn)
    this.#turn = null
  }

  #add(seq: number, cell: number): void {
    let page = this.#pages.at(-1)
    if (page === undefined || page.used === PAGE_TOKENS) {
      page = {
        seqs: new Float64Array(PAGE_TOKENS),
        cells: new Uint32Array(PAGE_TOKENS),
        places: new Uint32Array(PAGE_TOKENS),
        used: 0,
        laidOut: 0,
      }
      this.#pages.push(page)
      if (this.#pages.length > MAX_PAGES) this.#pages.shift()
    }
    page.seqs[page.used] = seq
    page.cells[page.used] = cell
    page.used++
  }
}
