/**
 * The directives of the demo server: what an answer is to be, and what is to go wrong with it. One grammar,
 * for the header `x-demo` of a request and for the switch of the server: `name` or `name=value`, divided by
 * commas. The table below is all there is to know about them; help, docs and errors are made from it.
 */
import { TokenscopeError } from '../../events/errors.ts'
import {
  count,
  countOr,
  duration,
  durationOr,
  flag,
  rate,
  silence,
  text,
  type ValueForm,
  word,
} from './fault-values.ts'

/** The header of a request that holds its directives. */
export const FAULT_HEADER = 'x-demo'

interface Directive<T> {
  readonly value: ValueForm<T>
  readonly meaning: string
  /** Of the directives of a group an answer has at most one. */
  readonly group?: 'status' | 'lines' | 'writes' | 'break' | 'error'
}

function directive<T>(
  value: ValueForm<T>,
  meaning: string,
  group?: NonNullable<Directive<T>['group']>,
): Directive<T> {
  return group === undefined ? { value, meaning } : { value, meaning, group }
}

export const DIRECTIVES = {
  none: directive(flag, 'nothing of what the switch says holds for this request'),

  say: directive(text, 'the answer is this text, its tokens with their true probabilities'),
  tokens: directive(count(1), 'the answer is exactly so many tokens long, if the request allows as many'),
  seed: directive(count(0), 'the seed of an answer whose request has none'),
  fixed: directive(
    flag,
    'equal requests give equal bytes: ids and dates are always the same, durations 0, a seed not given is 0',
  ),
  rate: directive(rate, 'tokens per second; max is no limit'),

  'slow-load': directive(
    duration,
    'the model takes so long to load, told in steps where the server tells it',
  ),
  'slow-prefill': directive(
    duration,
    'reading the prompt takes so long, told in steps where the server tells it',
  ),
  'slow-headers': directive(duration, 'the headers come so late, and everything after them'),
  silence: directive(silence, 'after N tokens nothing comes for so long'),

  drop: directive(count(0, '=BYTE'), 'the connection is reset (RST) after so many bytes of body', 'break'),
  cut: directive(count(0, '=BYTE'), 'the connection ends (FIN) there, without a last chunk', 'break'),
  end: directive(count(0, '=BYTE'), 'the body ends there, in good order for HTTP', 'break'),

  error: directive(
    count(0),
    'after N tokens an error, in the form and with the habits of the server',
    'error',
  ),
  'error-done': directive(
    count(0),
    'after N tokens an error and then the sentinel (`[DONE]`) all the same',
    'error',
  ),
  'no-done': directive(flag, 'the sentinel is missing'),
  'no-finish': directive(flag, 'the finish reason and all that follows it is missing'),
  empty: directive(flag, 'a well-formed answer without a token'),
  json: directive(
    word('error', 'whole'),
    'a stream is answered with 200 and JSON: LM Studio’s error, or the whole answer',
  ),

  crlf: directive(flag, 'lines of SSE end with CR LF', 'lines'),
  cr: directive(flag, 'lines of SSE end with CR', 'lines'),
  bom: directive(flag, 'the body begins with a byte order mark'),
  split: directive(count(1), 'the body is written at most N bytes at a time', 'writes'),
  'split-utf8': directive(flag, 'the body is written so that each write ends inside a character', 'writes'),
  pings: directive(
    durationOr(1000),
    'a keep-alive before the first token, then one every so often: every second if not given',
  ),
  batch: directive(count(2), 'after the first token N of them in a chunk, each with its entry'),
  'half-characters': directive(
    countOr(4),
    'after every N tokens, 4 if not given, a character that is spread over several',
  ),
  'lost-logprobs': directive(
    countOr(4),
    'the entry of every N-th token, 4 if not given, is missing; its text comes',
  ),
  sentinels: directive(
    countOr(4),
    'every N-th token, 4 if not given, and its last alternative have the server’s value for probability 0',
  ),

  429: directive(
    durationOr(1000),
    'too many requests; `Retry-After` in whole seconds, 1 if not given',
    'status',
  ),
  500: directive(flag, 'a server error', 'status'),
  503: directive(
    durationOr(1000),
    'not available, or loading; `Retry-After` in whole seconds, 1 if not given',
    'status',
  ),
  refuse: directive(duration, 'the connection is reset and new ones are refused for so long', 'status'),
} as const

export type DirectiveName = `${keyof typeof DIRECTIVES}`

type ValueOf<D> = D extends Directive<infer T> ? T : never

/** What a request is to meet. Durations are in milliseconds, Infinity for ever. */
export type Faults = {
  readonly [N in keyof typeof DIRECTIVES as `${N}`]?: ValueOf<(typeof DIRECTIVES)[N]>
}

/** The names of all directives, in the order of the table. */
export const DIRECTIVE_NAMES = Object.keys(DIRECTIVES).sort(
  (a, b) => Number(/^\d/.test(a)) - Number(/^\d/.test(b)),
) as DirectiveName[]

/**
 * Reads directives; empty text is none.
 *
 * @throws TokenscopeError BAD_REQUEST naming the directive that is unknown, given twice, at odds with
 *   another, or has a bad value
 */
export function parseFaults(source: string): Faults {
  const faults: Record<string, unknown> = {}
  for (const part of source.split(',').map(one => one.trim())) {
    if (part === '') continue
    const at = part.indexOf('=')
    const name = at === -1 ? part : part.slice(0, at)
    if (!isDirective(name)) {
      throw bad(name, `there is no directive "${name}"; there are ${DIRECTIVE_NAMES.join(', ')}`)
    }
    if (Object.hasOwn(faults, name)) throw bad(name, `the directive ${name} is given twice`)
    const rival = rivalOf(name, faults)
    if (rival !== null) throw bad(name, `the directives ${rival} and ${name} exclude each other`)
    const { value }: Directive<unknown> = DIRECTIVES[name]
    const raw = at === -1 ? null : part.slice(at + 1)
    try {
      faults[name] = value.read(raw)
    } catch (error) {
      const given = raw === null ? 'has no value' : `is ${JSON.stringify(raw)}`
      throw bad(name, `the directive ${name} ${given}; it must be ${(error as Error).message}`)
    }
  }
  return faults as Faults
}

/** The text that `parseFaults` reads as these faults. */
export function formatFaults(faults: Faults): string {
  const parts = DIRECTIVE_NAMES.flatMap(name => {
    if (faults[name] === undefined) return []
    const { value } = DIRECTIVES[name] as Directive<unknown>
    const written = value.write(faults[name])
    return [written === null ? name : `${name}=${written}`]
  })
  return parts.join(',')
}

/** What holds for a request: its own directives, and those of the switch that they do not replace. */
export function mergeFaults(own: Faults, switched: Faults): Faults {
  if (own.none) return own
  const kept = Object.entries(switched).filter(([name]) => rivalOf(name as DirectiveName, own) === null)
  return { ...Object.fromEntries(kept), ...own }
}

/** How a directive is written, for people: `silence=DUR[@N]`. */
export function usageOf(name: DirectiveName): string {
  return name + DIRECTIVES[name].value.form
}

/** A directive in `faults` of the group that `name` is in; null if there is none. */
function rivalOf(name: DirectiveName, faults: object): DirectiveName | null {
  const { group } = DIRECTIVES[name] as Directive<unknown>
  if (group === undefined) return null
  const rivals = Object.keys(faults) as DirectiveName[]
  return rivals.find(other => (DIRECTIVES[other] as Directive<unknown>).group === group) ?? null
}

function isDirective(name: string): name is DirectiveName {
  return Object.hasOwn(DIRECTIVES, name)
}

function bad(name: string, message: string): TokenscopeError {
  return new TokenscopeError('BAD_REQUEST', message, { param: name })
}
