/**
 * The dialect of `POST /v1/chat/completions`, streamed and whole, as OpenAI documents it and as LM Studio,
 * llama.cpp, Ollama and vLLM speak it.
 */
import type { TokenKind } from '../events/generation.ts'
import {
  type Delta,
  type Dialect,
  errorMessage,
  nothing,
  type Reading,
  type TokenLogprob,
  upstreamError,
} from './dialect.ts'

type Json = Record<string, unknown>

export const openaiChat: Dialect = {
  name: 'openai-chat',

  request(body) {
    const request = asObject(body)
    const model = request?.model
    return { model: typeof model === 'string' ? model : null, stream: request?.stream === true }
  },

  event(type, data) {
    // Comes after the end, and after some errors as well: it decides nothing.
    if (data === '[DONE]') return nothing()
    let message: unknown
    try {
      message = JSON.parse(data)
    } catch {
      return {
        ...nothing(),
        error: { kind: 'parse', message: `not JSON in the stream: ${data.slice(0, 200)}`, retryable: true },
      }
    }
    const chunk = asObject(message)
    if (chunk === null) return nothing()
    if (type === 'error' || (chunk.error !== undefined && chunk.error !== null)) {
      return upstreamError(errorMessage(chunk) ?? data.slice(0, 500))
    }
    return readChoices(chunk, 'delta')
  },

  whole(body) {
    const answer = asObject(body)
    if (answer === null) return null
    if (Array.isArray(answer.choices)) return readChoices(answer, 'message')
    const message = errorMessage(answer)
    return message === null ? null : upstreamError(message)
  },
}

function readChoices(body: Json, part: 'delta' | 'message'): Reading {
  const reading = nothing()
  if (typeof body.model === 'string' && body.model !== '') reading.model = body.model
  reading.usage = readUsage(body.usage)
  for (const item of Array.isArray(body.choices) ? body.choices : []) {
    const choice = asObject(item)
    if (choice === null) continue
    const index = typeof choice.index === 'number' ? choice.index : 0
    readDelta(reading.deltas, index, asObject(choice[part]), readLogprobs(choice.logprobs))
    if (typeof choice.finish_reason === 'string') {
      reading.finished.push({ choice: index, ending: choice.finish_reason })
    }
  }
  return reading
}

function readDelta(deltas: Delta[], choice: number, delta: Json | null, logprobs: TokenLogprob[]): void {
  const reasoning = textOf(delta?.reasoning_content) || textOf(delta?.reasoning)
  const content = textOf(delta?.content) || textOf(delta?.refusal)
  const calls = readToolCalls(delta?.tool_calls)
  // Logprobs belong to the content; where one message holds reasoning and no content they are the
  // reasoning's (Ollama puts them there). Entries without any text are half a character: still tokens.
  const ofContent = content !== '' || (reasoning === '' && calls === '')
  const add = (kind: TokenKind, text: string, entries: TokenLogprob[]) => {
    if (text !== '' || entries.length > 0) deltas.push({ choice, kind, text, logprobs: entries })
  }
  add('reasoning', reasoning, ofContent || reasoning === '' ? [] : logprobs)
  add('message', content, ofContent ? logprobs : [])
  add('tool_call', calls, !ofContent && reasoning === '' ? logprobs : [])
}

function readToolCalls(value: unknown): string {
  if (!Array.isArray(value)) return ''
  return value
    .map(item => {
      const call = asObject(asObject(item)?.function)
      return textOf(call?.name) + textOf(call?.arguments)
    })
    .join('')
}

function readLogprobs(value: unknown): TokenLogprob[] {
  const logprobs = asObject(value)
  const list = Array.isArray(logprobs?.content) ? logprobs.content : []
  const entries: TokenLogprob[] = []
  for (const item of list) {
    const entry = asObject(item)
    if (entry === null || typeof entry.logprob !== 'number') continue
    const top = Array.isArray(entry.top_logprobs) ? entry.top_logprobs : []
    entries.push({
      id: Number.isInteger(entry.id) ? (entry.id as number) : null,
      text: textOf(entry.token),
      logprob: entry.logprob,
      top: top.flatMap(candidate => {
        const { token, logprob } = asObject(candidate) ?? {}
        return typeof logprob === 'number' ? [{ text: textOf(token), logprob }] : []
      }),
    })
  }
  return entries
}

function readUsage(value: unknown): Reading['usage'] {
  const usage = asObject(value)
  // Some servers put a usage of zeros on every chunk.
  if (typeof usage?.completion_tokens !== 'number' || usage.completion_tokens === 0) return null
  const total = usage.total_tokens
  return { completionTokens: usage.completion_tokens, totalTokens: typeof total === 'number' ? total : null }
}

function asObject(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
