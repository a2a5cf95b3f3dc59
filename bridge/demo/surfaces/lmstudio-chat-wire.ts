/** LM Studio's own chat on the wire: every event of its stream, and the result that ends it. */
import type { ResponseStore } from '../response-store.ts'
import type { AnswerToken, Frame, ModelError, Outcome, Part, PromptProgress, Wire } from '../surface.ts'
import type { LmStudioChatRequest } from './lmstudio-chat-request.ts'
import { DEMO_MODEL_NAME } from './model-name.ts'
import { generatedCount, isWholeCall, joined, onlyChoice, rate, textOf, tokensOf } from './outcomes.ts'

const INSTANCE = { model_instance_id: DEMO_MODEL_NAME }

/** How one answer looks. Keeps it in `store` when it has ended, if the request wants that. */
export class LmStudioChatWire implements Wire {
  readonly format = 'sse'
  readonly flushesEarly = true
  readonly keepAlive = null
  readonly #request: LmStudioChatRequest
  readonly #outcome: Outcome
  readonly #store: ResponseStore
  /** Of a call that is being made. */
  #arguments: AnswerToken[] = []

  constructor(request: LmStudioChatRequest, outcome: Outcome, store: ResponseStore) {
    this.#request = request
    this.#outcome = outcome
    this.#store = store
  }

  opening(): Frame[] {
    return [event('chat.start', INSTANCE)]
  }

  loading(progress: number): Frame[] {
    const told = event('model_load.progress', { ...INSTANCE, progress })
    if (progress <= 0) return [event('model_load.start', INSTANCE), told]
    if (progress < 1) return [told]
    const seconds = (this.#outcome.timing.loadMs ?? 0) / 1000
    return [told, event('model_load.end', { ...INSTANCE, load_time_seconds: seconds })]
  }

  prefilling({ total, processed }: PromptProgress): Frame[] {
    const told = event('prompt_processing.progress', { progress: processed / total })
    if (processed === 0) return [event('prompt_processing.start', {}), told]
    return processed < total ? [told] : [told, event('prompt_processing.end', {})]
  }

  begin(_choice: number, part: Part): Frame[] {
    if (part.kind !== 'tool_call') return [event(`${part.kind}.start`, {})]
    const { failure, provider } = this.#request.integrations
    // A tool that nobody has comes from nowhere, and this event says where it comes from.
    if (failure?.metadata.type === 'invalid_name') return []
    return [event('tool_call.start', { tool: part.tool?.name, provider_info: provider })]
  }

  tokens(_choice: number, part: Part, tokens: readonly AnswerToken[]): Frame[] {
    // Arguments are told as a whole when they are complete.
    if (part.kind === 'tool_call') {
      this.#arguments.push(...tokens)
      return []
    }
    // Text waits until its characters are whole.
    const content = joined(tokens)
    return content === '' ? [] : [event(`${part.kind}.delta`, { content })]
  }

  end(_choice: number, part: Part): Frame[] {
    if (part.kind !== 'tool_call') return [event(`${part.kind}.end`, {})]
    if (!isWholeCall(part, this.#arguments)) return []
    const { failure } = this.#request.integrations
    const call = this.#call(part)
    const { output: _, ...asked } = call
    if (failure === null) return [event('tool_call.arguments', asked), event('tool_call.success', call)]
    const failed = event('tool_call.failure', { ...failure })
    return failure.metadata.type === 'invalid_name' ? [failed] : [event('tool_call.arguments', asked), failed]
  }

  finish(): Frame[] {
    return []
  }

  closing(): Frame[] {
    return [event('chat.end', { result: this.#kept() })]
  }

  sentinel(): Frame[] {
    return []
  }

  failing({ status, message }: ModelError): Frame[] {
    const type = this.#request.integrations.unreachable?.type ?? lmStudioErrorType(status, null)
    return [event('error', { error: { type, message } }), event('chat.end', { result: this.#result() })]
  }

  whole(): unknown {
    return this.#kept()
  }

  /** The result with the id that it is kept under, if it is. */
  #kept(): object {
    const result = this.#result()
    if (!this.#request.store) return result
    const id = `resp_${this.#outcome.id}`
    const body = { ...result, response_id: id }
    this.#store.put(id, { prompt: this.#request.asked.prompt, text: textOf(this.#outcome, 'message'), body })
    return body
  }

  #result(): object {
    return {
      ...INSTANCE,
      output: onlyChoice(this.#outcome).parts.flatMap(({ part, tokens }) => this.#items(part, tokens)),
      stats: this.#stats(),
    }
  }

  /** The item of a part, if it came to one: a call that was cut off did not. */
  #items(part: Part, tokens: readonly AnswerToken[]): object[] {
    if (part.kind !== 'tool_call') return [{ type: part.kind, content: joined(tokens) }]
    if (!isWholeCall(part, tokens)) return []
    const { failure } = this.#request.integrations
    return failure === null
      ? [{ type: 'tool_call', ...this.#call(part) }]
      : [{ type: 'invalid_tool_call', ...failure }]
  }

  #call({ tool }: Part) {
    return {
      tool: tool?.name,
      arguments: JSON.parse(tool?.arguments ?? '{}') as unknown,
      output: tool?.output,
      provider_info: this.#request.integrations.provider,
    }
  }

  #stats(): object {
    const { loadMs, firstTokenMs, generateMs } = this.#outcome.timing
    const count = generatedCount(this.#outcome)
    return {
      input_tokens: this.#outcome.prompt.length,
      total_output_tokens: count,
      reasoning_output_tokens: tokensOf(this.#outcome, 'reasoning').length,
      tokens_per_second: rate(count, generateMs),
      ...(firstTokenMs === null ? {} : { time_to_first_token_seconds: firstTokenMs / 1000 }),
      ...(loadMs === null ? {} : { model_load_time_seconds: loadMs / 1000 }),
    }
  }
}

/** An error in the form of LM Studio's own paths. */
export function lmStudioError(status: number, message: string, param: string | null, code?: string): object {
  const type = lmStudioErrorType(status, param)
  return { error: { message, type, ...(code ? { code } : {}), ...(param === null ? {} : { param }) } }
}

function lmStudioErrorType(status: number, param: string | null): string {
  if (status === 404 && param === 'model') return 'model_not_found'
  if (status >= 500) return 'internal_error'
  return status === 429 ? 'unknown' : 'invalid_request'
}

function event(type: string, fields: object): Frame {
  return { event: type, data: JSON.stringify({ type, ...fields }) }
}
