import { describe, expect, test } from 'vitest'
import { bucketsOf } from '../../web/rail/spark-buckets.ts'
import { TokenColumns } from '../../web/token-columns.ts'

/** Tokens that came at these times, in seconds. */
function tokensAt(times: readonly number[]): TokenColumns {
  const tokens = new TokenColumns()
  times.forEach((timestamp, index) => {
    tokens.put({
      ...{ index, timestamp, token_text: 'a', token_id: null, kind: 'message', position: null },
      ...{ logprob: null, confidence: null, entropy: null, top: [] },
    } as unknown as Parameters<TokenColumns['put']>[0])
  })
  return tokens
}

describe('a generation at a glance', () => {
  test('is as fast at its end as its last tokens came, however few the last run has', () => {
    // Ten a second, the last two in one burst.
    const times = Array.from({ length: 17 }, (_, i) => i / 10)
    times[16] = (times[15] as number) + 0.001
    const rates = bucketsOf(tokensAt(times), 5).map(({ rate }) => rate ?? 0)
    expect(rates).toHaveLength(5)
    for (const rate of rates) {
      expect(rate).toBeGreaterThan(8)
      expect(rate).toBeLessThan(15)
    }
  })

  test('has no speed while too little is known', () => {
    expect(bucketsOf(tokensAt([]), 5)).toEqual([])
    expect(bucketsOf(tokensAt([1]), 5)).toEqual([])
  })
})
