import { computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import { toClipboard } from '../frame/copy-button.tsx'
import { type GenerationRecord, listRecords, readRecord, removeRecord, replayRecord } from '../records-api.ts'
import type { Scope } from '../scope.ts'
import { stopGeneration } from '../server-api.ts'
import {
  isListed,
  isOver,
  isWanted,
  joinEntries,
  queryOf,
  questionOf,
  type RailEntry,
  type RailFilter,
} from './rail-entry.ts'
import { topsOf } from './rail-window.ts'
import { RecordList } from './record-list.ts'

/** The records are asked this long after the last key. */
const TYPED_MS = 200
/** What changes is read anew this long after, and no more often. */
const REFRESH_MS = 700
/** What is not in the records yet is looked for so many times. */
const MOST_TRIES = 8
/** What could not be read is tried again this long after, and each time twice as long, up to the second. */
const AGAIN_MS = 2000
const LATEST_AGAIN_MS = 60_000
/** A word about what was done stays this long. */
const SAID_MS = 2400
/** Generations that can be compared at a time. */
export const MOST_COMPARED = 4

export const NO_FILTER: RailFilter = { words: '', state: null, model: null }

/** The menu of an item, and what opened it. */
export interface OpenMenu {
  entry: RailEntry
  /** Where it opens, in pixels of the window. */
  place: { right: number; top: number; bottom: number }
  opener: HTMLElement
  /** Whether it asks if the recording is really to be removed. */
  asking: boolean
}

/** What the list of generations shows, and what can be done with them. */
export class RailState {
  readonly filter: Signal<RailFilter> = signal(NO_FILTER)
  readonly records: RecordList
  readonly entries: ReadonlySignal<readonly RailEntry[]>
  /** Where each entry begins, in pixels, and where the last one ends. */
  readonly tops: ReadonlySignal<Float64Array>
  /** Models that were heard of. */
  readonly models: ReadonlySignal<readonly string[]>
  /** Whether nothing is recorded; null until the server said so. */
  readonly off: ReadonlySignal<boolean | null>
  readonly menu: Signal<OpenMenu | null> = signal(null)
  /** The id of the one that is being named. */
  readonly renaming: Signal<string | null> = signal(null)
  /** The id of the one whose item is to have the focus, once it is there. */
  readonly focused: Signal<string | null> = signal(null)
  /** What was done just now, in words. */
  readonly said: Signal<{ words: string; failed: boolean } | null> = signal(null)
  readonly #scope: Scope
  #typed: ReturnType<typeof setTimeout> | undefined
  #refresh: ReturnType<typeof setTimeout> | undefined
  #saying: ReturnType<typeof setTimeout> | undefined
  #again: ReturnType<typeof setTimeout> | undefined
  #againMs = AGAIN_MS

  constructor(scope: Scope) {
    this.#scope = scope
    const { store, health } = scope
    this.records = new RecordList({ list: listRecords, onRecord: record => store.note(record) })
    this.entries = computed(() => {
      const filter = this.filter.value
      const searching = queryOf(filter.words) !== null
      const held = store.list.value.filter(generation => isWanted(generation, filter, searching))
      const records = this.records.records.value.filter(record => isListed(record, filter))
      const entries = joinEntries(held, records, id => store.get(id))
      return filter.state === 'live' ? entries.filter(entry => !isOver(entry)) : entries
    })
    this.tops = computed(() => topsOf(this.entries.value))
    this.models = computed(() => {
      const heard = new Set<string>(health.upstream.value.models ?? [])
      for (const { model } of store.list.value) if (model !== null) heard.add(model)
      for (const { model } of this.records.records.value) if (model !== null) heard.add(model)
      return [...heard].sort()
    })
    this.off = computed(() => {
      const report = health.readiness.value?.components.find(({ name }) => name === 'records')
      return report?.facts === undefined ? null : report.facts.record === 'off'
    })
  }

  /** Begins to follow what is generated. Returns what ends it. */
  start(): () => void {
    const { store, library } = this.#scope
    void this.records.ask(questionOf(this.filter.peek()))
    const soon = () => this.#refreshSoon()
    const onSeen = () => document.visibilityState === 'visible' && soon()
    const unlisten = store.listen({ began: soon, changed: generation => !generation.live && soon() })
    // Another server may be there, or the same one with more.
    const unopened = effect(() => {
      library.arrivals.value // read: there is more in the records
      if (store.connection.value.kind === 'open') soon()
    })
    const untroubled = effect(() => {
      this.records.trouble.value // read
      this.#tryAgainLater()
    })
    document.addEventListener('visibilitychange', onSeen)
    return () => {
      unlisten()
      unopened()
      untroubled()
      document.removeEventListener('visibilitychange', onSeen)
      for (const timer of [this.#typed, this.#refresh, this.#saying, this.#again]) clearTimeout(timer)
    }
  }

  /** Narrows the list. */
  narrow(change: Partial<RailFilter>): void {
    const before = this.filter.peek()
    this.filter.value = { ...before, ...change }
    clearTimeout(this.#typed)
    const ask = () => void this.records.ask(questionOf(this.filter.peek()))
    if (change.words === undefined || change.words === '') ask()
    else if (queryOf(change.words) !== queryOf(before.words)) this.#typed = setTimeout(ask, TYPED_MS)
  }

  /** Brings an item into view and gives it the focus. */
  focus(id: string): void {
    this.focused.value = id
  }

  /** Gives the focus to an item next to this one, which is about to go. */
  focusBeside({ id }: RailEntry): void {
    const entries = this.entries.peek()
    const at = entries.findIndex(entry => entry.id === id)
    const beside = entries[at + 1] ?? entries[at - 1]
    if (beside !== undefined) this.focus(beside.id)
  }

  /** Opens the menu of an item. */
  openMenu(entry: RailEntry, opener: HTMLElement, asking: boolean): void {
    const more = opener.closest('.item')?.querySelector<HTMLElement>('.item-more') ?? opener
    const { right, top, bottom } = more.getBoundingClientRect()
    const from = opener.matches('button') ? opener : more
    this.menu.value = { entry, place: { right, top, bottom }, opener: from, asking: asking && isOver(entry) }
  }

  /** Closes it; the focus goes back to what opened it, if asked for. */
  closeMenu(refocus: boolean): void {
    const open = this.menu.peek()
    if (open === null) return
    this.menu.value = null
    if (refocus) open.opener.focus({ preventScroll: true })
  }

  /** Takes over how a record is now that was named. */
  renamed(record: GenerationRecord): void {
    this.records.replace(record)
  }

  /** Chooses a generation, with its tokens. */
  choose({ id }: RailEntry): void {
    this.#scope.railOpen.value = false
    void this.#scope.library.open(id)
  }

  /** Copies all of its text. */
  async copyText({ id, generation }: RailEntry): Promise<void> {
    await this.#do(async () => {
      const held = generation !== null && !generation.textIsPart && generation.text !== ''
      const text = held ? generation.text : (await readRecord(id))?.text
      if (!text) throw new Error('It has no text.')
      if (!(await toClipboard(text))) throw new Error('The browser refused to copy.')
      return 'Text copied.'
    })
  }

  /** Copies an address that opens it. */
  async copyLink({ id }: RailEntry): Promise<void> {
    await this.#do(async () => {
      if (!(await toClipboard(linkTo(id)))) throw new Error('The browser refused to copy.')
      return 'Link copied.'
    })
  }

  /** Plays it again, and chooses what plays as soon as it is there. */
  async replay({ id }: RailEntry, speed: number | 'unlimited'): Promise<void> {
    await this.#do(async () => {
      this.#chooseOnceThere(await replayRecord(id, speed))
      return 'Playing it again.'
    })
  }

  /** Stops it. */
  async stop({ id }: RailEntry): Promise<void> {
    await this.#do(async () => {
      await stopGeneration(id)
      return 'Stopping.'
    })
  }

  /** Puts it beside what is compared, or takes it away from there. */
  compare({ id }: RailEntry): void {
    const { compared, panel } = this.#scope
    const chosen = compared.peek()
    if (chosen.includes(id)) {
      compared.value = chosen.filter(other => other !== id)
      this.say('Compared no more.')
    } else if (chosen.length < MOST_COMPARED) {
      compared.value = [...chosen, id]
      if (chosen.length > 0) {
        panel.value = 'compare'
        this.said.value = null
      } else this.say('Choose one to compare it with.')
    }
  }

  /** Removes its recording; it goes from this page, too. */
  async remove({ id }: RailEntry): Promise<void> {
    await this.#do(async () => {
      await removeRecord(id)
      this.records.remove(id)
      const { compared, store } = this.#scope
      compared.value = compared.peek().filter(other => other !== id)
      store.forget(id)
      return 'Recording removed.'
    })
  }

  /** Says for a moment what was done, or why not. */
  say(words: string, failed = false): void {
    clearTimeout(this.#saying)
    this.said.value = { words, failed }
    // What failed can be read for longer.
    this.#saying = setTimeout(() => (this.said.value = null), failed ? 3 * SAID_MS : SAID_MS)
  }

  async #do(action: () => Promise<string>): Promise<void> {
    try {
      this.say(await action())
    } catch (error) {
      this.say((error as Error).message, true)
    }
  }

  /** Reads on by itself after what could not be read. */
  #tryAgainLater(): void {
    if (this.records.trouble.peek() === null) {
      clearTimeout(this.#again)
      this.#again = undefined
      this.#againMs = AGAIN_MS
      return
    }
    this.#again ??= setTimeout(async () => {
      if (document.visibilityState === 'visible') await this.records.refresh()
      this.#again = undefined
      this.#againMs = Math.min(LATEST_AGAIN_MS, 2 * this.#againMs)
      this.#tryAgainLater()
    }, this.#againMs)
  }

  #refreshSoon(tries = MOST_TRIES): void {
    this.#refresh ??= setTimeout(async () => {
      this.#refresh = undefined
      if (document.visibilityState !== 'visible') return
      await this.records.refresh()
      // What has only just ended may not be written down yet.
      if (tries > 1 && this.#isUnrecorded()) this.#refreshSoon(tries - 1)
    }, REFRESH_MS)
  }

  /** Whether nothing is known from the records of what ended last. */
  #isUnrecorded(): boolean {
    const newest = this.#scope.store.list.peek().find(({ live }) => !live)
    return (
      this.#scope.store.connection.peek().kind === 'open' && newest !== undefined && newest.record === null
    )
  }

  #chooseOnceThere(id: string): void {
    const { store, selection } = this.#scope
    const before = selection.current.peek()
    let done: (() => void) | undefined
    const stop = effect(() => {
      const there = store.list.value.some(generation => generation.id === id)
      if (!there && selection.current.value === before) return
      const generation = store.get(id)
      if (generation !== undefined && selection.current.peek() === before) selection.generation(generation)
      done?.()
    })
    done = stop
  }
}

/** The address at which the page opens a generation. */
function linkTo(id: string): string {
  const url = new URL(location.href)
  url.hash = `g=${encodeURIComponent(id)}`
  return url.href
}
