/**
 * The dialect of `POST /v1/completions`, streamed and whole, as OpenAI documents it and as LM Studio
 * (`/api/v0` too), llama.cpp, Ollama and vLLM write it.
 */
import type { Dialect, ListedToken, Reading } from './dialect.ts'
import { legacyTokens, listedTokens, withIds } from './listed-tokens.ts'
import { readChunk, readWhole } from './openai-chunk.ts'
import { asArray, asObject, countOf, isSaid, type Json, nameOf, textOf, toldError } from './reading.ts'

export const openaiCompletions: Dialect = {
  name: 'openai-completions',

  request(body) {
    const request = asObject(body)
    return {
      model: nameOf(request?.model),
      stream: request?.stream === true,
      choices: promptsOf(request?.prompt) * (countOf(request?.n) || 1),
      maxTokens: countOf(request?.max_tokens),
      previous: null,
    }
  },

  event: (type, data) => readChunk(type, data, readChoices),

  whole: body => readWhole(body, readChoices),
}

/** A text, a list of texts, a prompt in tokens, or a list of those: each prompt has choices of its own. */
function promptsOf(prompt: unknown): number {
  if (!Array.isArray(prompt) || typeof prompt[0] === 'number') return 1
  return prompt.length || 1
}

function readChoices(body: Json, reading: Reading): void {
  for (const item of asArray(body.choices)) {
    const choice = asObject(item)
    if (choice === null) continue
    const index = countOf(choice.index) ?? 0
    const text = textOf(choice.text)
    const { tokens, count } = withIds(readLogprobs(choice.logprobs), choice.token_ids, text, 1)
    if (text !== '' || tokens.length > 0 || count !== null) {
      reading.deltas.push({ choice: index, kind: 'message', text, tokens, count })
    }
    const { finish_reason: ending } = choice
    if (typeof ending === 'string') reading.finished.push({ choice: index, ending })
    if (isSaid(choice.error)) reading.error = toldError(choice)
  }
}

/** OpenAI's and vLLM's three lists, or the entries of a chat completion, as llama.cpp and Ollama have them here. */
function readLogprobs(value: unknown): ListedToken[] {
  const logprobs = asObject(value)
  if (logprobs === null) return []
  return Array.isArray(logprobs.content) ? listedTokens(logprobs.content) : legacyTokens(logprobs)
}
