/**
 * A byte-level tokenizer by byte-pair encoding, trained from texts.
 *
 * Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units", ACL 2016: start
 * with single symbols and join, again and again, the pair that stands together most often inside words. As
 * in GPT-2 the symbols are the 256 bytes, so that every text can be written, and a word keeps the space
 * before it, so that joining the tokens gives the text back.
 */

// GPT-2's split, with line breaks kept apart from other space so that a paragraph break is one word. Runs
// are bounded because joining inside a word costs the square of its length and prompts come from outside.
const WORD =
  /'(?:s|t|re|ve|m|ll|d)(?!\p{L})| ?\p{L}{1,40}| ?\p{N}{1,20}| ?[^\s\p{L}\p{N}]{1,20}|\n{1,20}|[^\S\n]{1,20}(?!\S)|\s/gu

const BYTES = 256
/** Pairs are kept as one number; ids stay below this. */
const PAIR = 65_536

interface Word {
  symbols: number[]
  frequency: number
}

/** Tokens are numbered: 0–255 the bytes, then one for each merge, then the end of a text. */
export class Tokenizer {
  /** How many tokens there are, the end included. */
  readonly size: number
  /** The token that stands for the end of a text; it has no bytes. */
  readonly end: number
  readonly #bytes: Uint8Array[]
  readonly #texts: (string | null)[]
  readonly #merged = new Map<number, number>()

  /** `merges` are pairs of token ids in the order in which they were learned. */
  constructor(merges: readonly (readonly [number, number])[]) {
    this.#bytes = Array.from({ length: BYTES }, (_, byte) => Uint8Array.of(byte))
    for (const [left, right] of merges) {
      this.#merged.set(left * PAIR + right, this.#bytes.length)
      this.#bytes.push(Uint8Array.of(...this.bytes(left), ...this.bytes(right)))
    }
    this.end = this.#bytes.length
    this.#bytes.push(new Uint8Array(0))
    this.size = this.#bytes.length
    this.#texts = this.#bytes.map(textOf)
  }

  /**
   * Learns at most `merges` joins from `texts`; fewer if no pair is left that occurs twice. Deterministic:
   * of pairs equally often the one with the smaller ids wins.
   */
  static train(texts: readonly string[], merges: number): Tokenizer {
    const words = countWords(texts)
    const counts = new Map<number, number>()
    const places = new Map<number, Set<Word>>()
    for (const word of words) countPairs(word, 1, counts, places)

    const learned: [number, number][] = []
    while (learned.length < merges) {
      const best = mostFrequent(counts)
      if (best === null) break
      const left = Math.floor(best / PAIR)
      const right = best % PAIR
      const id = BYTES + learned.length
      learned.push([left, right])
      for (const word of [...(places.get(best) ?? [])]) {
        countPairs(word, -1, counts, places)
        word.symbols = join(word.symbols, left, right, id)
        countPairs(word, 1, counts, places)
      }
    }
    return new Tokenizer(learned)
  }

  /** The tokens of any text. Lone surrogates, which UTF-8 cannot write, become U+FFFD. */
  encode(text: string): number[] {
    const known = new Map<string, number[]>()
    const ids: number[] = []
    for (const [word] of text.toWellFormed().matchAll(WORD)) {
      let symbols = known.get(word)
      if (symbols === undefined) {
        symbols = this.#encodeWord(word)
        known.set(word, symbols)
      }
      for (const symbol of symbols) ids.push(symbol)
    }
    return ids
  }

  /** The text of tokens; bytes that are not UTF-8 become U+FFFD. The end token has no text. */
  decode(ids: readonly number[]): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(ids.map(id => this.bytes(id))))
  }

  /** The bytes of a token; empty for the end. Throws a RangeError for an id that is none. */
  bytes(id: number): Uint8Array {
    const bytes = this.#bytes[id]
    if (bytes === undefined)
      throw new RangeError(`there is no token ${id}; ids go from 0 to ${this.size - 1}`)
    return bytes
  }

  /** The text of a token that is whole characters, null of one that begins or ends inside a character. */
  text(id: number): string | null {
    return this.#texts[id] ?? null
  }

  #encodeWord(word: string): number[] {
    let symbols = [...Buffer.from(word, 'utf8')]
    for (;;) {
      // The earliest merge first: joins are applied in the order in which they were learned.
      let id = Number.POSITIVE_INFINITY
      let at = 0
      for (let i = 0; i + 1 < symbols.length; i++) {
        const merged = this.#merged.get((symbols[i] as number) * PAIR + (symbols[i + 1] as number))
        if (merged !== undefined && merged < id) {
          id = merged
          at = i
        }
      }
      if (id === Number.POSITIVE_INFINITY) return symbols
      symbols = join(symbols, symbols[at] as number, symbols[at + 1] as number, id)
    }
  }
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}

function countWords(texts: readonly string[]): Word[] {
  const words = new Map<string, Word>()
  for (const text of texts) {
    for (const [part] of text.toWellFormed().matchAll(WORD)) {
      const word = words.get(part)
      if (word) word.frequency++
      else words.set(part, { symbols: [...Buffer.from(part, 'utf8')], frequency: 1 })
    }
  }
  return [...words.values()]
}

/** Adds (`sign` 1) or takes back (-1) the pairs of a word. */
function countPairs(
  word: Word,
  sign: 1 | -1,
  counts: Map<number, number>,
  places: Map<number, Set<Word>>,
): void {
  const { symbols, frequency } = word
  for (let i = 0; i + 1 < symbols.length; i++) {
    const pair = (symbols[i] as number) * PAIR + (symbols[i + 1] as number)
    const count = (counts.get(pair) ?? 0) + sign * frequency
    if (count === 0) counts.delete(pair)
    else counts.set(pair, count)
    let where = places.get(pair)
    if (!where) {
      where = new Set()
      places.set(pair, where)
    }
    if (sign === 1) where.add(word)
    else where.delete(word)
  }
}

function mostFrequent(counts: Map<number, number>): number | null {
  let best: number | null = null
  let most = 1
  for (const [pair, count] of counts) {
    if (count > most || (count === most && best !== null && pair < best)) {
      best = pair
      most = count
    }
  }
  return best
}

function join(symbols: number[], left: number, right: number, id: number): number[] {
  const joined: number[] = []
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] === left && symbols[i + 1] === right) {
      joined.push(id)
      i++
    } else joined.push(symbols[i] as number)
  }
  return joined
}
