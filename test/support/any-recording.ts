import fc from 'fast-check'
import { confidenceOf, entropyOf } from '../../events/confidence.ts'
import type { Alternative, GenerationEvent, NeuralStateEvent, TokenKind } from '../../events/generation.ts'
import { storedText } from '../../store/stored-text.ts'
import { codePoints } from './code-points.ts'
import type { PutExchange, PutRecording } from './filled-records.ts'
import { stateEvent, tokenEvent } from './hub-events.ts'

/** Text that breaks what is careless: halves of surrogate pairs, NUL, quotes, line ends of all kinds, a BOM. */
export const hostileText = fc.oneof(
  codePoints({ maxLength: 30 }),
  fc.string({
    unit: fc.constantFrom(
      ...[
        'a',
        ' ',
        '"',
        "'",
        ',',
        ';',
        '\\',
        '\n',
        '\r\n',
        '\r',
        '\u2028',
        '\ufeff',
        '\0',
        '\u001b',
        'ä',
        '漢',
      ],
      ...['🙂', '\ud83d', '\ude42', '\ufffd', '</script>', '=1+1', '__proto__', '{"type":"end"}'],
    ),
    maxLength: 12,
  }),
)

const columnText = hostileText.map(storedText)
const seconds = fc.double({ min: 1_600_000_000, max: 1_900_000_000, noNaN: true })
const logprob = fc.oneof(
  fc.double({ max: 0, noNaN: true, noDefaultInfinity: true }),
  fc.float({ max: 0, noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(-0, 0, -9999, -3.4e38, Number.MIN_VALUE),
)
const KINDS: TokenKind[] = ['message', 'reasoning', 'tool_call']

const token = fc.record({
  text: hostileText,
  kind: fc.constantFrom(...KINDS),
  token_id: fc.option(fc.oneof(fc.nat(300_000), fc.integer({ min: -(2 ** 51), max: 2 ** 51 }))),
  timestamp: seconds,
  logprob: fc.option(logprob),
  top: fc.array(fc.record({ text: hostileText, logprob }), { maxLength: 4 }),
  skipped: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(1000) }),
})

const more: fc.Arbitrary<Partial<NeuralStateEvent>> = fc.record(
  {
    model: fc.option(hostileText),
    upstream: hostileText,
    tokens_processed: fc.nat(),
    total_tokens: fc.option(fc.nat()),
    estimated: fc.boolean(),
    elapsed_ms: fc.double({ min: 0, max: 1e9, noNaN: true }),
    ttft_ms: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true })),
    ending: fc.option(hostileText),
    error: fc.option(
      fc.record({
        kind: fc.constant('unknown' as const),
        code: fc.option(hostileText),
        message: hostileText,
        retryable: fc.boolean(),
      }),
    ),
    parent: fc.option(hostileText),
    cached: fc.boolean(),
    replay: fc.record({
      of: hostileText,
      speed: fc.option(fc.double({ min: 0.25, max: 1000, noNaN: true })),
    }),
  },
  { requiredKeys: [] },
)

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  hostileText.map(text => new TextEncoder().encode(text)),
)
const headers = fc.dictionary(fc.oneof(hostileText, fc.constantFrom('1', 'content-type')), hostileText, {
  maxKeys: 3,
})

const exchange = fc.record({
  startedAt: seconds,
  method: fc.constantFrom('POST', 'GET'),
  target: hostileText,
  headers,
  correlationId: fc.option(hostileText),
  body: fc.option(bytes),
  response: fc.option(fc.record({ status: fc.integer({ min: 100, max: 599 }), headers })),
  outcome: fc.constantFrom('complete', 'broken', 'cancelled', 'interrupted'),
  lost: fc.constantFrom(0, 1),
  chunks: fc.array(fc.record({ atMs: fc.nat(100_000_000).map(ticks => ticks / 10), data: bytes }), {
    maxLength: 6,
  }),
  cuts: fc.array(fc.nat(6), { maxLength: 3 }),
})

/** Any generation that ended, under an id. */
export const anyRecording = (id: string): fc.Arbitrary<PutRecording> =>
  fc
    .record({
      before: fc.array(more, { maxLength: 2 }),
      tokens: fc.array(fc.oneof(token, token, token, more), { maxLength: 12 }),
      end: more,
      final: fc.constantFrom(
        'done' as const,
        'interrupted' as const,
        'cancelled' as const,
        'failed' as const,
      ),
      startedAt: seconds,
      missing: fc.nat(5),
      prompt: fc.option(columnText),
      name: fc.option(columnText),
      tags: fc.array(hostileText, { maxLength: 3 }),
      note: fc.option(columnText),
      cuts: fc.array(fc.nat(15), { maxLength: 4 }),
    })
    .map(({ before, tokens, end, final, ...facts }) => {
      let index = 0
      const events: GenerationEvent[] = before.map(state => stateEvent(id, 'queued', state))
      for (const said of tokens) {
        if ('text' in said) {
          const { text, skipped, ...rest } = said as typeof said & { text: string; skipped: number }
          const fields = rest as { logprob: number | null; top: Alternative[] }
          index += skipped
          const derived = { confidence: confidenceOf(fields.logprob), entropy: entropyOf(fields.top) }
          events.push({ ...tokenEvent(id, index++, text), ...rest, ...derived })
        } else events.push(stateEvent(id, 'generating', said as Partial<NeuralStateEvent>))
      }
      events.push(stateEvent(id, final, end))
      return { ...facts, events }
    })

/** Any request whose choices are these generations, which ended. */
export const anyExchange = (
  ids: string[],
): fc.Arbitrary<{ exchange: PutExchange | null; recordings: PutRecording[] }> =>
  fc.record({
    exchange: fc.option(exchange as fc.Arbitrary<PutExchange>),
    recordings: fc.tuple(...ids.map(anyRecording)),
  })
