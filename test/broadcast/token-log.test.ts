import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { BIN_SUBPROTOCOL, JSON_SUBPROTOCOL } from '../../broadcast/protocol.ts'
import { TokenLog } from '../../broadcast/token-log.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import type { GenerationEvent, GenerationState, TokenEntry } from '../../events/generation.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { anyEvent, anyText, entryOf, keptEntries, readBinary } from '../support/log-events.ts'

const place = mapPosition

afterEach(() => {
  vi.useRealTimers()
})

describe('seq and epoch', () => {
  it('counts from 1 without holes, in the order of append', () => {
    const log = new TokenLog({ place })
    expect([log.head, log.tail]).toEqual([0, 1])
    const seqs = [
      log.append(stateEvent('g_a'), 0),
      log.append(tokenEvent('g_a', 0), 0),
      log.append(stateEvent('g_b'), 0),
      log.append(tokenEvent('g_a', 1), 0),
    ]
    expect(seqs).toEqual([1, 2, 3, 4])
    expect([log.head, log.tail]).toEqual([4, 1])
  })

  it('names its epoch by a random id and a number, another for each log', () => {
    const [first, second] = [new TokenLog({ place }), new TokenLog({ place })]
    expect(first.epoch).toMatch(/^[a-z0-9]{6,}\.\d+$/)
    expect(second.epoch).not.toBe(first.epoch)
  })
})

describe('a later run', () => {
  it('has the name it is given, cells after those of the run before, and what that one finished', () => {
    const first = new TokenLog({ place })
    for (const id of ['g_a', 'g_b']) {
      first.append(stateEvent(id), 0)
      for (let i = 0; i < 300; i++) first.append(tokenEvent(id, i), 0)
      first.append(stateEvent(id, 'done'), 0)
    }
    expect(first.nextBlock).toBe(4)
    const finished = first.generations()
    const log = new TokenLog({ place, epoch: 'l0g.2', nextBlock: first.nextBlock, finished })
    expect([log.epoch, log.head, log.nextBlock]).toEqual(['l0g.2', 0, 4])
    expect(log.generations()).toEqual(finished)
    log.append(tokenEvent('h_a', 0), 0)
    expect([log.cell(1), log.nextBlock]).toEqual([4 * 256, 5])
  })

  it('takes events of a generation of before as of any other', () => {
    const finished = [{ ...stateEvent('g_a', 'done'), text: 'so', tokens: 1 }]
    const log = new TokenLog({ place, nextBlock: 4, finished })
    const events = [stateEvent('g_a'), tokenEvent('g_a', 1, ' far'), stateEvent('g_a', 'done')]
    for (const event of events) log.append(event, 0)
    expect(readBinary(null, log.collect(BIN_SUBPROTOCOL, 0, 3, 1e6, null).payload as Uint8Array)).toEqual(
      keptEntries(log),
    )
    expect(keptEntries(log)).toMatchObject(events)
    expect(log.cell(2)).toBe(4 * 256)
    expect(log.generations()).toMatchObject([{ generation: 'g_a', text: 'so far', tokens: 2 }])
  })

  it('may be at the end of the map', () => {
    const log = new TokenLog({ place, nextBlock: 2 ** 24 - 1 })
    for (let i = 0; i < 257; i++) log.append(tokenEvent('g_a', i), 0)
    expect([log.cell(256), log.cell(257), log.nextBlock]).toEqual([2 ** 32 - 1, 0, 1])
    expect(keptEntries(log).at(-1)).toMatchObject({ position: place(0) })
  })
})

describe('an entry', () => {
  it('is the event as it was told, with its seq', () => {
    const log = new TokenLog({ place })
    const state = stateEvent('g_a', 'queued', { model: 'ä', progress: 0.5 })
    const token = tokenEvent('g_a', 0, '🙂\n"')
    log.append(state, 12)
    log.append(token, 13)
    expect(log.entry(1)).toEqual({ seq: 1, ...state })
    expect(log.entry(2)).toEqual({ seq: 2, ...token, position: [0, 0] })
    expect([log.readAt(1), log.readAt(2)]).toEqual([12, 13])
    expect([log.generationOf(1), log.generationOf(2)]).toEqual(['g_a', 'g_a'])
  })

  it('keeps the time of a token to a tenth of a millisecond', () => {
    const log = new TokenLog({ place })
    log.append({ ...tokenEvent('g_a', 0), timestamp: 1_700_000_000.12344 }, 0)
    log.append({ ...tokenEvent('g_a', 1), timestamp: 1_700_000_000.12346 }, 0)
    expect(keptEntries(log).map(entry => (entry as TokenEntry).timestamp)).toEqual([
      1_700_000_000.1234, 1_700_000_000.1235,
    ])
  })

  it('is not there, nor anything about it, before it was appended and once it is dropped', () => {
    const log = new TokenLog({ place, maxEntries: 2 })
    for (let i = 0; i < 5; i++) log.append(tokenEvent('g_a', i), 0)
    for (const seq of [-1, 0, 3, 6]) {
      expect([log.entry(seq), log.cell(seq), log.generationOf(seq)]).toEqual([undefined, null, undefined])
      expect([log.readAt(seq), log.appendedAt(seq)]).toEqual([Number.NaN, Number.NaN])
    }
    expect(keptEntries(log).map(({ seq }) => seq)).toEqual([4, 5])
  })
})

describe('the ring', () => {
  it('keeps the newest entries that fit both bounds, at least one, just as they were appended', () => {
    fc.assert(
      fc.property(
        fc.array(anyEvent, { maxLength: 60, size: 'max' }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 4000 }),
        (events, maxEntries, maxBytes) => {
          const log = new TokenLog({ place, maxEntries, maxBytes })
          const sizes = [0]
          events.forEach((event, i) => {
            const head = i + 1
            expect(log.append(event, i)).toBe(head)
            // Type and size of the message and a seq below 128 stand before the only entry in it.
            sizes.push(log.collect(BIN_SUBPROTOCOL, i, head, 1e9, null).payload.length - 6)
            const bytesFrom = (seq: number) => sizes.slice(seq).reduce((sum, size) => sum + size, 0)
            let tail = 1
            while (tail < head && (head - tail + 1 > maxEntries || bytesFrom(tail) > maxBytes)) tail++

            expect([log.tail, log.head, log.bytes]).toEqual([tail, head, bytesFrom(tail)])
            for (let seq = 0; seq <= head + 1; seq++) {
              const kept = seq >= tail && seq <= head
              const cell = log.cell(seq)
              const position = cell === null ? null : mapPosition(cell)
              expect(log.entry(seq)).toEqual(
                kept ? entryOf(events[seq - 1] as GenerationEvent, seq, position) : undefined,
              )
              expect(log.generationOf(seq)).toBe(kept ? events[seq - 1]?.generation : undefined)
              expect(log.bytesAfter(seq, BIN_SUBPROTOCOL)).toBe(bytesFrom(Math.max(seq + 1, tail)))
            }
          })
        },
      ),
      { numRuns: 60 },
    )
  })

  it('holds no more than its bounds through many times its size', () => {
    const log = new TokenLog({ place, maxEntries: 1000, maxBytes: 50_000 })
    for (let index = 0; index < 20_000; index++) {
      log.append(tokenEvent('g_a', index, 'x'.repeat((index % 1000) >> 2)), 0)
      if (log.bytes > 50_000 || log.head - log.tail >= 1000) throw new Error(`too much at ${log.head}`)
    }
    expect(keptEntries(log)).toEqual(
      Array.from({ length: log.head - log.tail + 1 }, (_, i) => {
        const seq = log.tail + i
        const text = 'x'.repeat(((seq - 1) % 1000) >> 2)
        return entryOf(tokenEvent('g_a', seq - 1, text), seq, mapPosition(seq - 1))
      }),
    )
  })

  it('keeps an entry that is larger than the ring until the next one comes', () => {
    const log = new TokenLog({ place, maxBytes: 1000 })
    log.append(tokenEvent('g_a', 0, 'x'.repeat(5000)), 0)
    expect(log.entry(1)?.seq).toBe(1)
    log.append(tokenEvent('g_a', 1), 0)
    expect([log.entry(1), log.tail]).toEqual([undefined, 2])
  })

  it('measures anew what is behind a cursor when entries come and go', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const log = new TokenLog({ place, maxAgeMs: 1000 })
    const found: number[] = []
    const measure = () => found.push(log.bytesAfter(0, BIN_SUBPROTOCOL))
    measure()
    log.append(tokenEvent('g_a', 0), 0)
    measure()
    vi.advanceTimersByTime(500)
    log.append(tokenEvent('g_a', 1), 0)
    measure()
    measure()
    vi.advanceTimersByTime(600)
    log.trim()
    measure()
    const [none, first, both] = found as [number, number, number]
    expect(none).toBe(0)
    expect(first).toBeGreaterThan(0)
    expect(both).toBeGreaterThan(first)
    expect(found).toEqual([0, first, both, both, both - first])
  })

  it('keeps to its bytes when what is kept gets another encoding', () => {
    fc.assert(
      fc.property(
        fc.array(anyText, { minLength: 1, maxLength: 600 }),
        fc.integer({ min: 400, max: 200_000 }),
        (texts, maxBytes) => {
          const log = new TokenLog({ place, maxBytes })
          for (const [i, text] of texts.entries()) log.append(tokenEvent('g_a', i, text), 0)
          log.bytesAfter(0, JSON_SUBPROTOCOL)
          expect(log.tail === log.head || log.bytes <= maxBytes).toBe(true)
          expect(log.bytes).toBe(log.bytesAfter(0, BIN_SUBPROTOCOL) + log.bytesAfter(0, JSON_SUBPROTOCOL))
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('age', () => {
  it('takes what is older than the bound with the next trim, the newest too', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const log = new TokenLog({ place, maxAgeMs: 1000 })
    for (let i = 0; i < 600; i++) {
      log.append(tokenEvent('g_a', i), 0)
      vi.advanceTimersByTime(1)
    }
    vi.advanceTimersByTime(700)
    log.trim()
    // Entry n was appended at n − 1 ms, and it is 1300 ms.
    expect([log.tail, log.head]).toEqual([301, 600])
    expect(log.bytes).toBe(log.bytesAfter(0, BIN_SUBPROTOCOL))
    vi.advanceTimersByTime(10_000)
    log.trim()
    expect([log.tail, log.head, log.bytes]).toEqual([601, 600, 0])
    expect(log.append(tokenEvent('g_a', 600, 'on'), 0)).toBe(601)
    expect(log.entry(601)).toMatchObject({ token_text: 'on' })
  })

  it('is an hour unless it is told otherwise', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const log = new TokenLog({ place })
    log.append(tokenEvent('g_a', 0), 0)
    vi.advanceTimersByTime(3_600_000)
    log.trim()
    expect(log.tail).toBe(1)
    vi.advanceTimersByTime(1)
    log.trim()
    expect(log.tail).toBe(2)
  })
})

describe('definitions', () => {
  const ids = (log: TokenLog, after: number) => log.definitions(after).map(({ id }) => id)

  it('are those of generations that began before a reader and may go on after it', () => {
    const log = new TokenLog({ place })
    log.append(stateEvent('g_a'), 0)
    log.append(tokenEvent('g_b', 0), 0)
    log.append(stateEvent('g_a', 'done'), 0)
    expect([0, 1, 2, 3].map(after => ids(log, after))).toEqual([[], ['g_a'], ['g_a', 'g_b'], ['g_b']])
    expect(log.definitions(2).map(({ handle }) => handle)).toEqual([1, 2])
  })

  it('are forgotten with the last entry of a generation that ended; it gets another handle if it comes again', () => {
    const log = new TokenLog({ place, maxEntries: 3 })
    log.append(stateEvent('g_a', 'done'), 0)
    for (let i = 0; i < 3; i++) log.append(stateEvent('g_b'), 0)
    expect(ids(log, 9)).toEqual(['g_b'])
    log.append(tokenEvent('g_a', 0), 0)
    expect(log.definitions(9).map(({ id, handle }) => [id, handle])).toEqual([
      ['g_b', 2],
      ['g_a', 3],
    ])
    for (let i = 0; i < 3; i++) log.append(tokenEvent('g_a', 1), 0)
    expect(ids(log, 9)).toEqual(['g_b', 'g_a'])
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
        const seq = log.append(tokenEvent(generation, list.length), 0)
        const { position } = log.entry(seq) as TokenEntry
        const cell = log.cell(seq) as number
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
    const seq = log.append(stateEvent('g_a'), 0)
    expect(log.cell(seq)).toBeNull()
    expect(log.entry(seq)).not.toHaveProperty('position')
  })

  it.each<GenerationState>(['done', 'interrupted', 'cancelled', 'failed'])(
    'of a generation that is %s are closed; their rest stays empty',
    state => {
      const log = new TokenLog({ place })
      log.append(tokenEvent('g_a', 0), 0)
      log.append(stateEvent('g_a', state), 0)
      log.append(tokenEvent('g_b', 0), 0)
      log.append(tokenEvent('g_a', 1), 0)
      expect([1, 2, 3, 4].map(seq => log.cell(seq))).toEqual([0, null, 256, 512])
    },
  )

  it.each<GenerationState>(['queued', 'loading_model', 'processing_prompt', 'generating', 'cancelling'])(
    'of a generation that is %s go on',
    state => {
      const log = new TokenLog({ place })
      log.append(tokenEvent('g_a', 0), 0)
      log.append(stateEvent('g_a', state), 0)
      log.append(tokenEvent('g_a', 1), 0)
      expect(log.cell(3)).toBe(1)
    },
  )
})

describe('listeners', () => {
  it('get each event right after its append, until they are taken away', () => {
    const log = new TokenLog({ place })
    const heard: unknown[] = []
    const events = [stateEvent('g_a'), tokenEvent('g_a', 0)]
    const stop = log.onAppend((seq, event) => {
      expect([log.head, log.entry(seq)?.seq]).toEqual([seq, seq])
      heard.push('first', seq, event)
    })
    log.onAppend((seq, event) => heard.push('second', seq, event))
    log.append(events[0] as GenerationEvent, 0)
    stop()
    log.append(events[1] as GenerationEvent, 0)
    expect(heard).toEqual(['first', 1, events[0], 'second', 1, events[0], 'second', 2, events[1]])
  })
})

describe('generations', () => {
  const ids = Array.from({ length: 8 }, (_, i) => `g_${i}`)

  it('have the whole text in order, whatever the interleaving and however short the ring', () => {
    const piece = fc.tuple(fc.constantFrom(...ids), anyText)
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
          const filter = { key: generation, has: (id: string) => id === generation }
          expect(log.generations(filter)).toEqual([found.get(generation)])
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
    log.append(last, 0)
    const { type: _, ...fields } = last
    expect(log.generations()).toEqual([{ ...fields, text: 'hi', tokens: 1 }])
  })
})
