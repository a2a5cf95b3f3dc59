import { describe, expect, test } from 'vitest'
import { kindsOfPath } from '../../../bridge/pool/kinds.ts'
import { best, type Candidate, canTake, fitting } from '../../../bridge/pool/selection.ts'

interface Traits {
  name: string
  up?: boolean
  kind?: string | null
  models?: string[] | null
  loaded?: string[] | null
  passable?: boolean
  priority?: number
  inFlight?: number
  firstTokenMs?: number | null
}

interface Named extends Candidate {
  name: string
}

function made(traits: Traits): Named {
  const { name, up = true, kind = 'openai', models = null, loaded = null, passable = true } = traits
  const { priority = 0, inFlight = 0, firstTokenMs = null } = traits
  const isIn = (list: string[] | null, model: string | null) =>
    list === null || model === null || list.includes(model)
  const upstream = {
    up,
    kind,
    has: (model: string | null) => isIn(models, model),
    hasLoaded: (model: string | null) => isIn(loaded, model),
  }
  return { name, priority, inFlight, firstTokenMs, circuit: { passable }, upstream }
}

const CHAT = '/v1/chat/completions'
const fits = (all: Traits[], path = CHAT, model: string | null = 'm') =>
  fitting(all.map(made), { path, model }).map(({ name }) => name)
const chosen = (all: Traits[], model: string | null = 'm') => best(all.map(made), { model })?.name

describe('what fits a request', () => {
  test('is up, has the model and is let pass', () => {
    const all = [
      { name: 'down', up: false },
      { name: 'other model', models: ['n'] },
      { name: 'open', passable: false },
      { name: 'unknown list' },
      { name: 'right', models: ['n', 'm'] },
    ]
    expect(fits(all)).toEqual(['unknown list', 'right'])
    expect(all.map(made).filter(one => canTake(one, { path: CHAT, model: 'm' }))).toHaveLength(2)
  })

  test('is any where nobody lists the model, and where none is named', () => {
    const all = [
      { name: 'a', models: ['x'] },
      { name: 'b', models: ['y'] },
    ]
    expect(fits(all)).toEqual(['a', 'b'])
    expect(fits(all, CHAT, null)).toEqual(['a', 'b'])
    expect(fits(all, CHAT, 'y')).toEqual(['b'])
  })

  test('is the last that has the model, though its circuit is open, and all while all are down', () => {
    expect(
      fits([
        { name: 'a', models: ['m'], passable: false },
        { name: 'b', models: ['n'] },
      ]),
    ).toEqual(['a'])
    expect(
      fits([
        { name: 'a', up: false },
        { name: 'b', up: false },
      ]),
    ).toEqual(['a', 'b'])
  })

  test('has the path, if anybody has it', () => {
    const all = [
      { name: 'vllm', kind: 'vllm' },
      { name: 'ollama', kind: 'ollama' },
      { name: 'lmstudio', kind: 'lmstudio', up: false },
      { name: 'unknown', kind: null },
    ]
    expect(fits(all, '/api/chat')).toEqual(['ollama'])
    // What it says of its absence is truer than what others say of a path that they do not have.
    expect(fits(all, '/api/v1/chat')).toEqual(['lmstudio'])
    expect(fits(all, '/props')).toEqual(['vllm', 'ollama', 'unknown'])
    expect(fits(all, '/tokenize')).toEqual(['vllm'])
    expect(fits([...all, { name: 'demo', kind: 'demo' }], '/props')).toEqual(['demo'])
  })
})

test.each([
  ['/api/v1/chat', ['lmstudio']],
  ['/api/v0/models/x', ['lmstudio']],
  ['/api/v1', ['lmstudio']],
  ['/api/v10/x', ['ollama']],
  ['/api/tags', ['ollama']],
  ['/completion', ['llamacpp']],
  ['/completions', ['llamacpp']],
  ['/slots/0', ['llamacpp']],
  ['/detokenize', ['llamacpp', 'vllm']],
  ['/v1/stream', ['llamacpp']],
  ['/v1/completions', null],
  ['/v1/models', null],
  ['/health', null],
  ['/propsy', null],
])('the path %s is one of %j', (path, kinds) => {
  expect(kindsOfPath(path)).toEqual(kinds)
})

describe('the best', () => {
  test('is the lowest priority number, before everything else', () => {
    const busy = { name: 'a', priority: 0, inFlight: 9, loaded: [], firstTokenMs: 9000 }
    expect(chosen([{ name: 'b', priority: 1 }, busy])).toBe('a')
  })

  test('then has the model in memory, or does not say', () => {
    const cold = { name: 'cold', loaded: ['n'] }
    expect(chosen([cold, { name: 'warm', loaded: ['m'], inFlight: 5 }])).toBe('warm')
    expect(chosen([cold, { name: 'silent', inFlight: 5 }])).toBe('silent')
  })

  test('then has the least in flight', () => {
    expect(
      chosen([
        { name: 'a', inFlight: 2, firstTokenMs: 1 },
        { name: 'b', inFlight: 1, firstTokenMs: 99 },
      ]),
    ).toBe('b')
  })

  test('then is fastest to its first token, and one that is not known is tried', () => {
    const slow = { name: 'slow', firstTokenMs: 900 }
    const fast = { name: 'fast', firstTokenMs: 100 }
    expect(chosen([slow, fast])).toBe('fast')
    expect(chosen([fast, slow, { name: 'new' }])).toBe('new')
  })

  test('then was named first; of none there is none', () => {
    expect(chosen([{ name: 'a' }, { name: 'b' }])).toBe('a')
    expect(best([], { model: null })).toBeUndefined()
  })
})
