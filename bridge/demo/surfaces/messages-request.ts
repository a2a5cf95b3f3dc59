/** Anthropic's messages: the body of a request, read and checked. Knows neither the model nor the wire. */
import type { Asked, ServerKind, ToolCall } from '../surface.ts'
import { bad, type Fields, flag, isRecord, number } from './fields.ts'
import { checkModelName } from './model-name.ts'
import { callTool, type OfferedTool } from './tool-calls.ts'

const MAX_STOPS = 16
/** Blocks that belong to a conversation without being something that was said in it. */
const SILENT_BLOCKS = ['tool_use', 'tool_result', 'thinking', 'redacted_thinking']

/**
 * Reads a parsed body. `system` is read as part of the conversation and does not change what the model says;
 * fields that only tune how the answer is drawn or paid for are ignored. Throws a TokenscopeError that names
 * the field: BAD_REQUEST, or NOT_FOUND for a model that is not there.
 */
export function parseMessagesRequest(body: unknown, kind: ServerKind): Asked {
  if (!isRecord(body)) throw bad('the body must be a JSON object')
  if (typeof body.model !== 'string') throw bad('model must be a string', 'model')
  checkModelName(body.model)
  const prompt = messagesPrompt(body)
  return {
    prompt,
    stream: flag(body, 'stream'),
    choices: 1,
    maxTokens: number(body, 'max_tokens', { from: 1, to: 1_000_000, whole: true }),
    temperature: number(body, 'temperature', { from: 0, to: 1 }),
    topP: number(body, 'top_p', { from: 0, to: 1 }),
    seed: undefined,
    stop: stopsOf(body.stop_sequences),
    topCount: 0,
    reasoning: thinks(body.thinking),
    toolCall: toolCallOf(body.tool_choice, toolsOf(body.tools), prompt),
    ...prefillOf(body, kind),
  }
}

/** An answer that a last message of the assistant begins, where the server goes on with it. */
function prefillOf(body: Fields, kind: ServerKind): Pick<Asked, 'prefill'> {
  const last: unknown = (body.messages as unknown[]).at(-1)
  if ((kind !== 'llamacpp' && kind !== 'demo') || !isRecord(last) || last.role !== 'assistant') return {}
  return { prefill: contentOf(last.content, 'messages') ?? '' }
}

/** The last text of the user in `messages`, or of whoever spoke last. Throws a TokenscopeError BAD_REQUEST. */
export function messagesPrompt({ messages }: Fields): string {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw bad('messages must be an array of at least one message', 'messages')
  }
  const said = messages.map((message: unknown, i) => {
    const at = `messages[${i}]`
    if (!isRecord(message)) throw bad(`${at} must be an object`, at)
    const { role } = message
    if (role !== 'user' && role !== 'assistant' && role !== 'system') {
      throw bad(`${at}.role must be user, assistant or system`, `${at}.role`)
    }
    return { role, text: contentOf(message.content, `${at}.content`) }
  })
  const user = said.findLast(({ role, text }) => role === 'user' && text !== null)
  return (user ?? said.findLast(({ text }) => text !== null))?.text ?? ''
}

/** Null for content that holds results of tools and the like, but no text. */
function contentOf(content: unknown, at: string): string | null {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw bad(`${at} must be a string or an array of blocks`, at)
  const texts = content.flatMap((block: unknown, i) => {
    const here = `${at}[${i}]`
    if (!isRecord(block)) throw bad(`${here} must be an object`, here)
    if (block.type === 'text' && typeof block.text === 'string') return [block.text]
    if (typeof block.type === 'string' && SILENT_BLOCKS.includes(block.type)) return []
    throw bad(`${here} must be {"type":"text","text":"…"}; the demo reads text only`, here)
  })
  return texts.length === 0 ? null : texts.join('\n')
}

function stopsOf(stops: unknown): string[] {
  const at = 'stop_sequences'
  if (!Array.isArray(stops ?? [])) throw bad(`${at} must be an array of strings`, at)
  const texts = (stops ?? []) as unknown[]
  if (texts.length > MAX_STOPS) throw bad(`${at} holds ${texts.length} strings; at most ${MAX_STOPS}`, at)
  return texts.map(text => {
    if (typeof text !== 'string' || text === '') throw bad(`${at} must hold strings that are not empty`, at)
    return text
  })
}

function thinks(thinking: unknown): boolean {
  if ((thinking ?? null) === null) return false
  const type = isRecord(thinking) ? thinking.type : undefined
  if (type !== 'enabled' && type !== 'disabled' && type !== 'adaptive') {
    throw bad('thinking.type must be enabled, disabled or adaptive', 'thinking.type')
  }
  return type !== 'disabled'
}

function toolsOf(tools: unknown): OfferedTool[] {
  if (!Array.isArray(tools ?? [])) throw bad('tools must be an array', 'tools')
  return ((tools ?? []) as unknown[]).map((tool, i) => {
    const at = `tools[${i}]`
    if (!isRecord(tool) || typeof tool.name !== 'string')
      throw bad(`${at}.name must be a string`, `${at}.name`)
    if ((tool.type ?? 'custom') !== 'custom') {
      throw bad(`${at}.type must be custom; the demo runs no tools of its own here`, `${at}.type`)
    }
    return { name: tool.name, parameters: tool.input_schema }
  })
}

function toolCallOf(choice: unknown, tools: readonly OfferedTool[], prompt: string): ToolCall | null {
  if ((choice ?? null) === null) return null
  const { type, name } = isRecord(choice) ? choice : {}
  if (type === 'auto' || type === 'none') return null
  if (type !== 'any' && type !== 'tool') {
    throw bad('tool_choice.type must be auto, any, tool or none', 'tool_choice.type')
  }
  const tool = type === 'any' ? tools[0] : tools.find(one => one.name === name)
  if (tool === undefined) throw bad('tool_choice demands a tool that is not in tools', 'tool_choice')
  return callTool(tool, prompt, 'toolu_')
}
