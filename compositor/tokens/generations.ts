/** The generations that a store knows, and what it has to know of each to go on with it. */
import { Lanes } from './lanes.ts'
import { TICKS_PER_MS } from './record.ts'
import type { TextTail } from './shape.ts'

/** What is known of a generation; `slot` is its place among {@link Generations.rows}. */
export interface GenerationRow {
  readonly slot: number
  readonly id: string
  /** Index in {@link Generations.models}; -1 while it is not known. */
  model: number
  /** On the timeline; -1 while it has no token. */
  lane: number
  /** Numbers of its chunks that are held, in the order of the text. */
  readonly chunks: number[]
  /** Its tokens that are held. */
  tokens: number
  /** Whether the last that was heard of it is a final state. */
  final: boolean
  /** Whether it had tokens of which none is held any more: it gets none again. */
  gone: boolean
  /** Times of its first token and its last, in ms since the store's origin, whether they are held or not. */
  firstMs: number
  lastMs: number
  /** Numbers of its panels on the `flow` layout, by line / lines of a panel. */
  readonly panels: number[]
}

/** Rows without a token that are kept; a new row takes the slot of the one that is without the longest. */
export const MAX_IDLE = 16_384

/**
 * A row has one lane, in which no other has a token at the same time. A generation gets a further row, as if it
 * began there, where it goes on after its end in a lane that another has taken, or when none of its tokens is held
 * any more.
 *
 * Slots are few: no more than the rows with tokens ever were at once, and {@link MAX_IDLE}.
 */
export class Generations {
  readonly #rows: GenerationRow[] = []
  /** The newest row of each id. */
  readonly #slots = new Map<string, number>()
  /** Slots of rows without a token, from the one that is so the longest. */
  readonly #idle = new Set<number>()
  readonly #models: string[] = []
  readonly #modelIndexes = new Map<string, number>()
  readonly #lanes = new Lanes()
  readonly #forgetListeners: ((row: GenerationRow) => void)[] = []
  /** By slot. */
  #lastTicks = new Float64Array(64)
  #tails = new Uint32Array(64)

  /** By slot. */
  get rows(): readonly GenerationRow[] {
    return this.#rows
  }

  get models(): readonly string[] {
    return this.#models
  }

  /** Lanes of the timeline that were ever taken. */
  get lanes(): number {
    return this.#lanes.count
  }

  /** Called with a row without tokens whose slot another one takes. */
  onForget(listener: (row: GenerationRow) => void): void {
    this.#forgetListeners.push(listener)
  }

  /** The newest row of this id, made if there is none. */
  row(id: string): GenerationRow {
    const known = this.#slots.get(id)
    return known === undefined ? this.#add(id, -1) : (this.#rows[known] as GenerationRow)
  }

  /** The row that a token of this generation goes to if it comes next. */
  rowToGoOn(id: string): GenerationRow {
    const row = this.row(id)
    const isLost = row.gone || (row.final && row.lane >= 0 && !this.#lanes.isOf(row.lane, row.slot))
    return isLost ? this.#add(id, row.model) : row
  }

  /** Says of which model it is. @returns whether that is news */
  setModel(row: GenerationRow, name: string): boolean {
    let model = this.#modelIndexes.get(name)
    if (model === undefined) {
      model = this.#models.push(name) - 1
      this.#modelIndexes.set(name, model)
    }
    const isNew = row.model !== model
    row.model = model
    return isNew
  }

  /** Says that it has come to its end. */
  finish(row: GenerationRow): void {
    if (!row.final && row.lane >= 0) this.#lanes.leave(row.lane, row.lastMs)
    row.final = true
  }

  /** Time of its last token in ticks since the origin; 0 before the first. */
  lastTicks(slot: number): number {
    return this.#lastTicks[slot] as number
  }

  /** What its text ends with. */
  tail(slot: number): TextTail {
    return this.#tails[slot] as number
  }

  setTail(slot: number, tail: TextTail): void {
    this.#tails[slot] = tail
  }

  /**
   * Says that a token came to a row of {@link rowToGoOn}, `ticks` after the origin and not before the last one. With
   * the first one it takes a lane.
   */
  addToken(row: GenerationRow, ticks: number): void {
    this.#lastTicks[row.slot] = ticks
    row.lastMs = Math.trunc(ticks / TICKS_PER_MS)
    row.tokens++
    if (row.lane < 0) {
      row.firstMs = row.lastMs
      row.lane = this.#lanes.take(row.firstMs, row.slot)
      this.#idle.delete(row.slot)
    } else if (row.final) this.#lanes.retake(row.lane)
    row.final = false
  }

  /** Says that none of its tokens is held any more: it leaves the timeline, and if it is at its end, its name. */
  empty(row: GenerationRow): void {
    if (row.final) this.#unname(row)
    else this.#lanes.leave(row.lane, row.lastMs)
    row.lane = -1
    row.gone = true
    this.#idle.add(row.slot)
  }

  #add(id: string, model: number): GenerationRow {
    const slot = this.#takeSlot()
    const times = { firstMs: 0, lastMs: 0 }
    const none = { lane: -1, chunks: [], tokens: 0, final: false, gone: false, panels: [] }
    const row: GenerationRow = { slot, id, model, ...none, ...times }
    this.#rows[slot] = row
    this.#lastTicks[slot] = 0
    this.#tails[slot] = 0
    this.#slots.set(id, slot)
    this.#idle.add(slot)
    return row
  }

  #takeSlot(): number {
    if (this.#idle.size < MAX_IDLE) {
      if (this.#rows.length === this.#tails.length) this.#grow()
      return this.#rows.length
    }
    const slot = this.#idle.values().next().value as number
    const row = this.#rows[slot] as GenerationRow
    this.#idle.delete(slot)
    this.#unname(row)
    for (const listener of this.#forgetListeners) listener(row)
    return slot
  }

  #unname({ id, slot }: GenerationRow): void {
    if (this.#slots.get(id) === slot) this.#slots.delete(id)
  }

  #grow(): void {
    const ticks = new Float64Array(this.#lastTicks.length * 2)
    ticks.set(this.#lastTicks)
    this.#lastTicks = ticks
    const tails = new Uint32Array(this.#tails.length * 2)
    tails.set(this.#tails)
    this.#tails = tails
  }
}
