/** vLLM's own paths beside OpenAI's: health, version, and its tokenizer. */
import type { Call, PlainReply, Route, ServerState } from '../surface.ts'
import { bad, contentOf, type Fields, flag, isRecord } from './fields.ts'
import { CONTEXT_LENGTH } from './model-card.ts'
import { checkModelName } from './model-name.ts'
import { tokenIdsOf } from './token-ids.ts'

/** The version whose paths and fields these are. */
const VERSION = '0.28.0'

export const vllmRoutes: readonly Route[] = [
  { method: 'GET', path: '/health', kinds: ['vllm'], handle: () => ({ body: '' }) },
  {
    method: 'GET',
    path: '/version',
    kinds: ['demo', 'vllm'],
    plays: 'vllm',
    handle: () => ({ body: { version: VERSION } }),
  },
  { method: 'POST', path: '/tokenize', kinds: ['vllm'], handle: tokenize },
  { method: 'POST', path: '/detokenize', kinds: ['vllm'], handle: detokenize },
]

function fieldsOf({ body }: Call): Fields {
  if (!isRecord(body)) throw bad('the body must be a JSON object')
  if ((body.model ?? null) !== null) {
    if (typeof body.model !== 'string') throw bad('model must be a string', 'model')
    checkModelName(body.model)
  }
  return body
}

/** The tokens of a prompt, or of messages as the model would read them. */
function tokenize(call: Call, { model }: ServerState): PlainReply {
  const fields = fieldsOf(call)
  const { tokenizer } = model
  const ids =
    fields.messages === undefined
      ? tokenizer.encode(promptOf(fields))
      : model.predictorFor(lastMessageOf(fields.messages)).prompt
  const texts = flag(fields, 'return_token_strs') ? ids.map(id => tokenizer.decode([id])) : null
  return { body: { count: ids.length, max_model_len: CONTEXT_LENGTH, tokens: ids, token_strs: texts } }
}

function detokenize(call: Call, { model }: ServerState): PlainReply {
  const ids = tokenIdsOf(fieldsOf(call).tokens, 'tokens', model.tokenizer)
  return { body: { prompt: model.tokenizer.decode(ids) } }
}

function promptOf({ prompt }: Fields): string {
  if (typeof prompt !== 'string') throw bad('prompt must be a string', 'prompt')
  return prompt
}

function lastMessageOf(messages: unknown): string {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw bad('messages must be an array of at least one message', 'messages')
  }
  const said = messages.map((message: unknown, i) => {
    const at = `messages[${i}]`
    if (!isRecord(message) || typeof message.role !== 'string') {
      throw bad(`${at}.role must be a string`, `${at}.role`)
    }
    return { role: message.role, text: contentOf(message.content, message.role, `${at}.content`) }
  })
  return (said.findLast(({ role }) => role === 'user') ?? said.at(-1))?.text ?? ''
}
