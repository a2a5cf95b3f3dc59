/**
 * All tokens and their layouts: takes in the log's entries and answers what is asked of a layout.
 *
 * Guarantees: calls take effect one after the other, in the order in which they were made. A layout costs
 * nothing until it is watched or asked about, and is then laid out from all that is held.
 */
import type {
  LayoutName,
  PickQuestion,
  Placed,
  ViewAnswer,
  ViewQuestion,
} from '../../broadcast/protocol/view.ts'
import type { LogEntry } from '../../events/generation.ts'
import { mapCell } from '../draw/block-number.ts'
import type { Engine } from '../engine.ts'
import { FlowLayout } from '../layout/flow-layout.ts'
import { CARRY_PATCH_COLUMN, CARRY_WORDS } from '../layout/flow-words.ts'
import {
  CHUNK_BITS,
  CHUNK_FIRST,
  CHUNK_PREVIOUS,
  CHUNK_TOKENS,
  CHUNK_WORDS,
  FLOW_COLUMN_MASK,
  FLOW_LINE_SHIFT,
  PAGE_BITS,
  PAGE_TOKENS,
} from '../tokens/record.ts'
import type { TokenPage } from '../tokens/token-page.ts'
import { type Run, TokenStore } from '../tokens/token-store.ts'
import { Answers } from './answers.ts'
import { LaneIndex } from './lane-index.ts'
import { GRIDS } from './layout-grid.ts'
import type { SpatialIndex } from './spatial.ts'
import { FlowIndex } from './spatial-flow.ts'
import { MapIndex } from './spatial-map.ts'
import { TimelineIndex } from './spatial-timeline.ts'
import { VersionClock } from './versions.ts'
import { WatchedLayout } from './watched-layout.ts'

export interface CompositionOptions {
  engine: Engine
  /** Pages of tokens kept at most. */
  maxPages: number
  /** Columns of a line of `flow`. */
  flowWidth?: number
}

export class Composition {
  readonly #engine: Engine
  readonly #store: TokenStore
  readonly #lanes: LaneIndex
  readonly #flow: FlowLayout
  readonly #answers: Answers
  readonly #clock = new VersionClock()
  readonly #layouts = new Map<LayoutName, WatchedLayout>()
  /** Pages that the store let go of since the last append. */
  #freed: TokenPage[] = []
  #upto = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor({ engine, maxPages, flowWidth }: CompositionOptions) {
    this.#engine = engine
    this.#store = new TokenStore({ maxPages })
    this.#store.onFree(page => {
      this.#freed.push(page)
      for (const layout of this.#layouts.values()) layout.leave(page)
    })
    this.#lanes = new LaneIndex(this.#store)
    const width = flowWidth === undefined ? {} : { width: flowWidth }
    this.#flow = new FlowLayout({ store: this.#store, engine, ...width })
    this.#answers = new Answers({ store: this.#store, flow: this.#flow, engine })
  }

  /** Tokens held. */
  get tokens(): number {
    return this.#store.size
  }

  /** Tokens that came and could not be kept, see `TokenStore.dropped`. */
  get dropped(): number {
    return this.#store.dropped
  }

  /** Bytes of their texts, and of where those stand. */
  get textBytes(): number {
    let bytes = 0
    for (const page of this.#store.pages.values()) bytes += page.textBytes
    return bytes
  }

  /** Says that times count from here, in Unix seconds: no token to come is earlier. Without effect after the first one. */
  beginAt(seconds: number): void {
    this.#store.beginAt(seconds)
  }

  /**
   * Takes in entries that follow those before them in the log, up to this seq.
   *
   * @param took is told how long each watched layout took by itself, in ms
   * @returns for each of `flow` and `timeline` that is watched, where its new tokens lie and those that moved
   */
  append(
    entries: readonly LogEntry[],
    upto: number,
    took: Map<LayoutName, number> = new Map(),
  ): Promise<Placed[]> {
    return this.#inTurn(async () => {
      const after = this.#upto
      this.#upto = upto
      const runs = this.#store.append(entries)
      for (const run of runs) this.#tellEngine(run)
      this.#lanes.add(runs)
      if (this.#freed.length > 0) this.#lanes.drop()
      const begun = performance.now()
      if (this.#layouts.has('flow')) await this.#flow.append(runs)
      const flowed = performance.now() - begun
      const version = this.#clock.advance()
      for (const page of this.#freed.splice(0)) this.#engine.release(page)
      for (const layout of this.#layouts.values()) {
        const addedAt = performance.now()
        this.#addTo(layout, runs, version)
        took.set(layout.layout, performance.now() - addedAt + (layout.layout === 'flow' ? flowed : 0))
      }
      if (this.#store.isRelabelled)
        for (const { versions } of this.#layouts.values()) versions.touchModels(version)
      return this.#placed(entries, after)
    })
  }

  /** Keeps these layouts laid out, and lets go of the others. */
  watch(layouts: ReadonlySet<LayoutName>): Promise<void> {
    return this.#inTurn(async () => {
      for (const layout of [...this.#layouts.keys()]) if (!layouts.has(layout)) this.#release(layout)
      for (const layout of layouts) await this.#watched(layout)
    })
  }

  /** What a viewport shows. Its layout is watched from then on. */
  view(question: ViewQuestion): Promise<ViewAnswer> {
    return this.#inTurn(async () => {
      const answer = await this.#answers.view(await this.#watched(question.layout), question)
      return { ...answer, upto: this.#upto }
    })
  }

  /** Which token lies at a place. Its layout is watched from then on. */
  pick(question: PickQuestion): Promise<ViewAnswer> {
    return this.#inTurn(async () => {
      const answer = this.#answers.pick(await this.#watched(question.layout), question)
      return { ...answer, upto: this.#upto }
    })
  }

  /** Resolves when all calls have; the engine is the caller's. */
  async stop(): Promise<void> {
    await this.#last
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    return result
  }

  async #watched(layout: LayoutName): Promise<WatchedLayout> {
    const known = this.#layouts.get(layout)
    if (known !== undefined) return known
    if (layout === 'flow') await this.#flow.reflow()
    const version = this.#clock.advance()
    const watched = new WatchedLayout({ layout, store: this.#store, index: this.#indexOf(layout), version })
    watched.build(version)
    this.#layouts.set(layout, watched)
    return watched
  }

  #release(layout: LayoutName): void {
    this.#layouts.delete(layout)
    if (layout === 'flow') this.#flow.release()
  }

  #indexOf(layout: LayoutName): SpatialIndex {
    switch (layout) {
      case 'map':
        return new MapIndex(this.#store)
      case 'flow':
        return new FlowIndex(this.#store, this.#flow)
      case 'timeline':
        return new TimelineIndex(this.#store, this.#lanes)
    }
  }

  /** Says what a run has written; the chunk before its own now has a link to it. */
  #tellEngine({ page, first, count }: Run): void {
    this.#engine.wrote(page, first, count)
    const header = (first >>> CHUNK_BITS) * CHUNK_WORDS
    if (first % CHUNK_TOKENS !== page.chunks[header + CHUNK_FIRST]) return
    const before = (page.chunks[header + CHUNK_PREVIOUS] as number) - 1
    if (before < 0) return
    const linked = this.#store.pages.get(before >>> (PAGE_BITS - CHUNK_BITS))
    if (linked === undefined) return
    const place = (before * CHUNK_TOKENS) % PAGE_TOKENS
    const firstOfIt = linked.chunks[(place >>> CHUNK_BITS) * CHUNK_WORDS + CHUNK_FIRST] as number
    this.#engine.wrote(linked, place + firstOfIt, 1)
  }

  #addTo(layout: WatchedLayout, runs: readonly Run[], version: number): void {
    layout.add(runs, version)
    if (layout.layout === 'flow') {
      const { moved } = this.#flow
      layout.move(moved, this.#leftBy(moved, runs), version)
    }
    layout.settle(version)
  }

  /** Where tokens lay before they moved: on the line above, further right. */
  #leftBy(moved: readonly number[], runs: readonly Run[]): number[] {
    const { carries, width } = this.#flow
    const pageOf = new Map<number, TokenPage | null>()
    for (const { slot, page } of runs)
      pageOf.set(slot, pageOf.has(slot) && pageOf.get(slot) !== page ? null : page)
    const left: number[] = []
    for (const n of moved) {
      const slot = this.#store.slotOf(n)
      const flow = (this.#store.pages.get(n >>> PAGE_BITS) as TokenPage).flow as Uint32Array
      const word = flow[n % PAGE_TOKENS] as number
      const column = word & FLOW_COLUMN_MASK
      const line = (word >>> FLOW_LINE_SHIFT) - 1
      const from = carries[slot * CARRY_WORDS + CARRY_PATCH_COLUMN] as number
      if (pageOf.get(slot) !== null) left.push(...this.#flow.worldOf(slot, column + from, line))
      else {
        // It went on in a second page, and with it what was told of the first.
        const step = 2 ** GRIDS.flow.baseZ
        for (let at = column; at < width + step; at += step) {
          left.push(...this.#flow.worldOf(slot, Math.min(at, width), line))
        }
      }
    }
    return left
  }

  #placed(entries: readonly LogEntry[], after: number): Placed[] {
    const layouts = [...this.#layouts.values()].filter(({ layout }) => layout !== 'map')
    if (layouts.length === 0) return []
    const placed: Placed[] = []
    for (const layout of layouts) {
      const here: Placed['tokens'] = []
      if (layout.layout === 'flow') for (const n of this.#flow.moved) here.push(this.#place(layout, n))
      for (const entry of entries) {
        if (entry.type !== 'token_activation') continue
        const { generation, index, token_text: text, position } = entry
        const n = mapCell(position[0], position[1])
        // What could not be kept, or is gone with its page already, lies nowhere.
        if (!this.#isHeld(n, generation, index)) continue
        const [x, y] = layout.placeOf(n)
        here.push({ generation, id: `${generation}:${index}`, text, x, y })
      }
      if (here.length > 0) placed.push({ layout: layout.layout, after, upto: this.#upto, tokens: here })
    }
    return placed
  }

  #isHeld(n: number, generation: string, index: number): boolean {
    const store = this.#store
    return store.has(n) && store.indexOf(n) === index && store.generations[store.slotOf(n)]?.id === generation
  }

  #place(layout: WatchedLayout, n: number): Placed['tokens'][number] {
    const [x, y] = layout.placeOf(n)
    const generation = this.#store.generations[this.#store.slotOf(n)]?.id ?? ''
    return { generation, id: this.#store.idOf(n), text: this.#store.textOf(n), x, y }
  }
}
