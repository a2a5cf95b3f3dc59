import { type Signal, signal } from '@preact/signals'
import { formatCount } from './format.ts'
import type { Generation } from './generation.ts'
import type { GenerationDetail } from './records-api.ts'
import type { Selection } from './selection.ts'
import type { TokenPage } from './server-api.ts'
import type { ScopeStore } from './store.ts'

/** Tokens that are read at once. */
const PAGE_TOKENS = 5000
/** Tokens of one generation that are brought at most. */
const MOST_TOKENS = 50_000

const NOTHING_RECORDED = 'It cannot be opened: nothing is recorded of it. It may have been removed.'

/** How far a generation is that is being brought, in tokens. */
export interface Bringing {
  tokens: number
  of: number
}

export interface LibraryOptions {
  store: ScopeStore
  selection: Selection
  /** Ids of the generations that are compared. */
  compared: Signal<readonly string[]>
  /** Reads all of a generation but its tokens; null where nothing is recorded of it. */
  readRecord(id: string): Promise<GenerationDetail | null>
  /** Reads recorded tokens of a generation; null where nothing is recorded of it. */
  readTokens(id: string, limit: number, cursor: string | null): Promise<TokenPage | null>
  mostTokens?: number
}

/** Why something could not be opened, or not whole, as a sentence. */
export interface LibraryTrouble {
  id: string
  message: string
  /** Nothing is recorded of it (any more). */
  isGone: boolean
}

/** One that is being brought: who asks for it meanwhile waits with the first. */
interface Errand {
  /** Resolves once the generation is held, with or without its tokens. */
  begun: Promise<Generation | null>
  done: Promise<Generation | null>
}

/** Recorded generations: brings to this page what it does not hold (any more). */
export class Library {
  /** Those whose tokens are being read and take more than one page. */
  readonly bringing: Signal<ReadonlyMap<string, Bringing>> = signal(new Map())
  /** What could not be opened last, until something else is. */
  readonly trouble: Signal<LibraryTrouble | null> = signal(null)
  /** Goes up when recordings were taken in. */
  readonly arrivals: Signal<number> = signal(0)
  readonly #options: LibraryOptions
  /** Those of which all was read that there is to be had. */
  readonly #exhausted = new WeakSet<Generation>()
  readonly #errands = new Map<string, Errand>()
  #opened = 0

  constructor(options: LibraryOptions) {
    this.#options = options
    const { store, selection, compared } = options
    store.spare(
      generation =>
        selection.current.peek()?.generation === generation ||
        compared.peek().includes(generation.id) ||
        this.#errands.has(generation.id),
    )
  }

  /**
   * The generation with this id, with its tokens: from the store, or read from the records into it. Of a very long one
   * the first 50,000 tokens; `trouble` says why others could not be read. Null where nobody knows of it.
   *
   * @throws Error with a sentence for a person where the records cannot be asked and the page does not hold it
   */
  async bring(id: string): Promise<Generation | null> {
    return this.#errand(id).done
  }

  /**
   * Brings a generation and chooses it, or one of its tokens as soon as that is there. Says whether there is one; why
   * there is none, or not that token, is `trouble`. Who chooses something else meanwhile keeps that.
   */
  async open(id: string, index: number | null = null): Promise<boolean> {
    const turn = ++this.#opened
    this.trouble.value = null
    try {
      if (await this.#choose(id, index, turn)) return true
      this.trouble.value = { id, message: NOTHING_RECORDED, isGone: true }
    } catch (error) {
      const message = `It cannot be opened. ${(error as Error).message}`
      this.trouble.value = { id, message, isGone: false }
    }
    return false
  }

  /** Puts the trouble away. */
  dismiss(): void {
    this.trouble.value = null
  }

  async #choose(id: string, index: number | null, turn: number): Promise<boolean> {
    const { store, selection } = this.#options
    const held = store.get(id)
    if (held !== undefined && (index === null || held.tokens.has(index))) {
      choose(selection, held, index)
      // What it lacks is read while it is looked at.
      await this.bring(id)
      return true
    }
    const before = selection.current.peek()
    const errand = this.#errand(id)
    const begun = await errand.begun
    if (begun === null) return false
    const overtaken = turn !== this.#opened || selection.current.peek() !== before
    if (!overtaken) choose(selection, begun, null)
    const chosen = selection.current.peek()
    const brought = await errand.done
    if (overtaken || selection.current.peek() !== chosen) return true
    if (index === null || brought === null) return true
    if (brought.tokens.has(index)) choose(selection, brought, index)
    else this.trouble.value ??= { id, message: this.#absenceOf(brought, index), isGone: false }
    return true
  }

  /** Why a token is not here of a generation that was brought. */
  #absenceOf({ told, live }: Generation, index: number): string {
    const { mostTokens = MOST_TOKENS } = this.#options
    const number = formatCount(index + 1)
    if (index >= told) return `There is no token ${number} in it${live ? ' yet' : ''}.`
    if (index < mostTokens) return `Its token ${number} is not recorded.`
    return `Its token ${number} cannot be shown: of a long answer the first ${formatCount(mostTokens)} tokens are read.`
  }

  #errand(id: string): Errand {
    const running = this.#errands.get(id)
    if (running !== undefined) return running
    const begun = this.#begin(id)
    const done = this.#complete(begun)
    const errand = { begun, done }
    this.#errands.set(id, errand)
    const end = () => this.#errands.delete(id)
    done.then(end, end)
    return errand
  }

  /** The generation, held: with all that is known of it but its tokens. */
  async #begin(id: string): Promise<Generation | null> {
    const { store, readRecord } = this.#options
    const held = store.get(id)
    if (held !== undefined && (held.live || this.#has(held))) return held
    try {
      const detail = await readRecord(id)
      return detail === null ? (store.get(id) ?? null) : store.recall(detail)
    } catch (error) {
      // What the page holds can be looked at all the same.
      if (held !== undefined && store.get(id) === held) return held
      throw error
    }
  }

  async #complete(begun: Promise<Generation | null>): Promise<Generation | null> {
    const generation = await begun
    if (generation === null || this.#has(generation)) return generation
    const { store, readTokens, mostTokens = MOST_TOKENS } = this.#options
    const of = Math.min(mostTokens, generation.told)
    try {
      let cursor: string | null = null
      let read = 0
      do {
        const page: TokenPage | null = await readTokens(
          generation.id,
          Math.min(PAGE_TOKENS, mostTokens - read),
          cursor,
        )
        // Nothing is recorded of it, or the page let it go meanwhile.
        if (page === null || store.get(generation.id) !== generation) break
        store.recallTokens(generation, page.tokens)
        read += page.tokens.length
        cursor = page.next
        if (cursor !== null) this.#tell(generation.id, { tokens: read, of: Math.max(of, read) })
      } while (cursor !== null && read < mostTokens && !generation.whole)
      if (!generation.live) this.#exhausted.add(generation)
    } catch (error) {
      // Its facts and its text can be looked at all the same.
      this.trouble.value = {
        id: generation.id,
        message: `Not all of its tokens could be read. ${(error as Error).message}`,
        isGone: false,
      }
    } finally {
      this.#tell(generation.id, null)
    }
    return generation
  }

  #has(generation: Generation): boolean {
    return generation.whole || this.#exhausted.has(generation)
  }

  #tell(id: string, how: Bringing | null): void {
    if (how === null && !this.bringing.peek().has(id)) return
    const next = new Map(this.bringing.peek())
    if (how === null) next.delete(id)
    else next.set(id, how)
    this.bringing.value = next
  }
}

function choose(selection: Selection, generation: Generation, index: number | null): void {
  if (index === null) selection.generation(generation)
  else selection.token(generation, index)
}
