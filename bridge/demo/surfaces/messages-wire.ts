/** Anthropic's messages on the wire: a message, or the events that build it block by block. */
import type {
  AnswerToken,
  Frame,
  ModelError,
  Outcome,
  Part,
  PromptProgress,
  ServerKind,
  Wire,
} from '../surface.ts'
import { DEMO_MODEL_NAME } from './model-name.ts'
import { OPENAI_HABITS } from './openai-habits.ts'
import { generatedCount, joined, onlyChoice } from './outcomes.ts'

const PING = { type: 'ping' }
/** Statuses whose errors have a type of their own. */
const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  529: 'overloaded_error',
}

/** An error in Anthropic's form. */
export function messagesError(status: number, message: string): object {
  return { type: 'error', error: { type: ERROR_TYPES[status] ?? 'api_error', message } }
}

/** How one message looks. */
export class MessagesWire implements Wire {
  readonly format = 'sse'
  readonly flushesEarly = true
  readonly keepAlive: string | null
  readonly #outcome: Outcome
  #index = -1

  constructor(kind: ServerKind, outcome: Outcome) {
    // The local servers keep all their streams alive in one way; Anthropic's own is an event.
    const event = `event: ping\ndata: ${JSON.stringify(PING)}\n\n`
    this.keepAlive = kind === 'demo' ? event : OPENAI_HABITS[kind].keepAlive
    this.#outcome = outcome
  }

  opening(): Frame[] {
    return []
  }

  loading(): Frame[] {
    return []
  }

  prefilling({ total, processed }: PromptProgress): Frame[] {
    // The first event tells how long the prompt is, so it waits until it has been read.
    return processed < total ? [] : [event('message_start', { message: this.#message([], null, 0) })]
  }

  begin(_choice: number, part: Part): Frame[] {
    this.#index++
    const started = event('content_block_start', { index: this.#index, content_block: block(part, null) })
    // One ping follows the first block's beginning, as Anthropic sends it.
    return this.#index === 0 ? [started, event('ping', {})] : [started]
  }

  tokens(_choice: number, part: Part, tokens: readonly AnswerToken[]): Frame[] {
    const text = joined(tokens)
    // Text waits until its characters are whole.
    if (text === '') return []
    switch (part.kind) {
      case 'message':
        return [this.#delta({ type: 'text_delta', text })]
      case 'reasoning':
        return [this.#delta({ type: 'thinking_delta', thinking: text })]
      case 'tool_call':
        return [this.#delta({ type: 'input_json_delta', partial_json: text })]
    }
  }

  end(_choice: number, part: Part): Frame[] {
    const stopped = event('content_block_stop', { index: this.#index })
    // A thought is signed by whoever can vouch for it; here nobody does, and local servers send it empty too.
    const signature = { type: 'signature_delta', signature: '' }
    return part.kind === 'reasoning' ? [this.#delta(signature), stopped] : [stopped]
  }

  finish(): Frame[] {
    return []
  }

  closing(): Frame[] {
    const { stop_reason, stop_sequence } = this.#stop()
    return [
      event('message_delta', {
        delta: { stop_reason, stop_sequence },
        usage: { output_tokens: generatedCount(this.#outcome) },
      }),
      event('message_stop', {}),
    ]
  }

  sentinel(): Frame[] {
    return []
  }

  failing({ status, message }: ModelError): Frame[] {
    return [{ event: 'error', data: JSON.stringify(messagesError(status, message)) }]
  }

  whole(): unknown {
    const blocks = onlyChoice(this.#outcome).parts.map(({ part, tokens }) => block(part, joined(tokens)))
    return this.#message(blocks, this.#stop(), generatedCount(this.#outcome))
  }

  #message(content: readonly object[], stop: Stop | null, output: number): object {
    return {
      id: `msg_${this.#outcome.id}`,
      type: 'message',
      role: 'assistant',
      model: DEMO_MODEL_NAME,
      content,
      ...(stop ?? { stop_reason: null, stop_sequence: null }),
      usage: { input_tokens: this.#outcome.prompt.length, output_tokens: output },
    }
  }

  #stop(): Stop {
    const { finish, stopSequence } = onlyChoice(this.#outcome)
    if (finish === 'length') return { stop_reason: 'max_tokens', stop_sequence: null }
    if (finish === 'tool_calls') return { stop_reason: 'tool_use', stop_sequence: null }
    const sequence = stopSequence ?? null
    return { stop_reason: sequence === null ? 'end_turn' : 'stop_sequence', stop_sequence: sequence }
  }

  #delta(delta: object): Frame {
    return event('content_block_delta', { index: this.#index, delta })
  }
}

interface Stop {
  readonly stop_reason: string
  readonly stop_sequence: string | null
}

/** A block with its text; as it begins, with none, if `text` is null. */
function block({ kind, tool }: Part, text: string | null): object {
  switch (kind) {
    case 'message':
      return { type: 'text', text: text ?? '' }
    case 'reasoning':
      return { type: 'thinking', thinking: text ?? '', signature: '' }
    case 'tool_call':
      return { type: 'tool_use', id: tool?.id, name: tool?.name, input: inputOf(text) }
  }
}

/** The arguments of a call; an answer that was cut off in them leaves none. */
function inputOf(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '{}')
  } catch {
    return {}
  }
}

function event(type: string, fields: object): Frame {
  return { event: type, data: JSON.stringify({ type, ...fields }) }
}
