import { CellAllocator } from '../../broadcast/cells.ts'
import type { SnapshotGeneration } from '../../broadcast/protocol.ts'
import type { TokenLog } from '../../broadcast/token-log.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import { confidenceOf, entropyOf } from '../../events/confidence.ts'
import {
  type Alternative,
  type GenerationEvent,
  isFinal,
  type LogEntry,
  type NeuralStateEntry,
  type TokenEvent,
} from '../../events/generation.ts'
import { stateEvent, tokenEvent } from './hub-events.ts'
import { between, oneOf } from './random.ts'

const TICKS_PER_SECOND = 10_000
/** Finished generations that a snapshot holds. */
const FINISHED_KEPT = 50
const MOST_RUNNING = 4

const WORDS = [
  ' the',
  'ä',
  ' 漢字',
  '👩‍👩‍👧',
  'e\u0301',
  '\u2028',
  '"\\\n\u0000',
  '\ud83d',
  '\ude42',
  '',
  ' <script>',
  'كلمة',
]
const ALTERNATIVES = ['a', ' b', '🙂', '', '\udfff', '"', 'ß'.repeat(40)]
const LOGPROBS = [-0.5, -0.0513, -1e-7, -9999, -3.4028234663852886e38, 0]

/** The id of the nth generation of any reference log. */
export function generationId(nth: number): string {
  return `g_01JREFERENCE${String(nth).padStart(13, '0')}`
}

/**
 * Fills a log with several generations that run at once, of every kind of text that an entry may have to
 * carry, and keeps by itself what was appended: what a viewer is sent can be held against it.
 */
export class ReferenceLog {
  readonly log: TokenLog
  /** Entry `seq` at index `seq - 1`. */
  readonly entries: LogEntry[] = []
  readonly #random: () => number
  readonly #cells = new CellAllocator()
  readonly #running: { id: string; index: number }[] = []
  #begun = 0
  #ticks = 1_700_000_000 * TICKS_PER_SECOND

  constructor(log: TokenLog, random: () => number) {
    this.log = log
    this.#random = random
  }

  /** Appends `count` events. */
  append(count: number): void {
    for (let i = 0; i < count; i++) this.#add(this.#next())
  }

  /** Every running generation and the last 50 finished as they were at `upto`, by id. */
  snapshotAt(upto: number): Map<string, SnapshotGeneration> {
    const running = new Map<string, { state: NeuralStateEntry; tokens: number; texts: string[] }>()
    const finished: SnapshotGeneration[] = []
    for (const entry of this.entries.slice(0, upto)) {
      const known = running.get(entry.generation)
      if (entry.type === 'token_activation') {
        known?.texts.push(entry.token_text)
        if (known) known.tokens++
        continue
      }
      const generation = { ...(known ?? { tokens: 0, texts: [] }), state: entry }
      running.set(entry.generation, generation)
      if (!isFinal(entry.state)) continue
      running.delete(entry.generation)
      finished.push(snapshotOf(generation))
    }
    const all = [...finished.slice(-FINISHED_KEPT), ...[...running.values()].map(snapshotOf)]
    return new Map(all.map(generation => [generation.generation, generation]))
  }

  #add(event: GenerationEvent): void {
    const seq = this.entries.length + 1
    if (event.type === 'neural_state') this.entries.push({ seq, ...event })
    else this.entries.push({ seq, ...event, position: mapPosition(this.#cells.allocate(event.generation)) })
    this.log.append(event, performance.now())
  }

  #next(): GenerationEvent {
    const random = this.#random
    if (this.#running.length === 0 || (this.#running.length < MOST_RUNNING && random() < 0.1)) {
      const id = generationId(this.#begun++)
      this.#running.push({ id, index: 0 })
      return stateEvent(id, 'generating', { model: oneOf(random, [null, 'qwen', 'модель "7b"']) })
    }
    const generation = oneOf(random, this.#running)
    if (random() < 0.02)
      return stateEvent(generation.id, 'generating', { tokens_processed: generation.index })
    if (random() < 0.015) {
      this.#running.splice(this.#running.indexOf(generation), 1)
      this.#cells.close(generation.id)
      const state = oneOf(random, ['done', 'interrupted', 'cancelled', 'failed'] as const)
      return stateEvent(generation.id, state, { tokens_processed: generation.index })
    }
    return this.#token(generation.id, generation.index++)
  }

  #token(id: string, index: number): TokenEvent {
    const random = this.#random
    this.#ticks += between(random, -5, 500)
    const top: Alternative[] = []
    if (random() < 0.5) {
      for (let left = between(random, 0, 6); left > 0; left--) {
        top.push({ text: oneOf(random, ALTERNATIVES), logprob: this.#logprob() })
      }
    }
    const logprob = random() < 0.5 ? null : this.#logprob()
    return {
      ...tokenEvent(id, index, this.#text()),
      token_id: random() < 0.5 ? null : between(random, 0, 2 ** 31),
      kind: oneOf(random, ['message', 'reasoning', 'tool_call'] as const),
      timestamp: this.#ticks / TICKS_PER_SECOND,
      logprob,
      confidence: confidenceOf(logprob),
      entropy: entropyOf(top),
      top,
    }
  }

  #logprob(): number {
    const random = this.#random
    if (random() < 0.2) return oneOf(random, LOGPROBS)
    const logprob = -random() * 12
    return random() < 0.5 ? logprob : Math.fround(logprob)
  }

  #text(): string {
    const random = this.#random
    if (random() < 0.97) return oneOf(random, WORDS)
    // Up to 20,000 UTF-16 units, most of them by far fewer; now and then more than a frame holds.
    const units = random() < 0.01 ? 70_000 : Math.floor(20_000 ** random())
    const word = oneOf(random, ['x', '🙂', '漢', 'a\n'])
    return word.repeat(Math.ceil(units / word.length))
  }
}

function snapshotOf(known: { state: NeuralStateEntry; tokens: number; texts: string[] }): SnapshotGeneration {
  const { type: _type, seq: _seq, ...state } = known.state
  return { ...state, text: known.texts.join(''), tokens: known.tokens }
}
