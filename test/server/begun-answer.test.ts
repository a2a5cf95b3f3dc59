import fc from 'fast-check'
import { expect, test } from 'vitest'
import { begunAnswer } from '../../server/begun-answer.ts'
import type { RecordedToken } from '../../store/recording.ts'
import { RecordsStandIn } from '../support/records-stand-in.ts'
import { rounds } from '../support/rounds.ts'

/** An answer of so many tokens. */
function recorded(count: number): { records: RecordsStandIn; tokens: RecordedToken[] } {
  const records = new RecordsStandIn()
  records.add('g_1', { text: Array.from({ length: count }, (_, i) => `${i} `).join('') })
  return { records, tokens: records.kept[0]?.tokens ?? [] }
}

test('what is kept is the text up to and with the token, or with other words in its place, at any length', async () => {
  const { records, tokens } = recorded(25_000)
  expect(tokens).toHaveLength(25_000)
  const index = fc.oneof(fc.nat(24_999), fc.constantFrom(0, 9_999, 10_000, 19_999, 20_000, 24_999))
  const words = fc.option(fc.string({ minLength: 1 }), { nil: undefined })
  await fc.assert(
    fc.asyncProperty(index, words, async (index, text) => {
      const begun = await begunAnswer(records, { generation: 'g_1', index, text })
      const kept = tokens.slice(0, text === undefined ? index + 1 : index)
      expect(begun.text).toBe(kept.map(token => token.token_text).join('') + (text ?? ''))
      expect(begun.saidOther).toBe(false)
    }),
    { numRuns: rounds(200) },
  )
})

test('what came before in another kind is told, what comes after is not', async () => {
  const { records, tokens } = recorded(9)
  const token = tokens[4] as RecordedToken
  token.kind = 'tool_call'
  const saidOther = async (index: number) =>
    (await begunAnswer(records, { generation: 'g_1', index })).saidOther
  expect([await saidOther(3), await saidOther(4), await saidOther(8)]).toEqual([false, true, true])
})
