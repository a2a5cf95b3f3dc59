import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CHUNK_TOKENS,
  CONFIDENCE_STEPS,
  ENTROPY_STEPS,
  PAGE_TOKENS,
} from '../../../compositor/tokens/record.ts'
import { packValues, type Run, TokenStore } from '../../../compositor/tokens/token-store.ts'
import type { LogEntry, TokenEntry } from '../../../events/generation.ts'
import { stateEvent } from '../../support/hub-events.ts'
import { rounds } from '../../support/rounds.ts'
import { entriesOf, hostileTexts, tokenEntry } from '../../support/token-text.ts'

const isToken = (entry: LogEntry): entry is TokenEntry => entry.type === 'token_activation'

/** A token of `generation` in this cell. */
function token(generation: string, index: number, cell: number, more: Partial<TokenEntry> = {}): TokenEntry {
  const traits = { seq: 1, cell, time: 1_750_000_000 + index / 100, random: () => 0.5 }
  return { ...tokenEntry(generation, index, `${index}`, traits), ...more }
}

function storeOf(entries: readonly LogEntry[], maxPages = 4): TokenStore {
  const store = new TokenStore({ maxPages })
  store.append(entries)
  return store
}

describe('the token store', () => {
  it('gives back what it took in, however it was told', () => {
    fc.assert(
      fc.property(
        fc.array(hostileTexts, { minLength: 6, maxLength: 16, size: 'max' }),
        fc.constantFrom(0, 4093, 4095, 8191),
        fc.integer({ min: 1, max: 300 }),
        (texts, firstBlock, batch) => {
          const entries = entriesOf(texts, { firstBlock })
          const store = new TokenStore({ maxPages: 4 })
          const written = new Set<number>()
          for (let at = 0; at < entries.length; at += batch) {
            checkRuns(store, store.append(entries.slice(at, at + batch)), written)
          }
          const tokens = entries.filter(isToken)
          expect(store.size).toBe(tokens.length)
          expect(store.upto).toBe(entries.at(-1)?.seq)
          expect(written.size).toBe(tokens.length)
          const times = new Map<string, number>()
          for (const entry of tokens) {
            const n = store.tokenAt(Number(entry.generation.slice(1)), entry.index)
            expect(store.has(n)).toBe(true)
            expect(store.idOf(n)).toBe(`${entry.generation}:${entry.index}`)
            expect(store.indexOf(n)).toBe(entry.index)
            expect(store.textOf(n)).toBe(entry.token_text.toWellFormed())
            expect(store.kindOf(n)).toBe(entry.kind)
            const ticks = Math.round((entry.timestamp - (store.origin as number)) * 10_000)
            expect(store.ticksOf(n)).toBe(ticks)
            expect(store.msOf(n)).toBe(Math.floor(ticks / 10))
            const before = times.get(entry.generation)
            expect(store.intervalOf(n)).toBe(before === undefined ? -1 : ticks - before)
            times.set(entry.generation, ticks)
            expectClose(store.confidenceOf(n), entry.confidence, CONFIDENCE_STEPS)
            expectClose(store.entropyOf(n), entry.entropy, ENTROPY_STEPS)
          }
          for (const [slot, list] of texts.entries()) checkGeneration(store, slot, list.length)
        },
      ),
      { numRuns: rounds(500) },
    )
  })

  it('knows states: models, ends, lanes', () => {
    const store = storeOf([
      { seq: 1, ...stateEvent('a', 'queued', { model: null }) },
      { seq: 2, ...stateEvent('a', 'generating', { model: 'm' }) },
      token('a', 0, 0, { seq: 3 }),
      token('b', 0, 256, { seq: 4 }),
      { seq: 5, ...stateEvent('a', 'done', { model: 'm' }) },
      token('c', 0, 512, { seq: 6, timestamp: 1_750_000_000.249 }),
      token('d', 0, 768, { seq: 7, timestamp: 1_750_000_000.25 }),
      { seq: 8, ...stateEvent('e', 'failed', { model: 'other' }) },
    ])
    expect(store.models).toEqual(['m', 'other'])
    expect(store.generations.map(({ id, model, lane, final }) => ({ id, model, lane, final }))).toEqual([
      { id: 'a', model: 0, lane: 0, final: true },
      { id: 'b', model: -1, lane: 1, final: false },
      { id: 'c', model: -1, lane: 2, final: false },
      { id: 'd', model: -1, lane: 0, final: false },
      { id: 'e', model: 1, lane: -1, final: true },
    ])
    expect(store.upto).toBe(8)
    expect(store.lanes).toBe(3)
  })

  it('goes on with a generation whose beginning it never saw, and after its end', () => {
    const store = storeOf([
      token('a', 300, 1000 * 256 + 44),
      token('a', 301, 1000 * 256 + 45),
      { seq: 2, ...stateEvent('a', 'done') },
      token('a', 302, 2000 * 256),
    ])
    expect(store.tokenAt(0, 299)).toBe(-1)
    const n = store.tokenAt(0, 300)
    expect(n).toBe(1000 * 256 + 44)
    expect(store.intervalOf(n)).toBe(-1)
    expect(store.previous(n)).toBe(-1)
    expect(store.has(n - 1)).toBe(false)
    expect(store.tokenAt(0, 302)).toBe(2000 * 256)
    expect(store.intervalOf(2000 * 256)).toBe(100)
    expect(store.next(n + 1)).toBe(2000 * 256)
    expect(store.previous(2000 * 256)).toBe(n + 1)
    expect(store.generations[0]).toMatchObject({ lane: 0, final: false, tokens: 3 })
  })

  it('lets the oldest page go, and what hung on it', () => {
    const long = Array.from({ length: 700 }, (_, i) => ` ${i}`)
    const store = new TokenStore({ maxPages: 2 })
    const freed: [number, string][] = []
    store.onFree(page =>
      freed.push([page.number, store.textOf(page.number * PAGE_TOKENS + PAGE_TOKENS - CHUNK_TOKENS)]),
    )
    // g0 lies in pages 0 and 1; then somebody comes in page 2.
    store.append(entriesOf([long, ['gone']].slice(0, 1), { firstBlock: 4095, final: false }))
    expect(store.pages.size).toBe(2)
    const runs = store.append([token('late', 0, 2 * PAGE_TOKENS)])
    expect(runs).toHaveLength(1)
    expect(freed).toEqual([[0, ' 0']])
    expect([...store.pages.keys()]).toEqual([1, 2])
    expect(store.size).toBe(700 - 256 + 1)
    expect(store.tokenAt(0, 255)).toBe(-1)
    const n = store.tokenAt(0, 256)
    expect(store.textOf(n)).toBe(' 256')
    expect(store.previous(n)).toBe(-1)
    checkLinks(store, 0, 256, 700)
    // Nothing comes back to a page that is gone, and an older one than all is not begun.
    expect(store.append([token('x', 0, 5 * 256)])).toEqual([])
    expect(store.dropped).toBe(1)
    store.append([token('y', 0, 3 * PAGE_TOKENS)])
    expect(store.generations[0]).toMatchObject({ tokens: 0, lane: -1, chunks: [] })
    expect(store.tokenAt(0, 699)).toBe(-1)
    // It goes on all the same, in a row of its own, as the model that it was.
    store.append([token('g0', 700, 3 * PAGE_TOKENS + 256)])
    const row = store.generations.findLast(({ id }) => id === 'g0')
    expect(row).toMatchObject({ model: 0, tokens: 1, gone: false })
    expect(row?.lane).toBeGreaterThanOrEqual(0)
    expect(store.textOf(store.tokenAt(row?.slot ?? -1, 700))).toBe('700')
  })

  it('gives no runs of pages that the same call let go', () => {
    const store = new TokenStore({ maxPages: 1 })
    const runs = store.append([token('a', 0, 0), token('a', 1, PAGE_TOKENS), token('a', 2, PAGE_TOKENS + 1)])
    expect(runs.map(({ page, first, count }) => [page.number, first, count])).toEqual([[1, 0, 2]])
  })

  it('holds pages in their order round the end of all numbers', () => {
    const store = new TokenStore({ maxPages: 3 })
    for (const page of [4095, 4094, 0]) store.append([token(`g${page}`, 0, page * PAGE_TOKENS)])
    expect([...store.pages.keys()]).toEqual([4094, 4095, 0])
    store.append([token('next', 0, PAGE_TOKENS)])
    expect([...store.pages.keys()]).toEqual([4095, 0, 1])
  })

  it.each<[string, TokenEntry[], number]>([
    ['a cell that is taken by the same', [token('a', 0, 0), token('a', 1, 0)], 1],
    ['a cell in a block of another', [token('a', 0, 0), token('b', 0, 1)], 1],
    ['a cell before the last', [token('a', 5, 5), token('a', 4, 4)], 1],
    ['a block that was left', [token('a', 0, 0), token('a', 1, 256), token('a', 2, 1)], 2],
    [
      'a page before that of the last token',
      [token('a', 0, PAGE_TOKENS), token('b', 0, 0), token('a', 1, 256)],
      2,
    ],
    ['an index that is too small', [token('a', 3, 700), token('a', 4, 701)], 2],
    ['cells that jump within a block', [token('a', 0, 0), token('a', 5, 5), token('a', 1, 1)], 2],
  ])('keeps what can be kept: %s', (_, tokens, kept) => {
    const store = storeOf(tokens)
    expect(store.size).toBe(kept)
    expect(store.dropped).toBe(tokens.length - kept)
    expect(store.textOf(store.tokenAt(0, (tokens[0] as TokenEntry).index))).toBe(tokens[0]?.token_text)
  })

  it('puts times right that are none or go back', () => {
    const at = 1_750_000_000
    const times = [at + 1, Number.NaN, at, Number.POSITIVE_INFINITY, at + 2, at + 1e12]
    const store = storeOf(times.map((timestamp, i) => token('a', i, i, { timestamp })))
    const ms = times.map((_, i) => store.msOf(store.tokenAt(0, i)))
    expect(ms.slice(0, 5)).toEqual([0, 0, 0, 0, 1000])
    expect(ms[5]).toBeGreaterThan(1000)
    expect(store.generations[0]).toMatchObject({ firstMs: 0 })
    expect(storeOf([token('a', 0, 0, { timestamp: Number.NaN })]).msOf(0)).toBe(0)
  })

  it('keeps values that are out of range as near as it can', () => {
    expect(packValues(null, null)).toBe(0xffff_ffff)
    expect(packValues(Number.NaN, -1)).toBe(0xffff_ffff)
    expect(packValues(1, 0)).toBe(CONFIDENCE_STEPS)
    expect(packValues(0, 1e9)).toBe((0xfffe << 16) >>> 0)
  })

  it('keeps texts of any length, and halves of characters as the sign for what is none', () => {
    const texts = [
      '',
      'x'.repeat(127),
      'x'.repeat(128),
      'ä'.repeat(9000),
      '\ufeffa',
      '\ud83d',
      'a\ude42',
      '\0',
    ]
    const store = storeOf(texts.map((text, i) => token('a', i, i, { token_text: text })))
    expect(texts.map((_, i) => store.textOf(i))).toEqual(texts.map(text => text.toWellFormed()))
  })
})

function expectClose(value: number | null, expected: number | null, steps: number): void {
  if (expected === null) expect(value).toBeNull()
  else expect(Math.abs((value as number) - expected)).toBeLessThanOrEqual(0.5 / steps + 1e-12)
}

/** Each chunk at most once, each token once, all of one generation. */
function checkRuns(store: TokenStore, runs: readonly Run[], written: Set<number>): void {
  const chunks = new Set<number>()
  for (const { page, first, count, slot } of runs) {
    const n = page.number * PAGE_TOKENS + first
    expect(chunks.has(n >>> 8)).toBe(false)
    chunks.add(n >>> 8)
    expect((first + count - 1) >>> 8).toBe(first >>> 8)
    for (let i = n; i < n + count; i++) {
      expect(written.has(i)).toBe(false)
      written.add(i)
      expect(store.slotOf(i)).toBe(slot)
    }
  }
}

function checkGeneration(store: TokenStore, slot: number, length: number): void {
  const row = store.generations[slot]
  expect(row?.tokens).toBe(length)
  expect(row?.id).toBe(`g${slot}`)
  expect(store.models[row?.model ?? -1]).toBe(`m${slot % 3}`)
  if (length === 0) return
  expect(row?.firstMs).toBe(store.msOf(store.tokenAt(slot, 0)))
  expect(row?.lastMs).toBe(store.msOf(store.tokenAt(slot, length - 1)))
  checkLinks(store, slot, 0, length)
  expect(store.tokenAt(slot, length)).toBe(-1)
}

/** From the token of index `from` on to that before `to` and back. */
function checkLinks(store: TokenStore, slot: number, from: number, to: number): void {
  let n = store.tokenAt(slot, from)
  expect(store.previous(n)).toBe(-1)
  for (let index = from; index < to; index++) {
    expect(store.indexOf(n)).toBe(index)
    expect(store.tokenAt(slot, index)).toBe(n)
    const next = store.next(n)
    if (next >= 0) expect(store.previous(next)).toBe(n)
    else expect(index).toBe(to - 1)
    n = next
  }
  expect(n).toBe(-1)
}
