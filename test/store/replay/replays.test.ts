import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JSON_SUBPROTOCOL, type SnapshotGeneration } from '../../../broadcast/protocol.ts'
import { TokenLog } from '../../../broadcast/token-log.ts'
import { TokenscopeError } from '../../../events/errors.ts'
import {
  type GenerationEvent,
  isFinal,
  type NeuralStateEvent,
  type TokenEvent,
} from '../../../events/generation.ts'
import type { ExportFormat } from '../../../store/recording.ts'
import { Replays, type ReplaysOptions } from '../../../store/replay/replays.ts'
import { anyRecording } from '../../support/any-recording.ts'
import { stateEvent, tokenEvent } from '../../support/hub-events.ts'
import { RecordingMeter } from '../../support/hub-meter.ts'
import { inPieces, recordingBytes } from '../../support/recording-bytes.ts'
import { rounds } from '../../support/rounds.ts'
import { SimClock } from '../../support/sim-clock.ts'

/** Unix ms at which the recorded requests came. */
const CAME_MS = 1_700_000_000_000

/** Replays by a clock that a test has in hand, and what they told when. */
class Scene {
  readonly clock = new SimClock()
  readonly meter = new RecordingMeter()
  readonly told: { event: GenerationEvent; at: number }[] = []
  /** What is recorded, by id. */
  readonly recorded = new Map<string, AsyncIterable<Uint8Array>>()
  readonly replays: Replays

  constructor(more: Partial<ReplaysOptions> = {}) {
    this.replays = new Replays({
      records: { export: (generation, format) => this.#export(generation, format) },
      emit: (event, readAt) => this.told.push({ event, at: readAt }),
      meter: this.meter,
      clock: this.clock,
      ...more,
    })
  }

  async *#export(generation: string, format: ExportFormat): AsyncGenerator<Uint8Array, void> {
    expect(format).toBe('jsonl')
    const found = this.recorded.get(generation)
    if (found === undefined) throw new TokenscopeError('NOT_FOUND', `There is no ${generation}.`)
    yield* found
  }

  /** Plays bytes to their end. */
  async play(bytes: Uint8Array, speed: number | null): Promise<string[]> {
    const run = async () => {
      await setImmediate()
      await this.clock.run(this.replays)
    }
    const [{ generations }] = await Promise.all([this.replays.play(inPieces(bytes), speed), run()])
    return generations
  }

  of(generation: string): GenerationEvent[] {
    return this.told.map(({ event }) => event).filter(event => event.generation === generation)
  }

  states(generation: string): NeuralStateEvent[] {
    return this.of(generation).filter(event => event.type === 'neural_state')
  }

  tokens(generation: string): TokenEvent[] {
    return this.of(generation).filter(event => event.type === 'token_activation')
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await setImmediate()
  }
}

/** A generation as the bridge tells it: the request at 0 ms, its first token and the rest at the times given. */
function recording(
  id: string,
  timesMs: readonly number[],
  endMs = (timesMs.at(-1) ?? 0) + 5,
): GenerationEvent[] {
  const firstMs = timesMs[0] ?? endMs
  const states = { ttft_ms: firstMs, tokens_processed: 0 }
  return [
    stateEvent(id, 'queued'),
    stateEvent(id, 'processing_prompt', { elapsed_ms: firstMs / 2 }),
    stateEvent(id, 'generating', { ...states, elapsed_ms: firstMs }),
    ...timesMs.map((ms, i) => ({
      ...tokenEvent(id, i),
      timestamp: Math.round((CAME_MS + ms) * 10) / 10_000,
    })),
    stateEvent(id, 'done', {
      ...states,
      elapsed_ms: endMs,
      ending: 'stop',
      tokens_processed: timesMs.length,
    }),
  ]
}

/** Milliseconds in steps of 0.1, as files have them. */
function inTicks(ms: number): number {
  return Math.round(ms * 10) / 10
}

/** What may differ of a replay. */
function timeless(event: GenerationEvent): object {
  if (event.type === 'token_activation') return { ...event, generation: '', timestamp: 0 }
  return { ...event, generation: '', elapsed_ms: 0, ttft_ms: 0, parent: null, replay: undefined }
}

describe('a replay', () => {
  test('tells what was told, as a generation of now that says what it is', async () => {
    const scene = new Scene()
    const events = recording('g_old', [100, 120, 150])
    const [id] = (await scene.play(recordingBytes(events), 1)) as [string]
    expect(id).toMatch(/^g_[0-9A-Z]{26}$/)
    expect(scene.of(id).map(timeless)).toEqual(events.map(timeless))
    for (const state of scene.states(id)) expect(state.replay).toEqual({ of: 'g_old', speed: 1 })
    const unix = (at: number) => (performance.timeOrigin + at) / 1000
    expect(scene.tokens(id).map(({ timestamp }) => timestamp)).toEqual([1100, 1120, 1150].map(unix))
    expect(scene.states(id).map(({ elapsed_ms, ttft_ms }) => [elapsed_ms, ttft_ms])).toEqual([
      ...[
        [0, null],
        [50, null],
        [100, 100],
        [155, 100],
      ],
    ])
  })

  test('keeps what the upstream said, and is nobody’s continuation', async () => {
    const scene = new Scene()
    const timings = { load_ms: 1, prompt_ms: 2, generation_ms: 3, tokens_per_second: 4 }
    const error = { kind: 'connection', code: 'ECONNRESET', message: 'gone', retryable: true } as const
    const said = { model: 'm', upstream: 'u:1', timings, error, ending: 'connection', cached: true }
    const events = [
      stateEvent('g_old', 'queued', { ...said, parent: 'g_older' }),
      stateEvent('g_old', 'interrupted', {
        ...{ ...said, total_tokens: 9, estimated: true, tokens_processed: 7, progress: 0.5 },
        ...{ parent: 'g_older', replay: { of: 'g_oldest', speed: 4 } },
      }),
    ]
    const [id] = (await scene.play(recordingBytes(events), null)) as [string]
    expect(scene.states(id).at(-1)).toEqual({
      ...events[1],
      ...{ generation: id, parent: null, replay: { of: 'g_old', speed: null } },
    })
  })

  test('has no time to the first token where none was known', async () => {
    const scene = new Scene()
    const events = recording('g_old', [10, 20]).map(event =>
      event.type === 'neural_state' ? { ...event, ttft_ms: null } : event,
    )
    const [id] = (await scene.play(recordingBytes(events), 1)) as [string]
    expect(scene.states(id).map(({ ttft_ms }) => ttft_ms)).toEqual([null, null, null, null])
  })

  test('of anything that can be recorded is the same but for its times', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyRecording('g_A'),
        fc.integer({ min: 1, max: 3000 }),
        async (recorded, pieceBytes) => {
          const scene = new Scene()
          // The file has times in steps of 0.1 ms.
          const events = recorded.events.map(event =>
            event.type === 'token_activation'
              ? { ...event, timestamp: Math.round(event.timestamp * 10_000) / 10_000 }
              : event,
          )
          const bytes = recordingBytes(events, { startedAt: Math.round(recorded.startedAt as number) })
          const { generations } = await scene.replays.play(inPieces(bytes, pieceBytes), null)
          const [id] = generations as [string]
          // As JSON has it: it knows no -0, and no number that is not finite.
          const inJson = (event: GenerationEvent) =>
            JSON.parse(JSON.stringify({ ...timeless(event), confidence: 0, entropy: 0 }))
          expect(scene.of(id).map(inJson)).toEqual(events.map(inJson))
          expect(isFinal(scene.states(id).at(-1)?.state ?? 'queued')).toBe(true)
        },
      ),
      { numRuns: rounds(2000) },
    )
  })

  test('gets its cells from the log, and viewers are told what it plays', async () => {
    const log = new TokenLog({ place: cell => [cell, 0] })
    const scene = new Scene({ emit: (event, readAt) => void log.append(event, readAt) })
    const [id] = (await scene.play(recordingBytes(recording('g_old', [1, 2])), null)) as [string]
    const [generation] = log.generations() as [SnapshotGeneration]
    expect(generation).toMatchObject({ generation: id, text: ' 0 1', replay: { of: 'g_old', speed: null } })
    const { payload } = log.collect(JSON_SUBPROTOCOL, 0, log.head, 1e6, null)
    expect(String(payload)).toContain('"replay":{"of":"g_old","speed":null}')
    expect([log.cell(4), log.cell(5)]).toEqual([0, 1])
  })
})

describe('its spacing', () => {
  const gaps = fc.array(fc.double({ min: 0, max: 5000, noNaN: true }), { minLength: 1, maxLength: 30 })
  const speeds = fc.oneof(fc.constantFrom(0.25, 1, 1000), fc.double({ min: 0.25, max: 1000, noNaN: true }))

  test('is the recorded one, divided by its speed, to 0.1 ms', async () => {
    await fc.assert(
      fc.asyncProperty(gaps, speeds, fc.nat(20), async (gaps, speed, lateMs) => {
        const times = gaps.map((_, i) => inTicks(gaps.slice(0, i + 1).reduce((a, b) => a + b)))
        const scene = new Scene()
        // A wait that is over a little late shifts nothing, and is not seen.
        scene.clock.lateMs = lateMs
        const [id] = (await scene.play(recordingBytes(recording('g_old', times)), speed)) as [string]
        const told = scene.tokens(id).map(({ timestamp }) => timestamp * 1000 - performance.timeOrigin - 1000)
        for (const [i, time] of times.entries()) {
          expect(Math.abs((told[i] as number) - time / speed)).toBeLessThan(0.1 / speed + 0.01)
        }
        for (const { event, at } of scene.told) {
          // Never before it is due.
          if (event.type === 'token_activation')
            expect(at).toBeGreaterThanOrEqual(event.timestamp * 1000 - performance.timeOrigin - 0.01)
        }
        expect(scene.states(id).at(-1)?.elapsed_ms).toBeCloseTo(
          (times.at(-1) as number) / speed + 5 / speed,
          1,
        )
      }),
      { numRuns: rounds(2000) },
    )
  })

  test('is kept by what comes after an entry that was very late, which says when it came', async () => {
    const scene = new Scene()
    const played = scene.replays.play(inPieces(recordingBytes(recording('g_old', [100, 200, 1000, 1010]))), 1)
    await scene.until(() => scene.clock.waiting === 1)
    // The program stood still.
    scene.clock.pass(700)
    await Promise.all([played, scene.clock.run(scene.replays)])
    const tokens = scene.told.filter(({ event }) => event.type === 'token_activation')
    expect(tokens.map(({ at }) => at)).toEqual([1700, 1700, 2000, 2010])
    expect(
      tokens.map(({ event }) => Math.round((event as TokenEvent).timestamp * 1000 - performance.timeOrigin)),
    ).toEqual([1700, 1700, 2000, 2010])
  })

  test('is kept where the file came late', async () => {
    const scene = new Scene()
    const bytes = recordingBytes(recording('g_old', [100, 200, 300, 400]))
    const rest = Promise.withResolvers<void>()
    async function* slow(): AsyncGenerator<Uint8Array, void> {
      const cut = bytes.indexOf('"index":1')
      yield bytes.subarray(0, cut)
      await rest.promise
      yield bytes.subarray(cut)
    }
    const played = scene.replays.play(slow(), 1)
    await scene.until(() => scene.clock.waiting === 1)
    await scene.clock.run(scene.replays, () => scene.told.length === 4)
    scene.clock.pass(250)
    rest.resolve()
    await Promise.all([played, scene.clock.run(scene.replays)])
    const at = scene.told.filter(({ event }) => event.type === 'token_activation').map(({ at }) => at)
    expect(at).toEqual([1100, 1350, 1350, 1400])
  })

  test('begins with the request where that is recorded, with what was first heard where not', async () => {
    // A feed tells the state some time before the first token.
    const id = 'g_old'
    const events = [
      stateEvent(id, 'generating', { elapsed_ms: 0 }),
      { ...tokenEvent(id, 0), timestamp: (CAME_MS + 80) / 1000 },
      { ...tokenEvent(id, 1), timestamp: (CAME_MS + 90) / 1000 },
      stateEvent(id, 'done', { elapsed_ms: 95 }),
    ]
    for (const about of [
      { startedAt: CAME_MS / 1000 },
      { startedAt: CAME_MS / 1000 + 0.02, requestedAt: CAME_MS / 1000 },
    ]) {
      const scene = new Scene()
      await scene.play(recordingBytes(events, about), 1)
      expect(scene.told.map(({ at }) => Math.round(at * 10) / 10)).toEqual([1000, 1080, 1090, 1095])
    }
  })

  test('never goes back, whatever the recorded times are', async () => {
    const scene = new Scene()
    const id = (await scene.play(recordingBytes(recording('g_old', [100, 50, 300, 10], 20)), 1))[0] as string
    expect(scene.told.map(({ at }) => at)).toEqual([1000, 1050, 1100, 1100, 1100, 1300, 1300, 1300])
    expect(scene.states(id).at(-1)?.elapsed_ms).toBe(300)
  })

  test('of many at once is that of each', async () => {
    const scene = new Scene()
    const ids = Array.from({ length: 50 }, (_, i) => `g_${i}`)
    for (const [i, id] of ids.entries())
      scene.recorded.set(id, inPieces(recordingBytes(recording(id, [10 + i, 20 + 2 * i, 400]))))
    const started = await Promise.all(ids.map((id, i) => scene.replays.start(id, i % 2 === 0 ? 1 : 2)))
    expect([scene.replays.running, new Set(started).size]).toEqual([50, 50])
    await scene.clock.run(scene.replays)
    for (const [i, id] of started.entries()) {
      const at = scene.told
        .filter(({ event }) => event.generation === id && event.type === 'token_activation')
        .map(({ at }) => Math.round((at - 1000) * 100) / 100)
      const speed = i % 2 === 0 ? 1 : 2
      expect(at).toEqual([10 + i, 20 + 2 * i, 400].map(ms => ms / speed))
    }
    expect(scene.replays.running).toBe(0)
    expect(scene.meter.gauges.at(-1)).toMatchObject({ name: 'tokenscope_replays', value: 0 })
    expect(scene.meter.counted).toHaveLength(50)
  })
})

describe('as fast as it can be', () => {
  const long = recording(
    'g_long',
    Array.from({ length: 30_000 }, (_, i) => i),
  )

  test('leaves turns to others, and does not wait', async () => {
    const scene = new Scene()
    let isOver = false
    const played = scene.replays.play(inPieces(recordingBytes(long), 256 * 1024), null).then(() => {
      isOver = true
    })
    // Turns in which it had told more than in the one before, but not all.
    let turns = 0
    for (let before = 0; !isOver; before = scene.told.length) {
      await setImmediate()
      if (scene.told.length > before) turns++
    }
    await played
    expect(scene.told).toHaveLength(long.length)
    expect(turns).toBeGreaterThan(5)
    expect(scene.clock.waiting).toBe(0)
  })

  test('two take turns', async () => {
    const scene = new Scene()
    const two = ['g_a', 'g_b'].map(async id => {
      const bytes = recordingBytes(long.map(event => ({ ...event, generation: id })))
      const { generations } = await scene.replays.play(inPieces(bytes, 256 * 1024), null)
      return generations[0] as string
    })
    const [a, b] = (await Promise.all(two)) as [string, string]
    const last = (id: string) => scene.told.findLastIndex(({ event }) => event.generation === id)
    const first = (id: string) => scene.told.findIndex(({ event }) => event.generation === id)
    expect(first(b)).toBeLessThan(last(a))
    expect(first(a)).toBeLessThan(last(b))
  })

  test('waits now and then for who records it, whether or not that works', async () => {
    let waits = 0
    let release = () => {}
    const scene = new Scene({
      keepUp: () => {
        waits++
        return new Promise((resolve, reject) => {
          release = waits === 2 ? () => reject(new Error('the disk is full')) : resolve
        })
      },
    })
    const played = scene.replays.play(inPieces(recordingBytes(long), 256 * 1024), null)
    for (const told of [8192, 16_384, 24_576]) {
      await scene.until(() => scene.told.length === told && waits === told / 8192)
      await setImmediate()
      expect(scene.told).toHaveLength(told)
      release()
    }
    await played
    expect(waits).toBe(3)
  })
})

describe('a recorded generation', () => {
  test('is played under an id that is known once it is there', async () => {
    const scene = new Scene()
    scene.recorded.set('g_old', inPieces(recordingBytes(recording('g_old', [100]))))
    const id = await scene.replays.start('g_old', 4)
    expect(scene.replays.running).toBe(1)
    await scene.clock.run(scene.replays)
    expect(scene.states(id).at(-1)).toMatchObject({ state: 'done', replay: { of: 'g_old', speed: 4 } })
    expect(scene.meter.counted).toEqual([
      { name: 'tokenscope_generations_total', labels: { state: 'done' }, value: 1 },
    ])
  })

  test('that is not there is not found, and nothing is told', async () => {
    const scene = new Scene()
    await expect(scene.replays.start('g_none', 1)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect([scene.told, scene.replays.running]).toEqual([[], 0])
  })

  test.each([[0.24], [1000.1], [0], [-1], [Number.NaN], [Number.POSITIVE_INFINITY]])(
    'is not played at speed %s',
    async speed => {
      const scene = new Scene()
      const refusal = { code: 'BAD_REQUEST', param: 'speed' }
      await expect(scene.replays.start('g_old', speed)).rejects.toMatchObject(refusal)
      await expect(scene.replays.play(inPieces(Buffer.from('x')), speed)).rejects.toMatchObject(refusal)
    },
  )

  test('whose records fail meanwhile fails, and says why', async () => {
    const scene = new Scene()
    const bytes = recordingBytes(recording('g_old', [10, 20, 30]))
    async function* failing(): AsyncGenerator<Uint8Array, void> {
      yield bytes.subarray(0, bytes.indexOf('"index":2'))
      throw new TokenscopeError('RECORDS_UNAVAILABLE', 'The records cannot be read.')
    }
    scene.recorded.set('g_old', failing())
    const id = await scene.replays.start('g_old', null)
    await scene.until(() => scene.replays.running === 0)
    expect(scene.states(id).at(-1)).toMatchObject({
      ...{ state: 'failed', ending: 'error', tokens_processed: 2 },
      error: {
        ...{ kind: 'unknown', code: 'RECORDS_UNAVAILABLE', message: 'The records cannot be read.' },
        retryable: true,
      },
    })
  })

  test('that fails before any of its states is told to fail all the same', async () => {
    const scene = new Scene()
    const bytes = recordingBytes(recording('g_old', [10]))
    async function* failing(): AsyncGenerator<Uint8Array, void> {
      yield bytes.subarray(0, bytes.indexOf('\n') + 1)
      throw new TokenscopeError('RECORDS_UNAVAILABLE', 'The records cannot be read.')
    }
    scene.recorded.set('g_old', failing())
    const id = await scene.replays.start('g_old', 1)
    await scene.until(() => scene.replays.running === 0)
    expect(scene.of(id)).toEqual([
      stateEvent(id, 'failed', {
        ...{ ending: 'error', replay: { of: 'g_old', speed: 1 }, error: expect.any(Object) },
      }),
    ])
  })

  test('that had not ended is interrupted where its recording is', async () => {
    const scene = new Scene()
    scene.recorded.set('g_old', inPieces(recordingBytes(recording('g_old', [10, 20]).slice(0, -1))))
    const id = await scene.replays.start('g_old', 1)
    await scene.clock.run(scene.replays)
    expect(scene.states(id).at(-1)).toMatchObject({
      ...{ state: 'interrupted', ending: 'truncated', tokens_processed: 2, ttft_ms: 10 },
      error: { message: 'The recording ends before the generation did.', retryable: false },
    })
  })

  test('that is over is not read any further', async () => {
    const scene = new Scene()
    const bytes = recordingBytes(recording('g_old', [10]), {
      requestedAt: CAME_MS / 1000,
      chunks: Array.from({ length: 100 }, () => Buffer.alloc(1000)),
    })
    let [read, letGo] = [0, false]
    async function* counted(): AsyncGenerator<Uint8Array, void> {
      try {
        for await (const piece of inPieces(bytes)) {
          read += piece.length
          yield piece
        }
      } finally {
        letGo = true
      }
    }
    scene.recorded.set('g_old', counted())
    await scene.replays.start('g_old', null)
    await scene.until(() => letGo)
    expect(read).toBeLessThan(5000)
  })
})

describe('a file', () => {
  const one = recordingBytes(recording('g_1', [10, 20]))
  const two = recordingBytes(recording('g_2', [5]))

  test('with several recordings plays one after the other', async () => {
    const scene = new Scene()
    const ids = await scene.play(Buffer.concat([one, two]), 1)
    expect(ids.map(id => scene.states(id).at(-1)?.replay?.of)).toEqual(['g_1', 'g_2'])
    const [first, second] = ids.map(id => scene.told.filter(({ event }) => event.generation === id)) as [
      typeof scene.told,
      typeof scene.told,
    ]
    expect([first.at(-1)?.at, second[0]?.at, second.at(-1)?.at]).toEqual([1025, 1025, 1035])
  })

  test('is asked for no further than one piece ahead of what is told', async () => {
    const scene = new Scene()
    const bytes = recordingBytes(
      recording(
        'g_long',
        Array.from({ length: 2000 }, (_, i) => 10 * (i + 1)),
      ),
    )
    let read = 0
    async function* counted(): AsyncGenerator<Uint8Array, void> {
      for await (const piece of inPieces(bytes)) {
        read += piece.length
        yield piece
      }
    }
    const played = scene.replays.play(counted(), 1)
    await scene.until(() => scene.clock.waiting === 1)
    let most = 0
    await scene.clock.run(scene.replays, () => {
      const last = scene.told.at(-1)?.event
      const needle = last?.type === 'token_activation' ? `"index":${last.index},` : '"neural_state"'
      most = Math.max(most, read - Math.max(0, bytes.indexOf(needle)))
      return last !== undefined && isFinal((last as NeuralStateEvent).state)
    })
    await played
    expect(read).toBe(bytes.length)
    expect(most).toBeLessThan(3 * 1000)
  })

  test('that is damaged fails what it was playing, names the line, and leaves what came before', async () => {
    const scene = new Scene()
    const bytes = Buffer.concat([one, two])
    bytes[one.length + two.indexOf('"index":0') + 8] = 0x78
    const played = scene.replays.play(inPieces(bytes), null)
    const line = one.toString().split('\n').length - 1 + 5
    await expect(played).rejects.toMatchObject({
      ...{ code: 'BAD_RECORDING', message: expect.stringContaining(`Line ${line} `), details: { line } },
    })
    const ends = scene.told.flatMap(({ event }) =>
      event.type === 'neural_state' && isFinal(event.state) ? [event] : [],
    )
    expect(ends.map(({ state, error }) => [state, error?.code ?? null])).toEqual([
      ['done', null],
      ['failed', 'BAD_RECORDING'],
    ])
    expect(scene.replays.running).toBe(0)
  })

  test('that was cut off fails, wherever it was cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(one.length - 2), fc.integer({ min: 1, max: 999 }), async (cut, pieceBytes) => {
        const scene = new Scene()
        const played = scene.replays.play(inPieces(one.subarray(0, cut), pieceBytes), null)
        await expect(played).rejects.toMatchObject({ code: 'BAD_RECORDING' })
        const states = scene.told
          .filter(({ event }) => event.type === 'neural_state')
          .map(({ event }) => event)
        // One whose last state was told has ended by then; it is told once.
        const ends = states.filter(event => isFinal((event as NeuralStateEvent).state))
        expect([ends.length, scene.replays.running]).toEqual([scene.told.length === 0 ? 0 : 1, 0])
      }),
      { numRuns: rounds(2000) },
    )
  })

  test('whose connection breaks fails, unless it is known to be gone', async () => {
    for (const isKnown of [false, true]) {
      const scene = new Scene()
      const gone = new AbortController()
      const error = Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
      async function* breaking(): AsyncGenerator<Uint8Array, void> {
        yield one.subarray(0, one.indexOf('"index":1'))
        await scene.until(() => scene.told.length === 4)
        if (isKnown) queueMicrotask(() => gone.abort())
        throw error
      }
      const played = scene.replays.play(breaking(), null, gone.signal)
      if (isKnown) await expect(played).resolves.toMatchObject({ generations: [expect.any(String)] })
      else await expect(played).rejects.toBe(error)
      const last = scene.told.at(-1)?.event as NeuralStateEvent
      if (isKnown) expect(last).toMatchObject({ state: 'cancelled', ending: 'client_gone', error: null })
      else
        expect(last).toMatchObject({
          ...{ state: 'failed', ending: 'error' },
          error: { kind: 'connection', code: 'ECONNRESET', retryable: true },
        })
    }
  })

  test('that nobody sends any more is let go at once', async () => {
    const scene = new Scene()
    const gone = new AbortController()
    let letGo = false
    const silent: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => {
        let pieces = 0
        return {
          next: () =>
            pieces++ === 0
              ? Promise.resolve({ done: false, value: one.subarray(0, one.indexOf('"index":1')) })
              : new Promise(() => {}),
          return: () => {
            letGo = true
            return Promise.resolve({ done: true, value: undefined })
          },
        }
      },
    }
    const played = scene.replays.play(silent, null, gone.signal)
    await scene.until(() => scene.told.length === 4)
    gone.abort()
    const { generations } = await played
    expect(scene.states(generations[0] as string).at(-1)).toMatchObject({
      ...{ state: 'cancelled', ending: 'client_gone' },
    })
    expect(letGo).toBe(true)
  })

  test('without anything is no recording', async () => {
    const scene = new Scene()
    await expect(scene.replays.play(inPieces(Buffer.alloc(0)), 1)).rejects.toMatchObject({
      ...{ code: 'BAD_RECORDING' },
    })
    const gone = AbortSignal.abort()
    expect(await scene.replays.play(inPieces(one), 1, gone)).toEqual({ generations: [] })
    expect(scene.told).toEqual([])
  })
})

describe('a replay that is stopped', () => {
  test('is cancelled at once, wherever it is, and nothing more is told of it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.constantFrom(1, null), async (after, speed) => {
        const scene = new Scene()
        scene.recorded.set('g_old', inPieces(recordingBytes(recording('g_old', [10, 20, 30])), 100))
        let id = ''
        const emitted = scene.told
        const started = scene.replays.start('g_old', speed).then(given => {
          id = given
        })
        await scene.until(() => emitted.length > 0)
        await started
        await scene.clock.run(scene.replays, () => emitted.length >= after)
        const before = emitted.length
        const isRunning = before < 7
        expect(scene.replays.stop(id)).toBe(isRunning)
        const last = scene.states(id).at(-1)
        if (isRunning) expect(last).toMatchObject({ state: 'cancelled', ending: 'stopped', error: null })
        expect(scene.replays.stop(id)).toBe(false)
        for (let i = 0; i < 5; i++) await setImmediate()
        expect([emitted.length, scene.replays.running]).toEqual([before + (isRunning ? 1 : 0), 0])
        expect(scene.clock.waiting).toBe(0)
      }),
      { numRuns: rounds(400) },
    )
  })

  test('gives way to the next one of its file', async () => {
    const scene = new Scene()
    const files = ['g_1', 'g_2'].map(id => recordingBytes(recording(id, [10, 20])))
    const played = scene.replays.play(inPieces(Buffer.concat(files)), 1)
    await scene.until(() => scene.told.length === 1)
    scene.replays.stop(scene.told[0]?.event.generation as string)
    await scene.until(() => scene.replays.running === 1)
    const [{ generations }] = await Promise.all([played, scene.clock.run(scene.replays)])
    expect(generations.map(id => scene.states(id).at(-1)?.state)).toEqual(['cancelled', 'done'])
  })

  test('is none where there is none', () => {
    expect(new Scene().replays.stop('g_none')).toBe(false)
  })

  test('with the program says so, and nothing begins after that', async () => {
    const scene = new Scene()
    scene.recorded.set('g_old', inPieces(recordingBytes(recording('g_old', [10, 20]))))
    const id = await scene.replays.start('g_old', 1)
    const played = scene.replays.play(inPieces(recordingBytes(recording('g_2', [10]))), 1)
    const refused = expect(played).rejects.toMatchObject({ code: 'DRAINING' })
    await scene.until(() => scene.replays.running === 2)
    await scene.replays.drain()
    await refused
    expect(scene.states(id).at(-1)).toMatchObject({ state: 'cancelled', ending: 'shutdown' })
    expect([scene.replays.running, scene.clock.waiting]).toEqual([0, 0])
    await expect(scene.replays.start('g_old', 1)).rejects.toMatchObject({ code: 'DRAINING' })
  })
})
