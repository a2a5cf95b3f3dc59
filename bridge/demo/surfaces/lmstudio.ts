/** LM Studio's own paths: the chat of its REST API v1, its lists of models, and the older v0. */
import type { Call, PlainReply, Reply, Route, ServerState } from '../surface.ts'
import { bad, isRecord } from './fields.ts'
import { parseLmStudioChat, unknownFields } from './lmstudio-chat-request.ts'
import { LmStudioChatWire, lmStudioError } from './lmstudio-chat-wire.ts'
import { lmStudioV0Routes } from './lmstudio-v0.ts'
import { ARCHITECTURE, CONTEXT_LENGTH, NUMBER_FORMAT, PUBLISHER, parameterCount } from './model-card.ts'
import { DEMO_MODEL_NAME } from './model-name.ts'

const SHARED = {
  kinds: ['demo', 'lmstudio'],
  plays: 'lmstudio',
  errors: ({ status, message, param }) => lmStudioError(status, message, param),
} as const satisfies Partial<Route>

export const lmStudioRoutes: readonly Route[] = [
  { ...SHARED, method: 'POST', path: '/api/v1/chat', handle: chat },
  {
    ...SHARED,
    method: 'GET',
    path: '/api/v1/models',
    handle: (_call, state) => ({ body: { models: [modelEntry(state)] } }),
  },
  ...lmStudioV0Routes,
]

function chat({ body }: Call, { model, responses }: ServerState): Reply {
  if (!isRecord(body)) throw bad('the body must be a JSON object')
  const unknown = unknownFields(body)
  if (unknown.length > 0) {
    const names = unknown.map(name => `'${name}'`).join(', ')
    return refused(400, `Unrecognized key(s) in object: ${names}`, null, 'unrecognized_keys')
  }
  const id = body.previous_response_id ?? null
  if (id !== null && (typeof id !== 'string' || !id.startsWith('resp_'))) {
    throw bad('previous_response_id must be a string that starts with "resp_"', 'previous_response_id')
  }
  const previous = id === null ? undefined : responses.get(id)
  if (id !== null && previous === undefined) {
    return refused(
      404,
      `there is no response with the id "${id}", or no longer; leave previous_response_id out to start anew`,
      'previous_response_id',
      'previous_response_not_found',
    )
  }
  const request = parseLmStudioChat(body, previous, model)
  const { unreachable } = request.integrations
  if (unreachable !== null && !request.asked.stream) return { status: 500, body: { error: unreachable } }
  return { asked: request.asked, wire: outcome => new LmStudioChatWire(request, outcome, responses) }
}

function refused(status: number, message: string, param: string | null, code: string): PlainReply {
  return { status, body: lmStudioError(status, message, param, code) }
}

/** The model as v1's list shows it. `size_bytes` is what its tables take in memory: there is no file. */
function modelEntry({ model }: ServerState): object {
  return {
    type: 'llm',
    publisher: PUBLISHER,
    key: DEMO_MODEL_NAME,
    display_name: 'Tokenscope Demo',
    architecture: ARCHITECTURE,
    quantization: { name: NUMBER_FORMAT, bits_per_weight: 64 },
    size_bytes: model.language.bytes,
    params_string: parameterCount(model),
    loaded_instances: [{ id: DEMO_MODEL_NAME, config: { context_length: CONTEXT_LENGTH } }],
    max_context_length: CONTEXT_LENGTH,
    format: null,
    capabilities: {
      vision: false,
      trained_for_tool_use: false,
      reasoning: { allowed_options: ['off', 'low', 'medium', 'high', 'on'], default: 'off' },
    },
    description: 'An n-gram model of its own essays',
  }
}
