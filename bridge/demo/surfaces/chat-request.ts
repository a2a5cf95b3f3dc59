/** Reads the body of a chat completion's request, whatever server is played. */
import type { Asked, ServerKind } from '../surface.ts'
import { bad, contentOf, type Fields, flag, isRecord, number, stopsOf } from './fields.ts'
import { checkModelName, DEMO_MODEL_NAME } from './model-name.ts'
import { OPENAI_HABITS } from './openai-habits.ts'
import { callTool, type OfferedTool } from './tool-calls.ts'

export const MAX_CHOICES = 8
const MAX_TOP_LOGPROBS = 20
const MAX_TOKENS = 1_000_000
const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function']
const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']

/** What a request asks of the form, beside what it asks of the model. */
export interface ChatRequest {
  readonly asked: Asked
  readonly logprobs: boolean
  readonly form: StreamForm
}

/** The switches of a stream; those that a server does not have are off. */
export interface StreamForm {
  readonly includeUsage: boolean
  /** vLLM: the usage so far on every chunk; only where `includeUsage` is on, too. */
  readonly continuousUsage: boolean
  /** llama.cpp: the timings so far on every chunk. */
  readonly timingsPerToken: boolean
  /** llama.cpp: how far the prompt has been read. */
  readonly returnProgress: boolean
  /** vLLM: ids of the prompt's tokens and of the answer's. */
  readonly returnTokenIds: boolean
  /** vLLM: `token_id:17` in place of a token's text in entries. */
  readonly tokensAsIds: boolean
}

/**
 * Reads a parsed body. Fields it does not know are ignored, null counts as not given, and `max_tokens` -1
 * means no limit of the client's, as LM Studio has it. Throws a TokenscopeError that names the field:
 * BAD_REQUEST, or NOT_FOUND for a model that is not there.
 */
export function parseChatRequest(body: unknown, kind: ServerKind): ChatRequest {
  if (!isRecord(body)) throw bad('the body must be a JSON object')
  readModel(body, kind)
  const logprobs = flag(body, 'logprobs')
  const topLogprobs = number(body, 'top_logprobs', { from: 0, to: MAX_TOP_LOGPROBS, whole: true })
  if (topLogprobs !== undefined && !logprobs) {
    throw bad('top_logprobs needs logprobs to be true', 'top_logprobs')
  }
  const tools = toolsOf(body.tools)
  const stream = flag(body, 'stream')
  if (kind === 'llamacpp' && logprobs && stream && tools.length > 0) {
    throw bad('logprobs is not supported with tools + stream', 'logprobs')
  }
  const prompt = promptOf(body.messages)
  const tool = chosenTool(body.tool_choice, tools)
  const limitName = (body.max_completion_tokens ?? null) === null ? 'max_tokens' : 'max_completion_tokens'
  return {
    asked: {
      prompt,
      stream,
      choices: number(body, 'n', { from: 1, to: MAX_CHOICES, whole: true }) ?? 1,
      topCount: topLogprobs ?? 0,
      ...samplingOf(body, limitName),
      reasoning: wantsReasoning(body),
      toolCall: tool === null ? null : callTool(tool, prompt),
      ...batchOf(body, kind),
      ...prefillOf(body, kind),
    },
    logprobs,
    form: formOf(body, kind),
  }
}

/** Reads `model`; throws a TokenscopeError for one that is not there, where the server looks at it. */
export function readModel(body: Fields, kind: ServerKind): void {
  const model = body.model ?? DEMO_MODEL_NAME
  if (typeof model !== 'string') throw bad('model must be a string', 'model')
  if (OPENAI_HABITS[kind].checksModel) checkModelName(model)
}

/** Reads what decides how tokens are drawn and when the answer ends. */
export function samplingOf(
  body: Fields,
  limitName = 'max_tokens',
): Pick<Asked, 'maxTokens' | 'temperature' | 'topP' | 'seed' | 'stop'> {
  const unlimited = body[limitName] === -1
  return {
    maxTokens: unlimited ? undefined : number(body, limitName, { from: 1, to: MAX_TOKENS, whole: true }),
    temperature: number(body, 'temperature', { from: 0, to: 2 }),
    topP: number(body, 'top_p', { from: 0, to: 1 }),
    seed: number(body, 'seed', { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER, whole: true }),
    stop: stopsOf(body.stop),
  }
}

/** Reads the switches of the form that the server has. */
export function formOf(body: Fields, kind: ServerKind): StreamForm {
  const options = body.stream_options ?? {}
  if (!isRecord(options)) throw bad('stream_options must be an object', 'stream_options')
  const isVllm = kind === 'vllm'
  const isLlama = kind === 'llamacpp'
  const includeUsage = flag(options, 'include_usage', 'stream_options.include_usage')
  return {
    includeUsage,
    continuousUsage:
      isVllm &&
      flag(options, 'continuous_usage_stats', 'stream_options.continuous_usage_stats') &&
      includeUsage,
    timingsPerToken: isLlama && flag(body, 'timings_per_token'),
    returnProgress: isLlama && flag(body, 'return_progress'),
    returnTokenIds: isVllm && flag(body, 'return_token_ids'),
    tokensAsIds: isVllm && flag(body, 'return_tokens_as_token_ids'),
  }
}

/** Reads vLLM's `stream_interval`. */
export function batchOf(body: Fields, kind: ServerKind): Pick<Asked, 'batch'> {
  const batch =
    kind === 'vllm' ? number(body, 'stream_interval', { from: 1, to: 1000, whole: true }) : undefined
  return batch === undefined ? {} : { batch }
}

/** `reasoning_effort`, the same as a field of `reasoning`, or a template's switch. */
function wantsReasoning(body: Fields): boolean {
  const reasoning = body.reasoning ?? {}
  if (!isRecord(reasoning)) throw bad('reasoning must be an object', 'reasoning')
  const template = body.chat_template_kwargs ?? {}
  if (!isRecord(template)) throw bad('chat_template_kwargs must be an object', 'chat_template_kwargs')
  const shown = (body.reasoning_effort ?? null) === null ? 'reasoning.effort' : 'reasoning_effort'
  const effort = body.reasoning_effort ?? reasoning.effort ?? null
  if (effort !== null && !EFFORTS.includes(effort as string)) {
    throw bad(`${shown} must be one of ${EFFORTS.join(', ')}`, shown)
  }
  const isSwitched = flag(template, 'enable_thinking', 'chat_template_kwargs.enable_thinking')
  return effort === null ? isSwitched : effort !== 'none'
}

function toolsOf(tools: unknown): OfferedTool[] {
  if (!Array.isArray(tools ?? [])) throw bad('tools must be an array', 'tools')
  return ((tools ?? []) as unknown[]).map((tool, i) => {
    const at = `tools[${i}]`
    if (!isRecord(tool) || tool.type !== 'function' || !isRecord(tool.function)) {
      throw bad(`${at} must be {"type":"function","function":{…}}`, at)
    }
    const { name, parameters } = tool.function
    if (typeof name !== 'string' || name === '') {
      throw bad(`${at}.function.name must be a string that is not empty`, `${at}.function.name`)
    }
    return { name, parameters }
  })
}

/** The tool that has to be called; null where the model may answer in text, which it then does. */
function chosenTool(choice: unknown, tools: readonly OfferedTool[]): OfferedTool | null {
  if ((choice ?? 'auto') === 'auto' || choice === 'none') return null
  if (choice === 'required') {
    if (tools[0] === undefined) throw bad('tool_choice "required" needs tools', 'tool_choice')
    return tools[0]
  }
  const named = isRecord(choice) && isRecord(choice.function) ? choice.function.name : undefined
  if (typeof named !== 'string') {
    const words = '"none", "auto", "required" or {"type":"function","function":{"name":"…"}}'
    throw bad(`tool_choice must be ${words}`, 'tool_choice')
  }
  const tool = tools.find(({ name }) => name === named)
  if (tool === undefined) throw bad(`tool_choice names "${named}", which is not in tools`, 'tool_choice')
  return tool
}

/**
 * An answer that a last message of the assistant begins. llama.cpp goes on with it by itself, vLLM if it is
 * told to; the others begin another.
 */
function prefillOf(body: Fields, kind: ServerKind): Pick<Asked, 'prefill'> {
  if (kind === 'vllm') {
    const goesOn = flag(body, 'continue_final_message')
    const opens = (body.add_generation_prompt ?? null) === null || flag(body, 'add_generation_prompt')
    if (goesOn && opens) {
      const words = 'continue_final_message and add_generation_prompt cannot both be true'
      throw bad(words, 'continue_final_message')
    }
    if (!goesOn) return {}
  } else if (kind !== 'llamacpp' && kind !== 'demo') return {}
  const last: unknown = (body.messages as unknown[]).at(-1)
  if (!isRecord(last) || last.role !== 'assistant') {
    if (kind !== 'vllm') return {}
    throw bad('continue_final_message needs a last message of the assistant', 'messages')
  }
  return { prefill: contentOf(last.content, 'assistant', 'messages') }
}

function promptOf(messages: unknown): string {
  if (!Array.isArray(messages)) throw bad('messages must be an array of messages', 'messages')
  if (messages.length === 0) throw bad('messages must hold at least one message', 'messages')
  const texts = messages.map((message: unknown, i) => {
    const at = `messages[${i}]`
    if (!isRecord(message)) throw bad(`${at} must be an object`, at)
    if (typeof message.role !== 'string' || !ROLES.includes(message.role)) {
      throw bad(`${at}.role must be one of ${ROLES.join(', ')}`, `${at}.role`)
    }
    return { user: message.role === 'user', text: contentOf(message.content, message.role, `${at}.content`) }
  })
  return (texts.findLast(({ user }) => user) ?? texts.at(-1))?.text ?? ''
}
