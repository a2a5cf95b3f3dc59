/** llama.cpp's own paths. */
import { TokenscopeError } from '../../../events/errors.ts'
import { HABITS, told } from '../habits.ts'
import { PASSAGE_BREAK } from '../model/corpus.ts'
import type { StreamSession } from '../stream-sessions.ts'
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
  { ...SHARED, followsNone: true, method: 'GET', path: '/v1/stream', handle: replay },
  { ...SHARED, followsNone: true, method: 'DELETE', path: '/v1/stream', handle: stop },
  { ...SHARED, followsNone: true, method: 'POST', path: '/v1/streams/lookup', handle: lookUp },
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

function replay(call: Call, { streams }: ServerState): Reply {
  const session = streams.get(conversationOf(call))
  if (session === undefined) throw new TokenscopeError('NOT_FOUND', 'Stream not found or expired')
  const from = call.query.get('from') ?? ''
  if (!/^\d*$/.test(from)) throw bad("Invalid 'from' offset", 'from')
  if (Number(from) < session.dropped) throw bad('Stream offset lost, please restart', 'from')
  return { replay: session, from: Number(from) }
}

/** The same answer whether there was one or not. */
function stop(call: Call, { streams }: ServerState): PlainReply {
  streams.cancel(conversationOf(call))
  return { status: 204, body: undefined }
}

function lookUp({ body }: Call, { streams }: ServerState): PlainReply {
  const ids = isRecord(body) && Array.isArray(body.conversation_ids) ? body.conversation_ids : []
  const found = ids.flatMap(id => (typeof id === 'string' && id !== '' ? streams.of(id) : []))
  return { body: found.map(describeStream) }
}

function describeStream({ conversation, isDone, total, startedAt, completedAt }: StreamSession): object {
  return {
    conversation_id: conversation,
    is_done: isDone,
    total_bytes: total,
    started_at: startedAt,
    completed_at: completedAt,
  }
}

function conversationOf({ query }: Call): string {
  const conversation = query.get('conv_id') ?? ''
  if (conversation === '') throw bad('Missing conversation id in path', 'conv_id')
  return conversation
}
