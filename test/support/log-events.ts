import fc from 'fast-check'
import { BinaryReader } from '../../broadcast/protocol.ts'
import type { TokenLog } from '../../broadcast/token-log.ts'
import { confidenceOf, entropyOf } from '../../events/confidence.ts'
import type {
  Alternative,
  GenerationEvent,
  GenerationState,
  LogEntry,
  TokenKind,
} from '../../events/generation.ts'
import { codePoints } from './code-points.ts'
import { stateEvent, tokenEvent } from './hub-events.ts'

/** Any text, halves of surrogate pairs among it. */
export const anyText = fc.oneof(
  codePoints({ maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom('a', ' ', '"', '\n', '\u2028', 'ä', '漢', '🙂', '\ud83d', '\ude42'),
    maxLength: 40,
  }),
)

const anyLogprob = fc.oneof(
  fc.double({ max: 0, noNaN: true, noDefaultInfinity: true }),
  fc.float({ max: 0, noNaN: true, noDefaultInfinity: true }),
)

const anyId = fc.constantFrom('g_a', 'g_b', 'g_c', 'g_ä🙂')

const anyToken = fc
  .record({
    generation: anyId,
    index: fc.nat(1_000_000),
    text: anyText,
    kind: fc.constantFrom<TokenKind[]>('message', 'reasoning', 'tool_call'),
    token_id: fc.option(
      fc.oneof(
        fc.nat(300_000),
        fc.maxSafeInteger().map(id => Math.trunc(id / 4) + 0),
      ),
    ),
    timestamp: fc.double({ min: 1_600_000_000, max: 1_900_000_000, noNaN: true }),
    logprob: fc.option(anyLogprob),
    top: fc.oneof(
      fc.constant<Alternative[]>([]),
      fc.array(fc.record({ text: anyText, logprob: anyLogprob }), { maxLength: 6 }),
    ),
  })
  .map(
    ({ generation, index, text, ...rest }): GenerationEvent => ({
      ...tokenEvent(generation, index, text),
      ...rest,
      confidence: confidenceOf(rest.logprob),
      entropy: entropyOf(rest.top),
    }),
  )

const states: GenerationState[] = ['queued', 'generating', 'done', 'failed']

const anyState = fc
  .record({ generation: anyId, state: fc.constantFrom(...states), model: fc.option(anyText) })
  .map(({ generation, state, model }): GenerationEvent => stateEvent(generation, state, { model }))

/** Any event that a log may be told, of a few generations in any order. */
export const anyEvent: fc.Arbitrary<GenerationEvent> = fc.oneof(
  { weight: 4, arbitrary: anyToken },
  { weight: 1, arbitrary: anyState },
)

/** An event as the log keeps it; the time of a token in tenths of a millisecond. */
export function entryOf(event: GenerationEvent, seq: number, position: [number, number] | null): LogEntry {
  if (event.type === 'neural_state') return { seq, ...event }
  const timestamp = Math.round(event.timestamp * 10_000) / 10_000
  return { seq, ...event, timestamp, position: position as [number, number] }
}

/** Every entry that the log keeps, decoded. */
export function keptEntries(log: TokenLog): LogEntry[] {
  const entries: LogEntry[] = []
  for (let seq = log.tail; seq <= log.head; seq++) entries.push(log.entry(seq) as LogEntry)
  return entries
}

/** What a reader that was told `log.definitions(after)` makes of a binary payload after `after`. */
export function readBinary(definitions: Uint8Array | null, payload: Uint8Array): LogEntry[] {
  const reader = new BinaryReader()
  if (definitions !== null) reader.read(definitions)
  return reader.read(payload)
}
