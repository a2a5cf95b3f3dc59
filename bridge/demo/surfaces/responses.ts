/** `/v1/responses`, as OpenAI has it and the servers that play OpenAI. */
import { TokenscopeError } from '../../../events/errors.ts'
import type { StoredResponse } from '../response-store.ts'
import {
  type Call,
  type PlainReply,
  type Reply,
  type Route,
  SERVER_KINDS,
  type ServerKind,
  type ServerState,
} from '../surface.ts'
import { bad, isRecord } from './fields.ts'
import { parseResponsesRequest } from './responses-request.ts'
import { ResponsesWire } from './responses-wire.ts'

/** Servers that keep responses; the others refuse a request that goes on from one. */
const KEEPERS: readonly ServerKind[] = ['demo', 'lmstudio', 'vllm']
/** Servers whose responses never have log-probabilities, whatever is asked. */
const SILENT: readonly ServerKind[] = ['llamacpp', 'ollama']

export const responsesRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/responses',
    kinds: SERVER_KINDS,
    handle: create,
  },
  {
    method: 'GET',
    path: '/v1/responses/:id',
    kinds: ['demo', 'vllm'],
    handle: retrieve,
  },
  {
    method: 'DELETE',
    path: '/v1/responses/:id',
    kinds: ['demo'],
    handle({ params }, { responses }) {
      const { id } = params
      kept(id, responses.get(id ?? ''))
      responses.delete(id ?? '')
      return { body: { id, object: 'response', deleted: true } }
    },
  },
]

function create({ kind, body }: Call, { responses }: ServerState): Reply {
  if (!isRecord(body)) throw bad('the body must be a JSON object')
  const id = body.previous_response_id ?? null
  let previous: StoredResponse | undefined
  if (id !== null) {
    if (typeof id !== 'string') throw bad('previous_response_id must be a string', 'previous_response_id')
    if (!KEEPERS.includes(kind)) {
      throw bad('previous_response_id is not supported by this server', 'previous_response_id')
    }
    previous = responses.get(id)
    if (previous === undefined) return notFound(id)
  }
  const request = parseResponsesRequest(body, previous)
  const told = SILENT.includes(kind)
    ? { ...request, logprobs: false, asked: { ...request.asked, topCount: 0 } }
    : request
  return { asked: told.asked, wire: outcome => new ResponsesWire(kind, told, outcome, responses) }
}

function retrieve({ params, query }: Call, { responses }: ServerState): PlainReply {
  if (query.get('stream') === 'true') {
    throw bad('stream cannot be true here; the demo keeps responses, not their events', 'stream')
  }
  return { body: kept(params.id, responses.get(params.id ?? '')).body }
}

/** The response, if it is one of this surface: others keep answers of another form in the same place. */
function kept(id: string | undefined, response: StoredResponse | undefined): StoredResponse {
  if (isRecord(response?.body) && response.body.object === 'response') return response
  throw new TokenscopeError('NOT_FOUND', `there is no response with the id "${id}", or no longer`, {
    param: 'response_id',
  })
}

/** OpenAI answers this with 400 and a code of its own, which clients look for to start anew. */
function notFound(id: string): PlainReply {
  const message = `Previous response with id '${id}' not found.`
  const param = 'previous_response_id'
  const error = { message, type: 'invalid_request_error', param, code: 'previous_response_not_found' }
  return { status: 400, body: { error } }
}
