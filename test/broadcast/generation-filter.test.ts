import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GenerationFilter } from '../../broadcast/generation-filter.ts'

describe('a filter of generations', () => {
  it('passes those that were named', () => {
    const filter = new GenerationFilter(['g_b', 'g_a', 'g_b'])
    expect([filter.has('g_a'), filter.has('g_b'), filter.has('g_c'), filter.has('')]).toEqual([
      true,
      true,
      false,
      false,
    ])
    expect(filter.ids).toEqual(['g_a', 'g_b'])
  })

  it('has the key of those that pass the same, and of no others', () => {
    const ids = fc.array(fc.constantFrom('g_a', 'g_b', 'g_a,g_b', 'g_a","g_b', '', 'g_c'), { minLength: 1 })
    fc.assert(
      fc.property(ids, ids, (some, others) => {
        const same = new Set(some).symmetricDifference(new Set(others)).size === 0
        expect(new GenerationFilter(some).key === new GenerationFilter(others).key).toBe(same)
      }),
    )
  })
})
