/**
 * Tokens as models write them, as many as are wanted: this project's own prose and code, cut as byte-pair
 * vocabularies cut, in answers of a realistic length that come side by side.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CellAllocator } from '../../broadcast/cells.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import type { LogEntry, NeuralStateEntry } from '../../events/generation.ts'
import { stateEvent } from '../../test/support/hub-events.ts'

const ROOT = join(import.meta.dirname, '../..')
const SOURCES = [
  'README.md',
  'docs/architecture.md',
  'docs/demo.md',
  'broadcast/viewer.ts',
  'compositor/layout/flow.ts',
]
/**
 * How vocabularies of byte pairs cut a text before they merge (the pattern of GPT-2's), words cut further since few long
 * ones are in a vocabulary.
 */
const PIECES = / ?\p{L}{1,7}| ?\p{N}{1,3}| ?[^\s\p{L}\p{N}]{1,4}|\s+(?!\S)|\s/gu
/** Answers that run at the same time. */
const AT_ONCE = 25
/** Tokens of an answer: this many on average. */
const MEAN_TOKENS = 1000
const FIRST_SECOND = 1.7e9
/** 50 tokens a second each. */
const SECONDS_APART = 0.02

interface Running {
  readonly id: string
  index: number
  readonly tokens: number
  /** Which text is next. */
  at: number
}

/** The texts, in their order. */
export function tokenTexts(): readonly string[] {
  return SOURCES.flatMap(file => readFileSync(join(ROOT, file), 'utf8').match(PIECES) ?? [])
}

/** The log of such answers, from its first entry on. */
export class Corpus {
  readonly #texts = tokenTexts()
  readonly #bytesOf = this.#texts.map(text => Buffer.byteLength(text))
  readonly #cells = new CellAllocator()
  readonly #running: Running[]
  #began = 0
  #tokens = 0
  #seq = 0
  #random = 1

  /** UTF-8 bytes of all texts so far. */
  bytes = 0

  constructor() {
    this.#running = Array.from({ length: AT_ONCE }, () => this.#begin())
  }

  get seq(): number {
    return this.#seq
  }

  /** The entries that bring the next `count` tokens, with the ends of the answers among them. */
  entries(count: number): LogEntry[] {
    const entries: LogEntry[] = []
    for (let i = 0; i < count; i++, this.#tokens++) {
      const lane = this.#tokens % AT_ONCE
      let one = this.#running[lane] as Running
      if (one.index === one.tokens) {
        entries.push({ ...stateEvent(one.id, 'done'), seq: ++this.#seq } as NeuralStateEntry)
        this.#cells.close(one.id)
        one = this.#begin()
        this.#running[lane] = one
      }
      const text = one.at++ % this.#texts.length
      this.bytes += this.#bytesOf[text] as number
      const confidence = this.#next()
      entries.push({
        type: 'token_activation',
        seq: ++this.#seq,
        generation: one.id,
        index: one.index++,
        token_id: null,
        token_text: this.#texts[text] as string,
        kind: 'message',
        timestamp: FIRST_SECOND + Math.floor(this.#tokens / AT_ONCE) * SECONDS_APART + lane / 10_000,
        position: mapPosition(this.#cells.allocate(one.id)),
        logprob: null,
        confidence,
        entropy: confidence < 0.1 ? null : (1 - confidence) * 2.5,
        top: [],
      })
    }
    return entries
  }

  #begin(): Running {
    const tokens = Math.max(1, Math.ceil(-Math.log(1 - this.#next()) * MEAN_TOKENS))
    return { id: `g_${++this.#began}`, index: 0, tokens, at: Math.floor(this.#next() * this.#texts.length) }
  }

  /** 0 … 1, the same in every run. */
  #next(): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0
    return this.#random / 2 ** 32
  }
}
