/**
 * LM Studio's REST API v0: the list of models with their state, and OpenAI's two completions with statistics.
 * Its documentation shows them on whole answers; streamed they stand on the last chunk.
 */
import type { PlainReply, Route } from '../surface.ts'
import { parseChatRequest } from './chat-request.ts'
import { ChatWire } from './chat-wire.ts'
import { parseCompletionRequest } from './completion-request.ts'
import { CompletionWire } from './completion-wire.ts'
import { LmStudioV0Wire } from './lmstudio-v0-wire.ts'
import { ARCHITECTURE, CONTEXT_LENGTH, NUMBER_FORMAT, PUBLISHER } from './model-card.ts'
import { checkModelName, DEMO_MODEL_NAME } from './model-name.ts'

const SHARED = { kinds: ['demo', 'lmstudio'], plays: 'lmstudio' } as const satisfies Partial<Route>

export const lmStudioV0Routes: readonly Route[] = [
  {
    ...SHARED,
    method: 'GET',
    path: '/api/v0/models',
    handle: () => ({ body: { object: 'list', data: [modelEntry()] } }),
  },
  {
    ...SHARED,
    method: 'GET',
    path: '/api/v0/models/:id*',
    handle({ params }): PlainReply {
      checkModelName(params.id ?? '')
      return { body: modelEntry() }
    },
  },
  {
    ...SHARED,
    method: 'POST',
    path: '/api/v0/chat/completions',
    handle({ body, kind }) {
      const request = parseChatRequest(body, kind)
      return {
        asked: request.asked,
        wire: outcome => new LmStudioV0Wire(new ChatWire(kind, request, outcome), outcome),
      }
    },
  },
  {
    ...SHARED,
    method: 'POST',
    path: '/api/v0/completions',
    handle({ body, kind }) {
      const request = parseCompletionRequest(body, kind)
      return {
        asked: request.asked,
        wire: outcome => new LmStudioV0Wire(new CompletionWire(kind, request, outcome), outcome),
      }
    },
  },
]

/** `compatibility_type` is null: the model is in none of the formats that it can name. */
function modelEntry(): object {
  return {
    id: DEMO_MODEL_NAME,
    object: 'model',
    type: 'llm',
    publisher: PUBLISHER,
    arch: ARCHITECTURE,
    compatibility_type: null,
    quantization: NUMBER_FORMAT,
    state: 'loaded',
    max_context_length: CONTEXT_LENGTH,
    loaded_context_length: CONTEXT_LENGTH,
  }
}
