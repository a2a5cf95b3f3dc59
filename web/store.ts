import { type Signal, signal } from '@preact/signals'
import type { Delivery, ScopeMessage, ScopeState } from '../broadcast/client.ts'
import type { SnapshotGeneration } from '../broadcast/protocol.ts'
import type { NeuralStateEntry, TokenEntry } from '../events/generation.ts'
import type { GenerationDetail, GenerationRecord } from '../store/recording.ts'
import { BlockIndex } from './block-index.ts'
import { Generation } from './generation.ts'
import type { TokenFields } from './token-columns.ts'

/** Tokens held on the page; the oldest generations go first. */
const MOST_TOKENS = 80_000
/** Generations held on the page. */
const MOST_GENERATIONS = 400

export interface StoreOptions {
  /** Calls back once, soon: the page passes requestAnimationFrame. */
  schedule(callback: () => void): void
  mostTokens?: number
}

/** What the map and the first-run hint listen to: news, not what is told again. */
export interface StoreListener {
  /** A token landed just now. */
  landed?(generation: Generation, index: number): void
  /** A generation began just now. */
  began?(generation: Generation): void
  /** A generation changed its state just now. */
  changed?(generation: Generation): void
  /** The picture changed in a way that is no landing: history came, or something was dropped. */
  redrawn?(): void
}

/**
 * All that the page knows of the log. It is fed by the client, may be told the same thing twice, and turns
 * any number of messages into at most one update of its signals an animation frame.
 */
export class ScopeStore {
  /** Live ones first, then the newest. */
  readonly list: Signal<readonly Generation[]> = signal([])
  readonly connection: Signal<ScopeState> = signal({ kind: 'connecting', code: null })
  /** Whether the demo model answers; null until the server said so. */
  readonly demo: Signal<boolean | null> = signal(null)
  /** Tokens held. */
  readonly held = signal(0)
  /** The first snapshot is in: an empty list is really empty. */
  readonly ready = signal(false)
  readonly blocks = new BlockIndex()
  readonly #options: StoreOptions
  readonly #generations = new Map<string, Generation>()
  readonly #listeners = new Set<StoreListener>()
  /** What changed since the last frame, and whether more of it than its tokens. */
  readonly #touched = new Map<Generation, boolean>()
  readonly #spared = new Set<(generation: Generation) => boolean>()
  #reordered = false
  #scheduled = false
  #tokens = 0
  /** Server's clock minus ours, in seconds, from the freshest token seen. */
  #clockOffset: number | null = null

  constructor(options: StoreOptions) {
    this.#options = options
  }

  /** Adds a listener; returns what removes it. */
  listen(listener: StoreListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The generation with this id. */
  get(id: string): Generation | undefined {
    return this.#generations.get(id)
  }

  /** Those that are over, the newest first. */
  get finished(): Generation[] {
    return [...this.#generations.values()].filter(({ live }) => !live).sort(liveThenNewest)
  }

  /** Now, by the server's clock, in Unix seconds. */
  get now(): number {
    return Date.now() / 1000 + (this.#clockOffset ?? 0)
  }

  /** Adds what says which generations are in use, and so not dropped for want of room; returns what removes it. */
  spare(inUse: (generation: Generation) => boolean): () => void {
    this.#spared.add(inUse)
    return () => this.#spared.delete(inUse)
  }

  /** Takes a message in. */
  apply(message: ScopeMessage, { replay }: Delivery): void {
    switch (message.type) {
      case 'hello':
        this.demo.value = message.demo
        return
      case 'gap':
        if (message.reason === 'epoch') this.#clear()
        return
      case 'snapshot':
        this.#retell(message.generations)
        return
      case 'neural_state':
        this.#state(message, replay)
        return
      case 'token_activation':
        this.#token(message, replay)
        return
      default:
    }
  }

  /** Takes over what the records say of a generation. What the log told of it is newer, and stays. */
  recall(detail: GenerationDetail): Generation {
    const known = this.#generations.get(detail.generation)
    const generation = known ?? this.#need(detail.generation)
    if (known === undefined) {
      generation.recalled = true
      generation.become(detail)
      generation.retell(detail.text, detail.tokens)
    } else if (!generation.live && (generation.textIsPart || generation.told === 0)) {
      generation.retell(detail.text, detail.tokens)
    }
    // Text and request would take their room twice.
    const { text: _text, request: _request, response: _response, ...record } = detail
    if ((generation.record?.version ?? 0) <= record.version) generation.record = record
    this.#reorder()
    this.#touch(generation)
    return generation
  }

  /**
   * Takes in recorded tokens of a generation that is held, and whose text is known. Those without a cell stay off
   * the map.
   */
  recallTokens(generation: Generation, tokens: readonly TokenFields[]): void {
    if (this.#generations.get(generation.id) !== generation) return
    for (const token of tokens) if (generation.tokens.put(token)) this.#hold(generation, token)
    for (const listener of this.#listeners) listener.redrawn?.()
  }

  /** Takes over what lists of records say of a generation, if it is held. */
  note(record: GenerationRecord): void {
    const generation = this.#generations.get(record.generation)
    if (generation === undefined) return
    const { version = 0, prompt } = generation.record ?? {}
    // An answer may have been under way while it was named.
    if (version > record.version || (version === record.version && prompt === record.prompt)) return
    generation.record = record
    this.#touch(generation)
  }

  /** Drops a generation: nothing is recorded of it any more. */
  forget(id: string): void {
    const generation = this.#generations.get(id)
    if (generation !== undefined) this.#drop(generation)
  }

  #retell(generations: SnapshotGeneration[]): void {
    const ids = new Set<string>()
    for (const told of generations) {
      ids.add(told.generation)
      const generation = this.#need(told.generation)
      generation.recalled = false
      generation.become(told)
      generation.retell(told.text, told.tokens)
      this.#touch(generation)
    }
    // What runs is always in a snapshot: who is not has ended while this page looked elsewhere.
    for (const generation of this.#generations.values()) {
      if (generation.live && !ids.has(generation.id)) this.#drop(generation)
    }
    this.ready.value = true
    this.#reorder()
  }

  #state(entry: NeuralStateEntry, replay: boolean): void {
    const known = this.#generations.get(entry.generation)
    const generation = known ?? this.#need(entry.generation)
    // The snapshot told the last state of all that it knew of; what led there is over.
    if (replay && known !== undefined && !(known.live && this.#replayed.has(known))) return
    if (replay) this.#replayed.add(generation)
    const wasLive = generation.live
    generation.become(entry)
    this.#touch(generation)
    if (wasLive !== generation.live) this.#reorder()
    if (replay) return
    for (const listener of this.#listeners) {
      if (known === undefined) listener.began?.(generation)
      listener.changed?.(generation)
    }
  }

  /** Generations that only the replay told of: older than what a snapshot holds. */
  readonly #replayed = new WeakSet<Generation>()

  #token(entry: TokenEntry, replay: boolean): void {
    const generation = this.#need(entry.generation)
    if (!generation.append(entry)) return
    this.#hold(generation, entry)
    if (!replay) {
      const offset = entry.timestamp - Date.now() / 1000
      // The freshest token is the one that travelled least: it shows the clocks' difference best.
      if (this.#clockOffset === null || offset > this.#clockOffset) this.#clockOffset = offset
    }
    for (const listener of this.#listeners) {
      if (replay) listener.redrawn?.()
      else listener.landed?.(generation, entry.index)
    }
  }

  /** Counts a token that is new, and gives it its place. */
  #hold(generation: Generation, token: TokenFields): void {
    if (token.position !== null) this.blocks.put(generation, token.index)
    this.#tokens++
    this.#touch(generation, false)
    if (this.#tokens > (this.#options.mostTokens ?? MOST_TOKENS)) this.#makeRoom(generation)
  }

  #need(id: string): Generation {
    let generation = this.#generations.get(id)
    if (generation === undefined) {
      generation = new Generation(id)
      this.#generations.set(id, generation)
      if (this.#generations.size > MOST_GENERATIONS) this.#dropOldest(generation)
      this.#reorder()
    }
    return generation
  }

  #makeRoom(but: Generation): void {
    const most = this.#options.mostTokens ?? MOST_TOKENS
    while (this.#tokens > most && this.#dropOldest(but));
  }

  #dropOldest(but: Generation): boolean {
    let oldest: Generation | undefined
    for (const generation of this.#generations.values()) {
      if (generation === but || generation.live || this.#inUse(generation)) continue
      if (oldest === undefined || generation.id < oldest.id) oldest = generation
    }
    if (oldest !== undefined) this.#drop(oldest)
    return oldest !== undefined
  }

  #inUse(generation: Generation): boolean {
    for (const inUse of this.#spared) if (inUse(generation)) return true
    return false
  }

  #drop(generation: Generation): void {
    this.#generations.delete(generation.id)
    this.blocks.drop(generation)
    this.#tokens -= generation.tokens.held
    this.#reorder()
    for (const listener of this.#listeners) listener.redrawn?.()
  }

  #clear(): void {
    this.#generations.clear()
    this.blocks.clear()
    this.#tokens = 0
    this.#clockOffset = null
    this.#reorder()
    for (const listener of this.#listeners) listener.redrawn?.()
  }

  #touch(generation: Generation, state = true): void {
    this.#touched.set(generation, state || this.#touched.get(generation) === true)
    this.#schedule()
  }

  #reorder(): void {
    this.#reordered = true
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#options.schedule(() => this.#publish())
  }

  #publish(): void {
    this.#scheduled = false
    if (this.#reordered) {
      this.#reordered = false
      this.list.value = [...this.#generations.values()].sort(liveThenNewest)
    }
    for (const [generation, state] of this.#touched) {
      generation.revision.value++
      if (state) generation.states.value++
    }
    this.#touched.clear()
    this.held.value = this.#tokens
  }
}

/** ULIDs sort by time. */
function liveThenNewest(a: Generation, b: Generation): number {
  if (a.live !== b.live) return a.live ? -1 : 1
  return a.id < b.id ? 1 : -1
}
