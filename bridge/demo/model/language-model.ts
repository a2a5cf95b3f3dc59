/**
 * An n-gram language model with interpolated modified Kneser–Ney smoothing.
 *
 * Chen and Goodman, "An empirical study of smoothing techniques for language modeling", Computer Speech and
 * Language 13, 1999, section 4. The probability of `w` after the context `h` of order k is
 *
 *     P(w | h) = max(c(h w) − D(c(h w)), 0) / Σ c(h ·)  +  γ(h) · P(w | h without its first token)
 *
 * and ends in the uniform distribution. c is the count in the highest order; below it, the number of
 * different tokens seen to the left of the n-gram. An n-gram at the start of a text has no token to its
 * left; there each occurrence counts, as SRILM does with its `<s>`. D takes one of three values of the
 * order, for counts of one, two, and three or more; γ(h) is what the discounts left over.
 */

/** A text to learn: its tokens, of which the first `given` (1 or more) are context and not predicted. */
export interface TrainingText {
  tokens: readonly number[]
  given: number
}

/** Discounts for counts of one, two, and three or more. */
export type Discounts = readonly [number, number, number]

// Where the counts of counts do not give a discount between 0 and the count (tiny corpora), KenLM's
// fallback (Heafield et al. 2013, option --discount_fallback) is taken for that order.
const FALLBACK: Discounts = [0.5, 1, 1.5]

interface TrainingOptions {
  /** Length of the longest n-gram, 1 or more. A token is predicted from `order − 1` before it. */
  order: number
  /** How many tokens there are; ids are 0 … size − 1. */
  size: number
  /**
   * What the estimated discounts are multiplied by, above 0 to 1; 1 if not given, which is Kneser–Ney as
   * published. Less trusts what was seen more, and gives less to the shorter contexts.
   */
  discountScale?: number
}

/**
 * The contexts form a tree: the root is the empty context, and going down from a context adds the token to
 * its left. So one walk over the latest tokens, latest first, meets all contexts that a prediction needs.
 */
export class LanguageModel {
  readonly order: number
  readonly size: number
  /** Per order, lowest first. */
  readonly discounts: readonly Discounts[]
  /** `context · size + token to its left` → the longer context. */
  readonly #children: Map<number, number>
  /** Where the continuations of a context begin; one more than there are contexts. */
  readonly #starts: Int32Array
  readonly #tokens: Int32Array
  /** The discounted share of a continuation. */
  readonly #shares: Float64Array
  /** What a context leaves to the shorter one. */
  readonly #left: Float64Array
  readonly #unigrams: Float64Array
  readonly #path: Int32Array

  private constructor(options: TrainingOptions, counts: Counts) {
    const { order, size } = options
    const contexts = counts.depths.length
    const entries = counts.tokens.length
    this.order = order
    this.size = size
    this.#children = counts.children
    this.#starts = new Int32Array(contexts + 1)
    this.#tokens = new Int32Array(entries)
    this.#shares = new Float64Array(entries)
    this.#left = new Float64Array(contexts)
    this.#path = new Int32Array(order)
    const scale = options.discountScale ?? 1
    this.discounts = estimateDiscounts(counts, order).map(([one, two, more]) => [
      one * scale,
      two * scale,
      more * scale,
    ])

    const totals = new Float64Array(contexts)
    for (let entry = 0; entry < entries; entry++) {
      const context = counts.contexts[entry] as number
      totals[context] = (totals[context] as number) + (counts.values[entry] as number)
      this.#starts[context + 1] = (this.#starts[context + 1] as number) + 1
    }
    for (let i = 0; i < contexts; i++) {
      this.#starts[i + 1] = (this.#starts[i + 1] as number) + (this.#starts[i] as number)
    }
    const next = this.#starts.slice()
    for (let entry = 0; entry < entries; entry++) {
      const context = counts.contexts[entry] as number
      const count = counts.values[entry] as number
      const discount = discountOf(this.discounts[counts.depths[context] as number] as Discounts, count)
      const place = next[context] as number
      next[context] = place + 1
      this.#tokens[place] = counts.tokens[entry] as number
      this.#shares[place] = (count - discount) / (totals[context] as number)
      this.#left[context] = (this.#left[context] as number) + discount / (totals[context] as number)
    }

    this.#unigrams = new Float64Array(size).fill((entries === 0 ? 1 : (this.#left[0] as number)) / size)
    this.#addShares(0, 1, this.#unigrams)
  }

  /**
   * Learns from `texts`. Throws a RangeError for an order below 1 or a token that is none.
   */
  static train(texts: Iterable<TrainingText>, options: TrainingOptions): LanguageModel {
    if (!Number.isInteger(options.order) || options.order < 1) {
      throw new RangeError(`the order is ${options.order}; it must be a whole number from 1`)
    }
    return new LanguageModel(options, countTexts(texts, options))
  }

  /**
   * The probability of every token after `context`, latest token last: `size` numbers, all above 0, that sum
   * to 1. They are written to `out` (made if not given), which is returned. Reads the last `order − 1`
   * tokens of the context; it may be shorter.
   */
  distribution(
    context: ArrayLike<number>,
    out: Float64Array = new Float64Array(this.size),
  ): Float64Array<ArrayBufferLike> {
    return this.accumulate(context, 1, out.fill(0))
  }

  /** Adds the distribution after `context`, times `share`, to `out`, for mixtures. Returns `out`. */
  accumulate(context: ArrayLike<number>, share: number, out: Float64Array): Float64Array<ArrayBufferLike> {
    const path = this.#path
    let depth = 0
    for (let node = 0; depth + 1 < this.order && depth < context.length; ) {
      const child = this.#children.get(node * this.size + (context[context.length - 1 - depth] as number))
      if (child === undefined) break
      node = child
      path[depth++] = node
    }
    // Interpolating up from the unigrams multiplies all by γ at each order. So each order's few shares are
    // multiplied by the γs of the orders above it, and the dense part once, by the product of all.
    let weight = share
    for (let i = depth - 1; i >= 0; i--) {
      this.#addShares(path[i] as number, weight, out)
      weight *= this.#left[path[i] as number] as number
    }
    const unigrams = this.#unigrams
    for (let token = 0; token < unigrams.length; token++) {
      out[token] = (out[token] as number) + (unigrams[token] as number) * weight
    }
    return out
  }

  /** How many n-grams it has learned, of all orders: each has one number, its discounted share. */
  get ngrams(): number {
    return this.#tokens.length
  }

  /** Bytes of its tables; the tree of contexts is not one of them. */
  get bytes(): number {
    const tables = [this.#starts, this.#tokens, this.#shares, this.#left, this.#unigrams]
    return tables.reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  /** Whether this token was predicted anywhere in training. */
  hasSeen(token: number): boolean {
    const end = this.#starts[1] ?? 0
    return this.#tokens.subarray(0, end).includes(token)
  }

  #addShares(context: number, weight: number, out: Float64Array): void {
    const end = this.#starts[context + 1] ?? 0
    for (let i = this.#starts[context] ?? 0; i < end; i++) {
      const token = this.#tokens[i] as number
      out[token] = (out[token] as number) + (this.#shares[i] as number) * weight
    }
  }
}

/** Counts of n-grams: one entry for each context and token seen after it. */
interface Counts {
  children: Map<number, number>
  /** Per context: its length. The root is context 0. */
  depths: number[]
  contexts: number[]
  tokens: number[]
  values: number[]
}

function countTexts(texts: Iterable<TrainingText>, { order, size }: TrainingOptions): Counts {
  const counts: Counts = { children: new Map(), depths: [0], contexts: [], tokens: [], values: [] }
  const entries = new Map<number, number>()
  const path: number[] = [0]
  for (const { tokens, given } of texts) {
    for (let at = 0; at < tokens.length; at++) {
      const token = tokens[at] as number
      if (!(Number.isInteger(token) && token >= 0 && token < size)) {
        throw new RangeError(`token ${token} is none of 0 … ${size - 1}`)
      }
      if (at < given) continue
      const depth = Math.min(order - 1, at)
      for (let i = 1; i <= depth; i++) {
        const key = (path[i - 1] as number) * size + (tokens[at - i] as number)
        let child = counts.children.get(key)
        if (child === undefined) {
          child = counts.depths.length
          counts.depths.push(i)
          counts.children.set(key, child)
        }
        path[i] = child
      }
      // The longest n-gram counts each time it occurs; a shorter one when a new token is seen to its left,
      // which is when the longer one is new.
      for (let i = depth; i >= 0; i--) {
        const key = (path[i] as number) * size + token
        const entry = entries.get(key)
        if (entry !== undefined) {
          counts.values[entry] = (counts.values[entry] as number) + 1
          break
        }
        entries.set(key, counts.values.length)
        counts.contexts.push(path[i] as number)
        counts.tokens.push(token)
        counts.values.push(1)
      }
    }
  }
  return counts
}

/** Chen and Goodman's equation 26, for each order. */
function estimateDiscounts(counts: Counts, order: number): Discounts[] {
  const ofCounts = Array.from({ length: order }, () => [0, 0, 0, 0])
  for (let entry = 0; entry < counts.values.length; entry++) {
    const row = ofCounts[counts.depths[counts.contexts[entry] as number] as number] as number[]
    const count = counts.values[entry] as number
    if (count <= 4) row[count - 1] = (row[count - 1] as number) + 1
  }
  return ofCounts.map(row => {
    const [n1, n2, n3, n4] = row as [number, number, number, number]
    const y = n1 / (n1 + 2 * n2)
    const discounts: Discounts = [1 - (2 * y * n2) / n1, 2 - (3 * y * n3) / n2, 3 - (4 * y * n4) / n3]
    return discounts.every((discount, i) => discount > 0 && discount <= i + 1) ? discounts : FALLBACK
  })
}

function discountOf(discounts: Discounts, count: number): number {
  return discounts[Math.min(count, 3) - 1] as number
}
