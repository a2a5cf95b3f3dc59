import fc from 'fast-check'
import { expect, test } from 'vitest'
import { begunAnswer } from '../../server/begun-answer.ts'
import type { GenerationDetail, RecordedToken } from '../../store/recording.ts'
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

test('of what was not recorded from the beginning nothing is gone on with, but what lies before the hole is', async () => {
  const { records, tokens } = recorded(9)
  tokens.splice(4, 2)
  Object.assign(records.kept[0]?.detail ?? {}, { tokens: 7, complete: false })
  const begun = (index: number) => begunAnswer(records, { generation: 'g_1', index })
  expect((await begun(3)).text).toBe(
    tokens
      .slice(0, 4)
      .map(token => token.token_text)
      .join(''),
  )
  for (const index of [4, 5, 6, 8, 9]) {
    await expect(begun(index)).rejects.toMatchObject({ code: 'NOT_CONTINUABLE' })
  }
})

test('a token that is not there is not found, whatever else is missing', async () => {
  const { records, tokens } = recorded(9)
  await expect(begunAnswer(records, { generation: 'g_1', index: 9 })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    param: 'continue/index',
  })
  // The end was not recorded.
  tokens.splice(7)
  Object.assign(records.kept[0]?.detail ?? {}, { tokens: 7, complete: false })
  await expect(begunAnswer(records, { generation: 'g_1', index: 7 })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining('7 are recorded'),
  })
})

test('words that are no characters cannot be given back', async () => {
  const { records } = recorded(9)
  for (const text of ['half \ufffd', '\ud83d']) {
    await expect(begunAnswer(records, { generation: 'g_1', index: 2, text })).rejects.toMatchObject({
      code: 'NOT_CONTINUABLE',
      param: 'continue/text',
    })
  }
})

test('a replay is gone on with by the request of what it plays, however often it was played', async () => {
  const { records } = recorded(3)
  const request = { target: '/v1/chat/completions', body: '{}' } as GenerationDetail['request']
  Object.assign(records.kept[0]?.detail ?? {}, { request, upstream: 'first' })
  for (const [i, of] of ['g_1', 'g_2', 'g_3', 'g_5'].entries()) {
    records.add(`g_${i + 2}`, {
      text: '0 1 2 ',
      request: null,
      replay: { of, speed: 1 },
      upstream: 'tokenscope',
    })
  }
  const begun = (generation: string) => begunAnswer(records, { generation, index: 1 })
  expect(await begun('g_4')).toMatchObject({ generation: 'g_4', upstream: 'first', body: '{}' })
  // What plays itself, as a file may say, has no request; nor has one whose recording was removed.
  expect(await begun('g_5')).toMatchObject({ body: null })
  await records.remove('g_1')
  expect(await begun('g_4')).toMatchObject({ body: null })
})
