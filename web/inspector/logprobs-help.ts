import type { UpstreamKind } from '../../events/upstream-spec.ts'

/** How one asks a server for probabilities. */
export interface LogprobsHelp {
  /** Who it is about. */
  server: string
  /** Where to ask. */
  path: string
  /** What to put into the request's body, as JSON without its braces. */
  fields: string
  /** What else there is to know; null where that is all. */
  note: string | null
}

const CHAT = '/v1/chat/completions'
const FIELDS = '"logprobs": true, "top_logprobs": 5'

/** How to ask each kind of server for probabilities; those of `openai` serve for one that is not known. */
export const LOGPROBS_HELP: Record<UpstreamKind, LogprobsHelp> = {
  lmstudio: {
    server: 'LM Studio',
    path: '/v1/responses',
    fields: '"include": ["message.output_text.logprobs"], "top_logprobs": 5',
    note: 'It gives none on its other paths, and there from 0.3.39 on, with a current engine (lms runtime update).',
  },
  llamacpp: {
    server: 'llama.cpp',
    path: CHAT,
    fields: FIELDS,
    note: 'A stream with tools takes "n_probs": 5 instead.',
  },
  ollama: {
    server: 'Ollama',
    path: '/api/chat or /v1/chat/completions',
    fields: FIELDS,
    note: 'From 0.12.11 on.',
  },
  vllm: { server: 'vLLM', path: CHAT, fields: FIELDS, note: null },
  openai: {
    server: 'an OpenAI-compatible server',
    path: CHAT,
    fields: FIELDS,
    note: 'Some take this and give none all the same. Anthropic’s /v1/messages has no place for them.',
  },
  demo: { server: 'the demo model', path: CHAT, fields: FIELDS, note: null },
}

/** How to ask this kind of server; a kind that is not known is taken for any that speaks OpenAI's words. */
export function logprobsHelp(kind: string | null): LogprobsHelp {
  return LOGPROBS_HELP[(kind ?? 'openai') as UpstreamKind] ?? LOGPROBS_HELP.openai
}
