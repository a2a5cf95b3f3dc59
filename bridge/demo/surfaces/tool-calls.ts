/**
 * Calls of tools. The model cannot decide to call one: a call is made where the request demands it, and its
 * arguments follow from the tool's schema and from what the user said.
 */
import { randomBytes } from 'node:crypto'
import type { ToolCall } from '../surface.ts'
import { type Fields, isRecord } from './fields.ts'

/** A tool that a request offers. */
export interface OfferedTool {
  readonly name: string
  /** JSON schema of its arguments; anything else is taken as one without properties. */
  readonly parameters: unknown
}

// A schema that is deeper, or that refers to itself, is not followed further.
const MAX_DEPTH = 8
/** Of what the user said, in an argument. */
const MAX_CHARACTERS = 200

/** The call of a tool about `prompt`, under a new id that begins with `prefix`. */
export function callTool(tool: OfferedTool, prompt: string, prefix = 'call_'): ToolCall {
  return {
    id: `${prefix}${randomBytes(12).toString('hex')}`,
    name: tool.name,
    arguments: JSON.stringify(argumentsOf(tool.parameters, prompt, 0)),
  }
}

/** An object that fits the schema: its required properties, or all where it requires none. */
function argumentsOf(schema: unknown, prompt: string, depth: number): Fields {
  const properties = isRecord(schema) && isRecord(schema.properties) ? schema.properties : {}
  const required = new Set<unknown>(isRecord(schema) && Array.isArray(schema.required) ? schema.required : [])
  const names = Object.keys(properties).filter(name => required.size === 0 || required.has(name))
  return Object.fromEntries(names.map(name => [name, valueFor(properties[name], prompt, depth + 1)]))
}

/** Strings are what the user said, numbers the first that the user named. */
function valueFor(schema: unknown, prompt: string, depth: number): unknown {
  if (!isRecord(schema) || depth > MAX_DEPTH) return null
  if (schema.const !== undefined) return schema.const
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return schema.enum[0]
  const type: unknown = Array.isArray(schema.type) ? schema.type[0] : schema.type
  switch (type) {
    case 'string':
      return prompt.slice(0, MAX_CHARACTERS).toWellFormed()
    case 'integer':
    case 'number':
      return numberOf(schema, prompt, type === 'integer')
    case 'boolean':
      return false
    case 'array':
      return []
    case 'object':
      return argumentsOf(schema, prompt, depth)
    default:
      return null
  }
}

function numberOf(schema: Fields, prompt: string, whole: boolean): number {
  const named = Number(prompt.match(/-?\d+(?:\.\d+)?/)?.[0] ?? Number.NaN)
  if (Number.isFinite(named) && !(whole && !Number.isInteger(named))) return named
  return typeof schema.minimum === 'number' ? schema.minimum : 0
}
