import type { LayoutName, ViewFilter, ViewToken } from '../../broadcast/protocol/view.ts'
import { clustersOf, columnsOf } from '../../compositor/draw/columns.ts'
import type { Generation } from '../generation.ts'

/** A token whose place is known before an answer has told of it. */
interface FreshToken {
  generation: Generation
  index: number
  x: number
  y: number
  /** Its place is in answers up to this seq or later. */
  seq: number
}

/** More than these wait for no answer: the next one is not far. */
const MOST_FRESH = 2000
/** What the newest token of `timeline` is wide until the next one comes, in milliseconds. */
const NEWEST_MS = 20
/** And what any is wide at most, so that a stall is seen as a hole. */
const LONGEST_MS = 100

/** Tokens that have just landed, in one layout, until an answer has them. */
export class FreshTokens {
  readonly layout: LayoutName
  readonly #tokens = new Map<string, FreshToken>()
  /** The same as they came, and what came before the first of these: pictures are added to from it. */
  #came: FreshToken[] = []
  #before = 0
  /** Where each generation was last seen to write. */
  #ends = new WeakMap<Generation, FreshToken>()
  readonly #isHeld: (generation: Generation) => boolean

  /** @param isHeld whether a generation is still one of the page's: what was dropped is not told */
  constructor(layout: LayoutName, isHeld: (generation: Generation) => boolean = () => true) {
    this.layout = layout
    this.#isHeld = isHeld
  }

  /** A token lies here; what was known of it before is over. Says whether it is news. */
  add(generation: Generation, index: number, x: number, y: number, seq: number): boolean {
    const id = `${generation.id}:${index}`
    const isNew = !this.#tokens.has(id)
    const fresh = { generation, index, x, y, seq }
    this.#tokens.delete(id)
    this.#tokens.set(id, fresh)
    const end = this.#ends.get(generation)
    const latest = end === undefined || index >= end.index
    if (latest) this.#ends.set(generation, fresh)
    // Of a token that lasts until the next one comes it is known only now how long that is.
    if (this.layout === 'timeline') this.#note(this.#tokens.get(`${generation.id}:${index - 1}`))
    this.#note(fresh)
    if (this.#tokens.size > MOST_FRESH) this.#tokens.delete(this.#tokens.keys().next().value as string)
    return isNew && latest
  }

  /** An answer with all up to this seq is shown. */
  answered(upto: number): void {
    for (const [id, { seq }] of this.#tokens) if (seq <= upto) this.#tokens.delete(id)
  }

  /** Where a generation writes, in units: the place of its last token; null where that is not known. */
  endOf(generation: Generation): ViewToken | null {
    const end = this.#ends.get(generation)
    return end === undefined ? null : this.#viewToken(end, [])
  }

  /** Those that are not answered yet, as an answer with these models would tell them. */
  *told(models: readonly string[], filter: ViewFilter | null): Generator<ViewToken> {
    for (const [id, fresh] of this.#tokens) {
      if (!this.#isHeld(fresh.generation)) {
        this.#tokens.delete(id)
        continue
      }
      const token = this.#viewToken(fresh, models)
      if (token !== null && passes(filter, token, fresh.generation)) yield token
    }
  }

  /**
   * What came after the first `from`, in its order, as an answer with these models would tell it.
   *
   * @param upto an answer with all up to this seq has the others
   * @param most of them at a time
   * @returns with them how many have come by then: where to go on
   */
  since(
    from: number,
    upto: number,
    models: readonly string[],
    filter: ViewFilter | null,
    most: number,
  ): { tokens: ViewToken[]; next: number } {
    const tokens: ViewToken[] = []
    let at = Math.max(0, from - this.#before)
    for (; at < this.#came.length && tokens.length < most; at++) {
      const fresh = this.#came[at] as FreshToken
      if (fresh.seq <= upto || !this.#isHeld(fresh.generation)) continue
      const token = this.#viewToken(fresh, models)
      if (token !== null && passes(filter, token, fresh.generation)) tokens.push(token)
    }
    return { tokens, next: this.#before + at }
  }

  /** Forgets all. */
  clear(): void {
    this.#tokens.clear()
    this.#before += this.#came.length
    this.#came = []
    this.#ends = new WeakMap()
  }

  #note(fresh: FreshToken | undefined): void {
    if (fresh === undefined) return
    this.#came.push(fresh)
    if (this.#came.length < 2 * MOST_FRESH) return
    this.#before += MOST_FRESH
    this.#came = this.#came.slice(MOST_FRESH)
  }

  #viewToken({ generation, index, x, y }: FreshToken, models: readonly string[]): ViewToken | null {
    const token = viewTokenOf(this.layout, generation, index, x, y, models)
    if (token === null || this.layout !== 'timeline') return token
    const next = this.#tokens.get(`${generation.id}:${index + 1}`)
    return next === undefined ? token : { ...token, w: Math.min(LONGEST_MS, next.x - x) }
  }
}

/** A token of the page's own as an answer would tell it; null where the page does not hold it. */
export function viewTokenOf(
  layout: LayoutName,
  generation: Generation,
  index: number,
  x: number,
  y: number,
  models: readonly string[],
): ViewToken | null {
  const detail = generation.tokens.detail(index)
  if (detail === null) return null
  const model = generation.model === null ? -1 : models.indexOf(generation.model)
  return {
    id: `${generation.id}:${index}`,
    text: detail.text,
    x,
    y,
    w: widthOf(layout, detail.text),
    kind: detail.kind,
    model: model === -1 ? null : model,
    confidence: detail.confidence,
    entropy: detail.entropy,
    interval_ms: detail.sincePrevious === null ? null : detail.sincePrevious * 1000,
    timestamp: detail.time,
  }
}

function widthOf(layout: LayoutName, text: string): number {
  if (layout === 'map') return 1
  if (layout === 'timeline') return NEWEST_MS
  const word = text.replace(/^ +(?=\S)/, '').slice(0, 200)
  return clustersOf(word).reduce((sum, cluster) => sum + columnsOf(cluster), 0)
}

/** Whether a token is what a filter lets through. */
export function passes(filter: ViewFilter | null, token: ViewToken, { id, model }: Generation): boolean {
  if (filter === null) return true
  const { generations, models, kinds, since, until } = filter
  return (
    (generations === undefined || generations.includes(id)) &&
    (models === undefined || (model !== null && models.includes(model))) &&
    (kinds === undefined || kinds.includes(token.kind)) &&
    (since === undefined || token.timestamp >= since) &&
    (until === undefined || token.timestamp <= until)
  )
}
