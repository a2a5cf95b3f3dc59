/** LM Studio's own chat: the body of a request, read and checked. */
import type { DemoModel } from '../model/demo-model.ts'
import type { StoredResponse } from '../response-store.ts'
import type { Asked } from '../surface.ts'
import { bad, type Fields, flag, isRecord, number } from './fields.ts'
import { type Integrations, readIntegrations } from './lmstudio-library.ts'
import { checkModelName } from './model-name.ts'

const REASONING = ['off', 'low', 'medium', 'high', 'on']
/** All that a request may hold: LM Studio refuses any other. */
const KNOWN = [
  'model',
  'input',
  'system_prompt',
  'integrations',
  'stream',
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'repeat_penalty',
  'max_output_tokens',
  'reasoning',
  'context_length',
  'store',
  'previous_response_id',
]
const UNLIMITED = { from: 0, to: Number.MAX_SAFE_INTEGER }

export interface LmStudioChatRequest {
  readonly asked: Asked
  readonly store: boolean
  readonly integrations: Integrations
}

/** The fields of a body that LM Studio does not know. */
export function unknownFields(body: Fields): string[] {
  return Object.keys(body).filter(name => !KNOWN.includes(name))
}

/**
 * Reads a parsed body and runs its tool. `system_prompt`, `top_k`, `min_p`, `repeat_penalty` and
 * `context_length` are checked and do not change what the model says. Throws a TokenscopeError that names the
 * field: BAD_REQUEST, or NOT_FOUND for a model that is not there.
 */
export function parseLmStudioChat(
  body: Fields,
  previous: StoredResponse | undefined,
  model: DemoModel,
): LmStudioChatRequest {
  if (typeof body.model !== 'string') throw bad("'model' is required", 'model')
  checkModelName(body.model)
  if (typeof (body.system_prompt ?? '') !== 'string') {
    throw bad('system_prompt must be a string', 'system_prompt')
  }
  number(body, 'top_k', { ...UNLIMITED, whole: true })
  number(body, 'min_p', { from: 0, to: 1 })
  number(body, 'repeat_penalty', UNLIMITED)
  number(body, 'context_length', { from: 1, to: Number.MAX_SAFE_INTEGER, whole: true })
  const reasoning = body.reasoning ?? 'off'
  if (typeof reasoning !== 'string' || !REASONING.includes(reasoning)) {
    throw bad(`reasoning must be one of ${REASONING.join(', ')}`, 'reasoning')
  }
  const prompt = inputOf(body.input, previous)
  const integrations = readIntegrations(body.integrations, prompt, model)
  const { unreachable } = integrations
  return {
    store: (body.store ?? null) === null ? true : flag(body, 'store'),
    integrations,
    asked: {
      prompt,
      stream: flag(body, 'stream'),
      choices: 1,
      maxTokens: number(body, 'max_output_tokens', { from: 1, to: 1_000_000, whole: true }),
      temperature: number(body, 'temperature', { from: 0, to: 1 }),
      topP: number(body, 'top_p', { from: 0, to: 1 }),
      seed: undefined,
      stop: [],
      topCount: 0,
      reasoning: reasoning !== 'off',
      toolCall: integrations.call,
      ...(unreachable === null ? {} : { failure: { status: 500, message: unreachable.message } }),
    },
  }
}

/** The last text of the input; an input without one goes on from what was said before. */
function inputOf(input: unknown, previous: StoredResponse | undefined): string {
  if (typeof input === 'string') return input
  if (!Array.isArray(input)) throw bad("'input' is required: a string or an array of items", 'input')
  const texts = input.map((item: unknown, i) => {
    const at = `input[${i}]`
    // The reference says "message", its examples and later versions "text".
    const isText = isRecord(item) && (item.type === 'message' || item.type === 'text')
    if (isText && typeof item.content === 'string') return item.content
    throw bad(`${at} must be {"type":"text","content":"…"}; the demo reads text only`, at)
  })
  const text = texts.length === 0 ? previous?.prompt : texts.join('\n')
  if (text === undefined) throw bad('input must hold at least one item', 'input')
  return text
}
