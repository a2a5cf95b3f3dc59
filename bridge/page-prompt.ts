/**
 * The page's own prompts in the dialect that tells most: what an upstream is asked with, by its kind.
 */
import type { UpstreamKind } from '../events/upstream-spec.ts'
import { asObject } from './dialects/reading.ts'

/** Alternatives to ask for. */
const TOP_LOGPROBS = 5

/** A prompt of the page. */
export interface Prompt {
  messages: { role: string; content?: unknown }[]
  model?: string
  /** Further fields of a chat completion, as OpenAI names them: temperature, max_tokens, seed, … */
  parameters: Record<string, unknown>
}

/** What is sent. */
export interface PromptRequest {
  path: string
  body: Record<string, unknown>
  /** Parameters that were given and have no name on this path: they are not sent. */
  leftOut: string[]
}

/**
 * The request for a prompt.
 *
 * LM Studio gives logprobs on `/v1/responses` alone; where a model gave none there, its own `/api/v1/chat` tells
 * more (loading, prompt processing, its own counts), as long as the prompt is one that it can be asked:
 * it takes no answers of before. Nothing is kept there. Ollama loses errors on `/v1`, so its own API is asked.
 *
 * `reasoning_effort` is OpenAI's word, `none` being no reasoning. Where servers leave that to the model's template it
 * is told by the names that templates have for it, `enable_thinking` and `reasoning_effort`.
 *
 * @param model to ask for; null leaves the choice to the upstream
 * @param gaveNone whether this model is known to give no logprobs on this upstream
 */
export function promptRequest(
  prompt: Prompt,
  { kind, model, gaveNone }: { kind: UpstreamKind; model: string | null; gaveNone: boolean },
): PromptRequest {
  const named = model === null ? {} : { model }
  switch (kind) {
    case 'lmstudio': {
      const single = gaveNone ? singleTurn(prompt.messages) : null
      return single === null ? responses(prompt, named) : lmStudioChat(prompt, single, named)
    }
    case 'ollama':
      return ollamaChat(prompt, named)
    case 'llamacpp':
      return llamacppChat(prompt, named)
    case 'vllm':
      return chat(withoutNone(prompt), named, { return_token_ids: true, ...template(prompt) })
    default:
      return chat(prompt, named, {})
  }
}

function chat({ messages, parameters }: Prompt, named: object, more: object): PromptRequest {
  return {
    path: '/v1/chat/completions',
    body: {
      ...parameters,
      ...named,
      messages,
      stream: true,
      stream_options: { include_usage: true },
      logprobs: true,
      top_logprobs: TOP_LOGPROBS,
      ...more,
    },
    leftOut: [],
  }
}

function llamacppChat(prompt: Prompt, named: object): PromptRequest {
  const more = { return_progress: true, ...template(prompt) }
  return chat(withoutEffort(prompt), named, { ...llamacppProbabilities(prompt), ...more })
}

function withoutEffort({ messages, parameters }: Prompt): Prompt {
  const { reasoning_effort: _, ...rest } = parameters
  return { messages, parameters: rest }
}

/** vLLM looks at the word itself as well, and not every version knows this one. */
function withoutNone(prompt: Prompt): Prompt {
  return prompt.parameters.reasoning_effort === 'none' ? withoutEffort(prompt) : prompt
}

/** How much the model is to think, as templates have it; a template takes what it knows. */
function template({ parameters }: Prompt): object {
  const { reasoning_effort: effort, chat_template_kwargs: given } = parameters
  if (effort === undefined) return {}
  const words = effort === 'none' ? {} : { reasoning_effort: effort }
  return { chat_template_kwargs: { enable_thinking: effort !== 'none', ...words, ...asObject(given) } }
}

/** llama.cpp refuses `logprobs` beside tools in a stream; by its own name for it, it gives them. */
function llamacppProbabilities({ parameters }: Prompt): object {
  if (!Array.isArray(parameters.tools) || parameters.tools.length === 0) return {}
  return { logprobs: undefined, top_logprobs: undefined, n_probs: TOP_LOGPROBS }
}

function responses({ messages, parameters }: Prompt, named: object): PromptRequest {
  const { max_tokens, max_completion_tokens, reasoning_effort, seed, ...rest } = parameters
  const limit = max_completion_tokens ?? max_tokens
  return {
    path: '/v1/responses',
    body: {
      ...rest,
      ...named,
      input: messages,
      ...(limit === undefined ? {} : { max_output_tokens: limit }),
      ...(reasoning_effort === undefined ? {} : { reasoning: { effort: reasoning_effort } }),
      include: ['message.output_text.logprobs'],
      top_logprobs: TOP_LOGPROBS,
      stream: true,
      store: false,
    },
    leftOut: given({ seed }),
  }
}

function lmStudioChat({ parameters }: Prompt, { system, user }: SingleTurn, named: object): PromptRequest {
  const { max_tokens, max_completion_tokens, reasoning_effort, seed, ...rest } = parameters
  const limit = max_completion_tokens ?? max_tokens
  return {
    path: '/api/v1/chat',
    body: {
      ...rest,
      ...named,
      input: user,
      ...(system === '' ? {} : { system_prompt: system }),
      ...(limit === undefined ? {} : { max_output_tokens: limit }),
      ...(reasoning_effort === undefined
        ? {}
        : { reasoning: reasoning_effort === 'none' ? 'off' : reasoning_effort }),
      stream: true,
      store: false,
    },
    leftOut: given({ seed }),
  }
}

function ollamaChat({ messages, parameters }: Prompt, named: object): PromptRequest {
  const { max_tokens, max_completion_tokens, temperature, seed, top_p, stop, reasoning_effort, ...rest } =
    parameters
  const options = { temperature, seed, top_p, stop, num_predict: max_completion_tokens ?? max_tokens }
  const known = Object.entries(options).filter(([, value]) => value !== undefined)
  return {
    path: '/api/chat',
    body: {
      ...rest,
      ...named,
      messages,
      ...(reasoning_effort === undefined
        ? {}
        : { think: reasoning_effort === 'none' ? false : reasoning_effort }),
      ...(known.length === 0 ? {} : { options: Object.fromEntries(known) }),
      stream: true,
      logprobs: true,
      top_logprobs: TOP_LOGPROBS,
    },
    leftOut: [],
  }
}

/** Names of what is there. */
function given(parameters: Record<string, unknown>): string[] {
  return Object.keys(parameters).filter(name => parameters[name] !== undefined)
}

interface SingleTurn {
  system: string
  user: string
}

/** What LM Studio's own chat can be asked: system messages and one question, all text. */
function singleTurn(messages: Prompt['messages']): SingleTurn | null {
  const last = messages.at(-1)
  const before = messages.slice(0, -1)
  if (last?.role !== 'user' || !before.every(({ role }) => role === 'system' || role === 'developer'))
    return null
  if (!messages.every(({ content }) => typeof content === 'string')) return null
  return { system: before.map(({ content }) => content).join('\n\n'), user: last.content as string }
}
