/** Reads the fields of a request's body; every error names the field that does not fit. */
import { TokenscopeError } from '../../../events/errors.ts'

const MAX_STOPS = 4

/** An object of a parsed JSON body. */
export type Fields = Record<string, unknown>

/** Whether it is an object with fields: neither null nor an array. */
export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The error of a field that does not fit. */
export function bad(message: string, param?: string): TokenscopeError {
  return new TokenscopeError('BAD_REQUEST', message, param === undefined ? {} : { param })
}

/** The text of a message's content: a string, or text parts joined by line breaks. `at` names the field. */
export function contentOf(content: unknown, role: string, at: string): string {
  if (typeof content === 'string') return content
  // An assistant's message with tool calls has no content.
  if ((content ?? null) === null && role === 'assistant') return ''
  if (!Array.isArray(content)) throw bad(`${at} must be a string or an array of parts`, at)
  return content
    .map((part: unknown, i) => {
      if (!isRecord(part) || part.type !== 'text' || typeof part.text !== 'string') {
        throw bad(`${at}[${i}] must be {"type":"text","text":"…"}; the demo reads text only`, `${at}[${i}]`)
      }
      return part.text
    })
    .join('\n')
}

/** Stop strings: one, several or none; at most four, or as many as `most` says. */
export function stopsOf(stop: unknown, most = MAX_STOPS): string[] {
  const stops: unknown[] = Array.isArray(stop) ? stop : (stop ?? null) === null ? [] : [stop]
  if (stops.length > most) throw bad(`stop holds ${stops.length} strings; at most ${most}`, 'stop')
  return stops.map(text => {
    if (typeof text !== 'string' || text === '') {
      throw bad('stop must be a string that is not empty, or an array of them', 'stop')
    }
    return text
  })
}

/** A field that is true or false; false where it is not given. `shown` names it in errors. */
export function flag(fields: Fields, name: string, shown = name): boolean {
  const value = fields[name] ?? false
  if (typeof value !== 'boolean') throw bad(`${shown} must be true or false`, shown)
  return value
}

/** A number within bounds; undefined where it is not given. */
export function number(
  fields: Fields,
  name: string,
  { from, to, whole = false }: { from: number; to: number; whole?: boolean },
): number | undefined {
  const value = fields[name] ?? undefined
  if (value === undefined) return undefined
  if (typeof value !== 'number' || (whole && !Number.isInteger(value)) || !(value >= from && value <= to)) {
    throw bad(`${name} must be a ${whole ? 'whole ' : ''}number from ${from} to ${to}`, name)
  }
  return value
}
