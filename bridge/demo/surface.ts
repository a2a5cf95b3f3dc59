/**
 * What a surface of the demo server is: one family of paths as one vendor's server has them.
 *
 * A surface is a list of routes. A route either answers at once, or reads what is asked of the model and says
 * how the answer looks on its wire; running the model, pacing, faults, framing and sockets are not its
 * business. So each surface is a file that holds a vendor's fields and nothing else.
 */
import type { TokenscopeError } from '../../events/errors.ts'
import type { TokenKind } from '../../events/generation.ts'
import type { DemoModel } from './model/demo-model.ts'
import type { GeneratedToken } from './model/generation.ts'
import type { ResponseStore } from './response-store.ts'
import type { StreamSession, StreamSessions } from './stream-sessions.ts'

/**
 * The servers that the demo can play. `demo` is none of them: every surface at once, with logprobs wherever
 * its form has a place for them.
 */
export const SERVER_KINDS = ['demo', 'lmstudio', 'llamacpp', 'ollama', 'vllm'] as const

export type ServerKind = (typeof SERVER_KINDS)[number]

/** A request that a route takes. */
export interface Call {
  /** Whom the server plays for this request. */
  readonly kind: ServerKind
  readonly method: string
  /** Without the prefix that chose the kind and without the query. */
  readonly path: string
  /** What stands in the path for each `:name` of the route, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** A header of the request, by its lower-case name. */
  header(name: string): string | undefined
  /** The parsed JSON body; undefined where the request has none. */
  readonly body: unknown
}

/** What the routes of a server share. */
export interface ServerState {
  readonly model: DemoModel
  /** Unix seconds when the server was created. */
  readonly created: number
  /** Responses that clients may come back to. */
  readonly responses: ResponseStore
  /** Streams that clients may come back to. */
  readonly streams: StreamSessions
  /** Requests to the model that are being answered now. */
  readonly active: number
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** As `/v1/models/:id`; `:id` is one segment, `:id*` the rest of the path. */
  readonly path: string
  /** Who has this path. In the kind `demo` a path that others have too goes to the first route that lists it. */
  readonly kinds: readonly ServerKind[]
  /** Whom the kind `demo` plays here; itself if not given. For paths that only one vendor has. */
  readonly plays?: ServerKind
  /** Follows no directives: it is asked on behalf of another request, with that one's headers. */
  readonly followsNone?: true
  /**
   * The body of this path's errors, where its form is not the one that all of its server's paths share: those
   * that `handle` throws, and those met before it, as a body that is no JSON.
   */
  errors?(error: TokenscopeError): unknown
  /** Throws a TokenscopeError that names what is wrong with the request. */
  handle(call: Call, state: ServerState): Reply
}

/** An answer at once, one of the model, or one of before. */
export type Reply = PlainReply | ModelReply | ReplayReply

export interface PlainReply {
  /** 200 if not given. */
  readonly status?: number
  /** JSON-encoded, unless it is a string: that is sent as text/plain. Undefined is no body. */
  readonly body: unknown
}

/** A stream from a byte on, and on while it goes on. */
export interface ReplayReply {
  readonly replay: StreamSession
  readonly from: number
}

export interface ModelReply {
  readonly asked: Asked
  /** The answer's form; `outcome` is the live record of the answer and grows while it is made. */
  wire(outcome: Outcome): Wire
}

/** What is asked of the model, whatever the surface. What the client left open is undefined. */
export interface Asked {
  /** What the model answers: the last thing that the user said. */
  readonly prompt: string
  /** Where there are several: each has as many of the choices, in this order. `prompt` is the first of them. */
  readonly prompts?: readonly string[]
  /** What of the answer was said before; it goes on after that. */
  readonly prefill?: string
  readonly stream: boolean
  /** Answers wanted, at least 1. */
  readonly choices: number
  readonly maxTokens: number | undefined
  readonly temperature: number | undefined
  readonly topP: number | undefined
  readonly seed: number | undefined
  readonly stop: readonly string[]
  /** Alternatives wanted with each token. */
  readonly topCount: number
  /** Thinks aloud first: a reasoning part before the message. */
  readonly reasoning: boolean
  /** Calls a tool; a message follows only where the call has an output. */
  readonly toolCall: ToolCall | null
  /** Tokens of an update that go into one chunk (vLLM's `stream_interval`); 1 if not given. */
  readonly batch?: number
  /**
   * What keeps the model from answering, known before it begins. Streamed, it is told by `failing` once the
   * prompt has been read; not streamed, the answer is this status with the form of the path's errors.
   */
  readonly failure?: ModelError
}

export interface ToolCall {
  readonly id: string
  readonly name: string
  /** JSON text; its tokens are generated one by one like any other text. */
  readonly arguments: string
  /** What the tool gave, where the server itself ran it. */
  readonly output?: string
}

/** A token of an answer as a surface gets it. */
export interface AnswerToken extends GeneratedToken {
  /** Its text is told and its log-probability is not: the entry is left out, which leaves a hole. */
  readonly lost?: boolean
}

/** A part of an answer; parts follow one another. */
export interface Part {
  readonly kind: TokenKind
  /** Of a `tool_call`. */
  readonly tool?: ToolCall
}

export type Finish = 'stop' | 'length' | 'tool_calls'

/** What has become of an answer so far. */
export interface Outcome {
  /** Random, hexadecimal: what ids of the answer are made of. */
  readonly id: string
  /** Unix seconds. */
  readonly created: number
  /** Now, as the answer tells it. */
  readonly date: Date
  /** The tokens of the prompt as the model read it; with several prompts those of all of them. */
  readonly prompt: readonly number[]
  readonly choices: readonly ChoiceOutcome[]
  readonly timing: Timing
}

export interface ChoiceOutcome {
  readonly parts: readonly { readonly part: Part; readonly tokens: readonly AnswerToken[] }[]
  /** Tokens generated, those that a stop string swallowed included. */
  readonly count: number
  /** Null while it has not ended. */
  readonly finish: Finish | null
  /** The stop string that ended it; null or not there if none did. */
  readonly stopSequence?: string | null
}

/** Milliseconds from the request on; null where it has not come to that. */
export interface Timing {
  /** How long loading the model took; null if it was loaded already. */
  readonly loadMs: number | null
  /** How long reading the prompt took. */
  readonly prefillMs: number | null
  /** From the request to the first token. */
  readonly firstTokenMs: number | null
  /** From the first token to the last so far. */
  readonly generateMs: number
  /** From the request to now, or to the end. */
  readonly totalMs: number
}

/** How far the prompt has been read, in tokens. */
export interface PromptProgress {
  readonly total: number
  readonly processed: number
  /** Since the prompt was begun. */
  readonly ms: number
}

/** An event of a stream: of SSE with its name, if it has one, or a line of NDJSON. `data` is JSON or a sentinel. */
export interface Frame {
  readonly event?: string
  readonly data: string
}

/** An error that the model meets while it answers. */
export interface ModelError {
  readonly status: number
  readonly message: string
}

/**
 * How one answer looks. A streamed one is what the methods give, in this order: `opening`, `loading` (from 0
 * to 1; only if the model must be loaded), `prefilling`, then for each choice its parts (`begin`, any number
 * of `tokens`, `end`) and its `finish`, those of several choices interleaved, then `closing` and `sentinel`.
 * `failing` may cut in anywhere and is then the last. A method gives no frames where its server says nothing.
 * One that is not streamed is `whole`.
 */
export interface Wire {
  readonly format: 'sse' | 'ndjson'
  /** Response headers beside the content type. */
  readonly headers?: Readonly<Record<string, string>>
  /** Whether `closing` or `failing` tell the tokens' alternatives once more: those of a stream are else forgotten. */
  readonly rereads?: true
  /** Whether status and headers are sent before there is a frame, as soon as the prompt is begun. */
  readonly flushesEarly: boolean
  /** The first frames. */
  opening(): Frame[]
  /** The model is being loaded: 0 begins, 1 ends. */
  loading(progress: number): Frame[]
  /** The prompt is being read: the first has `processed` 0, the last all of it. */
  prefilling(progress: PromptProgress): Frame[]
  /** A part begins. */
  begin(choice: number, part: Part): Frame[]
  /** Tokens of the part that goes on, at least one; several in one chunk if there are several. */
  tokens(choice: number, part: Part, tokens: readonly AnswerToken[]): Frame[]
  /** A part ends. */
  end(choice: number, part: Part): Frame[]
  /** A choice ends. */
  finish(choice: number, finish: Finish): Frame[]
  /** All choices have ended: usage, statistics, whatever says that it is complete. */
  closing(): Frame[]
  /** What stands after everything, as `[DONE]`; none where the surface has none. */
  sentinel(): Frame[]
  /** What this server sends when the model fails in mid-answer, to its end. */
  failing(error: ModelError): Frame[]
  /** What it sends so that a silent connection lives, as wire text; null if it sends nothing. */
  readonly keepAlive: string | null
  /** The answer in one piece, as a value for JSON. */
  whole(): unknown
}
