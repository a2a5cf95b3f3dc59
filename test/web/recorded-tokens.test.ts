import { expect, test } from 'vitest'
import type { SnapshotGeneration } from '../../broadcast/protocol.ts'
import type { RecordedToken } from '../../store/recording.ts'
import { RecordedTokens } from '../../web/recorded-tokens.ts'
import type { TokenPage } from '../../web/server-api.ts'
import { ScopeStore } from '../../web/store.ts'

const NEWS = { replay: false }

function told(
  generation: string,
  tokens: number,
  more: Partial<SnapshotGeneration> = {},
): SnapshotGeneration {
  return {
    generation,
    state: 'done',
    model: 'm',
    upstream: 'u',
    tokens_processed: tokens,
    total_tokens: null,
    estimated: false,
    elapsed_ms: 1,
    ttft_ms: null,
    progress: null,
    ending: null,
    error: null,
    timings: null,
    parent: null,
    cached: false,
    text: 'x'.repeat(tokens),
    tokens,
    ...more,
  }
}

function recordedToken(index: number, position: [number, number] | null = [index, 0]): RecordedToken {
  return {
    index,
    token_id: null,
    token_text: 'x',
    kind: 'message',
    timestamp: 1000 + index / 10,
    position,
    logprob: null,
    confidence: null,
    entropy: null,
    top: [],
  }
}

/** A page that was told of these, and records that have what `recorded` says. */
function make(
  generations: SnapshotGeneration[],
  recorded: Record<string, RecordedToken[]>,
  mostTokens = 6000,
) {
  const store = new ScopeStore({ schedule: callback => callback() })
  const snapshot = { type: 'snapshot' as const, upto: 9, part: 0 as const, last: true as const }
  const tell = (all = generations) => store.apply({ ...snapshot, generations: all }, NEWS)
  tell()
  const asked: string[] = []
  const read = async (id: string, limit: number, cursor: string | null): Promise<TokenPage | null> => {
    asked.push(`${id} ${limit} ${cursor}`)
    const tokens = recorded[id]
    if (tokens === undefined) return null
    const from = Number(cursor ?? 0)
    const next = from + limit < tokens.length ? String(from + limit) : null
    return { tokens: tokens.slice(from, from + limit), next }
  }
  return { store, tell, asked, tokens: new RecordedTokens({ store, read, mostTokens }) }
}

const many = (count: number) => Array.from({ length: count }, (_, index) => recordedToken(index))

test('after a restart the map has the tokens of the generations in the list', async () => {
  const { store, tokens, asked } = make([told('g_1', 3), told('g_2', 1200)], {
    g_1: many(3),
    g_2: many(1200),
  })
  await tokens.look()
  expect(store.held.value).toBe(1203)
  expect(store.get('g_2')?.tokens.held).toBe(1200)
  expect(store.get('g_2')?.text).toBe('x'.repeat(1200))
  expect(store.blocks.bounds).not.toBeNull()
  expect(asked).toEqual(['g_2 1000 null', 'g_2 1000 1000', 'g_1 1000 null'])
  await tokens.look()
  expect(asked).toHaveLength(3) // nothing is missing any more
})

test('no more is read than there is to be room for, the newest first', async () => {
  const { store, tokens } = make([told('g_1', 30), told('g_2', 30)], { g_1: many(30), g_2: many(30) }, 40)
  await tokens.look()
  expect(store.get('g_2')?.tokens.held).toBe(30)
  expect(store.get('g_1')?.tokens.held).toBe(10)
})

test('what runs is left to the log, what has no cell stays off the map, what has no record without tokens', async () => {
  const generations = [told('g_1', 2), told('g_2', 2), told('g_3', 2, { state: 'generating' })]
  const { store, tokens, asked } = make(generations, {
    g_2: [recordedToken(0, null), recordedToken(1, null)],
  })
  await tokens.look()
  expect(store.get('g_2')?.tokens.held).toBe(2)
  expect(store.held.value).toBe(2)
  expect(store.blocks.bounds).toBeNull()
  expect(asked).toEqual(['g_2 1000 null', 'g_1 1000 null'])
})

test('a newer look ends the one before; an answer that comes too late is not taken', async () => {
  const { store, tell, tokens } = make([told('g_1', 2)], { g_1: many(2) })
  const first = tokens.look()
  // Another log: what the page knew is gone.
  store.apply({ type: 'gap', from: null, to: null, reason: 'epoch' }, NEWS)
  tell([told('g_2', 1)])
  const second = tokens.look()
  await Promise.all([first, second])
  expect(store.get('g_1')).toBeUndefined()
  expect(store.held.value).toBe(0)
})

test('records that cannot be read are not asked again for each generation', async () => {
  const store = make([told('g_1', 2), told('g_2', 2)], {}).store
  let asked = 0
  const read = () => {
    asked++
    return Promise.reject(new Error('Tokenscope is not answering. Is it still running?'))
  }
  await new RecordedTokens({ store, read, mostTokens: 10 }).look()
  expect(asked).toBe(1)
  expect(store.held.value).toBe(0)
})
