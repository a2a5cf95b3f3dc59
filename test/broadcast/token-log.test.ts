import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LogRecord, TokenLog } from '../../broadcast/token-log.ts'
import { mapPosition } from '../../compositor/map.ts'
import type {
  GenerationEvent,
  GenerationState,
  NeuralStateEntry,
  TokenEntry,
} from '../../events/generation.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'

const place = mapPosition
const text = fc.string({ unit: 'grapheme', maxLength: 60 })

describe('seq and epoch', () => {
  it('counts from 1 without holes, in the order of append', () => {
    const log = new TokenLog({ place })
    expect([log.head, log.tail]).toEqual([0, 1])
    const entries = [
      log.append(stateEvent('g_a'), 0),
      log.append(tokenEvent('g_a', 0), 0),
      log.append(stateEvent('g_b'), 0),
      log.append(tokenEvent('g_a', 1), 0),
    ]
    expect(entries.map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
    expect([log.head, log.tail]).toEqual([4, 1])
  })

  it('names its epoch by a random id and a number, another for each log', () => {
    const [first, second] = [new TokenLog({ place }), new TokenLog({ place })]
    expect(first.epoch).toMatch(/^[a-z0-9]{6,}\.\d+$/)
    expect(second.epoch).not.toBe(first.epoch)
  })

  it('keeps the event as it was told, with its seq, encoded once', () => {
    const log = new TokenLog({ place })
    const state = stateEvent('g_a', 'queued', { model: 'ä', progress: 0.5 })
    const token = tokenEvent('g_a', 0, '🙂\n"')
    expect(log.append(state, 12)).toEqual({ seq: 1, ...state })
    expect(log.append(token, 13)).toEqual({ seq: 2, ...token, position: [0, 0] })
    for (const seq of [1, 2]) {
      const record = log.record(seq) as LogRecord
      expect(JSON.parse(record.json.toString('utf8'))).toEqual(record.entry)
      expect(record.readAt).toBe(11 + seq)
    }
  })
})

describe('the ring', () => {
  it('keeps the newest entries that fit both bounds, and at least one', () => {
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 4000 }),
        (texts, maxEntries, maxBytes) => {
          const log = new TokenLog({ place, maxEntries, maxBytes })
          const lengths = [0]
          texts.forEach((piece, index) => {
            const entry = log.append(tokenEvent('g_a', index, piece), 0)
            lengths.push(Buffer.byteLength(JSON.stringify(entry)))
            const head = index + 1
            const bytesFrom = (seq: number) => lengths.slice(seq).reduce((sum, length) => sum + length, 0)
            let tail = 1
            while (tail < head && (head - tail + 1 > maxEntries || bytesFrom(tail) > maxBytes)) tail++

            expect([log.tail, log.head]).toEqual([tail, head])
            for (let seq = 0; seq <= head + 1; seq++) {
              const kept = seq >= tail && seq <= head
              expect(log.record(seq)?.entry.seq).toBe(kept ? seq : undefined)
              expect(log.bytesAfter(seq)).toBe(bytesFrom(Math.max(seq + 1, tail)))
            }
          })
        },
      ),
    )
  })

  it('holds no more than its bounds through many times its size', () => {
    const log = new TokenLog({ place, maxEntries: 100, maxBytes: 10_000 })
    for (let index = 0; index < 5000; index++) {
      log.append(tokenEvent('g_a', index, 'x'.repeat(index % 300)), 0)
      expect(log.bytesAfter(0)).toBeLessThanOrEqual(10_000)
      expect(log.head - log.tail).toBeLessThan(100)
    }
  })

  it('keeps an entry that is larger than the ring until the next one comes', () => {
    const log = new TokenLog({ place, maxBytes: 1000 })
    log.append(tokenEvent('g_a', 0, 'x'.repeat(5000)), 0)
    expect(log.record(1)?.entry.seq).toBe(1)
    log.append(tokenEvent('g_a', 1), 0)
    expect([log.record(1), log.tail]).toEqual([undefined, 2])
  })
})

describe('cells', () => {
  const steps = fc.array(
    fc.record({ generation: fc.constantFrom('g_a', 'g_b', 'g_c'), tokens: fc.integer({ min: 1, max: 700 }) }),
    { minLength: 1, maxLength: 12 },
  )

  /** Appends the steps, and gives the cells of each generation in order. */
  function cellsOf(plan: { generation: string; tokens: number }[]): Map<string, number[]> {
    const log = new TokenLog({ place })
    const cells = new Map<string, number[]>()
    const moved: number[] = []
    for (const { generation, tokens } of plan) {
      for (let i = 0; i < tokens; i++) {
        const list = cells.get(generation) ?? []
        cells.set(generation, list)
        const { seq, position } = log.append(tokenEvent(generation, list.length), 0) as TokenEntry
        const cell = (log.record(seq) as LogRecord).cell as number
        list.push(cell)
        if (String(position) !== String(mapPosition(cell))) moved.push(seq)
      }
    }
    expect(moved).toEqual([])
    return cells
  }

  it('are never given twice, and chain aligned blocks of 256 for each generation', () => {
    fc.assert(
      fc.property(steps, plan => {
        const cells = cellsOf(plan)
        const all = [...cells.values()].flat()
        expect(new Set(all).size).toBe(all.length)
        for (const list of cells.values()) {
          const astray = list.filter((cell, i) =>
            i % 256 === 0 ? cell % 256 !== 0 : cell !== (list[i - 1] as number) + 1,
          )
          expect(astray).toEqual([])
        }
      }),
      { numRuns: 25 },
    )
  })

  it('are handed out in blocks without a hole between them', () => {
    fc.assert(
      fc.property(steps, plan => {
        const blocks = new Set([...cellsOf(plan).values()].flat().map(cell => Math.floor(cell / 256)))
        expect([...blocks].sort((a, b) => a - b)).toEqual(Array.from({ length: blocks.size }, (_, i) => i))
      }),
      { numRuns: 25 },
    )
  })

  it('are the same for the same log', () => {
    fc.assert(
      fc.property(steps, plan => {
        expect(cellsOf(plan)).toEqual(cellsOf(plan))
      }),
      { numRuns: 10 },
    )
  })

  it('belong to tokens only', () => {
    const log = new TokenLog({ place })
    const entry = log.append(stateEvent('g_a'), 0)
    expect(log.record(entry.seq)?.cell).toBeNull()
    expect(entry).not.toHaveProperty('position')
  })

  it.each<GenerationState>(['done', 'interrupted', 'cancelled', 'failed'])(
    'of a generation that is %s are closed; their rest stays empty',
    state => {
      const log = new TokenLog({ place })
      log.append(tokenEvent('g_a', 0), 0)
      log.append(stateEvent('g_a', state), 0)
      log.append(tokenEvent('g_b', 0), 0)
      log.append(tokenEvent('g_a', 1), 0)
      expect([1, 2, 3, 4].map(seq => log.record(seq)?.cell)).toEqual([0, null, 256, 512])
    },
  )

  it.each<GenerationState>(['queued', 'loading_model', 'processing_prompt', 'generating', 'cancelling'])(
    'of a generation that is %s go on',
    state => {
      const log = new TokenLog({ place })
      log.append(tokenEvent('g_a', 0), 0)
      log.append(stateEvent('g_a', state), 0)
      log.append(tokenEvent('g_a', 1), 0)
      expect(log.record(3)?.cell).toBe(1)
    },
  )
})

describe('listeners', () => {
  it('get each record right after its append, until they are taken away', () => {
    const log = new TokenLog({ place })
    const heard: string[] = []
    const stop = log.onAppend(record => {
      expect(log.record(record.entry.seq)).toBe(record)
      heard.push(`first ${record.entry.seq}`)
    })
    log.onAppend(({ entry }) => heard.push(`second ${entry.seq}`))
    log.append(stateEvent('g_a'), 0)
    stop()
    log.append(tokenEvent('g_a', 0), 0)
    expect(heard).toEqual(['first 1', 'second 1', 'second 2'])
  })
})

describe('generations', () => {
  const ids = Array.from({ length: 8 }, (_, i) => `g_${i}`)

  it('have the whole text in order, whatever the interleaving and however short the ring', () => {
    const piece = fc.tuple(fc.constantFrom(...ids), text)
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 200 }), fc.subarray(ids), (pieces, ended) => {
        const log = new TokenLog({ place, maxEntries: 3 })
        const texts = new Map<string, string[]>()
        const append = (event: GenerationEvent) => log.append(event, 0)
        for (const [generation, token] of pieces) {
          const list = texts.get(generation) ?? []
          if (list.length === 0) append(stateEvent(generation))
          texts.set(generation, list)
          append(tokenEvent(generation, list.length, token))
          list.push(token)
        }
        for (const generation of ended) if (texts.has(generation)) append(stateEvent(generation, 'done'))
        const found = new Map(log.generations().map(one => [one.generation, one]))
        expect([...found.keys()].sort()).toEqual([...texts.keys()].sort())
        for (const [generation, list] of texts) {
          expect(found.get(generation)).toMatchObject({
            text: list.join(''),
            tokens: list.length,
            state: ended.includes(generation) ? 'done' : 'generating',
          })
        }
      }),
    )
  })

  it('are all that run and the last 50 that ended, oldest first', () => {
    const log = new TokenLog({ place })
    for (let i = 0; i < 130; i++) log.append(stateEvent(`g_${i}`, 'queued'), 0)
    // Every second one ends, 65 of 130.
    for (let i = 0; i < 130; i += 2) log.append(stateEvent(`g_${i}`, 'done'), 0)
    const found = log.generations()
    const idsOf = (final: boolean) =>
      found.filter(({ state }) => (state === 'done') === final).map(({ generation }) => generation)
    expect(idsOf(true)).toEqual(Array.from({ length: 50 }, (_, i) => `g_${30 + 2 * i}`))
    expect(idsOf(false)).toEqual(Array.from({ length: 65 }, (_, i) => `g_${2 * i + 1}`))
  })

  it('carry the fields of their last state and neither type nor seq', () => {
    const log = new TokenLog({ place })
    log.append(stateEvent('g_a', 'generating', { model: 'early' }), 0)
    log.append(tokenEvent('g_a', 0, 'hi'), 0)
    const last = stateEvent('g_a', 'failed', {
      model: 'late',
      tokens_processed: 7,
      elapsed_ms: 9,
      ending: 'error',
      error: { kind: 'unknown', code: null, message: 'no', retryable: false },
    })
    const { seq } = log.append(last, 0) as NeuralStateEntry
    expect(seq).toBe(3)
    const { type: _, ...fields } = last
    expect(log.generations()).toEqual([{ ...fields, text: 'hi', tokens: 1 }])
  })
})
