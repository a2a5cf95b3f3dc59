/** The corpus of recorded answers: each gives the events that it should, however its bytes are divided. */

import { readdirSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DIALECTS } from '../../bridge/dialects/index.ts'
import {
  bodyFiles,
  byteByByte,
  cutAt,
  cutInTwo,
  type ExpectedGeneration,
  endpointOfCase,
  eventsOf,
  readCorpus,
  rounded,
  type StreamCase,
  summaryOf,
} from '../support/stream-corpus.ts'

const cases = readCorpus()

describe.each(cases.map(one => [one.name, one] as const))('%s', (_name, one) => {
  test('is what it should be', () => {
    expect(rounded(summaryOf(eventsOf(one, [one.body])).generations)).toEqual(
      rounded(one.expected?.generations ?? []),
    )
  })

  test('does not depend on how its bytes are divided', () => {
    const whole = JSON.stringify(eventsOf(one, [one.body]))
    for (const pieces of cutInTwo(one.body)) {
      if (JSON.stringify(eventsOf(one, pieces)) !== whole) {
        // Said in full only where it differs: comparing deeply at each place would take minutes.
        expect(eventsOf(one, pieces), `cut at ${pieces[0]?.length}`).toEqual(JSON.parse(whole))
      }
    }
    expect(eventsOf(one, byteByByte(one.body))).toEqual(JSON.parse(whole))
    const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { maxLength: 12 })
    fc.assert(
      fc.property(places, at => JSON.stringify(eventsOf(one, cutAt(one.body, at))) === whole),
      { numRuns: 50 },
    )
  })
})

describe('the corpus', () => {
  test.each(cases.map(one => [one.name, one] as const))('%s is complete', (_name, one) => {
    const { about, source, request, response } = one.exchange
    expect(Object.keys(one.exchange)).toEqual(['about', 'source', 'request', 'response'])
    expect(about).toMatch(/^[A-Z`].*\.$/s)
    expect(source).not.toBe('')
    expect(Object.keys(request)).toEqual(['path', 'body'])
    expect(Object.keys(response)).toEqual(['status', 'contentType', 'end'])
    expect(['end', 'reset']).toContain(response.end)
    expect(readdirSync(one.directory).sort()).toEqual(
      [...bodyFiles(one.directory), 'exchange.json', 'expected.json'].sort(),
    )
    expect(bodyFiles(one.directory)).toEqual([bodyName(one)])
    expect(one.expected?.generations.map(({ choice }) => choice)).toEqual(
      one.expected?.generations.map((_one, i) => i),
    )
    for (const generation of one.expected?.generations ?? []) {
      expect(Object.keys(generation).sort()).toEqual(FIELDS)
      for (const token of generation.tokens) expect(Object.keys(token).sort()).toEqual(TOKEN_FIELDS)
      const of = (kind: string) => generation.tokens.filter(token => token.kind === kind)
      for (const [kind, text] of Object.entries(generation.text)) {
        expect(
          of(kind)
            .map(token => token.text)
            .join(''),
        ).toBe(text)
      }
    }
  })

  test.each(cases.map(one => [one.name, one] as const))('%s is of its dialect', (_name, one) => {
    const { request, sse, ndjson } = endpointOfCase(one)
    expect([request, sse, ndjson].flatMap(dialect => dialect?.name.split('|') ?? [])).toContain(one.dialect)
  })

  const ends: [string, (generation: ExpectedGeneration) => boolean][] = [
    ['a normal run', ({ state, tokens }) => state === 'done' && tokens.length > 0],
    ['an error', ({ state }) => state === 'failed'],
    ['a truncation', ({ state, ending }) => state === 'interrupted' && ending === 'truncated'],
    ['nothing at all', ({ state, ending }) => state === 'done' && ending === 'empty'],
  ]
  test.each(DIALECTS.flatMap(({ name }) => ends.map(([end, is]) => [name, end, is] as const)))(
    '%s has %s',
    (name, _end, is) => {
      const found = cases.filter(one => one.dialect === name && one.expected?.generations.some(is))
      expect(found.length).toBeGreaterThan(0)
    },
  )
})

const FIELDS = [
  'choice',
  'ending',
  'error',
  'estimated',
  'model',
  'progress',
  'state',
  'text',
  'timings',
  'tokens',
  'tokens_processed',
  'total_tokens',
]

const TOKEN_FIELDS = ['confidence', 'entropy', 'id', 'kind', 'logprob', 'text', 'top']

/** The name of the body by its content type. */
function bodyName({ exchange }: StreamCase): string {
  const type = exchange.response.contentType ?? ''
  if (type.startsWith('text/event-stream')) return 'body.sse'
  if (type.startsWith('application/x-ndjson')) return 'body.ndjson'
  return type.startsWith('application/json') ? 'body.json' : 'body.txt'
}
