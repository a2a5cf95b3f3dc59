import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Endpoint, endpointOf } from '../../bridge/dialects/index.ts'
import { Exchange } from '../../bridge/exchange.ts'
import type {
  Alternative,
  GenerationError,
  GenerationEvent,
  NeuralStateEvent,
  TokenEvent,
  TokenKind,
  UpstreamTimings,
} from '../../events/generation.ts'
import { RecordingMeter } from './hub-meter.ts'

/** Where the corpus is; test/streams/README.md says what its files hold. */
export const CORPUS = join(import.meta.dirname, '..', 'streams')

/** `exchange.json`: what was asked, and how the answer came. */
export interface RecordedExchange {
  about: string
  source: string
  request: { path: string; body: unknown }
  response: { status: number; contentType: string | null; end: 'end' | 'reset' }
}

/** One generation of `expected.json`. */
export interface ExpectedGeneration {
  choice: number
  model: string | null
  state: string
  ending: string | null
  error: GenerationError | null
  text: Partial<Record<TokenKind, string>>
  tokens: ExpectedToken[]
  tokens_processed: number
  total_tokens: number | null
  estimated: boolean
  progress: number[]
  timings: UpstreamTimings | null
}

export interface ExpectedToken {
  text: string
  kind: TokenKind
  id: number | null
  logprob: number | null
  confidence: number | null
  entropy: number | null
  top: Alternative[]
}

export interface StreamCase {
  /** `<dialect>/<case>`. */
  name: string
  dialect: string
  directory: string
  exchange: RecordedExchange
  body: Buffer
  /** Null while nobody has written it. */
  expected: { generations: ExpectedGeneration[] } | null
}

/** Every case of the corpus, in the order of its names. */
export function readCorpus(): StreamCase[] {
  return directoriesOf(CORPUS).flatMap(dialect =>
    directoriesOf(join(CORPUS, dialect)).map(name => readCase(dialect, name)),
  )
}

function readCase(dialect: string, name: string): StreamCase {
  const directory = join(CORPUS, dialect, name)
  const bodies = bodyFiles(directory)
  if (bodies.length !== 1) throw new Error(`${directory} has ${bodies.length} bodies`)
  const expected = join(directory, 'expected.json')
  return {
    name: `${dialect}/${name}`,
    dialect,
    directory,
    exchange: JSON.parse(readFileSync(join(directory, 'exchange.json'), 'utf8')),
    body: readFileSync(join(directory, bodies[0] as string)),
    expected: existsSync(expected) ? JSON.parse(readFileSync(expected, 'utf8')) : null,
  }
}

/** The files of a case that hold its body. */
export function bodyFiles(directory: string): string[] {
  return readdirSync(directory).filter(file => /^body\.(sse|ndjson|json|txt)$/.test(file))
}

function directoriesOf(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
}

/** What is spoken on the path of a case. */
export function endpointOfCase({ exchange }: StreamCase): Endpoint {
  const endpoint = endpointOf('POST', exchange.request.path)
  if (endpoint === null) throw new Error(`nothing is generated at ${exchange.request.path}`)
  return endpoint
}

/**
 * Has an exchange listen to an answer.
 *
 * @param pieces the bytes of its body, in reads
 * @returns what it told, without the ids and the times that differ from run to run
 */
export function eventsOf(
  one: StreamCase,
  pieces: Iterable<Buffer>,
  endpoint = endpointOfCase(one),
): GenerationEvent[] {
  const { request, response } = one.exchange
  const ids: string[] = []
  const events: GenerationEvent[] = []
  const exchange = new Exchange({
    endpoint,
    facts: endpoint.request.request(request.body),
    upstream: 'upstream',
    startedAt: 0,
    meter: new RecordingMeter(),
    modelLabel: () => 'other',
    emit: event => {
      if (!ids.includes(event.generation)) ids.push(event.generation)
      const generation = `g_${ids.indexOf(event.generation)}`
      events.push(
        event.type === 'neural_state'
          ? { ...event, generation, elapsed_ms: 0, ttft_ms: null }
          : { ...event, generation, timestamp: 0 },
      )
    },
  })
  exchange.head(response.status, response.contentType, 0)
  for (const piece of pieces) exchange.bytes(piece, 0)
  if (response.end === 'end') exchange.end(0)
  else {
    const message = 'The upstream broke off: read ECONNRESET'
    exchange.broken({ kind: 'connection', code: 'ECONNRESET', message, retryable: true }, 0)
  }
  return events
}

/** What became of each generation, in the form of `expected.json`. */
export function summaryOf(events: readonly GenerationEvent[]): { generations: ExpectedGeneration[] } {
  const ids = [...new Set(events.map(({ generation }) => generation))]
  return {
    generations: ids.map((id, choice) =>
      summary(
        choice,
        events.filter(e => e.generation === id),
      ),
    ),
  }
}

function summary(choice: number, events: readonly GenerationEvent[]): ExpectedGeneration {
  const states = events.filter((event): event is NeuralStateEvent => event.type === 'neural_state')
  const tokens = events.filter((event): event is TokenEvent => event.type === 'token_activation')
  const last = states.at(-1) as NeuralStateEvent
  const text: Partial<Record<TokenKind, string>> = {}
  for (const { kind, token_text } of tokens) text[kind] = (text[kind] ?? '') + token_text
  const told = states.flatMap(({ progress }) => progress ?? [])
  return {
    choice,
    model: last.model,
    state: last.state,
    ending: last.ending,
    error: last.error,
    text,
    tokens: tokens.map(({ token_text, kind, token_id, logprob, confidence, entropy, top }) => ({
      text: token_text,
      kind,
      id: token_id,
      logprob,
      confidence,
      entropy,
      top,
    })),
    tokens_processed: last.tokens_processed,
    total_tokens: last.total_tokens,
    estimated: last.estimated,
    progress: told.filter((value, i) => value !== told[i - 1]),
    timings: last.timings,
  }
}

/** The body cut in two at each place, the ends included. */
export function* cutInTwo(body: Buffer): Generator<Buffer[]> {
  for (let at = 0; at <= body.length; at++) yield [body.subarray(0, at), body.subarray(at)]
}

/** The body byte by byte. */
export function byteByByte(body: Buffer): Buffer[] {
  return Array.from(body, (_byte, at) => body.subarray(at, at + 1))
}

/** The body cut at places that lie between 0 and 1. */
export function cutAt(body: Buffer, places: readonly number[]): Buffer[] {
  const cuts = places.map(place => Math.floor(place * (body.length + 1))).sort((a, b) => a - b)
  return [0, ...cuts].map((from, i) => body.subarray(from, cuts[i] ?? body.length))
}

/**
 * Rounds what is written in `expected.json` with six decimals: a confidence, an entropy, a progress and
 * timings are worked out, a logprob is as it came.
 */
export function rounded(generations: readonly ExpectedGeneration[]): unknown {
  const six = (value: number | null) => (value === null ? null : Number(value.toFixed(6)))
  return generations.map(({ tokens, progress, timings, ...rest }) => ({
    ...rest,
    tokens: tokens.map(({ confidence, entropy, ...token }) => ({
      ...token,
      confidence: six(confidence),
      entropy: six(entropy),
    })),
    progress: progress.map(six),
    timings:
      timings === null
        ? null
        : Object.fromEntries(Object.entries(timings).map(([name, value]) => [name, six(value)])),
  }))
}
