/** OpenAI's responses: the body of a request, read and checked. Knows neither the model nor the wire. */
import { DEFAULT_TEMPERATURE, DEFAULT_TOP_P } from '../model/generation.ts'
import type { StoredResponse } from '../response-store.ts'
import type { Asked, ToolCall } from '../surface.ts'
import { bad, type Fields, flag, isRecord, number } from './fields.ts'
import { checkModelName } from './model-name.ts'
import { callTool, type OfferedTool } from './tool-calls.ts'

const ROLES = ['user', 'assistant', 'system', 'developer']
const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']
const LOGPROBS = 'message.output_text.logprobs'
const MAX_TOP_LOGPROBS = 20
/** Items that belong to a conversation without being something that was said in it. */
const SILENT_ITEMS = ['function_call', 'function_call_output', 'reasoning', 'item_reference']

/** A request as the server understands it. */
export interface ResponsesRequest {
  readonly asked: Asked
  /** Whether log-probabilities were asked for. */
  readonly logprobs: boolean
  readonly store: boolean
  /** The fields of the response that say what was asked, defaults included. */
  readonly echo: Fields
}

/**
 * Reads a parsed body. `previous` is the response that it goes on from, if it names one. Null counts as not
 * given; fields that only tune how OpenAI runs a request are ignored. Throws a TokenscopeError that names the
 * field: BAD_REQUEST, or NOT_FOUND for a model that is not there.
 */
export function parseResponsesRequest(
  fields: Fields,
  previous: StoredResponse | undefined,
): ResponsesRequest {
  if (typeof fields.model !== 'string') throw bad('model must be a string', 'model')
  checkModelName(fields.model)
  refuseUnsupported(fields)
  const instructions = fields.instructions ?? null
  if (instructions !== null && typeof instructions !== 'string') {
    throw bad('instructions must be a string', 'instructions')
  }
  const prompt = promptOf(fields.input, previous)
  const include = fields.include ?? []
  if (!Array.isArray(include)) throw bad('include must be an array of strings', 'include')
  const logprobs = include.includes(LOGPROBS)
  const topCount = number(fields, 'top_logprobs', { from: 0, to: MAX_TOP_LOGPROBS, whole: true }) ?? 0
  const tools = toolsOf(fields.tools)
  const toolChoice = fields.tool_choice ?? 'auto'
  const reasoning = reasoningOf(fields.reasoning)
  const maxTokens = number(fields, 'max_output_tokens', { from: 1, to: 1_000_000, whole: true })
  const temperature = number(fields, 'temperature', { from: 0, to: 2 })
  const topP = number(fields, 'top_p', { from: 0, to: 1 })
  const store = (fields.store ?? null) === null ? true : flag(fields, 'store')
  const metadata = fields.metadata ?? {}
  if (!isRecord(metadata)) throw bad('metadata must be an object', 'metadata')
  return {
    asked: {
      prompt,
      stream: flag(fields, 'stream'),
      choices: 1,
      maxTokens,
      temperature,
      topP,
      seed: undefined,
      stop: [],
      topCount: logprobs ? topCount : 0,
      reasoning: reasoning !== null && reasoning !== 'none',
      toolCall: toolCallOf(toolChoice, tools, prompt),
    },
    logprobs,
    store,
    echo: {
      instructions,
      max_output_tokens: maxTokens ?? null,
      metadata,
      parallel_tool_calls: fields.parallel_tool_calls ?? true,
      previous_response_id: fields.previous_response_id ?? null,
      reasoning: { effort: reasoning, summary: null },
      store,
      temperature: temperature ?? DEFAULT_TEMPERATURE,
      text: { format: { type: 'text' } },
      tool_choice: toolChoice,
      tools: fields.tools ?? [],
      top_logprobs: topCount,
      top_p: topP ?? DEFAULT_TOP_P,
      truncation: fields.truncation ?? 'disabled',
      user: fields.user ?? null,
    },
  }
}

/** What would change the answer, and cannot be done here. */
function refuseUnsupported(fields: Fields): void {
  if (fields.background === true) {
    throw bad('background is true; the demo answers while the request lasts', 'background')
  }
  for (const name of ['conversation', 'prompt']) {
    if ((fields[name] ?? null) !== null) {
      throw bad(`${name} is not kept by the demo; send the input itself, or previous_response_id`, name)
    }
  }
  const text = fields.text ?? {}
  if (!isRecord(text)) throw bad('text must be an object', 'text')
  const format = text.format ?? { type: 'text' }
  if (!isRecord(format) || format.type !== 'text') {
    throw bad('text.format must be {"type":"text"}; the demo cannot keep to another', 'text.format')
  }
}

/** The last that the user said; of a request that goes on without a word of the user, what was said before. */
function promptOf(input: unknown, previous: StoredResponse | undefined): string {
  if (typeof input === 'string') return input
  if (!Array.isArray(input)) throw bad('input must be a string or an array of items', 'input')
  const messages = input.flatMap((item: unknown, i) => messageOf(item, `input[${i}]`))
  const said = messages.findLast(({ role }) => role === 'user')?.text ?? previous?.prompt
  const text = said ?? messages.at(-1)?.text
  if (text === undefined) throw bad('input must hold at least one message', 'input')
  return text
}

function messageOf(item: unknown, at: string): { role: string; text: string }[] {
  if (!isRecord(item)) throw bad(`${at} must be an object`, at)
  const type = item.type ?? 'message'
  if (typeof type === 'string' && SILENT_ITEMS.includes(type)) return []
  if (type !== 'message') {
    throw bad(`${at}.type must be message, or one of ${SILENT_ITEMS.join(', ')}`, `${at}.type`)
  }
  if (typeof item.role !== 'string' || !ROLES.includes(item.role)) {
    throw bad(`${at}.role must be one of ${ROLES.join(', ')}`, `${at}.role`)
  }
  return [{ role: item.role, text: contentOf(item.content, `${at}.content`) }]
}

function contentOf(content: unknown, at: string): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw bad(`${at} must be a string or an array of parts`, at)
  return content
    .map((part: unknown, i) => {
      if (isRecord(part)) {
        const text = part.type === 'refusal' ? part.refusal : part.text
        const known = part.type === 'input_text' || part.type === 'output_text' || part.type === 'refusal'
        if (known && typeof text === 'string') return text
      }
      throw bad(
        `${at}[${i}] must be {"type":"input_text","text":"…"}; the demo reads text only`,
        `${at}[${i}]`,
      )
    })
    .join('\n')
}

function toolsOf(tools: unknown): OfferedTool[] {
  if (!Array.isArray(tools ?? [])) throw bad('tools must be an array', 'tools')
  return ((tools ?? []) as unknown[]).map((tool, i) => {
    const at = `tools[${i}]`
    if (!isRecord(tool) || tool.type !== 'function') {
      throw bad(`${at}.type must be function; the demo runs no tools of its own here`, `${at}.type`)
    }
    if (typeof tool.name !== 'string' || tool.name === '') {
      throw bad(`${at}.name must be a string`, `${at}.name`)
    }
    return { name: tool.name, parameters: tool.parameters }
  })
}

function toolCallOf(choice: unknown, tools: readonly OfferedTool[], prompt: string): ToolCall | null {
  if (choice === 'none' || choice === 'auto') return null
  const named = isRecord(choice) && choice.type === 'function' ? choice.name : undefined
  if (choice !== 'required' && typeof named !== 'string') {
    throw bad('tool_choice must be none, auto, required or {"type":"function","name":"…"}', 'tool_choice')
  }
  const tool = choice === 'required' ? tools[0] : tools.find(({ name }) => name === named)
  if (tool === undefined) throw bad('tool_choice demands a tool that is not in tools', 'tool_choice')
  return callTool(tool, prompt)
}

function reasoningOf(reasoning: unknown): string | null {
  if ((reasoning ?? null) === null) return null
  if (!isRecord(reasoning)) throw bad('reasoning must be an object', 'reasoning')
  const effort = reasoning.effort ?? null
  if (effort === null) return null
  if (typeof effort !== 'string' || !EFFORTS.includes(effort)) {
    throw bad(`reasoning.effort must be one of ${EFFORTS.join(', ')}`, 'reasoning.effort')
  }
  return effort
}
