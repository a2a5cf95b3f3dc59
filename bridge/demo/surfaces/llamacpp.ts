/** llama.cpp's own paths. */
import { HABITS, told } from '../habits.ts'
import { PASSAGE_BREAK } from '../model/corpus.ts'
import type { Call, PlainReply, Reply, Route, ServerState } from '../surface.ts'
import { bad, type Fields, flag, isRecord } from './fields.ts'
import { parseLlamaRequest } from './llamacpp-request.ts'
import { settingsOf } from './llamacpp-settings.ts'
import { LlamaWire } from './llamacpp-wire.ts'
import { CONTEXT_LENGTH } from './model-card.ts'
import { DEMO_MODEL_NAME } from './model-name.ts'
import { tokenIdsOf } from './token-ids.ts'

const SHARED = {
  kinds: ['demo', 'llamacpp'],
  plays: 'llamacpp',
  errors: error => HABITS.llamacpp.errorBody(told(error), ''),
} as const satisfies Partial<Route>

/** What the model reads of a conversation, as the template that llama.cpp would have for it. */
const CHAT_TEMPLATE = `{{ (messages | selectattr("role", "equalto", "user") | list | last).content }}${PASSAGE_BREAK}`

export const llamacppRoutes: readonly Route[] = [
  { ...SHARED, method: 'POST', path: '/completion', handle: complete },
  { ...SHARED, method: 'POST', path: '/completions', handle: complete },
  { ...SHARED, method: 'GET', path: '/health', handle: () => ({ body: { status: 'ok' } }) },
  { ...SHARED, method: 'GET', path: '/props', handle: (_call, state) => ({ body: props(state) }) },
  { ...SHARED, method: 'GET', path: '/slots', handle: (_call, state) => ({ body: slots(state) }) },
  { ...SHARED, method: 'POST', path: '/tokenize', handle: tokenize },
  { ...SHARED, method: 'POST', path: '/detokenize', handle: detokenize },
]

function complete({ body, path }: Call, { model }: ServerState): Reply {
  const request = parseLlamaRequest(body, model.tokenizer)
  return { asked: request.asked, wire: outcome => new LlamaWire(request, outcome, model, path) }
}

function props(state: ServerState): object {
  return {
    default_generation_settings: { ...slot(0, false), params: settingsOf() },
    total_slots: slots(state).length,
    model_alias: DEMO_MODEL_NAME,
    // It comes from no file.
    model_path: '',
    modalities: { vision: false, audio: false },
    chat_template: CHAT_TEMPLATE,
    bos_token: '',
    eos_token: '',
    build_info: DEMO_MODEL_NAME,
    is_sleeping: false,
  }
}

/** A slot for each request that is being answered, or one that is free: nothing here waits for another. */
function slots({ active }: ServerState): object[] {
  return Array.from({ length: Math.max(1, active) }, (_, id) => slot(id, id < active))
}

function slot(id: number, busy: boolean): object {
  return { id, n_ctx: CONTEXT_LENGTH, speculative: false, is_processing: busy }
}

function fieldsOf({ body }: Call): Fields {
  if (!isRecord(body)) throw bad('the body must be a JSON object')
  return body
}

/** A piece is text where the token is whole characters, else its bytes. */
function tokenize(call: Call, { model }: ServerState): PlainReply {
  const fields = fieldsOf(call)
  const { content = '' } = fields
  if (typeof content !== 'string') throw bad('content must be a string', 'content')
  const { tokenizer } = model
  const ids = tokenizer.encode(content)
  if (!flag(fields, 'with_pieces')) return { body: { tokens: ids } }
  const pieces = ids.map(id => ({ id, piece: tokenizer.text(id) ?? [...tokenizer.bytes(id)] }))
  return { body: { tokens: pieces } }
}

function detokenize(call: Call, { model }: ServerState): PlainReply {
  const ids = tokenIdsOf(fieldsOf(call).tokens ?? [], 'tokens', model.tokenizer)
  return { body: { content: model.tokenizer.decode(ids) } }
}
