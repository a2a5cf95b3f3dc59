/**
 * The dialect of `POST /v1/chat/completions`, streamed and whole, as OpenAI documents it and as LM Studio
 * (`/api/v0` too), llama.cpp, Ollama, vLLM and those behind routers write it.
 */
import type { TokenKind } from '../../events/generation.ts'
import { allot } from '../token-division.ts'
import type { Delta, Dialect, ListedToken, Reading } from './dialect.ts'
import { listedTokens, withIds } from './listed-tokens.ts'
import { readChunk, readWhole } from './openai-chunk.ts'
import {
  asArray,
  asObject,
  countOf,
  isSaid,
  type Json,
  jsonOf,
  nameOf,
  textOf,
  toldError,
} from './reading.ts'

export const openaiChat: Dialect = {
  name: 'openai-chat',

  request(body) {
    const request = asObject(body)
    return {
      model: nameOf(request?.model),
      stream: request?.stream === true,
      choices: countOf(request?.n) || 1,
      maxTokens: countOf(request?.max_completion_tokens) ?? countOf(request?.max_tokens),
      previous: null,
    }
  },

  event: (type, data) => readChunk(type, data, readDeltas),

  whole: body => readWhole(body, readMessages),
}

function readDeltas(chunk: Json, reading: Reading): void {
  readChoices(chunk, 'delta', reading)
}

function readMessages(answer: Json, reading: Reading): void {
  readChoices(answer, 'message', reading)
}

function readChoices(body: Json, part: 'delta' | 'message', reading: Reading): void {
  for (const item of asArray(body.choices)) {
    const choice = asObject(item)
    if (choice === null) continue
    const index = countOf(choice.index) ?? 0
    readChoice(index, choice, asObject(choice[part]), reading.deltas)
    const { finish_reason: ending } = choice
    if (typeof ending === 'string') reading.finished.push({ choice: index, ending })
    // A router tells the fault of the server behind it here.
    if (isSaid(choice.error)) reading.error = toldError(choice)
  }
}

/** Reads what came for one choice: its texts, then which of the listed tokens belong to which. */
function readChoice(index: number, choice: Json, part: Json | null, deltas: Delta[]): void {
  const first = deltas.length
  if (part !== null) readTexts(index, part, deltas)
  const logprobs = asObject(choice.logprobs)
  const { token_ids: ids } = choice
  if (logprobs === null && !isSaid(ids)) return
  const entries = [...listedTokens(logprobs?.content), ...listedTokens(logprobs?.refusal)]
  const texts = deltas.length - first
  const text = deltas[first]?.text ?? ''
  const { tokens, count } = withIds(entries, ids, text, texts)
  if (tokens.length === 0 && count === null) return
  // Tokens without any text are parts of a character: still tokens.
  if (texts === 0) deltas.push({ choice: index, kind: 'message', text, tokens: [], count: null })
  const told = deltas.slice(first)
  if (told.length > 1) shareOut(told, tokens)
  else if (told[0] !== undefined) {
    told[0].tokens = tokens
    told[0].count = count
  }
}

/** Some list the tokens of everything that was generated, others those of the content alone. */
function shareOut(deltas: readonly Delta[], tokens: readonly ListedToken[]): void {
  const content = deltas.findIndex(({ kind }) => kind === 'message')
  const texts = deltas.map(({ text }) => text)
  for (const [i, share] of allot(texts, tokens, Math.max(0, content)).entries()) {
    ;(deltas[i] as Delta).tokens = share
  }
}

function readTexts(choice: number, part: Json, deltas: Delta[]): void {
  const { content, refusal, function_call: call } = part
  addText(deltas, choice, 'reasoning', reasoningOf(part))
  if (typeof content === 'string') addText(deltas, choice, 'message', content)
  else if (isSaid(content)) {
    for (const [kind, text] of readParts(content)) addText(deltas, choice, kind, text)
  }
  if (isSaid(refusal)) addText(deltas, choice, 'message', textOf(refusal))
  if (isSaid(part.tool_calls)) {
    for (const item of asArray(part.tool_calls)) {
      const tool = asObject(item)
      addCall(deltas, choice, tool?.function ?? tool?.custom)
    }
  }
  if (isSaid(call)) addCall(deltas, choice, call)
}

/** The name and the arguments of a call, which are texts of their own. */
function addCall(deltas: Delta[], choice: number, value: unknown): void {
  const call = asObject(value)
  if (call === null) return
  addText(deltas, choice, 'tool_call', textOf(call.name))
  const { arguments: given } = call
  const text = asObject(given) === null ? textOf(given ?? call.input) : jsonOf(given)
  addText(deltas, choice, 'tool_call', text)
}

function addText(deltas: Delta[], choice: number, kind: TokenKind, text: string): void {
  if (text !== '') deltas.push({ choice, kind, text, tokens: [], count: null })
}

/** Reasoning under the first of its names that has any: routers repeat it under several. */
function reasoningOf(part: Json): string {
  const { reasoning_content, reasoning, thinking, reasoning_details } = part
  return (
    plainText(reasoning_content) ||
    plainText(reasoning) ||
    plainText(thinking) ||
    plainText(reasoning_details)
  )
}

/** A text, or the texts of a list of parts. */
function plainText(value: unknown): string {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return ''
  return value
    .map(item => {
      const part = asObject(item)
      return part === null ? textOf(item) : textOf(part.text) || textOf(part.summary)
    })
    .join('')
}

/** The parts of a content that is a list: texts, refusals, and thoughts in between. */
function readParts(content: unknown): [kind: TokenKind, text: string][] {
  return asArray(content).map(item => {
    const part = asObject(item)
    if (part === null) return ['message', textOf(item)]
    if (part.type === 'thinking' || part.type === 'reasoning') {
      return ['reasoning', plainText(part.thinking) || plainText(part.text)]
    }
    return ['message', textOf(part.text) || textOf(part.refusal)]
  })
}
