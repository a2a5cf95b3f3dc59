import type { ScopeState } from '../../broadcast/client.ts'
import { CLOSE_CODES } from '../../events/close-codes.ts'

const { GOING_AWAY, TOKEN_EXPIRED, TOO_SLOW, TOO_MANY, UNAUTHORIZED, PROTOCOL_ABUSE } = CLOSE_CODES

const SIGNS = { connecting: 'connecting', open: 'connected', waiting: 'reconnecting', closed: 'closed' }

/** Why a connection is away for a while, and what becomes of what is shown. */
const AWAY = new Map<number | null, string>([
  [GOING_AWAY.code, 'Tokenscope has stopped. What is shown is kept.'],
  [TOKEN_EXPIRED.code, 'This page’s token has expired.'],
  [TOO_SLOW.code, 'This page fell behind. What is shown is kept.'],
  [TOO_MANY.code, 'Too many viewers for now.'],
])
const NO_ANSWER = 'Tokenscope is not answering. What is shown is kept.'

/** Why it will not come back by itself; loading the page anew may help. */
const ENDED = new Map<number, string>([
  [UNAUTHORIZED.code, 'Tokenscope asks for a token that this page does not have.'],
  [PROTOCOL_ABUSE.code, 'Tokenscope did not understand this page, which may be out of date.'],
])

/** Whether the stream is there, in a word or two. */
export function connectionSign(state: ScopeState): string {
  const isFull = 'code' in state && state.kind !== 'closed' && state.code === TOO_MANY.code
  return isFull ? 'no room yet' : SIGNS[state.kind]
}

/** What is the matter with the connection, as a sentence for a person; null while nothing is. */
export function connectionSentence(state: ScopeState): string | null {
  if (state.kind === 'open') return null
  if (state.kind !== 'closed') return AWAY.get(state.code) ?? NO_ANSWER
  return ENDED.get(state.code) ?? `Tokenscope closed the connection: ${state.reason || `code ${state.code}`}.`
}
