/** LM Studio's REST API v0 on the wire: OpenAI's completions, and on their end how it went. */
import type {
  AnswerToken,
  Finish,
  Frame,
  ModelError,
  Outcome,
  Part,
  PromptProgress,
  Wire,
} from '../surface.ts'
import { ARCHITECTURE, CONTEXT_LENGTH, NUMBER_FORMAT } from './model-card.ts'
import { generatedCount, onlyChoice, rate } from './outcomes.ts'

/** A wire of OpenAI's with `stats`, `model_info` and `runtime` on the whole answer and on the last chunk. */
export class LmStudioV0Wire implements Wire {
  readonly format: Wire['format']
  readonly flushesEarly: boolean
  readonly keepAlive: string | null
  readonly #inner: Wire
  readonly #outcome: Outcome

  constructor(inner: Wire, outcome: Outcome) {
    this.#inner = inner
    this.#outcome = outcome
    this.format = inner.format
    this.flushesEarly = inner.flushesEarly
    this.keepAlive = inner.keepAlive
  }

  opening(): Frame[] {
    return this.#inner.opening()
  }

  loading(progress: number): Frame[] {
    return this.#inner.loading(progress)
  }

  prefilling(progress: PromptProgress): Frame[] {
    return this.#inner.prefilling(progress)
  }

  begin(choice: number, part: Part): Frame[] {
    return this.#inner.begin(choice, part)
  }

  tokens(choice: number, part: Part, tokens: readonly AnswerToken[]): Frame[] {
    return this.#inner.tokens(choice, part, tokens)
  }

  end(choice: number, part: Part): Frame[] {
    return this.#inner.end(choice, part)
  }

  finish(choice: number, finish: Finish): Frame[] {
    const frames = this.#inner.finish(choice, finish)
    return this.#outcome.choices.every(one => one.finish !== null) ? this.#withStats(frames) : frames
  }

  closing(): Frame[] {
    return this.#withStats(this.#inner.closing())
  }

  sentinel(): Frame[] {
    return this.#inner.sentinel()
  }

  failing(error: ModelError): Frame[] {
    return this.#inner.failing(error)
  }

  whole(): unknown {
    return { ...(this.#inner.whole() as object), ...this.#stats() }
  }

  /** The last of the frames gets the statistics; usage, where it is asked for, comes after the finish. */
  #withStats(frames: Frame[]): Frame[] {
    const last = frames.pop()
    if (last === undefined) return []
    const chunk = JSON.parse(last.data) as object
    return [...frames, { ...last, data: JSON.stringify({ ...chunk, ...this.#stats() }) }]
  }

  #stats(): object {
    const { firstTokenMs, generateMs } = this.#outcome.timing
    return {
      stats: {
        tokens_per_second: rate(generatedCount(this.#outcome), generateMs),
        ...(firstTokenMs === null ? {} : { time_to_first_token: firstTokenMs / 1000 }),
        generation_time: generateMs / 1000,
        stop_reason: this.#stopReason(),
      },
      model_info: {
        arch: ARCHITECTURE,
        quant: NUMBER_FORMAT,
        format: null,
        context_length: CONTEXT_LENGTH,
      },
      runtime: { name: 'node', version: process.versions.node, supported_formats: [] },
    }
  }

  #stopReason(): string {
    const { finish, stopSequence } = onlyChoice(this.#outcome)
    if (finish === 'length') return 'maxPredictedTokensReached'
    if (finish === 'tool_calls') return 'toolCalls'
    return (stopSequence ?? null) === null ? 'eosFound' : 'stopStringFound'
  }
}
