/**
 * Which path speaks which dialect. A path tells what is asked; the content type of the answer tells in which
 * form it comes, since one path can be two APIs (`/api/chat` is Ollama's in lines and llama.cpp's in events).
 */
import { anthropicMessages } from './anthropic-messages.ts'
import type { Dialect } from './dialect.ts'
import { eitherOf } from './either.ts'
import { llamacppCompletion } from './llamacpp-completion.ts'
import { lmStudioChat } from './lmstudio-chat.ts'
import { ollamaChat, ollamaGenerate } from './ollama.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiCompletions } from './openai-completions.ts'
import { openaiResponses } from './openai-responses.ts'

/** What is spoken on a path that generates. */
export interface Endpoint {
  /** Reads the request. */
  request: Dialect
  /** Reads an answer of server-sent events, of JSON lines; null where none comes. */
  sse: Dialect | null
  ndjson: Dialect | null
}

const sse = (dialect: Dialect): Endpoint => ({ request: dialect, sse: dialect, ndjson: null })

/** By the end of the path, since servers stand below prefixes; the first that fits. */
const ENDPOINTS: readonly [suffix: string, endpoint: Endpoint][] = [
  ['/chat/completions', sse(openaiChat)],
  ['/v1/completions', sse(openaiCompletions)],
  ['/api/v0/completions', sse(openaiCompletions)],
  ['/responses', sse(openaiResponses)],
  ['/v1/messages', sse(anthropicMessages)],
  ['/api/v1/chat', sse(lmStudioChat)],
  ['/api/chat', { request: ollamaChat, sse: openaiChat, ndjson: ollamaChat }],
  ['/api/generate', { request: ollamaGenerate, sse: null, ndjson: ollamaGenerate }],
  ['/completion', sse(llamacppCompletion)],
  ['/infill', sse(llamacppCompletion)],
  // Another name of llama.cpp's own completion, and where a server with a bare base URL has OpenAI's: neither
  // the path nor the content type tells which. A message of llama.cpp has `content` and `stop`, one of OpenAI's
  // `choices`, and none has both.
  ['/completions', sse(eitherOf(llamacppCompletion, openaiCompletions))],
]

/** Every dialect that is spoken. */
export const DIALECTS: readonly Dialect[] = [
  openaiChat,
  openaiCompletions,
  openaiResponses,
  anthropicMessages,
  lmStudioChat,
  llamacppCompletion,
  ollamaChat,
  ollamaGenerate,
]

/**
 * What is spoken where.
 *
 * @param path without its query
 * @returns null where nothing is generated
 */
export function endpointOf(method: string, path: string): Endpoint | null {
  if (method !== 'POST') return null
  const bare = path.replace(/\/+$/, '')
  return ENDPOINTS.find(([suffix]) => bare.endsWith(suffix))?.[1] ?? null
}

/** The media type of a content type, in lower case and without parameters. */
export function mediaTypeOf(contentType: string | null): string {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** Whether the media type means lines of JSON. */
export function isNdjson(mediaType: string): boolean {
  return [
    'application/x-ndjson',
    'application/ndjson',
    'application/jsonl',
    'application/x-jsonlines',
  ].includes(mediaType)
}
