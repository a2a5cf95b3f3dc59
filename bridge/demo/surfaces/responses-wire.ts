/**
 * OpenAI's responses on the wire: a response object, or the events that build it, each with its number in
 * the stream. After the official client's types and, for reasoning, Open Responses' text events.
 */
import type { ResponseStore } from '../response-store.ts'
import type { AnswerToken, Finish, Frame, ModelError, Outcome, Part, ServerKind, Wire } from '../surface.ts'
import type { Fields } from './fields.ts'
import { DEMO_MODEL_NAME } from './model-name.ts'
import { entriesOf, OPENAI_HABITS } from './openai-habits.ts'
import { generatedCount, joined, onlyChoice, textOf, tokensOf } from './outcomes.ts'
import type { ResponsesRequest } from './responses-request.ts'

const ID_PREFIXES = { message: 'msg', reasoning: 'rs', tool_call: 'fc' } as const

type Status = 'in_progress' | 'completed' | 'incomplete' | 'failed'

/** How one response looks. Keeps it in `store` when it has ended, if the request wants that. */
export class ResponsesWire implements Wire {
  readonly format = 'sse'
  readonly flushesEarly = true
  readonly rereads = true
  readonly keepAlive: string | null
  readonly #kind: ServerKind
  readonly #request: ResponsesRequest
  readonly #outcome: Outcome
  readonly #store: ResponseStore
  #sequence = 0
  /** The number of the part that goes on. */
  #index = -1
  #tokens: AnswerToken[] = []
  /** A part that has ended and is not told so yet: only what follows says whether it is complete. */
  #ended: Part | null = null

  constructor(kind: ServerKind, request: ResponsesRequest, outcome: Outcome, store: ResponseStore) {
    this.#kind = kind
    this.keepAlive = OPENAI_HABITS[kind].keepAlive
    this.#request = request
    this.#outcome = outcome
    this.#store = store
  }

  opening(): Frame[] {
    const response = this.#response('in_progress', [])
    return [this.#event('response.created', { response }), this.#event('response.in_progress', { response })]
  }

  loading(): Frame[] {
    return []
  }

  prefilling(): Frame[] {
    return []
  }

  begin(_choice: number, part: Part): Frame[] {
    const before = this.#done('completed')
    this.#index++
    this.#tokens = []
    const item = this.#item(part, this.#index, [], 'in_progress')
    const frames = [...before, this.#event('response.output_item.added', { output_index: this.#index, item })]
    if (part.kind === 'tool_call') return frames
    const content = { ...this.#place(part), part: this.#content(part, []) }
    return [...frames, this.#event('response.content_part.added', content)]
  }

  tokens(_choice: number, part: Part, tokens: readonly AnswerToken[]): Frame[] {
    this.#tokens.push(...tokens)
    const delta = joined(tokens)
    if (delta === '' && OPENAI_HABITS[this.#kind].withholdsParts) return []
    switch (part.kind) {
      case 'message': {
        const told = { ...this.#place(part), delta, logprobs: this.#logprobs(tokens) }
        return [this.#event('response.output_text.delta', told)]
      }
      case 'reasoning':
        return [this.#event('response.reasoning_text.delta', { ...this.#place(part), delta })]
      case 'tool_call':
        return [this.#event('response.function_call_arguments.delta', { ...this.#place(part), delta })]
    }
  }

  end(_choice: number, part: Part): Frame[] {
    this.#ended = part
    return []
  }

  finish(_choice: number, finish: Finish): Frame[] {
    return this.#done(finish === 'length' ? 'incomplete' : 'completed')
  }

  closing(): Frame[] {
    const response = this.#complete()
    const type = response.status === 'incomplete' ? 'response.incomplete' : 'response.completed'
    return [this.#event(type, { response })]
  }

  sentinel(): Frame[] {
    return []
  }

  failing({ message }: ModelError): Frame[] {
    const error = { code: 'server_error', message }
    const response = { ...this.#response('failed', this.#items('incomplete')), error }
    return [this.#event('error', { ...error, param: null }), this.#event('response.failed', { response })]
  }

  whole(): unknown {
    return this.#complete()
  }

  /** Tells that the part before is done. */
  #done(status: Status): Frame[] {
    const part = this.#ended
    if (part === null) return []
    this.#ended = null
    const tokens = this.#tokens
    const text = joined(tokens)
    const place = this.#place(part)
    const done = { output_index: this.#index, item: this.#item(part, this.#index, tokens, status) }
    if (part.kind === 'tool_call') {
      const call = { ...place, name: part.tool?.name, arguments: text }
      return [
        this.#event('response.function_call_arguments.done', call),
        this.#event('response.output_item.done', done),
      ]
    }
    return [
      part.kind === 'message'
        ? this.#event('response.output_text.done', { ...place, text, logprobs: this.#logprobs(tokens) })
        : this.#event('response.reasoning_text.done', { ...place, text }),
      this.#event('response.content_part.done', { ...place, part: this.#content(part, tokens) }),
      this.#event('response.output_item.done', done),
    ]
  }

  #complete(): Fields {
    const cut = onlyChoice(this.#outcome).finish === 'length'
    const status = cut ? 'incomplete' : 'completed'
    const response = {
      ...this.#response(status, this.#items(status)),
      completed_at: cut ? null : Math.floor(this.#outcome.date.getTime() / 1000),
      incomplete_details: cut ? { reason: 'max_output_tokens' } : null,
      usage: this.#usage(),
    }
    if (this.#request.store) {
      this.#store.put(response.id, {
        prompt: this.#request.asked.prompt,
        text: textOf(this.#outcome, 'message'),
        body: response,
      })
    }
    return response
  }

  #response(status: Status, output: readonly object[]) {
    return {
      id: `resp_${this.#outcome.id}`,
      object: 'response',
      created_at: this.#outcome.created,
      completed_at: null as number | null,
      status,
      error: null,
      incomplete_details: null as object | null,
      model: DEMO_MODEL_NAME,
      output,
      usage: null as object | null,
      background: false,
      ...this.#request.echo,
    }
  }

  /** All items, of which only the last may be anything but completed. */
  #items(last: Status): object[] {
    const { parts } = onlyChoice(this.#outcome)
    return parts.map(({ part, tokens }, index) =>
      this.#item(part, index, tokens, index === parts.length - 1 ? last : 'completed'),
    )
  }

  #item(part: Part, index: number, tokens: readonly AnswerToken[], status: Status): object {
    const id = this.#itemId(part, index)
    const empty = status === 'in_progress'
    const content = empty ? [] : [this.#content(part, tokens)]
    switch (part.kind) {
      case 'message':
        return { id, type: 'message', status, role: 'assistant', content }
      case 'reasoning':
        return { id, type: 'reasoning', status, summary: [], content }
      case 'tool_call': {
        const { id: callId, name } = part.tool ?? { id: '', name: '' }
        return { id, type: 'function_call', status, call_id: callId, name, arguments: joined(tokens) }
      }
    }
  }

  #content(part: Part, tokens: readonly AnswerToken[]): object {
    const text = joined(tokens)
    if (part.kind === 'reasoning') return { type: 'reasoning_text', text }
    return { type: 'output_text', text, annotations: [], logprobs: this.#logprobs(tokens) }
  }

  /** Where an event of the part that goes on belongs. */
  #place(part: Part): object {
    const place = { item_id: this.#itemId(part, this.#index), output_index: this.#index }
    return part.kind === 'tool_call' ? place : { ...place, content_index: 0 }
  }

  #itemId(part: Part, index: number): string {
    return `${ID_PREFIXES[part.kind]}_${this.#outcome.id}${index.toString(16).padStart(2, '0')}`
  }

  #logprobs(tokens: readonly AnswerToken[]): object[] {
    return this.#request.logprobs ? entriesOf(this.#kind, tokens, { tokensAsIds: false }) : []
  }

  #usage(): object {
    const input = this.#outcome.prompt.length
    const output = generatedCount(this.#outcome)
    const reasoning = tokensOf(this.#outcome, 'reasoning').length
    return {
      input_tokens: input,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: reasoning },
      total_tokens: input + output,
    }
  }

  #event(type: string, fields: object): Frame {
    return { event: type, data: JSON.stringify({ type, sequence_number: this.#sequence++, ...fields }) }
  }
}
