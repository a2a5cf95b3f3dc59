import { type GenerationError, isFinal } from '../../events/generation.ts'
import type { Meter } from '../../events/metrics.ts'
import type { Reading } from '../dialects/dialect.ts'
import { openaiChat } from '../dialects/openai-chat.ts'
import { openaiCompletions } from '../dialects/openai-completions.ts'
import { asArray, asObject, countOf, isSaid, type Json, textOf } from '../dialects/reading.ts'
import type { SseEvent } from '../sse-framing.ts'
import { readState, readToken } from './feed-event.ts'
import { type OpenAnswer, OpenAnswers, type OpenAnswersOptions } from './open-answers.ts'

/** How long a finished answer waits for its count, which servers send as a chunk of its own after the end. */
const SETTLE_MS = 500

/** What a feed had so far. */
export interface FeedCounts {
  /** Events of a form that is read. */
  read: number
  /** Events of a type that is not followed. */
  ignored: number
  /** Events that cannot be read. */
  unreadable: number
}

/**
 * Turns the events of a feed into what its generations do. Each event is an object in Tokenscope's own
 * form or in OpenAI's, which its `type` or its `object` tells; both may come in one feed.
 *
 * It never throws, and what it cannot read it counts. What is open stays so over a lost connection, until the feed
 * tells its end or the feed itself is at its end.
 */
export class SourceFeed {
  readonly counts: FeedCounts = { read: 0, ignored: 0, unreadable: 0 }
  readonly #meter: Meter
  readonly #open: OpenAnswers
  #isSettling = false

  constructor(options: OpenAnswersOptions) {
    const { meter, emit } = options
    this.#meter = meter
    this.#open = new OpenAnswers({
      ...options,
      // An end that was held back for its count is timed when it was read, but is no slow delivery.
      emit: (event, readAt) => emit(event, this.#isSettling ? performance.now() : readAt),
    })
  }

  /** Generations that have not ended. */
  get open(): number {
    return this.#open.size
  }

  /** Takes an event. */
  take({ type, data }: SseEvent, readAt: number): void {
    if (data.startsWith('[DONE]')) {
      this.settle()
      return
    }
    const event = parsedObject(data)
    if (event === null) this.miss('parse')
    else if (event.type === 'token_activation') this.#takeToken(event, readAt)
    else if (event.type === 'neural_state') this.#takeState(event, readAt)
    else if (event.object === 'chat.completion.chunk') {
      this.#takeChunk(event, openaiChat.event(type, data), readAt)
    } else if (event.object === 'text_completion') {
      this.#takeChunk(event, openaiCompletions.event(type, data), readAt)
    } else if (typeof event.type === 'string' || typeof event.object === 'string') this.counts.ignored++
    // An error without a form does not say which of the answers it is of.
    else this.miss(isSaid(event.error) ? 'upstream' : 'parse')
  }

  /** An event was lost that could not be read at all. */
  miss(kind: string): void {
    this.counts.unreadable++
    this.#meter.count('tokenscope_sse_errors_total', { kind })
  }

  /** Nothing more comes for now: answers that have finished wait no longer for their counts. */
  settle(): void {
    for (const answer of this.#open.all()) this.#settleAnswer(answer)
  }

  /** Nothing more comes at all: what is open is interrupted. */
  end(ending: string, error: GenerationError | null, readAt: number): void {
    this.settle()
    this.#open.endAll({ state: 'interrupted', ending, error }, readAt)
  }

  #takeToken(event: Json, readAt: number): void {
    const token = readToken(event)
    if (token === null) {
      this.miss('parse')
      return
    }
    this.counts.read++
    const name = ownName(token.generation)
    const { model, delta } = token
    const generation = this.#open.open(name, delta.choice, readAt, { model })
    if (model !== null) generation?.learnModel(model)
    this.#open.take(name, delta, readAt)
  }

  #takeState(event: Json, readAt: number): void {
    const told = readState(event)
    if (told === null) {
      this.miss('parse')
      return
    }
    this.counts.read++
    const name = ownName(told.generation)
    const ends = isFinal(told.state)
    // The end of what began before anybody listened is no news, but an error is.
    if (ends && told.error === null && this.#open.find(name) === undefined) return
    const generation = this.#open.open(name, 0, readAt, told)
    if (generation === undefined) return
    if (told.model !== null) generation.learnModel(told.model)
    if (told.ttftMs !== null) generation.learnTimeToFirstToken(told.ttftMs)
    if (ends) {
      if (told.usage !== null) generation.learnUsage(told.usage)
      const { state, ending, error } = told
      this.#open.end(this.#open.find(name) as OpenAnswer, 0, { state, ending, error }, readAt)
    } else if (told.state === 'loading_model' || told.state === 'processing_prompt') {
      generation.advance(told.state, told.progress, readAt)
    } else generation.enter(told.state, readAt)
  }

  #takeChunk(chunk: Json, reading: Reading, readAt: number): void {
    this.counts.read++
    const name = foreignName(textOf(chunk.id))
    const { model, progress, timings, deltas, finished, own, usage, error } = reading
    // A chunk that ends a choice begins it only if it has something of it, too.
    for (const choice of [...begunChoices(chunk), ...deltas.map(delta => delta.choice)]) {
      const generation = this.#open.open(name, choice, readAt, { model })
      if (generation?.state === 'queued') generation.enter('processing_prompt', readAt)
    }
    for (const generation of this.#open.find(name)?.generations.values() ?? []) {
      if (model !== null) generation.learnModel(model)
      if (timings !== null) generation.learnTimings(timings)
      if (progress !== null) generation.advance(progress.state, progress.done, readAt)
    }
    for (const delta of deltas) this.#open.take(name, delta, readAt)
    const answer = this.#open.find(name)
    // What comes after the end, as a count that came late, begins nothing.
    if (answer === undefined) return
    for (const { choice, ...figures } of own ?? []) {
      if (figures.usage !== null) answer.generations.get(choice)?.learnUsage(figures.usage)
      if (figures.timings !== null) answer.generations.get(choice)?.learnTimings(figures.timings)
    }
    if (usage !== null && answer.choices === 1) {
      for (const generation of answer.generations.values()) generation.learnUsage(usage)
      answer.hasUsage = true
    }
    for (const { choice, ending } of finished) {
      answer.endings.set(choice, ending ?? 'stop')
      answer.finishedAt = readAt
    }
    if (error !== null) this.#failAnswer(answer, error, readAt)
    else if (answer.endings.size > 0) this.#settleSoon(answer)
  }

  #failAnswer(answer: OpenAnswer, error: GenerationError, readAt: number): void {
    this.#meter.count('tokenscope_sse_errors_total', { kind: 'upstream' })
    for (const choice of [...answer.generations.keys()]) {
      this.#open.end(answer, choice, { state: 'failed', ending: 'error', error }, readAt)
    }
  }

  /** Ends the choices that have finished, once nothing more can be learnt about them. */
  #settleSoon(answer: OpenAnswer): void {
    // A count is one of all choices together, so that of several it tells nothing.
    if (answer.hasUsage || answer.choices > 1) this.#settleAnswer(answer)
    else answer.settling ??= setTimeout(() => this.#settleAnswer(answer), SETTLE_MS)
  }

  #settleAnswer(answer: OpenAnswer): void {
    this.#isSettling = true
    for (const [choice, word] of answer.endings) {
      const ending = answer.generations.get(choice)?.isEmptyAt(word) ? 'empty' : word
      this.#open.end(answer, choice, { state: 'done', ending, error: null }, answer.finishedAt)
    }
    answer.endings.clear()
    this.#isSettling = false
  }
}

function parsedObject(data: string): Json | null {
  try {
    return asObject(JSON.parse(data))
  } catch {
    return null
  }
}

/** Names of one form never meet those of the other. */
function ownName(generation: string): string {
  return `own ${generation}`
}

function foreignName(id: string): string {
  return `openai ${id}`
}

/** Indexes of the choices that a chunk tells of without ending them. */
function begunChoices(chunk: Json): number[] {
  return asArray(chunk.choices).flatMap(item => {
    const choice = asObject(item)
    return choice === null || isSaid(choice.finish_reason) ? [] : [countOf(choice.index) ?? 0]
  })
}
