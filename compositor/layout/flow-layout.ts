/** The `flow` layout of a store: where every token lies, kept up as tokens come. */
import {
  CHUNK_BITS,
  CHUNK_END,
  CHUNK_FIRST,
  CHUNK_GENERATION,
  CHUNK_NEXT,
  CHUNK_PREVIOUS,
  CHUNK_TOKENS,
  CHUNK_WORDS,
  FLOW_COLUMN_MASK,
  FLOW_LINE_SHIFT,
  PAGE_BITS,
  PAGE_CHUNKS,
  PAGE_TOKENS,
} from '../tokens/record.ts'
import type { TokenPage } from '../tokens/token-page.ts'
import type { GenerationRow, Run, TokenStore } from '../tokens/token-store.ts'
import { flowAppend } from './flow.ts'
import {
  CARRY_COLUMN,
  CARRY_LINE,
  CARRY_PATCH_COLUMN,
  CARRY_PATCHED,
  CARRY_WORDS,
  FRAGMENT_CLOSES,
  FRAGMENT_COUNT,
  FRAGMENT_FIRST,
  FRAGMENT_FLAGS,
  FRAGMENT_OPENS,
  FRAGMENT_SLOT,
  FRAGMENT_WORDS,
  JOB_COUNT,
  JOB_FIRST,
  JOB_SLOT,
  JOB_WORDS,
} from './flow-words.ts'
import { mapPlace } from './map.ts'

/** Columns of a line, unless said otherwise. */
export const FLOW_WIDTH = 80
/** Columns that lie free between the lines of panels side by side. */
const PANEL_GAP = 16
/** Height of a line; a column is 1 wide. */
export const LINE_UNITS = 2
/** Owner of a panel that is nobody's: more than a slot can be. */
const NOBODY = 0xffff_ffff
/** Below so many tokens, the CPU has laid them out before a GPU has begun. */
const SMALL = 4096
/** Tokens of a fragment at least: few, so that a GPU has many at once; many where they go one after the other. */
export const FRAGMENT_TOKENS = { webgpu: 64, cpu: 4096 }

/** What the layout asks of an engine. */
export interface FlowEngine {
  readonly backend: 'cpu' | 'webgpu'
  /** Words of `page.flow` were written here: of `count` tokens from the one at `first` on. */
  wroteFlow(page: TokenPage, first: number, count: number): void
  /** Does what `flowAppend` of flow.ts does. */
  flowAppend(page: TokenPage, jobs: Uint32Array, carries: Uint32Array, width: number): Promise<void>
  /** Does what `flowFragments`, `flowNumber` and `flowShift` of flow.ts do, one after the other. */
  reflow(page: TokenPage, fragments: Uint32Array, carries: Uint32Array, width: number): Promise<void>
}

export interface FlowLayoutOptions {
  store: TokenStore
  engine: FlowEngine
  /** Columns of a line, 2 to {@link FLOW_COLUMN_MASK}; {@link FLOW_WIDTH} if not given. */
  width?: number
}

/**
 * Lines lie in panels, squares of the same size, a generation's next one beginning where its last is full.
 * Panels are numbered as lines reach them, and lie along the map's curve by number. A panel, once given, stays
 * its generation's until the store forgets that; then the next line that needs one takes it.
 *
 * Calls must not overlap: the next one comes when the last has resolved.
 */
export class FlowLayout {
  readonly width: number
  /** Side of a panel in units. */
  readonly panelSide: number
  /** Lines of a panel. */
  readonly panelLines: number
  readonly #store: TokenStore
  readonly #engine: FlowEngine
  #carries = new Uint32Array(64 * CARRY_WORDS)
  /** By panel: slot of its generation, and which of that one's panels it is. */
  #owners = new Uint32Array(64)
  #panels = 0
  /** Those that were given back. */
  readonly #freePanels: number[] = []
  #moved: number[] = []

  /** @throws RangeError if the width is not a number of columns that it can work with */
  constructor({ store, engine, width = FLOW_WIDTH }: FlowLayoutOptions) {
    if (!Number.isInteger(width) || width < 2 || width > FLOW_COLUMN_MASK) {
      throw new RangeError(`a line of ${width} columns; it has 2 to ${FLOW_COLUMN_MASK}`)
    }
    this.#store = store
    this.#engine = engine
    this.width = width
    this.panelSide = width + PANEL_GAP
    this.panelLines = this.panelSide / LINE_UNITS
    store.onForget(row => this.#forget(row))
  }

  /** Panels that were ever given at once; all numbers are below it. */
  get panels(): number {
    return this.#panels
  }

  /** Numbers of the tokens that were there before the last {@link append} and moved with their word by it. */
  get moved(): readonly number[] {
    return this.#moved
  }

  /** State of each generation's text, by slot; see flow.ts. */
  get carries(): Uint32Array {
    return this.#carries
  }

  /** Whose panel it is, and which of its generation's; there must be one of this number. A slot
   * that there is not: nobody's. */
  panelOwner(panel: number): { slot: number; ordinal: number } {
    return { slot: this.#owners[panel * 2] as number, ordinal: this.#owners[panel * 2 + 1] as number }
  }

  /** Left upper corner of a panel in units. */
  panelOrigin(panel: number): [x: number, y: number] {
    const place = mapPlace(panel)
    return [(place & 0xffff) * this.panelSide, (place >>> 16) * this.panelSide]
  }

  /** Lays out what was written to the store, all of it once and in its order; what is held besides must be. */
  async append(runs: readonly Run[]): Promise<void> {
    this.#moved = []
    this.#reserve()
    const jobsOf = this.#jobs(runs)
    for (const page of this.#store.pages.values()) {
      const words = jobsOf.get(page)
      if (words === undefined) continue
      const jobs = Uint32Array.from(words)
      page.flow ??= new Uint32Array(PAGE_TOKENS)
      let tokens = 0
      for (let at = 0; at < jobs.length; at += JOB_WORDS) tokens += jobs[at + JOB_COUNT] as number
      if (tokens < SMALL) {
        flowAppend(page, jobs, this.#carries, this.width)
        for (const run of runs) if (run.page === page) this.#engine.wroteFlow(page, run.first, run.count)
      } else await this.#engine.flowAppend(page, jobs, this.#carries, this.width)
      for (let at = 0; at < jobs.length; at += JOB_WORDS) {
        const slot = jobs[at + JOB_SLOT] as number
        this.#patch(page, slot, jobs[at + JOB_FIRST] as number, true)
        this.#givePanels(slot)
      }
    }
  }

  /** Lays out all that the store holds. */
  async reflow(): Promise<void> {
    this.#moved = []
    this.#reserve()
    this.#carries.fill(0)
    for (const page of this.#store.pages.values()) {
      page.flow ??= new Uint32Array(PAGE_TOKENS)
      const fragments = fragmentsOf(page, FRAGMENT_TOKENS[this.#engine.backend])
      await this.#engine.reflow(page, fragments, this.#carries, this.width)
      for (let at = 0; at < fragments.length; at += FRAGMENT_WORDS) {
        if (((fragments[at + FRAGMENT_FLAGS] as number) & FRAGMENT_OPENS) === 0) continue
        const slot = fragments[at + FRAGMENT_SLOT] as number
        this.#patch(page, slot, fragments[at + FRAGMENT_FIRST] as number, false)
        this.#givePanels(slot)
      }
    }
  }

  /** Lets go of what the layout keeps for tokens. Panels stay given, so that it comes back the same. */
  release(): void {
    for (const page of this.#store.pages.values()) page.flow = null
    this.#carries = new Uint32Array(64 * CARRY_WORDS)
    this.#moved = []
  }

  /** Left upper corner of a token that is laid out, in units. */
  placeOf(n: number): [x: number, y: number] {
    const flow = this.#store.pages.get(n >>> PAGE_BITS)?.flow as Uint32Array
    const word = flow[n & (PAGE_TOKENS - 1)] as number
    return this.worldOf(this.#store.slotOf(n), word & FLOW_COLUMN_MASK, word >>> FLOW_LINE_SHIFT)
  }

  /** Where a column of a generation's line lies; the line must have been reached. */
  worldOf(slot: number, column: number, line: number): [x: number, y: number] {
    const row = this.#store.generations[slot] as GenerationRow
    const panel = row.panels[Math.floor(line / this.panelLines)] as number
    const [x, y] = this.panelOrigin(panel)
    return [x + column, y + (line % this.panelLines) * LINE_UNITS]
  }

  /** Jobs by page: one a generation, over what was written of it. */
  #jobs(runs: readonly Run[]): Map<TokenPage, number[]> {
    const jobsOf = new Map<TokenPage, number[]>()
    const jobAt = new Map<TokenPage, Map<number, number>>()
    for (const { page, slot, first, count } of runs) {
      let jobs = jobsOf.get(page)
      let at = jobAt.get(page)
      if (jobs === undefined || at === undefined) {
        jobs = []
        at = new Map()
        jobsOf.set(page, jobs)
        jobAt.set(page, at)
      }
      const known = at.get(slot)
      if (known === undefined) {
        at.set(slot, jobs.length)
        jobs.push(slot, first, count, 0)
      } else jobs[known + JOB_COUNT] = (jobs[known + JOB_COUNT] as number) + count
    }
    return jobsOf
  }

  /** Moves what lies before the token at `first` and belongs to the word that went to the next line. */
  #patch(page: TokenPage, slot: number, first: number, tell: boolean): void {
    const carry = slot * CARRY_WORDS
    const columns = this.#carries[carry + CARRY_PATCH_COLUMN] as number
    let n = page.number * PAGE_TOKENS + first
    for (let left = this.#carries[carry + CARRY_PATCHED] as number; left > 0; left--) {
      n = this.#store.previous(n)
      if (n < 0) break
      const at = this.#store.pages.get(n >>> PAGE_BITS) as TokenPage
      const flow = at.flow as Uint32Array
      const place = n & (PAGE_TOKENS - 1)
      flow[place] = (flow[place] as number) + (1 << FLOW_LINE_SHIFT) - columns
      this.#engine.wroteFlow(at, place, 1)
      if (tell) this.#moved.push(n)
    }
  }

  /** Gives a generation the panels that its lines have reached. */
  #givePanels(slot: number): void {
    const { panels } = this.#store.generations[slot] as GenerationRow
    const line = this.#carries[slot * CARRY_WORDS + CARRY_LINE] as number
    // What comes next after a full line lies on the next one.
    const full = (this.#carries[slot * CARRY_WORDS + CARRY_COLUMN] as number) >= this.width ? 1 : 0
    const needed = Math.floor((line + full) / this.panelLines) + 1
    while (panels.length < needed) {
      const panel = this.#freePanels.pop() ?? this.#panels++
      if (panel * 2 === this.#owners.length) {
        const grown = new Uint32Array(panel * 4)
        grown.set(this.#owners)
        this.#owners = grown
      }
      this.#owners[panel * 2] = slot
      this.#owners[panel * 2 + 1] = panels.length
      panels.push(panel)
    }
  }

  /** Takes back what a generation had that is not known any more. */
  #forget({ slot, panels }: GenerationRow): void {
    this.#carries.fill(0, slot * CARRY_WORDS, (slot + 1) * CARRY_WORDS)
    for (const panel of panels) {
      this.#owners[panel * 2] = NOBODY
      this.#freePanels.push(panel)
    }
  }

  #reserve(): void {
    const needed = this.#store.generations.length * CARRY_WORDS
    if (needed <= this.#carries.length) return
    const grown = new Uint32Array(Math.max(needed, this.#carries.length * 2))
    grown.set(this.#carries)
    this.#carries = grown
  }
}

/**
 * The fragments of a page, see flow.ts: generation by generation, cut at line feeds.
 *
 * @param atLeast tokens that each has, but for a generation's last
 */
export function fragmentsOf(page: TokenPage, atLeast = FRAGMENT_TOKENS.webgpu): Uint32Array {
  const { chunks, newlines } = page
  let words = new Uint32Array(1024 * FRAGMENT_WORDS)
  let used = 0
  const add = (slot: number, first: number, count: number, flags: number) => {
    if (used + FRAGMENT_WORDS > words.length) {
      const grown = new Uint32Array(words.length * 2)
      grown.set(words)
      words = grown
    }
    words[used + FRAGMENT_SLOT] = slot
    words[used + FRAGMENT_FIRST] = first
    words[used + FRAGMENT_COUNT] = count
    words[used + FRAGMENT_FLAGS] = flags
    used += FRAGMENT_WORDS
  }
  const inPage = (link: number) => link !== 0 && (link - 1) >>> (PAGE_BITS - CHUNK_BITS) === page.number
  for (let start = 0; start < PAGE_CHUNKS; start++) {
    const startHeader = start * CHUNK_WORDS
    if (chunks[startHeader + CHUNK_END] === 0 || inPage(chunks[startHeader + CHUNK_PREVIOUS] as number))
      continue
    const slot = chunks[startHeader + CHUNK_GENERATION] as number
    let first = start * CHUNK_TOKENS + (chunks[startHeader + CHUNK_FIRST] as number)
    let flags = FRAGMENT_OPENS
    let count = 0
    let chunk = start
    for (;;) {
      const header = chunk * CHUNK_WORDS
      const end = chunk * CHUNK_TOKENS + (chunks[header + CHUNK_END] as number)
      const next = chunks[header + CHUNK_NEXT] as number
      const goesOn = inPage(next)
      let place = chunk * CHUNK_TOKENS + (chunks[header + CHUNK_FIRST] as number)
      while (place < end) {
        // The first token that may end the fragment: with a line feed, not the last.
        let cut = Math.min(end, place + Math.max(0, atLeast - 1 - count))
        const stop = goesOn ? end : end - 1
        while (cut < stop) {
          const bits = (newlines[cut >>> 5] as number) >>> (cut & 31)
          if (bits === 0) cut = (cut | 31) + 1
          else {
            cut += Math.clz32(bits & -bits) ^ 31
            break
          }
        }
        if (cut >= stop) {
          count += end - place
          break
        }
        add(slot, first, count + cut + 1 - place, flags)
        first = cut
        flags = 0
        count = 0
        place = cut + 1
      }
      if (!goesOn) break
      chunk = (next - 1) & (PAGE_CHUNKS - 1)
    }
    add(slot, first, count, flags | FRAGMENT_CLOSES)
  }
  return words.slice(0, used)
}
