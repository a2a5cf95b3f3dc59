import { describe, expect, it } from 'vitest'
import { blockKey } from '../../compositor/draw/cell.ts'
import type { NeuralStateEntry, TokenEntry } from '../../events/generation.ts'
import type { Generation } from '../../web/generation.ts'
import { Selection } from '../../web/selection.ts'
import { ScopeStore } from '../../web/store.ts'

const NEWS = { replay: false }
const REPLAY = { replay: true }

function token(generation: string, index: number, more: Partial<TokenEntry> = {}): TokenEntry {
  return {
    type: 'token_activation',
    seq: index + 2,
    generation,
    index,
    token_id: null,
    token_text: ` w${index}`,
    kind: 'message',
    timestamp: 1000 + index / 10,
    position: [index % 16, Math.floor(index / 16)],
    logprob: -0.1,
    confidence: Math.exp(-0.1),
    entropy: null,
    top: [],
    ...more,
  }
}

function state(generation: string, to: NeuralStateEntry['state'], seq = 1): NeuralStateEntry {
  return {
    type: 'neural_state',
    seq,
    generation,
    state: to,
    model: 'm',
    upstream: 'u',
    tokens_processed: 0,
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
  }
}

const { type: _type, seq: _seq, ...toldState } = state('g_1', 'generating')
const told = (text: string, tokens: number, more: object = {}) => ({
  type: 'snapshot' as const,
  upto: 9,
  part: 0 as const,
  last: true as const,
  generations: [{ ...toldState, text, tokens, ...more }],
})

function make(mostTokens = 1000) {
  const pending: (() => void)[] = []
  const store = new ScopeStore({ schedule: callback => pending.push(callback), mostTokens })
  const frame = () => {
    for (const callback of pending.splice(0)) callback()
  }
  return { store, frame, pending }
}

describe('the store', () => {
  it('takes the same token twice as once', () => {
    const { store, frame } = make()
    store.apply(state('g_1', 'generating'), NEWS)
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 20; i++) store.apply(token('g_1', i), NEWS)
    }
    frame()
    const generation = store.get('g_1')
    expect(store.held.value).toBe(20)
    expect(generation?.text).toBe(Array.from({ length: 20 }, (_, i) => ` w${i}`).join(''))
    expect(store.blocks.blocksOf(generation as Generation)).toEqual([blockKey(3, 1)])
  })

  it('adds the detail of history to a snapshot without repeating its text or going back in state', () => {
    const { store, frame } = make()
    store.apply(told(' w0 w1', 2, { state: 'done' }), NEWS)
    store.apply(state('g_1', 'generating'), REPLAY)
    store.apply(token('g_1', 0), REPLAY)
    store.apply(token('g_1', 1), REPLAY)
    frame()
    expect(store.get('g_1')).toMatchObject({ text: ' w0 w1', state: 'done' })
    expect(store.held.value).toBe(2)
  })

  it('knows of a replay what it plays, from a snapshot as from its states', () => {
    const { store } = make()
    const replay = { of: 'g_old', speed: 4 }
    store.apply(told('', 0, { replay }), NEWS)
    store.apply({ ...state('g_2', 'queued'), replay }, NEWS)
    store.apply(state('g_3', 'queued'), NEWS)
    expect(['g_1', 'g_2', 'g_3'].map(id => store.get(id)?.replay)).toEqual([replay, replay, null])
  })

  it('follows a generation that only history tells of', () => {
    const { store } = make()
    store.apply(told('', 0), NEWS)
    store.apply(state('g_0', 'generating'), REPLAY)
    store.apply(state('g_0', 'done'), REPLAY)
    expect(store.get('g_0')?.state).toBe('done')
  })

  it('tells listeners of news only', () => {
    const { store } = make()
    const heard: string[] = []
    store.listen({
      began: generation => heard.push(`began ${generation.id}`),
      landed: (_, index) => heard.push(`landed ${index}`),
      redrawn: () => heard.push('redrawn'),
    })
    store.apply(told(' w0', 1), NEWS)
    store.apply(token('g_1', 0), REPLAY)
    store.apply(token('g_1', 1), NEWS)
    store.apply(state('g_2', 'queued'), NEWS)
    expect(heard).toEqual(['redrawn', 'landed 1', 'began g_2'])
  })

  it('drops everything of another epoch', () => {
    const { store, frame } = make()
    store.apply(token('g_1', 0), NEWS)
    store.apply({ type: 'gap', from: null, to: null, reason: 'epoch' }, NEWS)
    frame()
    expect(store.list.value).toEqual([])
    expect(store.blocks.bounds).toBeNull()
    expect(store.held.value).toBe(0)
  })

  it('with its epoch goes what was chosen, also where nothing follows', () => {
    const { store, frame } = make()
    store.apply(token('g_1', 0), NEWS)
    frame()
    const selection = new Selection(store)
    selection.token(store.get('g_1') as Generation, 0)
    store.apply({ type: 'gap', from: null, to: null, reason: 'epoch' }, NEWS)
    frame()
    expect(selection.current.value).toBeNull()
  })

  it('keeps everything after a gap and takes the whole text of the snapshot', () => {
    const { store } = make()
    store.apply(state('g_1', 'generating'), NEWS)
    store.apply(token('g_1', 0), NEWS)
    store.apply({ type: 'gap', from: 3, to: 8, reason: 'slow_consumer' }, NEWS)
    store.apply(told(' w0 w1 w2', 3), NEWS)
    store.apply(token('g_1', 3), NEWS)
    expect(store.get('g_1')).toMatchObject({ text: ' w0 w1 w2 w3', textIsPart: false })
    expect(store.get('g_1')?.tokens.has(1)).toBe(false)
    expect(store.get('g_1')?.tokens.held).toBe(2)
  })

  it('drops what ran before a gap and runs no more', () => {
    const { store } = make()
    store.apply(state('g_0', 'generating'), NEWS)
    store.apply(told('', 0), NEWS)
    expect(store.get('g_0')).toBeUndefined()
  })

  it('drops the oldest finished generation for want of room, and its cells', () => {
    const { store } = make(10)
    store.apply(state('g_1', 'done'), NEWS)
    for (let i = 0; i < 6; i++) store.apply(token('g_1', i), NEWS)
    for (let i = 0; i < 6; i++) store.apply(token('g_2', i, { position: [16 + i, 0] }), NEWS)
    expect(store.get('g_1')).toBeUndefined()
    expect(store.blocks.bounds).toEqual({ left: 16, top: 0, right: 32, bottom: 16 })
  })

  it('updates its signals once a frame, live ones first, then the newest', () => {
    const { store, frame, pending } = make()
    store.apply(state('g_1', 'done'), NEWS)
    store.apply(state('g_2', 'done'), NEWS)
    store.apply(state('g_0', 'generating'), NEWS)
    expect(pending).toHaveLength(1)
    expect(store.list.value).toEqual([])
    frame()
    expect(store.list.value.map(generation => generation.id)).toEqual(['g_0', 'g_2', 'g_1'])
  })

  it('keeps null for what was not given', () => {
    const { store } = make()
    store.apply(token('g_1', 0, { confidence: null, logprob: null }), NEWS)
    expect(store.get('g_1')?.tokens.detail(0)).toMatchObject({
      confidence: null,
      logprob: null,
      entropy: null,
      sincePrevious: null,
    })
  })
})

describe('the speed of a generation', () => {
  it('of a finished one is that of all of it', () => {
    const { store } = make()
    for (let i = 0; i < 11; i++) store.apply(token('g_1', i), NEWS)
    store.apply(state('g_1', 'done'), NEWS)
    expect(store.get('g_1')?.rate(5000)).toBeCloseTo(10)
  })

  it('of a finished one counts what a gap left out', () => {
    const { store } = make()
    for (const i of [0, 1, 2, 8, 9, 10]) store.apply(token('g_1', i), NEWS)
    store.apply(state('g_1', 'done'), NEWS)
    expect(store.get('g_1')?.rate(5000)).toBeCloseTo(10)
  })

  it('of a running one counts a gap within the last two seconds, and none that may lie before them', () => {
    const { store } = make()
    store.apply(state('g_1', 'generating'), NEWS)
    for (let i = 0; i < 100; i++) if (i < 85 || i > 90) store.apply(token('g_1', i), NEWS)
    for (let i = 0; i < 100; i++) if (i < 70 || i > 89) store.apply(token('g_2', i), NEWS)
    expect(store.get('g_1')?.rate(1009.9)).toBeCloseTo(10, 0)
    expect(store.get('g_2')?.rate(1009.9)).toBeCloseTo(10, 0)
  })

  it('of a running one is that of the last two seconds, and falls to nothing in a stall', () => {
    const { store } = make()
    store.apply(state('g_1', 'generating'), NEWS)
    for (let i = 0; i < 100; i++) store.apply(token('g_1', i), NEWS)
    const generation = store.get('g_1')
    expect(generation?.rate(1009.9)).toBeCloseTo(10, 0)
    expect(generation?.rate(1010.9)).toBeCloseTo(5, 0)
    expect(generation?.rate(1013)).toBe(0)
  })
})
