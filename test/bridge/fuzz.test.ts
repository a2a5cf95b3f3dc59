/**
 * Broken answers: the bodies of the corpus, cut, mixed and garbled, at random reads. What is told of them is
 * what somebody tells who divides the whole body by the standards' own words.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Delta, Dialect, Reading } from '../../bridge/dialects/dialect.ts'
import type { Endpoint } from '../../bridge/dialects/index.ts'
import { isNdjson, mediaTypeOf } from '../../bridge/dialects/index.ts'
import { type GenerationEvent, isFinal } from '../../events/generation.ts'
import { referenceEvents, referenceLines } from '../support/reference-framing.ts'
import { rounds } from '../support/rounds.ts'
import { cutAt, endpointOfCase, eventsOf, readCorpus, type StreamCase } from '../support/stream-corpus.ts'

const cases = readCorpus()

/** A place in a body, 0 to 1, which holds for bodies of any length. */
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })

type Mutation = (body: Buffer) => Buffer

const at = (body: Buffer, where: number) => Math.floor(where * (body.length + 1))

/** The lines of a body with what ends them. */
const linesOf = (body: Buffer) => body.toString('latin1').match(/[^\n]*\n|[^\n]+$/g) ?? []

const joined = (lines: readonly string[]) => Buffer.from(lines.join(''), 'latin1')

const inLines =
  (change: (lines: string[], pick: (where: number) => number) => void): Mutation =>
  body => {
    const lines = linesOf(body)
    if (lines.length > 0) change(lines, where => Math.floor(where * lines.length))
    return joined(lines)
  }

const insert = (where: number, what: Uint8Array): Mutation => {
  return body => {
    const from = at(body, where)
    return Buffer.concat([body.subarray(0, from), what, body.subarray(from)])
  }
}

/** What can stand where a JSON value was. */
const oddValue = fc.constantFrom(
  ...['1e999', '-1e999', '-1', '0', '1.5', '9007199254740993', '123456789012345678901234567890', '1e-400'],
  ...[
    'null',
    'true',
    '""',
    '{}',
    '[]',
    '[[]]',
    '"\\ud800"',
    '"\\u0000"',
    '"\\ufeff"',
    '[null]',
    '{"a":null}',
  ],
  ...['{"__proto__":{"x":1}}', 'NaN', '-0', '01', `"${'y'.repeat(5000)}"`],
  `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
)

const VALUE = /:(?:"(?:[^"\\\n]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null|\[\]|\{\})/g

/** Puts another value in place of one that is written after a colon. */
const replaceValue = (where: number, value: string): Mutation => {
  return body => {
    const text = body.toString('latin1')
    const found = [...text.matchAll(VALUE)]
    const one = found[Math.floor(where * found.length)]
    if (one === undefined) return body
    const from = one.index + 1
    const written = Buffer.from(value).toString('latin1')
    return Buffer.from(text.slice(0, from) + written + text.slice(one.index + one[0].length), 'latin1')
  }
}

const piece = fc.constantFrom(
  ...[
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    '\0',
    '\ufeff',
    ':',
    ': ping\n\n',
    'data',
    'data:',
    'event: error\n',
    'id: 7\n',
  ],
  ...[
    'retry: 1\n',
    'data: [DONE]\n\n',
    '{"error":"x"}\n',
    'data: {"error":{"message":"x","code":429}}\n\n',
    '🦉',
  ],
)

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  place.map(
    (where): Mutation =>
      body =>
        body.subarray(0, at(body, where)),
  ),
  place.map(
    (where): Mutation =>
      body =>
        body.subarray(at(body, where)),
  ),
  fc.tuple(place, place).map(([where, length]): Mutation => {
    return body => {
      const from = at(body, where)
      return Buffer.concat([body.subarray(0, from), body.subarray(from + Math.floor(length * 40))])
    }
  }),
  fc.tuple(place, place).map(([a, b]) =>
    inLines((lines, pick) => {
      lines.splice(pick(b), 0, lines[pick(a)] as string)
    }),
  ),
  fc.tuple(place, place).map(([a, b]) =>
    inLines((lines, pick) => {
      const [one, other] = [pick(a), pick(b)]
      ;[lines[one], lines[other]] = [lines[other] as string, lines[one] as string]
    }),
  ),
  place.map(a =>
    inLines((lines, pick) => {
      lines.splice(pick(a), 1)
    }),
  ),
  fc.tuple(fc.nat(cases.length - 1), place, place).map(([other, a, b]) => {
    const from = linesOf((cases[other] as StreamCase).body)
    return inLines((lines, pick) => {
      lines.splice(pick(b), 0, from[Math.floor(a * from.length)] ?? '')
    })
  }),
  fc.tuple(place, fc.integer({ min: 1, max: 255 })).map(([where, bits]): Mutation => {
    return body => {
      const changed = Buffer.from(body)
      const index = Math.floor(where * body.length)
      if (body.length > 0) changed[index] = (changed[index] as number) ^ bits
      return changed
    }
  }),
  fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 6 })).map(([where, what]) => insert(where, what)),
  fc.tuple(place, piece).map(([where, what]) => insert(where, Buffer.from(what))),
  fc.tuple(place, oddValue).map(([where, value]) => replaceValue(where, value)),
  fc.tuple(place, oddValue).map(([where, value]) => replaceValue(where, value)),
)

const broken = fc
  .record({
    index: fc.nat(cases.length - 1),
    mutations: fc.array(mutation, { minLength: 1, maxLength: 5 }),
    end: fc.constantFrom('end' as const, 'end' as const, 'reset' as const),
    cuts: fc.array(place, { maxLength: 10 }),
  })
  .map(({ index, mutations, end, cuts }) => {
    const one = cases[index] as StreamCase
    const body = mutations.reduce((mutated, mutate) => mutate(mutated), one.body)
    const { request, response } = one.exchange
    const exchange = { ...one.exchange, request, response: { ...response, end } }
    return { case: { ...one, exchange, body }, cuts }
  })

/** What a dialect is given; an event without a name, and a line, are a `message`. */
type Message = [type: string, data: string]

/** The same dialects, and lists of what they are given to read and of what they read in it. */
function listening(endpoint: Endpoint): { endpoint: Endpoint; read: Message[]; readings: Reading[] } {
  const read: Message[] = []
  const readings: Reading[] = []
  const listen = (dialect: Dialect | null): Dialect | null =>
    dialect && {
      ...dialect,
      event(type, data) {
        read.push([type ?? 'message', data])
        const reading = dialect.event(type, data)
        readings.push(reading)
        return reading
      },
    }
  const heard = { ...endpoint, sse: listen(endpoint.sse), ndjson: listen(endpoint.ndjson) }
  return { endpoint: heard, read, readings }
}

type Texts = Partial<Record<string, string>>

/** The text of each kind that was read, of all choices one after the other. */
function textsRead(readings: readonly Reading[]): Texts {
  const byChoice = new Map<number, Texts>()
  const add = ({ choice, kind, text }: Delta) => {
    const texts = byChoice.get(choice) ?? {}
    byChoice.set(choice, { ...texts, [kind]: (texts[kind] ?? '') + text })
  }
  for (const { deltas, again } of readings) {
    deltas.forEach(add)
    const missed = (again ?? []).filter(({ choice, kind }) => !byChoice.get(choice)?.[kind])
    missed.forEach(add)
  }
  return joinedTexts(byChoice.values())
}

/** The text of each kind that was told, of all generations one after the other. */
function textsTold(events: readonly GenerationEvent[]): Texts {
  const byGeneration = new Map<string, Texts>()
  for (const event of events) {
    if (event.type !== 'token_activation') continue
    const texts = byGeneration.get(event.generation) ?? {}
    const text = (texts[event.kind] ?? '') + event.token_text
    byGeneration.set(event.generation, { ...texts, [event.kind]: text })
  }
  return joinedTexts(byGeneration.values())
}

/** Choices begin in any order: their texts are put in that of the alphabet. */
function joinedTexts(all: Iterable<Texts>): Texts {
  const texts = [...all]
  return Object.fromEntries(
    ['message', 'reasoning', 'tool_call'].map(kind => [
      kind,
      texts
        .map(one => one[kind] ?? '')
        .sort()
        .join(''),
    ]),
  )
}

/** What the standards say that a dialect is given, and a body of the plainest form that gives the same. */
function reference(one: StreamCase, endpoint: Endpoint): { messages: Message[]; plain: Buffer[] } | null {
  const { status, contentType, end } = one.exchange.response
  const mediaType = mediaTypeOf(contentType)
  if (status !== 200) return null
  if (mediaType === 'text/event-stream' && endpoint.sse !== null) {
    const { events } = referenceEvents(one.body)
    return {
      messages: events.map(({ type, data }) => [type, data]),
      plain: events.map(({ type, data }) => {
        const name = type === 'message' ? '' : `event: ${type}\n`
        return Buffer.from(`${name}${data.replaceAll(/^/gm, 'data: ')}\n\n`)
      }),
    }
  }
  if (isNdjson(mediaType) && endpoint.ndjson !== null) {
    // Where the connection broke nobody says that the last line has no more to it.
    const lastEnd = one.body.lastIndexOf('\n') + 1
    const lines = referenceLines(end === 'end' ? one.body : one.body.subarray(0, lastEnd))
    return {
      messages: lines.map(line => ['message', line]),
      // What would be a byte order mark at the beginning is not one after an empty line.
      plain: ['', ...lines].map(line => Buffer.from(`${line}\r\n`)),
    }
  }
  return null
}

/** Each generation ends once and last, and what is told of it can be told on. */
function checkStory(events: readonly GenerationEvent[]): void {
  for (const id of new Set(events.map(({ generation }) => generation))) {
    const story = events.filter(({ generation }) => generation === id)
    const ends = story.map(event => event.type === 'neural_state' && isFinal(event.state))
    expect(ends.indexOf(true)).toBe(story.length - 1)
    const tokens = story.filter(event => event.type === 'token_activation')
    expect(tokens.map(({ index }) => index)).toEqual(tokens.map((_token, i) => i))
    for (const { confidence, entropy } of tokens) {
      if (confidence !== null) expect(confidence >= 0 && confidence <= 1).toBe(true)
      if (entropy !== null) expect(entropy >= 0 && entropy < Number.POSITIVE_INFINITY).toBe(true)
    }
  }
  // What JSON cannot hold, viewers would get as null or not at all.
  JSON.stringify(events, (name, value) => {
    expect(value, name).not.toBeUndefined()
    if (typeof value === 'number') expect(value, name).toSatisfy(Number.isFinite)
    return value
  })
}

test('a broken answer is told as the standards and its dialect have it', () => {
  let followed = 0
  fc.assert(
    fc.property(broken, ({ case: one, cuts }) => {
      const { endpoint, read, readings } = listening(endpointOfCase(one))
      const events = eventsOf(one, cutAt(one.body, cuts), endpoint)
      checkStory(events)
      const expected = reference(one, endpoint)
      if (expected === null) {
        // A whole answer is read at once.
        expect(events).toEqual(eventsOf(one, [one.body]))
        return
      }
      followed++
      expect(read).toEqual(expected.messages)
      // No text is lost or told twice where it is divided into tokens.
      expect(textsTold(events)).toEqual(textsRead(readings))
      expect(events).toEqual(eventsOf(one, expected.plain))
    }),
    { numRuns: rounds(10_000) },
  )
  expect(followed).toBeGreaterThan(rounds(10_000) / 2)
})
