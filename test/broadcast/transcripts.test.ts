import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Transcripts } from '../../broadcast/transcripts.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'

describe('Transcripts', () => {
  it('have the whole text after each number of pieces, however they are joined', () => {
    // 64 pieces are joined at a time, and 64 of those again.
    for (const count of [0, 1, 63, 64, 65, 4095, 4096, 4097, 9000]) {
      const transcripts = new Transcripts()
      transcripts.apply(stateEvent('g_a'))
      for (let i = 0; i < count; i++) transcripts.apply(tokenEvent('g_a', i, `${i};`))
      const [found] = transcripts.generations(null)
      expect(found?.text).toBe(Array.from({ length: count }, (_, i) => `${i};`).join(''))
      expect(found?.tokens).toBe(count)
    }
  })

  it('have the same text however often they are asked for, before and after the end', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 3 }), { maxLength: 200 }), pieces => {
        const transcripts = new Transcripts()
        transcripts.apply(stateEvent('g_a'))
        let text = ''
        pieces.forEach((piece, i) => {
          transcripts.apply(tokenEvent('g_a', i, piece))
          text += piece
          if (i % 50 === 0) expect(transcripts.generations(null)[0]?.text).toBe(text)
        })
        transcripts.apply(stateEvent('g_a', 'done'))
        expect(transcripts.generations(null)).toMatchObject([{ text, tokens: pieces.length, state: 'done' }])
      }),
      { numRuns: 20 },
    )
  })

  it('are those that pass the filter alone', () => {
    const transcripts = new Transcripts()
    for (const id of ['g_a', 'g_b', 'g_c']) transcripts.apply(stateEvent(id))
    transcripts.apply(stateEvent('g_c', 'done'))
    const ids = (...wanted: string[]) =>
      transcripts
        .generations({ key: 'k', has: id => wanted.includes(id) })
        .map(({ generation }) => generation)
    expect(ids('g_a', 'g_c', 'g_none')).toEqual(['g_c', 'g_a'])
    expect(ids()).toEqual([])
  })

  it('know nothing of a generation that never told its state', () => {
    const transcripts = new Transcripts()
    transcripts.apply(tokenEvent('g_a', 0))
    expect(transcripts.generations(null)).toEqual([])
  })
})
