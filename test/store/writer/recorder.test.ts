import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { confidenceOf, entropyOf } from '../../../events/confidence.ts'
import {
  type GenerationEvent,
  type GenerationState,
  isFinal,
  type LogEntry,
  type NeuralStateEvent,
  type TokenEvent,
} from '../../../events/generation.ts'
import { stateEvent, tokenEvent } from '../../support/hub-events.ts'
import { anyText } from '../../support/log-events.ts'
import { RecordingStage } from '../../support/recording-stage.ts'
import { rounds } from '../../support/rounds.ts'

const GENERATIONS = ['g_a', 'g_b', 'g_c', 'g_ä🙂']
const STATES: GenerationState[] = ['queued', 'generating', 'done', 'failed']

type Step =
  | { step: 'token'; generation: string; skip: number; token: Partial<TokenEvent> }
  | { step: 'state'; generation: string; state: Partial<NeuralStateEvent> }
  /** What was appended is handed over. */
  | { step: 'gather' }
  /** The log lets go of all it has. */
  | { step: 'forget' }
  | { step: 'restart' }

const anyLogprob = fc.oneof(fc.double({ max: 0, noNaN: true, noDefaultInfinity: true }), fc.constant(-0.5))
const anyGeneration = fc.constantFrom(...GENERATIONS)
const anyToken = fc.record({
  token_text: anyText,
  kind: fc.constantFrom('message' as const, 'reasoning' as const, 'tool_call' as const),
  token_id: fc.option(fc.nat(300_000)),
  timestamp: fc.double({ min: 1_600_000_000, max: 1_900_000_000, noNaN: true }),
  logprob: fc.option(anyLogprob),
  top: fc.array(fc.record({ text: anyText, logprob: anyLogprob }), { maxLength: 3 }),
})
const anyState = fc.record({
  state: fc.constantFrom(...STATES),
  model: fc.option(anyText),
  elapsed_ms: fc.nat(100_000),
})

const anySteps = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        step: fc.constant('token' as const),
        generation: anyGeneration,
        skip: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(3)),
        token: anyToken,
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        step: fc.constant('state' as const),
        generation: anyGeneration,
        state: anyState,
      }),
    },
    { weight: 3, arbitrary: fc.record({ step: fc.constant('gather' as const) }) },
    { weight: 1, arbitrary: fc.record({ step: fc.constant('forget' as const) }) },
    { weight: 1, arbitrary: fc.record({ step: fc.constant('restart' as const) }) },
  ),
  { maxLength: 80 },
)

/** What should be recorded of one generation. */
interface Expected {
  entries: LogEntry[]
  next: number
  missing: number
  last: LogEntry | null
}

const stages: RecordingStage[] = []
function stageOf(...options: ConstructorParameters<typeof RecordingStage>): RecordingStage {
  const stage = new RecordingStage(...options)
  stages.push(stage)
  return stage
}
afterEach(() => {
  for (const stage of stages.splice(0)) stage.remove()
})

describe('what is recorded', () => {
  test('is what the log had, entry by entry, wherever it was gathered, forgotten or begun anew', async () => {
    await fc.assert(
      fc.asyncProperty(anySteps, async steps => {
        const stage = stageOf({ maxAgeMs: 0 })
        const expected = new Map<string, Expected>()
        const of = (generation: string) => {
          const known = expected.get(generation) ?? { entries: [], next: 0, missing: 0, last: null }
          expected.set(generation, known)
          return known
        }
        for (const step of steps) {
          if (step.step === 'gather') await stage.recorder.flush()
          else if (step.step === 'forget') {
            await stage.recorder.flush()
            stage.log.trim()
          } else if (step.step === 'restart') {
            stage.close()
            stage.open()
            for (const [generation, known] of expected) {
              if (known.last !== null && isFinal((known.last as NeuralStateEvent).state)) continue
              const last = stage.entries(generation).at(-1) as LogEntry
              expect(last).toMatchObject({
                state: 'interrupted',
                ending: 'lost',
                error: { code: 'TOKENSCOPE_ENDED' },
              })
              known.entries.push(last)
              known.last = last
            }
          } else {
            const known = of(step.generation)
            const event = eventOf(step, known)
            const entry = stage.log.entry(stage.log.append(event, 0)) as LogEntry
            known.entries.push(entry)
            if (entry.type === 'neural_state') known.last = entry
          }
        }
        await stage.recorder.flush()
        expect(stage.news.filter(({ type }) => type === 'note')).toEqual([])
        expect(stage.lost).toBe(0)
        for (const [generation, known] of expected) check(stage, generation, known)
        expect(stage.all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
        stage.remove()
        stages.pop()
      }),
      { numRuns: rounds(2000) },
    )
  })

  test('holds a generation whose entries are many blocks, and cuts none of them', async () => {
    const stage = stageOf()
    stage.log.append(stateEvent('long', 'generating'), 0)
    for (let i = 0; i < 30_000; i++) stage.log.append(tokenEvent('long', i, ` w${i}`), 0)
    await stage.recorder.flush()
    const running = stage.entries('long')
    stage.log.append(stateEvent('long', 'done'), 0)
    await stage.recorder.flush()
    const whole = stage.entries('long')
    expect(whole.slice(0, -1)).toEqual(running)
    expect(whole).toHaveLength(30_002)
    const blocks = stage.all<{ codec: number; size: number }>(
      'SELECT codec, length(data) AS size FROM entry_blocks',
    )
    expect(blocks.length).toBeGreaterThan(3)
    expect(blocks.every(({ codec, size }) => codec === 1 && size < 64 * 1024)).toBe(true)
  })
})

function eventOf(step: Step & { step: 'token' | 'state' }, known: Expected): GenerationEvent {
  if (step.step === 'state') return stateEvent(step.generation, 'queued', step.state)
  const index = known.next + step.skip
  known.missing += step.skip
  known.next = index + 1
  const { logprob = null, top = [] } = step.token
  const derived = { confidence: confidenceOf(logprob), entropy: entropyOf(top) }
  return { ...tokenEvent(step.generation, index), ...step.token, ...derived }
}

function check(stage: RecordingStage, generation: string, known: Expected): void {
  const entries = stage.entries(generation).map(({ seq: _seq, ...entry }) => entry)
  expect(entries).toEqual(known.entries.map(({ seq: _seq, ...entry }) => entry))
  const row = stage.row(generation)
  const tokens = known.entries.filter(entry => entry.type === 'token_activation')
  expect(row).toMatchObject({ entries: entries.length, tokens: tokens.length, missing: known.missing })
  if (known.last !== null) {
    const { type: _type, seq: _seq, ...last } = known.last as NeuralStateEvent & { seq: number }
    expect(JSON.parse(row?.last as string)).toEqual(last)
    expect(row?.state).toBe(last.state)
  }
  const words = stage.all('SELECT rowid FROM words WHERE rowid = ?', row?.id as number)
  const ended = known.last !== null && isFinal((known.last as NeuralStateEvent).state)
  expect(words).toHaveLength(ended ? 1 : 0)
  expect(row?.ended_at === null).toBe(!ended)
  const text = tokens.map(token => token.token_text).join('')
  const preview = text.slice(0, 200).toWellFormed().replaceAll('\0', '\ufffd')
  if (ended) expect(preview.startsWith((row?.preview ?? '?').slice(0, 199))).toBe(true)
  else expect(row?.preview).toBe('')
}
