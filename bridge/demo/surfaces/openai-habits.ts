/**
 * How the servers differ on the paths that they took over from OpenAI, `/v1/chat/completions` and
 * `/v1/completions`: one row for each, and nothing of it elsewhere.
 */
import { HABITS } from '../habits.ts'
import type { TokenChance } from '../model/generation.ts'
import type { AnswerToken, ModelError, ServerKind } from '../surface.ts'
import { chanceEntry } from './logprob-entry.ts'

export interface EntryOptions {
  /** vLLM's `return_tokens_as_token_ids`. */
  readonly tokensAsIds: boolean
}

export interface OpenAiHabits {
  /** The key of a thought, in a delta and in a message. */
  readonly reasoningKey: 'reasoning' | 'reasoning_content'
  /** Where the role of a chat stands: in a chunk before all others (with this content), or in deltas. */
  readonly role: { readonly opens: '' | null } | 'first delta' | 'every delta'
  /** The fingerprint of every chunk; undefined where there is none. */
  readonly fingerprint: string | undefined
  /** What a chunk has in place of entries: null, or no key at all. */
  readonly withoutLogprobs: { readonly logprobs?: null }
  /** Whether there are ever entries on chat completions. */
  readonly tellsLogprobs: boolean
  /** What stands beside the entries. */
  readonly besideEntries: object
  /** A token with its log-probability. */
  entry(token: TokenChance, options: EntryOptions): object
  /**
   * Whether text waits until its characters are whole; the entries of tokens that complete none are lost
   * then, since there is no chunk to carry them.
   */
  readonly withholdsParts: boolean
  /** Whether a call of a tool comes in one piece. */
  readonly wholeToolCalls: boolean
  /** Whether chunks have `usage: null` where the usage was asked for and is yet to come. */
  readonly nullUsage: boolean
  /** Whether the legacy path has the entries of chat in place of four arrays; null where it has none. */
  readonly legacyLogprobs: 'arrays' | 'entries' | null
  readonly checksModel: boolean
  readonly flushesEarly: boolean
  readonly keepAlive: string | null
  /** The fields that a whole chat completion and its message have beside those of all. */
  readonly whole: { readonly message: object; readonly choice: object; readonly body: object }
}

const NOTHING = { message: {}, choice: {}, body: {} }

export const OPENAI_HABITS: Readonly<Record<ServerKind, OpenAiHabits>> = {
  demo: {
    reasoningKey: 'reasoning_content',
    role: { opens: '' },
    fingerprint: 'tokenscope-demo',
    withoutLogprobs: { logprobs: null },
    tellsLogprobs: true,
    besideEntries: { refusal: null },
    entry: chanceEntry,
    withholdsParts: false,
    wholeToolCalls: false,
    nullUsage: true,
    legacyLogprobs: 'arrays',
    checksModel: true,
    flushesEarly: true,
    keepAlive: null,
    whole: { ...NOTHING, message: { refusal: null } },
  },
  lmstudio: {
    reasoningKey: 'reasoning_content',
    role: 'every delta',
    fingerprint: 'tokenscope-demo',
    withoutLogprobs: { logprobs: null },
    tellsLogprobs: false,
    besideEntries: {},
    entry: chanceEntry,
    withholdsParts: true,
    wholeToolCalls: false,
    nullUsage: false,
    legacyLogprobs: null,
    checksModel: true,
    flushesEarly: false,
    keepAlive: null,
    whole: { message: { tool_calls: [] }, choice: {}, body: { stats: {} } },
  },
  llamacpp: {
    reasoningKey: 'reasoning_content',
    role: { opens: null },
    fingerprint: 'demo',
    withoutLogprobs: {},
    tellsLogprobs: true,
    besideEntries: {},
    entry: ({ id, bytes, logprob }) => ({ id, token: pieceText(bytes), bytes, logprob }),
    withholdsParts: true,
    wholeToolCalls: false,
    nullUsage: false,
    legacyLogprobs: 'entries',
    // It has one model and serves it under any name.
    checksModel: false,
    flushesEarly: true,
    keepAlive: ':\n\n',
    whole: NOTHING,
  },
  ollama: {
    reasoningKey: 'reasoning',
    role: 'first delta',
    fingerprint: 'fp_ollama',
    withoutLogprobs: {},
    tellsLogprobs: true,
    besideEntries: {},
    entry: ({ bytes, logprob }) => ({ token: pieceText(bytes), logprob, bytes }),
    withholdsParts: true,
    wholeToolCalls: true,
    nullUsage: false,
    legacyLogprobs: 'entries',
    checksModel: true,
    flushesEarly: false,
    keepAlive: null,
    whole: NOTHING,
  },
  vllm: {
    reasoningKey: 'reasoning',
    role: { opens: '' },
    fingerprint: undefined,
    withoutLogprobs: { logprobs: null },
    tellsLogprobs: true,
    besideEntries: {},
    // The bytes are those of the text that it tells, not those of the token.
    entry({ id, text, logprob }, { tokensAsIds }) {
      const token = tokensAsIds ? `token_id:${id}` : text
      return { token, logprob, bytes: [...Buffer.from(text)] }
    },
    withholdsParts: false,
    wholeToolCalls: false,
    nullUsage: false,
    legacyLogprobs: 'arrays',
    checksModel: true,
    flushesEarly: true,
    keepAlive: ': keep-alive\n\n',
    whole: {
      message: { refusal: null, annotations: null, audio: null, function_call: null, tool_calls: [] },
      choice: { stop_reason: null },
      body: { service_tier: null, prompt_logprobs: null, kv_transfer_params: null },
    },
  },
}

/** The entries of tokens with their alternatives; none for those whose entry is lost. */
export function entriesOf(kind: ServerKind, tokens: readonly AnswerToken[], options: EntryOptions): object[] {
  const { entry } = OPENAI_HABITS[kind]
  return tokens
    .filter(({ lost }) => !lost)
    .map(token => ({ ...entry(token, options), top_logprobs: token.top.map(one => entry(one, options)) }))
}

/** The data of the frame that tells an error inside a stream, in the form of a server's errors. */
export function errorData(kind: ServerKind, { status, message }: ModelError, path: string): string {
  return JSON.stringify(HABITS[kind].errorBody({ status, message, param: null, code: null }, path))
}

/**
 * What llama.cpp makes of a token's bytes: without the character that begins in them and does not end, and
 * with U+FFFD for what is no UTF-8.
 */
function pieceText(bytes: readonly number[]): string {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  return decoder.decode(Uint8Array.from(bytes), { stream: true })
}
