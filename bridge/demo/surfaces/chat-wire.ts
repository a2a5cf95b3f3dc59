/** OpenAI's chat completions on the wire, chunk by chunk or whole, as each of the servers writes them. */
import type {
  AnswerToken,
  ChoiceOutcome,
  Finish,
  Frame,
  ModelError,
  Outcome,
  Part,
  PromptProgress,
  ServerKind,
  Wire,
} from '../surface.ts'
import type { ChatRequest } from './chat-request.ts'
import { timingsOf } from './llamacpp-timings.ts'
import { DEMO_MODEL_NAME } from './model-name.ts'
import { entriesOf, errorData, OPENAI_HABITS, type OpenAiHabits } from './openai-habits.ts'
import { isWholeCall, joined } from './outcomes.ts'
import { usageOf } from './usage.ts'

const PATH = '/v1/chat/completions'

/** How one chat completion looks. */
export class ChatWire implements Wire {
  readonly format = 'sse'
  readonly flushesEarly: boolean
  readonly keepAlive: string | null
  readonly #kind: ServerKind
  readonly #habits: OpenAiHabits
  readonly #request: ChatRequest
  readonly #outcome: Outcome
  #hasOpened = false
  /** Choices that have had a delta. */
  readonly #begun = new Set<number>()

  constructor(kind: ServerKind, request: ChatRequest, outcome: Outcome) {
    this.#kind = kind
    this.#habits = OPENAI_HABITS[kind]
    this.#request = request
    this.#outcome = outcome
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
    return [this.#chunk(0, this.#opened(), { prompt_progress: progress })]
  }

  begin(choice: number, part: Part): Frame[] {
    const frames = this.#hasOpened ? [] : this.#roles()
    this.#hasOpened = true
    if (part.tool && !this.#habits.wholeToolCalls) {
      const { id, name } = part.tool
      const call = { index: 0, id, type: 'function', function: { name, arguments: '' } }
      frames.push(this.#chunk(choice, { tool_calls: [call] }))
    }
    return frames
  }

  tokens(choice: number, part: Part, tokens: readonly AnswerToken[]): Frame[] {
    const text = joined(tokens)
    if (part.tool && this.#habits.wholeToolCalls) return []
    if (text === '' && this.#habits.withholdsParts) return []
    const delta =
      part.kind === 'tool_call'
        ? { tool_calls: [{ index: 0, function: { arguments: text } }] }
        : { [part.kind === 'reasoning' ? this.#habits.reasoningKey : 'content']: text }
    const ids = this.#request.form.returnTokenIds ? { token_ids: tokens.map(({ id }) => id) } : {}
    return [this.#chunk(choice, delta, {}, { ...this.#logprobs(tokens), ...ids })]
  }

  end(choice: number, part: Part): Frame[] {
    if (!part.tool || !this.#habits.wholeToolCalls) return []
    const { id, name, arguments: text } = part.tool
    // A call that a limit has cut is not one.
    if (!isWholeCall(part, this.#outcome.choices[choice]?.parts.at(-1)?.tokens ?? [])) return []
    const call = { index: 0, id, type: 'function', function: { name, arguments: text } }
    return [this.#chunk(choice, { tool_calls: [call] })]
  }

  finish(choice: number, finish: Finish): Frame[] {
    const withTimings = this.#kind === 'llamacpp' && !this.#request.form.includeUsage
    const timings = withTimings ? { timings: timingsOf(this.#outcome, choice) } : {}
    const { choice: beside } = this.#habits.whole
    return [this.#chunk(choice, {}, timings, { ...beside, finish_reason: finish }, true)]
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
    if (this.#kind === 'ollama') return [this.#chunk(0, { role: 'assistant', content: '' }, {}, {}, true)]
    const data = errorData(this.#kind, error, PATH)
    if (this.#kind === 'lmstudio') return [{ event: 'error', data }]
    return this.#kind === 'vllm' ? [{ data }, ...this.sentinel()] : [{ data }]
  }

  whole(): object {
    const { body } = this.#habits.whole
    const { returnTokenIds } = this.#request.form
    return {
      ...this.#head('chat.completion'),
      choices: this.#outcome.choices.map((choice, index) => this.#wholeChoice(choice, index)),
      usage: usageOf(this.#kind, this.#outcome),
      ...body,
      ...(returnTokenIds ? { prompt_token_ids: this.#outcome.prompt } : {}),
      ...(this.#kind === 'llamacpp' ? { timings: timingsOf(this.#outcome) } : {}),
    }
  }

  #wholeChoice({ parts, finish }: ChoiceOutcome, index: number): object {
    const { reasoningKey, whole } = this.#habits
    const textOf = (kind: Part['kind']) => {
      const found = parts.filter(({ part }) => part.kind === kind)
      return found.length === 0 ? null : joined(found.flatMap(({ tokens }) => tokens))
    }
    const calls = parts.flatMap(({ part, tokens }) => {
      const { tool } = part
      if (!tool || (this.#habits.wholeToolCalls && !isWholeCall(part, tokens))) return []
      return [{ id: tool.id, type: 'function', function: { name: tool.name, arguments: joined(tokens) } }]
    })
    const reasoning = textOf('reasoning')
    const tokens = parts.flatMap(part => part.tokens)
    const ids = this.#request.form.returnTokenIds ? { token_ids: tokens.map(({ id }) => id) } : {}
    return {
      index,
      message: {
        role: 'assistant',
        content: textOf('message'),
        ...whole.message,
        ...(reasoning === null ? {} : { [reasoningKey]: reasoning }),
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
      },
      ...this.#logprobs(tokens),
      finish_reason: finish,
      ...whole.choice,
      ...ids,
    }
  }

  /** The chunks before all others, one for each choice, where the role has chunks of its own. */
  #roles(): Frame[] {
    if (typeof this.#habits.role === 'string') return []
    const prompt = this.#request.form.returnTokenIds ? { prompt_token_ids: this.#outcome.prompt } : {}
    return this.#outcome.choices.map((_, choice) => this.#chunk(choice, this.#opened(), prompt))
  }

  #opened(): object {
    const { role } = this.#habits
    return { role: 'assistant', content: typeof role === 'string' ? '' : role.opens }
  }

  #chunk(choice: number, delta: object, beside: object = {}, within: object = {}, isEnd = false): Frame {
    const { role, withoutLogprobs, nullUsage } = this.#habits
    const { includeUsage, continuousUsage, timingsPerToken } = this.#request.form
    const hasRole = !isEnd && (role === 'every delta' || (role === 'first delta' && !this.#begun.has(choice)))
    this.#begun.add(choice)
    const chunk = {
      ...this.#head(),
      choices: [
        {
          index: choice,
          delta: hasRole ? { role: 'assistant', ...delta } : delta,
          ...withoutLogprobs,
          finish_reason: null,
          ...within,
        },
      ],
      ...(includeUsage && nullUsage ? { usage: null } : {}),
      ...(continuousUsage ? { usage: usageOf(this.#kind, this.#outcome) } : {}),
      ...(timingsPerToken ? { timings: timingsOf(this.#outcome, choice) } : {}),
      ...beside,
    }
    return { data: JSON.stringify(chunk) }
  }

  #head(object = 'chat.completion.chunk'): object {
    const { fingerprint } = this.#habits
    return {
      id: `chatcmpl-${this.#outcome.id}`,
      object,
      created: this.#outcome.created,
      model: DEMO_MODEL_NAME,
      ...(fingerprint === undefined ? {} : { system_fingerprint: fingerprint }),
    }
  }

  #logprobs(tokens: readonly AnswerToken[]): object {
    const { tellsLogprobs, withoutLogprobs, besideEntries } = this.#habits
    if (!this.#request.logprobs || !tellsLogprobs) return withoutLogprobs
    const content = entriesOf(this.#kind, tokens, this.#request.form)
    // Where a chunk without entries has no such key, one whose entries are lost has none either.
    if (content.length === 0 && !('logprobs' in withoutLogprobs)) return {}
    return { logprobs: { content, ...besideEntries } }
  }
}
