/**
 * Pieces that the schemas of routes are made of. A schema is both what requests are checked with and what the
 * OpenAPI document says.
 */
import Type, { type TProperties, type TSchema } from 'typebox'
import { ERROR_CODES, type ErrorCode } from '../events/errors.ts'

/** What an answer of one status may be: a schema for each media type. */
export interface AnswerSchema {
  description: string
  content: Record<string, { schema: TSchema }>
}

/** Those of a route, by status. */
export type AnswerSchemas = Record<number, AnswerSchema>

/** What the doors and a fault of ours can make of any request. */
const EVERYWHERE: readonly ErrorCode[] = ['FORBIDDEN_ORIGIN', 'WRONG_HOST', 'INTERNAL']
/** What can be wrong with a JSON body before anybody looks into it. */
const OF_A_BODY: readonly ErrorCode[] = [
  'BAD_REQUEST',
  'INVALID_JSON',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
]

const Line = Type.Optional(Type.Integer({ minimum: 1, description: 'The line of the body that is at fault' }))
/** What a failure tells beside its message, by its code. */
const DETAILS: Partial<Record<ErrorCode, TProperties>> = {
  VERSION_CONFLICT: { current: Type.Ref('GenerationRecord#') },
  BAD_RECORDING: { line: Line },
  ALREADY_RECORDED: { line: Line, generation: Type.Optional(Type.String()) },
}

export const Count = Type.Integer({ minimum: 0 })
/** The id in a path. */
export const GenerationPath = Type.Object({
  id: Type.String({ description: 'Id of a generation, as `g_01J…`' }),
})
/** Bytes of a body or an answer, which are looked at as they come. */
export const Bytes = Type.String({ format: 'binary' })

export function orNull<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()])
}

/** One of some words. */
export function oneOf<T extends string>(
  words: readonly T[],
  options: { default?: T; description?: string } = {},
) {
  return Type.Enum([...words], { type: 'string', ...options })
}

/** A schema of the document's own, by its name. */
export function named(name: string): TSchema {
  return Type.Ref(`${name}#`)
}

/** The form of every JSON answer that is no failure. */
export function successOf(data: TSchema, metadata: TProperties = {}): TSchema {
  return Type.Object({ success: Type.Literal(true), data, metadata: Type.Object(metadata) })
}

/** A page of a list. */
export function pageOf(item: TSchema, maxLimit: number): TSchema {
  const pagination = Type.Object({
    limit: Type.Integer({ minimum: 1, maximum: maxLimit }),
    next_cursor: orNull(Type.String()),
    has_more: Type.Boolean(),
  })
  return successOf(Type.Array(item), { pagination })
}

/** What is asked for by `limit` and `cursor`. */
export function pageQuery(fallback: number, maxLimit: number) {
  return {
    limit: Type.Integer({
      minimum: 1,
      maximum: maxLimit,
      default: fallback,
      description: 'How many at most',
    }),
    cursor: Type.Optional(
      text('the next_cursor of the page before', {
        description: '`next_cursor` of the page before; without it the list begins',
      }),
    ),
  }
}

/**
 * A text in a query.
 *
 * @param words what it must be, for who gave something else
 */
export function text(words: string, options: { maxLength?: number; description?: string } = {}) {
  return Type.String({ minLength: 1, 'x-must-be': words, ...options })
}

export function json(schema: TSchema, description: string): AnswerSchema {
  return media('application/json', description, schema)
}

export function media(type: string, description: string, schema: TSchema): AnswerSchema {
  return { description, content: { [type]: { schema } } }
}

/** The failures that a route can answer with, by status, those included that any can. */
export function failures(codes: readonly ErrorCode[]): AnswerSchemas {
  const answers: AnswerSchemas = {}
  const all = [...new Set([...codes, ...EVERYWHERE])]
  for (const [status, same] of Map.groupBy(all, code => ERROR_CODES[code].status)) {
    const schema = Type.Object({
      success: Type.Literal(false),
      error: Type.String({ description: 'A sentence' }),
      error_code: oneOf(same),
      correlation_id: Type.String(),
      ...Object.assign({}, ...same.map(code => DETAILS[code])),
    })
    answers[status] = json(schema, same.map(code => `\`${code}\`: ${ERROR_CODES[code].meaning}`).join('; '))
  }
  return answers
}

/** The same for a route that takes a JSON body. */
export function bodyFailures(codes: readonly ErrorCode[]): AnswerSchemas {
  return failures([...OF_A_BODY, ...codes])
}
