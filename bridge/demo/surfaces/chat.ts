/** `/v1/chat/completions`, which every server took over from OpenAI. */
import { type Route, SERVER_KINDS } from '../surface.ts'
import { parseChatRequest } from './chat-request.ts'
import { ChatWire } from './chat-wire.ts'

export const chatRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/chat/completions',
    kinds: SERVER_KINDS,
    handle({ body, kind }) {
      const request = parseChatRequest(body, kind)
      return { asked: request.asked, wire: outcome => new ChatWire(kind, request, outcome) }
    },
  },
]
