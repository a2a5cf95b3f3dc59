/**
 * What a prompt is about: finds the passages that share its words.
 *
 * Okapi BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009), with
 * the usual k1 = 1.2 and b = 0.75.
 */
const K1 = 1.2
const B = 0.75

// Words that requests are made of whatever they ask for. They still count a little, for "Who are you?".
const REQUEST_WORDS = new Set(
  (
    'a about am an and are as at be but by can could do does down explain for from give have hello how i if in ' +
    'is it like make may me more my no not of on or please say should so some something tell than that the ' +
    'them there they thi to up us want was we were what when where which who why will with would write you your'
  ).split(' '),
)
const REQUEST_WORD_WEIGHT = 0.05

interface Entry {
  counts: Map<string, number>
  length: number
}

/** An index over texts. */
export class TopicIndex {
  readonly #entries: Entry[]
  readonly #holders = new Map<string, number>()
  readonly #meanLength: number

  constructor(texts: readonly string[]) {
    this.#entries = texts.map(text => {
      const words = wordsOf(text)
      const counts = new Map<string, number>()
      for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
      for (const word of counts.keys()) this.#holders.set(word, (this.#holders.get(word) ?? 0) + 1)
      return { counts, length: words.length }
    })
    this.#meanLength = this.#entries.reduce((sum, { length }) => sum + length, 0) / texts.length
  }

  /** The numbers of the texts that fit `query` best, best first, at most `limit`; none if they share no word. */
  find(query: string, limit: number): number[] {
    const words = new Set(wordsOf(query))
    return this.#entries
      .map((entry, index) => ({ index, score: this.#score(entry, words) }))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score || a.index - b.index)
      .slice(0, limit)
      .map(({ index }) => index)
  }

  #score({ counts, length }: Entry, words: ReadonlySet<string>): number {
    let score = 0
    for (const word of words) {
      const count = counts.get(word)
      const holders = this.#holders.get(word)
      if (count === undefined || holders === undefined) continue
      const rarity = Math.log(1 + (this.#entries.length - holders + 0.5) / (holders + 0.5))
      const saturated = (count * (K1 + 1)) / (count + K1 * (1 - B + (B * length) / this.#meanLength))
      score += (REQUEST_WORDS.has(word) ? REQUEST_WORD_WEIGHT : 1) * rarity * saturated
    }
    return score
  }
}

/** Lower-case words, plural and singular as one. */
function wordsOf(text: string): string[] {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? []
  return words.map(word => (word.length > 3 && word.endsWith('s') ? word.slice(0, -1) : word))
}
