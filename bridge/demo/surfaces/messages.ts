/** `/v1/messages`, as Anthropic has it and the servers that play Anthropic. */
import { type Route, SERVER_KINDS } from '../surface.ts'
import { bad, isRecord } from './fields.ts'
import { messagesPrompt, parseMessagesRequest } from './messages-request.ts'
import { MessagesWire, messagesError } from './messages-wire.ts'

export const messagesRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/messages',
    kinds: SERVER_KINDS,
    errors: ({ status, message }) => messagesError(status, message),
    handle: ({ body, kind }) => ({
      asked: parseMessagesRequest(body, kind),
      wire: outcome => new MessagesWire(kind, outcome),
    }),
  },
  {
    method: 'POST',
    path: '/v1/messages/count_tokens',
    kinds: ['demo', 'llamacpp', 'vllm'],
    errors: ({ status, message }) => messagesError(status, message),
    handle({ body }, { model }) {
      if (!isRecord(body)) throw bad('the body must be a JSON object')
      return { body: { input_tokens: model.predictorFor(messagesPrompt(body)).prompt.length } }
    },
  },
]
