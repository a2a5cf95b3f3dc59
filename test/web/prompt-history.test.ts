import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PromptHistory } from '../../web/prompt/prompt-history.ts'

const prompt = fc.string({ minLength: 1, maxLength: 4 })

function sent(...prompts: string[]): PromptHistory {
  const history = new PromptHistory()
  for (const one of prompts) history.add(one)
  return history
}

/** What is shown after so many steps back from an empty field. */
function wayBack(history: PromptHistory): string[] {
  const seen: string[] = []
  for (let shown = history.step(-1, ''); shown !== null; shown = history.step(-1, shown)) seen.push(shown)
  return seen
}

test('steps go back to the oldest and forth to the empty field, each prompt once', () => {
  fc.assert(
    fc.property(fc.array(prompt, { maxLength: 20 }), prompts => {
      const history = sent(...prompts)
      const latest = [...new Set(prompts.toReversed())]
      expect(wayBack(history)).toEqual(latest)
      const forth: string[] = []
      let shown = latest.at(-1) ?? ''
      for (let next = history.step(1, shown); next !== null; next = history.step(1, next)) {
        shown = next
        forth.push(next)
      }
      expect(forth).toEqual(latest.length === 0 ? [] : [...latest.toReversed().slice(1), ''])
    }),
  )
})

test('what is written by hand is never replaced', () => {
  const history = sent('one', 'two')
  expect(history.step(-1, 'a new one')).toBeNull()
  expect(history.step(1, 'a new one')).toBeNull()
  expect(history.step(-1, '')).toBe('two')
  // It was brought back and then written on.
  expect(history.step(-1, 'two and more')).toBeNull()
  // It was brought back and then cleared.
  expect(history.step(-1, '')).toBe('two')
  expect(history.step(-1, 'two')).toBe('one')
  expect(history.step(-1, 'one')).toBeNull()
})

test('the last fifty are remembered, but not whole files, and what cannot be read is not', () => {
  const all = Array.from({ length: 60 }, (_, i) => `prompt ${i}`)
  const long = 'x'.repeat(20_001)
  const history = sent('short', long)
  expect(wayBack(history)).toEqual([long, 'short'])
  expect(wayBack(new PromptHistory(history.saved))).toEqual(['short'])
  const again = new PromptHistory(sent(...all).saved)
  expect(wayBack(again)).toEqual(all.slice(10).toReversed())
  for (const saved of [null, 'x', '{}', '[1,"",null]']) {
    expect(wayBack(new PromptHistory(saved))).toEqual([])
  }
})
