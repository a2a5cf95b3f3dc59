import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Compose } from '../../web/prompt/compose.ts'
import type { GenerationRequest, Started } from '../../web/prompt/generation-request.ts'

describe('what the page asks for', () => {
  let asked: GenerationRequest[]
  let began: (readonly string[])[]
  let compose: Compose
  /** Refuses the request with this place. */
  let refused: number | null

  /** As a page has it that was just opened. */
  const opened = () =>
    new Compose({
      start: async (request): Promise<Started> => {
        const place = asked.push(request) - 1
        if (place === refused) throw new Error(`Nobody answers ${place}.`)
        return { id: `g_${place}`, leftOut: place === 0 ? ['seed'] : [] }
      },
      models: () => ['qwen', 'llama'],
      began: ids => began.push(ids),
    })

  beforeEach(() => {
    const kept = new Map<string, string>()
    vi.stubGlobal('localStorage', {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => kept.set(name, value),
    })
    asked = []
    began = []
    refused = null
    compose = opened()
  })
  afterEach(() => vi.unstubAllGlobals())

  test('goes to one model, and can be brought back', async () => {
    compose.set({ seed: '3' })
    expect(await compose.ask('Hi')).toEqual([{ id: 'g_0', leftOut: ['seed'] }])
    expect(asked).toEqual([{ messages: [{ role: 'user', content: 'Hi' }], seed: 3 }])
    expect(began).toEqual([['g_0']])
    expect(compose.history.step(-1, '')).toBe('Hi')
  })

  test('is remembered, and how it was asked', async () => {
    compose.set({ model: 'llama', system: 'Be brief.' })
    await compose.ask('Hi')
    await compose.ask('And?')
    const next = opened()
    expect(next.settings.value).toEqual(compose.settings.value)
    expect([next.history.step(-1, ''), next.history.step(-1, 'And?')]).toEqual(['And?', 'Hi'])
  })

  test('is remembered beside what another tab sent meanwhile', async () => {
    await compose.ask('one')
    const other = opened()
    await compose.ask('two')
    await other.ask('three')
    const next = opened()
    const back = ['', 'three', 'two', 'one'].map(shown => next.history.step(-1, shown))
    expect(back).toEqual(['three', 'two', 'one', null])
    expect(other.history.saved).toBe(next.history.saved)
  })

  test('goes to two models at once', async () => {
    compose.set({ model: 'qwen', other: 'llama' })
    await compose.ask('Hi')
    expect(asked).toMatchObject([{ model: 'qwen' }, { model: 'llama' }])
    expect(began).toEqual([['g_0', 'g_1']])
  })

  test('is shown as far as it began, and who refused is heard', async () => {
    compose.set({ model: 'qwen', other: 'llama' })
    refused = 1
    await expect(compose.ask('Hi')).rejects.toThrow('Nobody answers 1.')
    expect(began).toEqual([['g_0']])
  })

  test('is not taken for sent where nobody took it', async () => {
    refused = 0
    await expect(compose.ask('Hi')).rejects.toThrow('Nobody answers 0.')
    expect([began, compose.history.step(-1, '')]).toEqual([[], null])
  })

  test('goes on with an answer from a token, or from what it nearly was', async () => {
    expect(await compose.continueFrom('g_x', 4)).toBe('g_0')
    expect(await compose.continueFrom('g_x', 4, ' or')).toBe('g_1')
    expect(asked).toEqual([
      { continue: { generation: 'g_x', index: 4 } },
      { continue: { generation: 'g_x', index: 4, text: ' or' } },
    ])
    expect(began).toEqual([['g_0'], ['g_1']])
  })
})
