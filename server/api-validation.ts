/** Checks requests by the schemas of their routes, and says in words what does not fit. */
import type { FastifyInstance, FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { TLocalizedValidationError } from 'typebox/error'
import { TokenscopeError } from '../events/errors.ts'

const WHOLE_NUMBER = /^-?\d{1,15}$/
const NUMBER = /^-?\d{1,16}(\.\d{1,20})?(e[+-]?\d{1,2})?$/i

/** What of a schema is looked at here. */
interface Schema {
  type?: string
  format?: string
  const?: unknown
  enum?: readonly unknown[]
  anyOf?: readonly Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: readonly string[]
  default?: unknown
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  maxItems?: number
  'x-must-be'?: string
}

type Read = { value: unknown } | { error: TokenscopeError }

/** Has requests checked by the schemas of their routes; answers leave as they are. */
export function useSchemas(app: FastifyInstance): void {
  app.setValidatorCompiler(compileValidator)
  // A serializer that is made of a schema leaves out what the schema forgot.
  app.setSerializerCompiler(() => data => JSON.stringify(data))
}

/** A body that is not there is read as an empty object. */
const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  if (httpPart === 'querystring') return queryReader(schema)
  if (httpPart !== 'body') return value => ({ value })
  // Bytes are looked at by who takes them.
  return (schema as Schema).format === 'binary' ? value => ({ value }) : bodyReader(schema)
}

/** @returns a TokenscopeError BAD_REQUEST that names the parameter, what it is and what it must be */
export function badParameter(param: string, value: unknown, words: string): TokenscopeError {
  const given = value === undefined ? 'missing' : JSON.stringify(value).slice(0, 100)
  return new TokenscopeError('BAD_REQUEST', `"${param}" is ${given}; it must be ${words}.`, { param })
}

/** Texts become what the schema says; what is not in it is left out, what is missing gets its default. */
function queryReader(schema: TSchema): (query: unknown) => Read {
  const { properties = {}, required = [] } = schema as Schema
  const readers = Object.entries(properties).map(([name, property]) => {
    return { name, property, read: parameterReader(name, property), isNeeded: required.includes(name) }
  })
  return query => {
    const given = query as Record<string, unknown>
    const value: Record<string, unknown> = {}
    try {
      for (const { name, property, read, isNeeded } of readers) {
        const said = Object.hasOwn(given, name) ? given[name] : undefined
        if (said !== undefined) value[name] = read(said)
        else if (property.default !== undefined) value[name] = property.default
        else if (isNeeded) throw badParameter(name, undefined, wordsOf(property))
      }
    } catch (error) {
      if (error instanceof TokenscopeError) return { error }
      throw error
    }
    return { value }
  }
}

/** @returns what throws a TokenscopeError BAD_REQUEST */
function parameterReader(name: string, schema: Schema): (said: unknown) => unknown {
  const { items } = schema
  if (items !== undefined) {
    const readItem = parameterReader(name, items)
    return said => (Array.isArray(said) ? said : [said]).map(readItem)
  }
  const kinds = (schema.anyOf ?? [schema]).map(kind => ({ kind, check: Compile(kind as TSchema) }))
  return said => {
    for (const { kind, check } of kinds) {
      const value = typeof said === 'string' ? readText(kind, said) : undefined
      if (value !== undefined && check.Check(value)) return value
    }
    throw badParameter(name, said, wordsOf(schema))
  }
}

/** Undefined where a text is no such value. */
function readText({ type }: Schema, said: string): string | number | undefined {
  if (type === 'integer') return WHOLE_NUMBER.test(said) ? Number(said) : undefined
  if (type === 'number') return NUMBER.test(said) ? Number(said) : undefined
  return said
}

/** What a parameter must be. */
function wordsOf(schema: Schema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(wordsOf).join(', or ')
  if (schema.items !== undefined) {
    const most = schema.maxItems === undefined ? '' : `, ${schema.maxItems} at most`
    return schema.type === 'array' && most !== '' ? `a list${most}` : wordsOf(schema.items)
  }
  if (schema.const !== undefined) return String(schema.const)
  if (schema.enum !== undefined) {
    return schema.enum.length === 1 ? String(schema.enum[0]) : `one of ${schema.enum.join(', ')}`
  }
  const { type, minimum, maximum } = schema
  if (type === 'null') return 'null'
  if (type !== 'integer' && type !== 'number') {
    const most = schema.maxLength === undefined ? '' : `, ${schema.maxLength} characters at most`
    return `${schema['x-must-be'] ?? (schema.minLength === 1 ? 'a text that is not empty' : 'a text')}${most}`
  }
  const kind = type === 'integer' ? 'a whole number' : 'a number'
  if (minimum === undefined) return kind
  if (maximum === undefined) return `${kind}, ${short(minimum)} or more`
  return `${kind} from ${short(minimum)} to ${short(maximum)}`
}

function short(number: number): string {
  return number >= 1e6 ? number.toExponential().replace('+', '') : String(number)
}

function bodyReader(schema: TSchema): (body: unknown) => Read {
  const check = Compile(schema)
  return body => {
    const value = body ?? {}
    const [misfit] = check.Check(value) ? [] : check.Errors(value)
    return misfit === undefined ? { value } : { error: badBody(schema, value, misfit) }
  }
}

function badBody(schema: Schema, body: unknown, misfit: TLocalizedValidationError): TokenscopeError {
  const { keyword, instancePath } = misfit
  const path = instancePath.split('/').slice(1)
  if (keyword === 'required') {
    const [missing = ''] = misfit.params.requiredProperties
    return badParameter(
      [...path, missing].join('/'),
      undefined,
      wordsOf(schemaAt(schema, [...path, missing])),
    )
  }
  if (path.length === 0) return new TokenscopeError('BAD_REQUEST', 'The body must be a JSON object.')
  const param = path.join('/')
  // Of these the library speaks in its own terms, and what the field must be does not say it.
  const words: Partial<Record<typeof keyword, string>> = {
    boolean: 'is not known here',
    pattern: 'has characters that it may not have',
    uniqueItems: 'has one more than once',
  }
  const said = words[keyword]
  if (said !== undefined) return new TokenscopeError('BAD_REQUEST', `"${param}" ${said}.`, { param })
  const value = path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)?.[key], body)
  return badParameter(param, value, wordsOf(schemaAt(schema, path)))
}

/** What a schema says of a part of what it describes. */
function schemaAt(schema: Schema, path: readonly string[]): Schema {
  return path.reduce<Schema>((outer, key) => outer.properties?.[key] ?? outer.items ?? {}, schema)
}
