/** Schemas of recorded generations: what `store/recording.ts` says in types. */
import Type from 'typebox'
import type { GenerationState, TokenKind } from '../events/generation.ts'
import { Count, oneOf, orNull } from './api-schema.ts'

/** Limits of what a user writes. */
export const MAX_NAME = 200
export const MAX_TAGS = 50
export const MAX_TAG = 50
export const MAX_NOTE = 10_000
/** What can be kept and found again: no half of a surrogate pair, no NUL; no control character in a line. */
const SINGLE_LINE = '^[^\\p{Cc}\\p{Cs}]*$'
const ANY_TEXT = '^[^\\0\\p{Cs}]*$'

/** Names, in objects: so the compiler sees that none is missing. */
const STATES: Record<GenerationState, true> = {
  queued: true,
  loading_model: true,
  processing_prompt: true,
  generating: true,
  cancelling: true,
  done: true,
  interrupted: true,
  cancelled: true,
  failed: true,
}
const KINDS: Record<TokenKind, true> = { message: true, reasoning: true, tool_call: true }
const ERROR_KINDS = ['connection', 'parse', 'send', 'timeout', 'unknown'] as const

export const StateName = oneOf(Object.keys(STATES) as GenerationState[])
export const KindName = oneOf(Object.keys(KINDS) as TokenKind[])
const Time = Type.Number({ description: 'Unix seconds' })
const Headers = Type.Record(Type.String(), Type.String())

const GenerationError = Type.Object({
  kind: oneOf(ERROR_KINDS),
  code: orNull(Type.String()),
  message: Type.String(),
  retryable: Type.Boolean(),
})

const Timings = Type.Object({
  load_ms: orNull(Type.Number()),
  prompt_ms: orNull(Type.Number()),
  generation_ms: orNull(Type.Number()),
  tokens_per_second: orNull(Type.Number()),
})

const Replay = Type.Object({
  of: Type.String({ description: 'The generation that is played again' }),
  speed: orNull(Type.Number({ description: '1 is as it was; null: as fast as it can be' })),
})

const RecordFields = {
  generation: Type.String(),
  origin: oneOf(['live', 'replay', 'import']),
  state: StateName,
  model: orNull(Type.String()),
  upstream: Type.String(),
  ending: orNull(Type.String()),
  error: orNull(GenerationError),
  parent: orNull(Type.String({ description: 'The generation that this one goes on with' })),
  cached: Type.Boolean(),
  replay: orNull(Replay),
  started_at: Time,
  ended_at: orNull(Time),
  elapsed_ms: Type.Number(),
  ttft_ms: orNull(Type.Number()),
  tokens: Type.Integer({ minimum: 0, description: 'Tokens recorded' }),
  tokens_processed: Type.Integer({ minimum: 0, description: 'As its last state says' }),
  total_tokens: orNull(Count),
  estimated: Type.Boolean({
    description: 'Whether `tokens_processed` counts chunks, which may hold several',
  }),
  timings: orNull(Timings),
  mean_logprob: orNull(Type.Number({ description: 'Nats, of the tokens whose logprob is known' })),
  preview: Type.String({ description: 'What its text begins with; empty while it runs' }),
  prompt: orNull(Type.String({ description: 'What the last message of the user begins with' })),
  name: orNull(Type.String()),
  tags: Type.Array(Type.String()),
  note: orNull(Type.String()),
  version: Type.Integer({ minimum: 1, description: 'Goes up by one with each change of name, tags or note' }),
  complete: Type.Boolean({ description: 'Whether all of it was recorded' }),
  bytes: Type.Integer({ minimum: 0, description: 'What it takes in the records' }),
}

/** A recorded generation, as lists have it. */
export const GenerationRecordSchema = Type.Object(RecordFields, { $id: 'GenerationRecord' })

const RequestSchema = Type.Object({
  method: Type.String(),
  target: Type.String({ description: 'Path and query' }),
  headers: Headers,
  body: orNull(Type.String({ description: 'As text; null where there is none or it is no text' })),
  body_bytes: Count,
  correlation_id: orNull(Type.String()),
  started_at: Time,
  generations: Type.Array(Type.String(), { description: 'All generations of the request' }),
})

const ResponseSchema = Type.Object({
  status: Type.Integer(),
  headers: Headers,
  bytes: Count,
  outcome: orNull(oneOf(['complete', 'broken', 'cancelled', 'interrupted'])),
})

/** All that is known of it but its tokens. */
export const GenerationDetailSchema = Type.Object(
  {
    ...RecordFields,
    text: Type.String({ description: 'All its text, whatever its kinds' }),
    request: orNull(RequestSchema),
    response: orNull(ResponseSchema),
  },
  { $id: 'GenerationDetail' },
)

/** A recorded token. */
export const RecordedTokenSchema = Type.Object(
  {
    index: Count,
    token_id: orNull(Type.Integer()),
    token_text: Type.String(),
    kind: KindName,
    timestamp: Time,
    logprob: orNull(Type.Number()),
    confidence: orNull(Type.Number({ minimum: 0, maximum: 1 })),
    entropy: orNull(Type.Number({ description: 'Nats, over the alternatives and the rest as one lump' })),
    top: Type.Array(Type.Object({ text: Type.String(), logprob: Type.Number() })),
    position: orNull(
      Type.Array(Type.Number(), { minItems: 2, maxItems: 2, description: 'Its cell on the map: x, y' }),
    ),
  },
  { $id: 'RecordedToken' },
)

/** What a user changes. Names and tags are single lines. */
export const EditSchema = Type.Object(
  {
    version: Type.Integer({ minimum: 1, description: 'The version that was read' }),
    name: Type.Optional(
      Type.Union([
        Type.String({ minLength: 1, maxLength: MAX_NAME, pattern: SINGLE_LINE }),
        Type.Null({ description: 'Takes it away' }),
      ]),
    ),
    tags: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: MAX_TAG, pattern: SINGLE_LINE }), {
        maxItems: MAX_TAGS,
        uniqueItems: true,
      }),
    ),
    note: Type.Optional(
      Type.Union([
        Type.String({ minLength: 1, maxLength: MAX_NOTE, pattern: ANY_TEXT }),
        Type.Null({ description: 'Takes it away' }),
      ]),
    ),
  },
  { additionalProperties: false },
)
