/** Checks of what a line of a file says. Each gives the value, or throws what is wrong with it. */
import { GENERATION_STATES, TOKEN_KINDS, type TokenKind } from '../../events/generation.ts'
import type { RecordedResponse } from '../recording.ts'
import { storedText } from '../stored-text.ts'

/** What is wrong with a line, as half a sentence. */
export class NotSo extends Error {}

/** Milliseconds that a row's id can be made of. */
const MAX_MS = 2 ** 43
const MAX_TOKEN_ID = 2 ** 52
/** What can stand in a path, and means nothing else there. */
const GENERATION = /^(?!import$)\w[\w.~-]{0,99}$/
const STATES: ReadonlySet<unknown> = new Set(GENERATION_STATES)
const KINDS: ReadonlySet<unknown> = new Set(TOKEN_KINDS)
const OUTCOMES: ReadonlySet<unknown> = new Set<RecordedResponse['outcome']>([
  'complete',
  'broken',
  'cancelled',
  'interrupted',
])

export function object(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new NotSo(`${name} is no object`)
  return value as Record<string, unknown>
}

export function nullable<T>(
  value: unknown,
  name: string,
  check: (value: unknown, name: string) => T,
): T | null {
  return value === null ? null : check(value, name)
}

export function array<T>(value: unknown, name: string, check: (value: unknown, name: string) => T): T[] {
  if (!Array.isArray(value)) throw new NotSo(`${name} is no array`)
  return value.map(item => check(item, name))
}

/** A list that has at most so many. */
export function atMost<T>(most: number, values: T[], name: string): T[] {
  if (values.length > most) throw new NotSo(`${name} are more than ${most}`)
  return values
}

export function string(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new NotSo(`${name} is no text`)
  return value
}

/** A text that a column can hold. */
export function text(value: unknown, name: string): string {
  const told = string(value, name)
  if (told !== storedText(told)) throw new NotSo(`${name} has half a surrogate pair, or NUL`)
  return told
}

export function number(value: unknown, name: string): number {
  if (typeof value !== 'number') throw new NotSo(`${name} is no number`)
  return value
}

/** A whole number from 0 on. */
export function count(value: unknown, name: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new NotSo(`${name} is no count`)
  return value as number
}

export function tokenId(value: unknown, name: string): number {
  if (!Number.isInteger(value) || Math.abs(value as number) >= MAX_TOKEN_ID)
    throw new NotSo(`${name} is no token id`)
  return value as number
}

/** Unix seconds. */
export function time(value: unknown, name: string): number {
  const seconds = number(value, name)
  if (!(seconds >= 0 && seconds * 1000 < MAX_MS)) throw new NotSo(`${name} is no time`)
  return seconds
}

/** Unix seconds, in steps of 0.1 ms. */
export function ticks(value: unknown, name: string): number {
  const seconds = time(value, name)
  if (Math.round(seconds * 10_000) / 10_000 !== seconds) throw new NotSo(`${name} is no step of 0.1 ms`)
  return seconds
}

export function generation(value: unknown): string {
  if (typeof value !== 'string' || !GENERATION.test(value)) throw new NotSo('generation is no id of one')
  return value
}

export function kind(value: unknown): TokenKind {
  if (!KINDS.has(value)) throw new NotSo('kind is none that there is')
  return value as TokenKind
}

export function outcome(value: unknown): NonNullable<RecordedResponse['outcome']> {
  if (!OUTCOMES.has(value)) throw new NotSo('outcome is none that there is')
  return value as NonNullable<RecordedResponse['outcome']>
}

export function headers(value: unknown): Record<string, string> {
  const fields = object(value, 'headers')
  for (const field of Object.values(fields)) string(field, 'headers')
  return fields as Record<string, string>
}

/** A `neural_state`, whose fields that are not known are let be. */
export function state(fields: Record<string, unknown>): void {
  if (!STATES.has(fields.state)) throw new NotSo('state is none that there is')
  nullable(fields.model, 'model', string)
  string(fields.upstream, 'upstream')
  count(fields.tokens_processed, 'tokens_processed')
  nullable(fields.total_tokens, 'total_tokens', number)
  boolean(fields.estimated, 'estimated')
  number(fields.elapsed_ms, 'elapsed_ms')
  nullable(fields.ttft_ms, 'ttft_ms', number)
  nullable(fields.progress, 'progress', number)
  nullable(fields.ending, 'ending', string)
  nullable(fields.error, 'error', error)
  nullable(fields.timings, 'timings', timings)
  nullable(fields.parent, 'parent', string)
  boolean(fields.cached, 'cached')
  if (fields.replay !== undefined) string(object(fields.replay, 'replay').of, 'replay')
}

/** What of it is shown. */
function error(value: unknown): void {
  const { kind, code, message, retryable } = object(value, 'error')
  string(kind, 'kind of the error')
  nullable(code, 'code of the error', string)
  string(message, 'message of the error')
  boolean(retryable, 'retryable of the error')
}

function timings(value: unknown): void {
  const fields = object(value, 'timings')
  for (const name of ['load_ms', 'prompt_ms', 'generation_ms', 'tokens_per_second']) {
    nullable(fields[name], `${name} of the timings`, number)
  }
}

export function equal(value: unknown, expected: unknown, name: string): void {
  if (value !== expected)
    throw new NotSo(`${name} is ${JSON.stringify(value)}, not ${JSON.stringify(expected)}`)
}

export function boolean(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw new NotSo(`${name} is neither true nor false`)
  return value
}
