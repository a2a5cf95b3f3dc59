/**
 * The dialect of LM Studio's own `POST /api/v1/chat`, streamed and whole, as its REST documentation has it
 * (`rest/streaming-events`, `rest/chat`).
 */
import type { UpstreamTimings } from '../../events/generation.ts'
import { type Delta, type Dialect, nothing, type Reading, type Usage } from './dialect.ts'
import {
  asArray,
  asObject,
  countOf,
  errorMessage,
  errorReading,
  isSaid,
  type Json,
  jsonOf,
  nameOf,
  parsedMessage,
  textOf,
} from './reading.ts'

export const lmStudioChat: Dialect = {
  name: 'lmstudio-chat',
  reportsProgress: true,

  request(body) {
    const request = asObject(body)
    return {
      model: nameOf(request?.model),
      stream: request?.stream === true,
      choices: 1,
      maxTokens: countOf(request?.max_output_tokens),
      previous: nameOf(request?.previous_response_id),
    }
  },

  event(type, data) {
    const parsed = parsedMessage(data)
    if ('reading' in parsed) return parsed.reading
    const { message } = parsed
    // The data repeats the event's type, so it is known even where something between dropped the names.
    return read(nameOf(message.type) ?? type, message)
  },

  whole(body) {
    const answer = asObject(body)
    if (answer === null) return null
    if (Array.isArray(answer.output)) {
      return { ...readResult(answer), deltas: readOutput(answer.output) }
    }
    return errorMessage(answer) === null ? null : errorReading(answer)
  },
}

function read(type: string | undefined, message: Json): Reading {
  const reading = nothing()
  reading.model = nameOf(message.model_instance_id)
  switch (type) {
    case 'model_load.start':
    case 'prompt_processing.start':
      return { ...reading, progress: progressOf(type, null) }
    case 'model_load.progress':
    case 'prompt_processing.progress':
      return { ...reading, progress: progressOf(type, countOf(message.progress)) }
    case 'model_load.end':
      return {
        ...reading,
        progress: progressOf(type, 1),
        timings: timingsOf({ load_ms: milliseconds(message.load_time_seconds) }),
      }
    case 'prompt_processing.end':
      return { ...reading, progress: progressOf(type, 1) }
    case 'reasoning.delta':
    case 'message.delta': {
      const kind = type === 'message.delta' ? 'message' : 'reasoning'
      return { ...reading, deltas: deltaOf(kind, textOf(message.content)) }
    }
    case 'tool_call.start':
      return { ...reading, deltas: deltaOf('tool_call', textOf(message.tool)) }
    case 'tool_call.arguments':
      return { ...reading, deltas: deltaOf('tool_call', argumentsOf(message)) }
    case 'error':
      return errorReading(message)
    case 'chat.end': {
      const result = asObject(message.result)
      return { ...readResult(result), again: readOutput(result?.output) }
    }
    default:
      // Starts and ends of parts, and what became of a tool call: none of it is the model's.
      return isSaid(message.error) ? errorReading(message) : reading
  }
}

/** What the result says besides its text. It ends the answer, and has no word for why. */
function readResult(result: Json | null): Reading {
  const stats = asObject(result?.stats)
  return {
    ...nothing(),
    model: nameOf(result?.model_instance_id),
    id: nameOf(result?.response_id),
    finished: [{ choice: 0, ending: null }],
    usage: readUsage(stats),
    timings:
      stats === null
        ? null
        : timingsOf({
            load_ms: milliseconds(stats.model_load_time_seconds),
            tokens_per_second: countOf(stats.tokens_per_second),
          }),
  }
}

function readOutput(output: unknown): Delta[] {
  return asArray(output).flatMap(item => readItem(asObject(item)))
}

/** An item of a whole answer. A call that was invalid is told as what went wrong, as in a stream. */
function readItem(item: Json | null): Delta[] {
  switch (item?.type) {
    case 'message':
    case 'reasoning':
      return deltaOf(item.type, textOf(item.content))
    case 'tool_call':
      return [...deltaOf('tool_call', textOf(item.tool)), ...deltaOf('tool_call', argumentsOf(item))]
    default:
      return []
  }
}

function deltaOf(kind: Delta['kind'], text: string): Delta[] {
  return text === '' ? [] : [{ choice: 0, kind, text, tokens: [], count: null }]
}

/** The arguments of a call, which come parsed. */
function argumentsOf(call: Json): string {
  return jsonOf(call.arguments)
}

function progressOf(type: string, done: number | null): Reading['progress'] {
  return { state: type.startsWith('model_load') ? 'loading_model' : 'processing_prompt', done }
}

function readUsage(stats: Json | null): Usage | null {
  const completionTokens = countOf(stats?.total_output_tokens) || null
  if (completionTokens === null) return null
  const promptTokens = countOf(stats?.input_tokens)
  return {
    promptTokens,
    completionTokens,
    totalTokens: promptTokens === null ? null : promptTokens + completionTokens,
  }
}

function timingsOf(known: Partial<UpstreamTimings>): UpstreamTimings {
  return { load_ms: null, prompt_ms: null, generation_ms: null, tokens_per_second: null, ...known }
}

function milliseconds(seconds: unknown): number | null {
  const count = countOf(seconds)
  return count === null ? null : count * 1000
}
