/**
 * The demo model: tokenizer, language model, topic index and length model over the same passages.
 *
 * For a prompt it is a mixture of two n-gram models, both with modified Kneser–Ney smoothing: one of all
 * passages, and one of the few that fit the prompt best. An n-gram model alone forgets the prompt after four
 * tokens; adapting it by a mixture with a model of the prompt's topic is the method of Iyer and Ostendorf,
 * "Modeling long distance dependence in language: topic mixtures versus dynamic cache models", IEEE Trans.
 * Speech and Audio Processing 7, 1999. The weights are fixed and sum to 1, so the mixture is a distribution;
 * the odds of an end are then scaled by how long the answer already is.
 */
import { PASSAGE_BREAK, type Passage, readCorpus } from './corpus.ts'
import { LanguageModel, type TrainingText } from './language-model.ts'
import { fitLengths, scaleOdds } from './text-length.ts'
import { Tokenizer } from './tokenizer.ts'
import { TopicIndex } from './topic.ts'
import { advanceUtf8, UTF8_START } from './utf8.ts'

export interface DemoModelOptions {
  /** What to learn from; the demo's essays if not given. */
  passages?: readonly Passage[]
  /** Joins of the tokenizer; 1,500 if not given. */
  merges?: number
  /** Length of the longest n-gram; 5 if not given. */
  order?: number
}

// The values below were chosen by reading what comes out. With fewer passages to a topic the model recites
// one of them, with more it wanders off.
const TOPIC_PASSAGES = 6
/** How often the topic's model reads the passage that fits best, the next, and so on; the others once. */
const TOPIC_READINGS = [3, 2]
const TOPIC_WEIGHT = 0.6
// The discounts that 12,000 words justify leave a word seen once after its context 0.02 to 0.3 of the
// probability: right, and unreadable. With half of them sentences hold together, and still step from one
// passage to another.
const DISCOUNT_SCALE = 0.5

/** A longer prompt is read from here to its end, so that no request holds up the process for long. */
export const WINDOW_CHARACTERS = 65_536

/** Gives the distribution of the next token after a prompt. Synchronous, so generations can share it. */
export interface Predictor {
  /** The tokens of the prompt that the model has read, the break after it included. */
  readonly prompt: readonly number[]
  /**
   * The probabilities of all tokens, written to `out` and returned; each above 0, their sum 1. `context` is
   * the prompt's tokens and the answer's so far, of which the last `order − 1` are read; `length` is how
   * many of them are the answer's.
   */
  distribution(context: ArrayLike<number>, length: number, out: Float64Array): Float64Array
}

/** A trained model; immutable, so that any number of servers and generations can share it. */
export interface DemoModel {
  readonly tokenizer: Tokenizer
  readonly language: LanguageModel
  /** What it has learned from. */
  readonly passages: readonly Passage[]
  /** Per token, 1 if the passages have it. Others are possible but not drawn: they would be noise. */
  readonly seen: Uint8Array
  /** Per token, 1 if it is seen and can stand between two characters: what is drawn from there. */
  readonly startable: Uint8Array
  /** The passages that share words with a text, the best fitting first, at most `limit`. */
  passagesAbout(text: string, limit: number): Passage[]
  /** The model as it is after a prompt, of which it reads the last 65,536 characters. */
  predictorFor(prompt: string): Predictor
}

/** Trains a model, synchronously, in a fraction of a second. The same options give the same model. */
export function createDemoModel(options: DemoModelOptions = {}): DemoModel {
  const { passages = readCorpus(), merges = 1500, order = 5 } = options
  const tokenizer = Tokenizer.train(
    passages.flatMap(({ request, text }) => [request, PASSAGE_BREAK + text]),
    merges,
  )
  const texts = passages.map(({ request, text }) => {
    const given = tokenizer.encode(open(request) + PASSAGE_BREAK)
    return { tokens: [...given, ...tokenizer.encode(text), tokenizer.end], given: given.length }
  })
  const training = { order, size: tokenizer.size, discountScale: DISCOUNT_SCALE }
  const language = LanguageModel.train(texts, training)
  const lengths = fitLengths(texts.map(({ tokens, given }) => tokens.length - given - 1))
  const topics = new TopicIndex(
    passages.map(({ request, text }) => `${request} ${request} ${request} ${text}`),
  )
  const seen = Uint8Array.from({ length: tokenizer.size }, (_, token) => Number(language.hasSeen(token)))

  const startable = seen.map((flag, token) =>
    advanceUtf8(UTF8_START, tokenizer.bytes(token)) === null ? 0 : flag,
  )
  return {
    tokenizer,
    language,
    passages,
    seen,
    startable,
    passagesAbout: (text, limit) => topics.find(text, limit).map(index => passages[index] as Passage),
    predictorFor(whole) {
      const text = whole.slice(-WINDOW_CHARACTERS)
      const found = topics.find(text, TOPIC_PASSAGES)
      const fitting = found.flatMap((index, rank) =>
        new Array<TrainingText>(TOPIC_READINGS[rank] ?? 1).fill(texts[index] as TrainingText),
      )
      const topic = found.length === 0 ? null : LanguageModel.train(fitting, training)
      return {
        prompt: tokenizer.encode(open(text) + PASSAGE_BREAK),
        distribution(context, length, out) {
          out.fill(0)
          language.accumulate(context, topic ? 1 - TOPIC_WEIGHT : 1, out)
          topic?.accumulate(context, TOPIC_WEIGHT, out)
          scaleOdds(out, tokenizer.end, lengths.factor(length))
          return out
        },
      }
    },
  }
}

/** A request without its closing mark, so that "Tell me about music." and "What is music?" end alike. */
function open(request: string): string {
  return request.trim().replace(/[\s.?!]+$/, '')
}
