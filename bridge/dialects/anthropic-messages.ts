/**
 * The dialect of `POST /v1/messages`, streamed and whole, as Anthropic documents it and as LM Studio,
 * llama.cpp, Ollama and vLLM write it.
 */
import type { TokenKind } from '../../events/generation.ts'
import { type Delta, type Dialect, nothing, type Reading, type Usage } from './dialect.ts'
import {
  asObject,
  countOf,
  isSaid,
  type Json,
  jsonOf,
  nameOf,
  parsedMessage,
  textOf,
  toldError,
} from './reading.ts'

export const anthropicMessages: Dialect = {
  name: 'anthropic-messages',

  request(body) {
    const request = asObject(body)
    return {
      model: nameOf(request?.model),
      stream: request?.stream === true,
      choices: 1,
      maxTokens: countOf(request?.max_tokens),
      previous: null,
    }
  },

  event(type, data) {
    // None of Anthropic's, but some servers end all their streams with it.
    if (data === '[DONE]') return nothing()
    const parsed = parsedMessage(data)
    return 'reading' in parsed ? parsed.reading : readEvent(type, parsed.message)
  },

  whole(body) {
    const message = asObject(body)
    if (message === null) return null
    if (!Array.isArray(message.content)) {
      return isSaid(message.error) ? { ...nothing(), error: toldError(message) } : null
    }
    const reading = readMessage(message)
    // It is over, also where a server has no word for why.
    if (reading.finished.length === 0) reading.finished.push({ choice: 0, ending: null })
    for (const block of message.content) readBlock(asObject(block), reading.deltas)
    return reading
  },
}

function readEvent(named: string | undefined, event: Json): Reading {
  const reading = nothing()
  const type = nameOf(event.type) ?? named
  switch (type) {
    case 'content_block_delta':
      readDelta(asObject(event.delta), reading.deltas)
      return reading
    case 'content_block_start':
      readBlock(asObject(event.content_block), reading.deltas)
      return reading
    case 'message_start':
      return readMessage(asObject(event.message) ?? {}, true)
    case 'message_delta':
      finish(reading, asObject(event.delta)?.stop_reason)
      reading.usage = readUsage(event.usage)
      return reading
    case 'message_stop':
      reading.finished.push({ choice: 0, ending: null })
      return reading
    default:
      if (type === 'error' || isSaid(event.error)) reading.error = toldError(event)
      return reading
  }
}

/** All that a message says but its content. At its beginning its count of tokens is none yet. */
function readMessage(message: Json, begins = false): Reading {
  const reading = nothing()
  reading.model = nameOf(message.model)
  reading.id = nameOf(message.id)
  finish(reading, message.stop_reason)
  const usage = readUsage(message.usage)
  reading.usage = usage !== null && begins ? { ...usage, completionTokens: 0, totalTokens: null } : usage
  return reading
}

/** A limit goes by the name that the other APIs have for it. */
function finish(reading: Reading, reason: unknown): void {
  const word = nameOf(reason)
  if (word !== null) reading.finished.push({ choice: 0, ending: word === 'max_tokens' ? 'length' : word })
}

/** A block as it begins, or a whole one. What a tool on the server's side answered is not the model's. */
function readBlock(block: Json | null, deltas: Delta[]): void {
  switch (block?.type) {
    case 'text':
      addText(deltas, 'message', block.text)
      break
    case 'thinking':
      addText(deltas, 'reasoning', block.thinking)
      break
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use': {
      addText(deltas, 'tool_call', block.name)
      // Where a block begins its input is an empty object, which stands for what is still to come.
      const input = asObject(block.input)
      if (input !== null && Object.keys(input).length > 0) {
        addText(deltas, 'tool_call', jsonOf(input))
      }
    }
  }
}

function readDelta(delta: Json | null, deltas: Delta[]): void {
  switch (delta?.type) {
    case 'text_delta':
      addText(deltas, 'message', delta.text)
      break
    case 'thinking_delta':
      addText(deltas, 'reasoning', delta.thinking)
      break
    case 'input_json_delta':
      addText(deltas, 'tool_call', delta.partial_json)
  }
}

function addText(deltas: Delta[], kind: TokenKind, value: unknown): void {
  const text = textOf(value)
  if (text !== '') deltas.push({ choice: 0, kind, text, tokens: [], count: null })
}

/** The prompt is what was read anew and what a cache took or gave, which are counted apart. */
function readUsage(value: unknown): Usage | null {
  const usage = asObject(value)
  if (usage === null) return null
  const input = countOf(usage.input_tokens)
  const cached =
    (countOf(usage.cache_creation_input_tokens) ?? 0) + (countOf(usage.cache_read_input_tokens) ?? 0)
  // Some servers count the prompt at the beginning or at the end only, and have a zero at the other.
  const promptTokens = input === null ? null : input + cached || null
  const completionTokens = countOf(usage.output_tokens) ?? 0
  if (completionTokens === 0 && promptTokens === null) return null
  return {
    promptTokens,
    completionTokens,
    totalTokens: promptTokens === null || completionTokens === 0 ? null : promptTokens + completionTokens,
  }
}
