/** OpenAI's completions on the wire, chunk by chunk or whole, as each of the servers writes them. */
import type {
  AnswerToken,
  Finish,
  Frame,
  ModelError,
  Outcome,
  Part,
  PromptProgress,
  ServerKind,
  Wire,
} from '../surface.ts'
import type { CompletionRequest } from './completion-request.ts'
import { timingsOf } from './llamacpp-timings.ts'
import { DEMO_MODEL_NAME } from './model-name.ts'
import { entriesOf, errorData, OPENAI_HABITS, type OpenAiHabits } from './openai-habits.ts'
import { joined } from './outcomes.ts'
import { usageOf } from './usage.ts'

const PATH = '/v1/completions'
const NO_USAGE = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }

/** How one completion looks. */
export class CompletionWire implements Wire {
  readonly format = 'sse'
  readonly flushesEarly: boolean
  readonly keepAlive: string | null
  readonly #kind: ServerKind
  readonly #habits: OpenAiHabits
  readonly #request: CompletionRequest
  readonly #outcome: Outcome
  /** Characters told so far, for each choice. */
  readonly #offsets: number[]
  /** Choices that have had a chunk. */
  readonly #begun = new Set<number>()

  constructor(kind: ServerKind, request: CompletionRequest, outcome: Outcome) {
    this.#kind = kind
    this.#habits = OPENAI_HABITS[kind]
    this.#request = request
    this.#outcome = outcome
    this.#offsets = outcome.choices.map(() => 0)
    this.flushesEarly = this.#habits.flushesEarly
    this.keepAlive = this.#habits.keepAlive
  }

  opening(): Frame[] {
    return []
  }

  loading(): Frame[] {
    return []
  }

  prefilling({ total, processed, ms }: PromptProgress): Frame[] {
    if (!this.#request.form.returnProgress) return []
    const progress = { total, cache: 0, processed, time_ms: Math.round(ms) }
    return [this.#chunk(0, '', {}, { prompt_progress: progress })]
  }

  begin(): Frame[] {
    return []
  }

  tokens(choice: number, _part: Part, tokens: readonly AnswerToken[]): Frame[] {
    const text = joined(tokens)
    if (text === '' && this.#habits.withholdsParts) return []
    const logprobs = this.#logprobs(tokens, this.#offsets[choice] as number)
    this.#offsets[choice] = (this.#offsets[choice] as number) + text.length
    const ids = this.#request.form.returnTokenIds ? { token_ids: tokens.map(({ id }) => id) } : {}
    const prompt =
      this.#request.form.returnTokenIds && !this.#begun.has(choice)
        ? { prompt_token_ids: this.#outcome.prompt }
        : {}
    this.#begun.add(choice)
    return [this.#chunk(choice, text, { ...logprobs, ...prompt, ...ids })]
  }

  end(): Frame[] {
    return []
  }

  finish(choice: number, finish: Finish): Frame[] {
    const withTimings = this.#kind === 'llamacpp' && !this.#request.form.includeUsage
    const timings = withTimings ? { timings: timingsOf(this.#outcome, choice) } : {}
    return [this.#chunk(choice, '', { finish_reason: finish }, timings)]
  }

  closing(): Frame[] {
    if (!this.#request.form.includeUsage) return []
    const usage = usageOf(this.#kind, this.#outcome)
    const timings = this.#kind === 'llamacpp' ? { timings: timingsOf(this.#outcome) } : {}
    return [{ data: JSON.stringify({ ...this.#head(), choices: [], usage, ...timings }) }]
  }

  sentinel(): Frame[] {
    return [{ data: '[DONE]' }]
  }

  failing(error: ModelError): Frame[] {
    // Ollama loses the error on its way from its own API to this one.
    if (this.#kind === 'ollama') return [this.#chunk(0, '')]
    const data = errorData(this.#kind, error, PATH)
    if (this.#kind === 'lmstudio') return [{ event: 'error', data }]
    return this.#kind === 'vllm' ? [{ data }, ...this.sentinel()] : [{ data }]
  }

  whole(): object {
    const { returnTokenIds } = this.#request.form
    return {
      ...this.#head(),
      choices: this.#outcome.choices.map(({ parts, finish }, index) => {
        const tokens = parts.flatMap(part => part.tokens)
        const ids = returnTokenIds
          ? { token_ids: tokens.map(({ id }) => id), prompt_token_ids: this.#outcome.prompt }
          : {}
        return { text: joined(tokens), index, ...this.#logprobs(tokens, 0), finish_reason: finish, ...ids }
      }),
      usage: usageOf(this.#kind, this.#outcome),
      ...(this.#kind === 'llamacpp' ? { timings: timingsOf(this.#outcome) } : {}),
      ...(this.#kind === 'lmstudio' ? { stats: {} } : {}),
    }
  }

  #chunk(choice: number, text: string, within: object = {}, beside: object = {}): Frame {
    const { includeUsage, continuousUsage, timingsPerToken } = this.#request.form
    const chunk = {
      ...this.#head(),
      choices: [{ text, index: choice, ...this.#habits.withoutLogprobs, finish_reason: null, ...within }],
      ...(includeUsage && this.#habits.nullUsage ? { usage: null } : {}),
      ...(includeUsage && this.#kind === 'ollama' ? { usage: NO_USAGE } : {}),
      ...(continuousUsage ? { usage: usageOf(this.#kind, this.#outcome) } : {}),
      ...(timingsPerToken ? { timings: timingsOf(this.#outcome, choice) } : {}),
      ...beside,
    }
    return { data: JSON.stringify(chunk) }
  }

  #head(): object {
    const { fingerprint } = this.#habits
    return {
      id: `cmpl-${this.#outcome.id}`,
      object: 'text_completion',
      created: this.#outcome.created,
      model: DEMO_MODEL_NAME,
      ...(fingerprint === undefined ? {} : { system_fingerprint: fingerprint }),
    }
  }

  /** `offset` is where the text of the tokens begins in the answer, in UTF-16 units. */
  #logprobs(tokens: readonly AnswerToken[], offset: number): object {
    const { legacyLogprobs, withoutLogprobs } = this.#habits
    if (this.#request.logprobs === null || legacyLogprobs === null) return withoutLogprobs
    if (legacyLogprobs === 'entries') {
      const content = entriesOf(this.#kind, tokens, this.#request.form)
      return content.length === 0 ? {} : { logprobs: { content } }
    }
    let at = offset
    const offsets = tokens.map(({ delivered }) => {
      at += delivered.length
      return at - delivered.length
    })
    const told = tokens.flatMap((token, i) => (token.lost ? [] : [{ token, offset: offsets[i] }]))
    const { tokensAsIds } = this.#request.form
    const nameOf = ({ id, text }: { id: number; text: string }) => (tokensAsIds ? `token_id:${id}` : text)
    return {
      logprobs: {
        tokens: told.map(({ token }) => nameOf(token)),
        token_logprobs: told.map(({ token }) => token.logprob),
        top_logprobs:
          this.#request.logprobs === 0
            ? null
            : told.map(({ token }) =>
                Object.fromEntries(token.top.map(one => [nameOf(one), one.logprob] as const)),
              ),
        text_offset: told.map(one => one.offset),
      },
    }
  }
}
