import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_IDLE } from '../../../compositor/tokens/generations.ts'
import { LANE_GAP } from '../../../compositor/tokens/lanes.ts'
import { PAGE_TOKENS } from '../../../compositor/tokens/record.ts'
import { TokenStore } from '../../../compositor/tokens/token-store.ts'
import type { GenerationState, LogEntry } from '../../../events/generation.ts'
import { stateEvent } from '../../support/hub-events.ts'
import { rounds } from '../../support/rounds.ts'
import { tokenEntry } from '../../support/token-text.ts'

const BEGAN = 1_750_000_000

function token(id: string, index: number, cell: number, ms: number): LogEntry {
  return tokenEntry(id, index, 'x', { seq: 1, cell, time: BEGAN + ms / 1000, random: () => 0.5 })
}

function state(id: string, name: GenerationState, model: string | null = null): LogEntry {
  return { seq: 1, ...stateEvent(id, name, { model }) }
}

/** Fails unless every two generations of a lane lie apart. */
function checkLanes(store: TokenStore): void {
  const lanes = new Map<number, [number, number][]>()
  for (const { lane, tokens, firstMs, lastMs } of store.generations) {
    if (tokens === 0) continue
    expect(lane).toBeGreaterThanOrEqual(0)
    lanes.set(lane, [...(lanes.get(lane) ?? []), [firstMs, lastMs]])
  }
  for (const spans of lanes.values()) {
    spans.sort(([a], [b]) => a - b)
    for (const [i, [first]] of spans.entries()) {
      const before = spans[i - 1]
      if (before !== undefined) expect(first - before[1]).toBeGreaterThanOrEqual(LANE_GAP)
    }
  }
}

describe('generations', () => {
  it('never overlap in a lane, whatever clocks and states do', () => {
    const step = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd'),
      what: fc.constantFrom<'token' | GenerationState>('token', 'token', 'token', 'done', 'queued'),
      forward: fc.oneof(
        fc.integer({ min: -400, max: 700 }),
        fc.constantFrom(0, 250, 5000, -5000, Number.NaN),
      ),
      // Blocks run over the end of a page, so that what lay in it goes.
      isFar: fc.nat(15).map(n => n === 0),
    })
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80, size: 'max' }),
        fc.constantFrom(1, 4),
        (steps, maxPages) => {
          const store = new TokenStore({ maxPages })
          let ms = 10_000
          let page = 0
          let block = 0
          for (const [index, { id, what, forward, isFar }] of steps.entries()) {
            if (!Number.isNaN(forward)) ms += forward
            if (isFar) page++
            const cell = page * PAGE_TOKENS + block++ * 256
            const time = Number.isNaN(forward) ? Number.NaN : ms
            store.append([what === 'token' ? token(id, index, cell, time) : state(id, what)])
            checkLanes(store)
          }
          expect(store.dropped).toBe(0)
        },
      ),
      { numRuns: rounds(1600) },
    )
  })

  it('go on in a lane of their own where another has taken theirs', () => {
    const store = new TokenStore({ maxPages: 1 })
    store.append([state('a', 'generating', 'm'), token('a', 0, 0, 0), state('a', 'done')])
    store.append([token('a', 1, 256, 300)])
    expect(store.generations).toMatchObject([{ lane: 0, tokens: 2, final: false }])
    store.append([state('a', 'done'), token('b', 0, 512, 1000), state('b', 'done'), token('a', 2, 768, 2000)])
    // The lane is free again, and still not that of the first row.
    expect(store.generations).toMatchObject([
      { id: 'a', lane: 0, tokens: 2, firstMs: 0, lastMs: 300 },
      { id: 'b', lane: 0, tokens: 1 },
      { id: 'a', lane: 0, tokens: 1, firstMs: 2000, model: 0 },
    ])
    expect(store.idOf(768)).toBe('a:2')
    expect(store.next(256)).toBe(-1)
  })

  it('are forgotten when all they had is gone: rows do not grow with what there ever was', () => {
    const store = new TokenStore({ maxPages: 1 })
    const forgotten: string[] = []
    store.onForget(({ id }) => forgotten.push(id))
    const perPage = PAGE_TOKENS / 256
    const pages = 12
    for (let page = 0; page < pages; page++) {
      const entries: LogEntry[] = []
      for (let i = 0; i < perPage; i++) {
        const id = `g${page}-${i}`
        entries.push(token(id, 0, page * PAGE_TOKENS + i * 256, page * 1000))
        // Some never end; some end without a token.
        if (i % 5 !== 0) entries.push(state(id, 'done', `m${i % 3}`))
        if (i % 2 === 0) entries.push(state(`none${page}-${i}`, 'failed'))
      }
      store.append(entries)
    }
    expect(store.generations.length).toBeLessThanOrEqual(MAX_IDLE + 2 * perPage)
    expect(forgotten.length).toBe(pages * perPage * 1.5 - store.generations.length)
    expect(new Set(forgotten).size).toBe(forgotten.length)
    for (const [slot, row] of store.generations.entries()) expect(row.slot).toBe(slot)
    const held = store.generations.filter(({ tokens }) => tokens > 0)
    expect(held.map(({ id }) => id).toSorted()).toEqual(
      Array.from({ length: perPage }, (_, i) => `g${pages - 1}-${i}`).toSorted(),
    )
    for (const { slot, chunks } of held) {
      expect(chunks).toHaveLength(1)
      expect(store.slotOf((chunks[0] as number) * 256)).toBe(slot)
    }
    // One that was forgotten may be heard of again.
    expect(forgotten).toContain('g0-0')
    store.append([
      token('g0-0', 1, (pages - 1) * PAGE_TOKENS + 1, 0),
      token('g0-0', 1, pages * PAGE_TOKENS, 0),
    ])
    expect(store.dropped).toBe(1)
    expect(store.idOf(pages * PAGE_TOKENS)).toBe('g0-0:1')
  }, 60_000)
})
