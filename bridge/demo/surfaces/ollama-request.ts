/** Ollama's own chat and generate: the body of a request, read and checked. */
import { TokenscopeError } from '../../../events/errors.ts'
import type { Tokenizer } from '../model/tokenizer.ts'
import type { Asked, ToolCall } from '../surface.ts'
import { bad, type Fields, flag, isRecord, number, stopsOf } from './fields.ts'
import { DEMO_MODEL_NAME } from './model-name.ts'
import { tokenIdsOf } from './token-ids.ts'
import { callTool, type OfferedTool } from './tool-calls.ts'

const ROLES = ['system', 'user', 'assistant', 'tool']
const THINK_LEVELS = ['low', 'medium', 'high', 'max']
const MAX_TOP_LOGPROBS = 20
const MAX_STOPS = 64

/** The model's name with the tag that Ollama adds to a name without one. */
export const TAGGED_NAME = `${DEMO_MODEL_NAME}:latest`

export interface OllamaRequest {
  /** Null where there is nothing to answer: Ollama then only loads the model. */
  readonly asked: Asked | null
  /** As the client wrote it, for Ollama gives it back so. */
  readonly model: string
  readonly logprobs: boolean
}

/**
 * Reads the body of `/api/chat`. An answer that a last message of the assistant begins is gone on with. `keep_alive` and
 * the options that the model does not have are ignored. Throws a TokenscopeError that names the field: BAD_REQUEST, or
 * NOT_FOUND for a model that is not there.
 */
export function parseOllamaChat(body: unknown): OllamaRequest {
  const fields = fieldsOf(body)
  const { messages = [] } = fields
  if (!Array.isArray(messages)) throw bad('messages must be an array of messages', 'messages')
  const said = messages.map((message: unknown, i) => messageOf(message, `messages[${i}]`))
  const prompt = (said.findLast(({ role }) => role === 'user') ?? said.at(-1))?.text
  const tools = toolsOf(fields.tools)
  // Ollama has no field that demands a call, and the model cannot decide to make one. So it calls the first
  // tool it is offered, and answers once the user's question has been followed by a tool's result.
  const wanted = said.at(-1)?.role === 'user' ? tools[0] : undefined
  const { asked, ...rest } = requestOf(
    fields,
    prompt,
    wanted === undefined ? null : callTool(wanted, prompt ?? ''),
  )
  const last = said.at(-1)
  const prefill = last?.role === 'assistant' ? { prefill: last.text } : {}
  return { ...rest, asked: asked === null ? null : { ...asked, ...prefill } }
}

/**
 * Reads the body of `/api/generate`. `system`, `template`, `raw` and `context` do not change what the model
 * says. Throws as `parseOllamaChat` does.
 */
export function parseOllamaGenerate(body: unknown, tokenizer: Tokenizer): OllamaRequest {
  const fields = fieldsOf(body)
  const { prompt = '', suffix = '' } = fields
  if (typeof prompt !== 'string') throw bad('prompt must be a string', 'prompt')
  if (suffix !== '') throw bad(`${DEMO_MODEL_NAME} does not support insert`, 'suffix')
  tokenIdsOf(fields.context ?? [], 'context', tokenizer)
  return requestOf(fields, prompt === '' ? undefined : prompt, null)
}

/** Throws a TokenscopeError NOT_FOUND, in Ollama's words, unless `name` is the demo's model. */
export function checkOllamaName(name: unknown): string {
  if (typeof name !== 'string' || name === '') throw bad('model is required', 'model')
  if (name === DEMO_MODEL_NAME || name === TAGGED_NAME) return name
  throw new TokenscopeError('NOT_FOUND', `model '${name}' not found`, { param: 'model' })
}

function fieldsOf(body: unknown): Fields {
  if (!isRecord(body)) throw bad('the body must be a JSON object')
  // Go reads null as a field that is not given.
  const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))
  checkOllamaName(given.model)
  if ((given.format ?? '') !== '') throw bad('format is not supported by the demo', 'format')
  if (Array.isArray(given.images) && given.images.length > 0) {
    throw bad('images are not supported; the demo reads text only', 'images')
  }
  return given
}

function requestOf(fields: Fields, prompt: string | undefined, toolCall: ToolCall | null): OllamaRequest {
  const { options = {} } = fields
  if (!isRecord(options)) throw bad('options must be an object', 'options')
  const logprobs = flag(fields, 'logprobs')
  const topCount = number(fields, 'top_logprobs', { from: 0, to: MAX_TOP_LOGPROBS, whole: true }) ?? 0
  const limit = number(options, 'num_predict', { from: -2, to: 1_000_000, whole: true }) ?? -1
  const asked = {
    stream: fields.stream === undefined ? true : flag(fields, 'stream'),
    choices: 1,
    maxTokens: limit > 0 ? limit : undefined,
    temperature: number(options, 'temperature', { from: 0, to: Number.MAX_VALUE }),
    topP: number(options, 'top_p', { from: 0, to: 1 }),
    seed: number(options, 'seed', {
      from: Number.MIN_SAFE_INTEGER,
      to: Number.MAX_SAFE_INTEGER,
      whole: true,
    }),
    stop: stopsOf(options.stop, MAX_STOPS),
    topCount: logprobs ? topCount : 0,
    reasoning: thinks(fields.think),
    toolCall,
  }
  return {
    model: fields.model as string,
    logprobs,
    asked: prompt === undefined ? null : { ...asked, prompt },
  }
}

function messageOf(message: unknown, at: string): { role: string; text: string } {
  if (!isRecord(message)) throw bad(`${at} must be an object`, at)
  const role = typeof message.role === 'string' ? message.role.toLowerCase() : ''
  if (!ROLES.includes(role)) throw bad(`${at}.role must be one of ${ROLES.join(', ')}`, `${at}.role`)
  const text = message.content ?? ''
  if (typeof text !== 'string') throw bad(`${at}.content must be a string`, `${at}.content`)
  if (Array.isArray(message.images) && message.images.length > 0) {
    throw bad(`${at}.images are not supported; the demo reads text only`, `${at}.images`)
  }
  return { role, text }
}

function toolsOf(tools: unknown): OfferedTool[] {
  if (!Array.isArray(tools ?? [])) throw bad('tools must be an array', 'tools')
  return ((tools ?? []) as unknown[]).map((tool, i) => {
    const called = isRecord(tool) ? tool.function : undefined
    if (!isRecord(called) || typeof called.name !== 'string') {
      throw bad(`tools[${i}].function.name must be a string`, `tools[${i}].function.name`)
    }
    return { name: called.name, parameters: called.parameters }
  })
}

function thinks(think: unknown): boolean {
  if (think === undefined || typeof think === 'boolean') return think ?? false
  if (typeof think === 'string' && THINK_LEVELS.includes(think)) return true
  throw bad(`think must be true, false or one of ${THINK_LEVELS.join(', ')}`, 'think')
}
