/** What the dialects have in common when they look into JSON that anybody may have written. */
import type { GenerationError } from '../../events/generation.ts'
import { nothing, type Reading } from './dialect.ts'

export type Json = Record<string, unknown>

export function asObject(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Whether a field is there and not null. */
export function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** The string, or nothing. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The string, or null for another type and for the empty one. */
export function nameOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** The number if it is finite and not negative, or null. */
export function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null
}

/** A value that came parsed, as JSON again; nothing for one that is nested too deeply to be written. */
export function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch (error) {
    if (error instanceof RangeError) return ''
    throw error
  }
}

/** The data of a message as an object, or the reading of what is wrong with it. */
export function parsedMessage(data: string): { message: Json } | { reading: Reading } {
  let message: unknown
  try {
    message = JSON.parse(data)
  } catch {
    return {
      reading: {
        ...nothing(),
        error: {
          kind: 'parse',
          code: null,
          message: `not JSON in the stream: ${data.slice(0, 200)}`,
          retryable: true,
        },
      },
    }
  }
  const object = asObject(message)
  return object === null ? { reading: nothing() } : { message: object }
}

/** A reading of an error, `body` being what the upstream said instead of an answer. */
export function errorReading(body: unknown): Reading {
  return { ...nothing(), error: toldError(body) }
}

/**
 * The error in the forms that servers use: `{error: {message, type?, code?}}`, `{error: "…"}`,
 * `{message, …}`, a bare text.
 *
 * Its kind is what the upstream's own code says: a request that it cannot fulfil is `send`, one that took
 * too long `timeout`, and a fault of its own `unknown`.
 */
export function toldError(body: unknown, status: number | null = null): GenerationError {
  const object = asObject(body)
  const inner = asObject(object?.error) ?? object
  const code = codeOf(inner) ?? null
  const message = errorMessage(body) ?? jsonOf(body ?? null).slice(0, 500)
  const number = status ?? (typeof inner?.code === 'number' ? inner.code : null)
  const isUnknownPath = number === null && UNKNOWN_PATH.test(message)
  const kind = isUnknownPath ? 'send' : kindOf(code, number)
  return { kind, code, message, retryable: isRetryable(code, number) }
}

/** Finds the words of an error, or null where there are none. */
export function errorMessage(body: unknown): string | null {
  if (typeof body === 'string') return body === '' ? null : body
  const object = asObject(body)
  if (object === null) return null
  const { error, message } = object
  if (typeof error === 'string' && error !== '') return error
  const inner = asObject(error)
  if (inner !== null) return nameOf(inner.message) ?? jsonOf(inner).slice(0, 500)
  // Other forms say what they are: FastAPI's `detail`, problem details' `title`.
  return nameOf(message) ?? detailOf(object.detail) ?? nameOf(object.title)
}

/** A text, or FastAPI's list of what is wrong with the fields of a request. */
function detailOf(detail: unknown): string | null {
  const faults = asArray(detail).flatMap(item => {
    const fault = asObject(item)
    const words = textOf(fault?.msg)
    return words === '' ? [] : `${asArray(fault?.loc).join('.')}: ${words}`
  })
  return nameOf(detail) ?? nameOf(faults.join('; '))
}

function codeOf(error: Json | null): string | null {
  if (error === null) return null
  if (typeof error.code === 'string' && error.code !== '') return error.code
  return nameOf(error.type)
}

const SENT_WRONG =
  /invalid|not_?found|context|too_?long|too_?large|unsupported|not_implemented|authentication|permission/i
const TOOK_TOO_LONG = /timeout|timed_?out/i
/** How LM Studio says that it has no such path: in these words alone, with status 200. */
const UNKNOWN_PATH = /^Unexpected endpoint or method/
const BUSY = /rate_?limit|overloaded|unavailable|busy|exhausted/i

function kindOf(code: string | null, status: number | null): GenerationError['kind'] {
  if (status === 408 || status === 504 || (code !== null && TOOK_TOO_LONG.test(code))) return 'timeout'
  if (status !== null) return status >= 400 && status < 500 ? 'send' : 'unknown'
  return code !== null && SENT_WRONG.test(code) ? 'send' : 'unknown'
}

function isRetryable(code: string | null, status: number | null): boolean {
  if (status !== null && [408, 425, 429, 502, 503, 504].includes(status)) return true
  return code !== null && (BUSY.test(code) || TOOK_TOO_LONG.test(code))
}
