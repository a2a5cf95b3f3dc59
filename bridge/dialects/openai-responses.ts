/**
 * The dialect of `POST /v1/responses`, streamed and whole: the events that OpenAI's client has types for
 * (`resources/responses`), and those of Open Responses that local servers add.
 *
 * In a stream a text is told once, as it grows: by what an item or a part has when it is added, and by its
 * deltas. What is said again when it is done (`….done`) is not told again; the whole response at the end is for
 * what did not come before.
 */
import type { TokenKind } from '../../events/generation.ts'
import { type Delta, type Dialect, nothing, type Reading, type Usage } from './dialect.ts'
import { listedTokens } from './listed-tokens.ts'
import {
  asArray,
  asObject,
  countOf,
  isSaid,
  type Json,
  nameOf,
  parsedMessage,
  textOf,
  toldError,
} from './reading.ts'

/** What a delta of each type is part of. Output of tools and sound are none: they are not the model's text. */
const DELTA_KINDS: ReadonlyMap<string, TokenKind> = new Map([
  ['response.output_text.delta', 'message'],
  ['response.refusal.delta', 'message'],
  ['response.audio.transcript.delta', 'message'],
  ['response.reasoning_text.delta', 'reasoning'],
  ['response.reasoning.delta', 'reasoning'],
  ['response.reasoning_summary_text.delta', 'reasoning'],
  ['response.function_call_arguments.delta', 'tool_call'],
  ['response.mcp_call_arguments.delta', 'tool_call'],
  ['response.custom_tool_call_input.delta', 'tool_call'],
  ['response.code_interpreter_call_code.delta', 'tool_call'],
  ['response.shell_call_command.delta', 'tool_call'],
])

export const openaiResponses: Dialect = {
  name: 'openai-responses',

  request(body) {
    const request = asObject(body)
    const { conversation } = request ?? {}
    return {
      model: nameOf(request?.model),
      stream: request?.stream === true,
      choices: 1,
      maxTokens: countOf(request?.max_output_tokens),
      previous:
        nameOf(request?.previous_response_id) ?? nameOf(conversation) ?? nameOf(asObject(conversation)?.id),
    }
  },

  event(type, data) {
    // None of OpenAI's, but some servers end all their streams with it.
    if (data === '[DONE]') return nothing()
    // Long ones, of which nothing is read.
    if (type?.endsWith('.done')) return nothing()
    const parsed = parsedMessage(data)
    return 'reading' in parsed ? parsed.reading : readEvent(type, parsed.message)
  },

  whole(body) {
    const response = asObject(body)
    if (response === null) return null
    if (!Array.isArray(response.output)) {
      return isSaid(response.error) ? { ...nothing(), error: toldError(response) } : null
    }
    return { ...readResponse(response, 'completed'), deltas: readOutput(response.output) }
  },
}

function readEvent(named: string | undefined, event: Json): Reading {
  const type = nameOf(event.type) ?? named ?? ''
  const kind = DELTA_KINDS.get(type)
  if (kind !== undefined) {
    const reading = nothing()
    addText(reading.deltas, kind, event.delta, event.logprobs)
    return reading
  }
  switch (type) {
    case 'response.output_item.added': {
      const reading = nothing()
      readItem(asObject(event.item), reading.deltas)
      return reading
    }
    case 'response.content_part.added':
    case 'response.reasoning_summary_part.added': {
      const reading = nothing()
      readPart(asObject(event.part), reading.deltas)
      return reading
    }
    case 'response.shell_call_command.added': {
      const reading = nothing()
      addText(reading.deltas, 'tool_call', event.command)
      return reading
    }
    case 'error':
      return { ...nothing(), error: toldError(isSaid(event.error) ? event : { error: untyped(event) }) }
    case 'response.created':
    case 'response.queued':
    case 'response.in_progress':
      return readResponse(asObject(event.response) ?? {}, type.slice('response.'.length))
    case 'response.completed':
    case 'response.incomplete':
    case 'response.failed':
    case 'response.cancelled': {
      const response = asObject(event.response) ?? {}
      const again = readOutput(response.output)
      return { ...readResponse(response, type.slice('response.'.length)), again }
    }
    default:
      return isSaid(event.error) ? { ...nothing(), error: toldError(event) } : nothing()
  }
}

/** All that a response says but its output; `otherwise` is its status where it has none. */
function readResponse(response: Json, otherwise: string): Reading {
  const reading = nothing()
  reading.model = nameOf(response.model)
  reading.id = nameOf(response.id)
  reading.usage = readUsage(response.usage)
  const status = nameOf(response.status) ?? otherwise
  if (isSaid(response.error)) reading.error = toldError(response)
  else if (status === 'failed') reading.error = toldError({ error: { message: 'the response failed' } })
  else if (status === 'completed') reading.finished.push({ choice: 0, ending: null })
  else if (status === 'incomplete') {
    reading.finished.push({ choice: 0, ending: endingOf(asObject(response.incomplete_details)) })
  } else if (status === 'cancelled') reading.finished.push({ choice: 0, ending: status })
  return reading
}

/** Why a response is incomplete; a limit goes by the name that all other paths have for it. */
function endingOf(details: Json | null): string {
  const reason = nameOf(details?.reason)
  return reason === 'max_output_tokens' ? 'length' : (reason ?? 'incomplete')
}

/** An error event says its own type in the place where an error says what kind it is. */
function untyped({ type: _, ...error }: Json): Json {
  return error
}

function readOutput(output: unknown): Delta[] {
  const deltas: Delta[] = []
  for (const item of asArray(output)) readItem(asObject(item), deltas)
  return deltas
}

/** What the model wrote in an item of the output. What a tool answered is not the model's. */
function readItem(item: Json | null, deltas: Delta[]): void {
  switch (item?.type) {
    case 'message':
      for (const part of asArray(item.content)) readPart(asObject(part), deltas)
      break
    case 'reasoning':
      for (const part of asArray(item.summary)) readPart(asObject(part), deltas)
      for (const part of asArray(item.content)) readPart(asObject(part), deltas)
      break
    case 'function_call':
    case 'mcp_call':
      addText(deltas, 'tool_call', item.name)
      addText(deltas, 'tool_call', item.arguments)
      break
    case 'custom_tool_call':
      addText(deltas, 'tool_call', item.name)
      addText(deltas, 'tool_call', item.input)
      break
    case 'code_interpreter_call':
      addText(deltas, 'tool_call', item.code)
      break
    case 'shell_call':
      for (const command of asArray(asObject(item.action)?.commands)) addText(deltas, 'tool_call', command)
  }
}

function readPart(part: Json | null, deltas: Delta[]): void {
  switch (part?.type) {
    case 'output_text':
    case 'text':
      addText(deltas, 'message', part.text, part.logprobs)
      break
    case 'refusal':
      addText(deltas, 'message', part.refusal)
      break
    case 'reasoning_text':
    case 'summary_text':
      addText(deltas, 'reasoning', part.text, part.logprobs)
  }
}

function addText(deltas: Delta[], kind: TokenKind, value: unknown, logprobs: unknown = null): void {
  const text = textOf(value)
  const tokens = listedTokens(logprobs)
  if (text !== '' || tokens.length > 0) deltas.push({ choice: 0, kind, text, tokens, count: null })
}

function readUsage(value: unknown): Usage | null {
  const usage = asObject(value)
  const completionTokens = countOf(usage?.output_tokens) || null
  if (completionTokens === null) return null
  return {
    promptTokens: countOf(usage?.input_tokens),
    completionTokens,
    totalTokens: countOf(usage?.total_tokens),
  }
}
