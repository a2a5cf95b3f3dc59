/** `/v1/completions`, OpenAI's older way: a text that goes on, with log-probabilities as four arrays. */
import { type Route, SERVER_KINDS } from '../surface.ts'
import { parseCompletionRequest } from './completion-request.ts'
import { CompletionWire } from './completion-wire.ts'

export const completionsRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/completions',
    kinds: SERVER_KINDS,
    handle({ body, kind }) {
      const request = parseCompletionRequest(body, kind)
      return { asked: request.asked, wire: outcome => new CompletionWire(kind, request, outcome) }
    },
  },
]
