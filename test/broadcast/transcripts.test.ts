import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Transcripts } from '../../broadcast/transcripts.ts'
import { codePoints } from '../support/code-points.ts'
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
      fc.property(fc.array(codePoints({ maxLength: 3 }), { maxLength: 200 }), pieces => {
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

  it('have what ended in earlier runs, the last fifty, before what ends now', () => {
    const earlier = new Transcripts()
    for (let i = 0; i < 49; i++) {
      earlier.apply(stateEvent(`g_${i}`))
      earlier.apply(tokenEvent(`g_${i}`, 0, `${i}`))
      earlier.apply(stateEvent(`g_${i}`, i % 2 === 0 ? 'done' : 'interrupted'))
    }
    const finished = earlier.generations(null)
    const transcripts = new Transcripts(finished)
    expect(transcripts.generations(null)).toEqual(finished)
    for (const id of ['h_a', 'h_b', 'h_c']) transcripts.apply(stateEvent(id, 'done'))
    transcripts.apply(stateEvent('h_d'))
    expect(transcripts.generations(null).map(({ generation }) => generation)).toEqual([
      ...finished.slice(2).map(({ generation }) => generation),
      'h_a',
      'h_b',
      'h_c',
      'h_d',
    ])
    const many = Array.from({ length: 60 }, (_, i) => ({
      ...stateEvent(`g_${i}`, 'done'),
      text: '',
      tokens: 0,
    }))
    const kept = new Transcripts(many).generations(null)
    expect(kept.map(({ generation }) => generation)).toEqual(
      many.slice(10).map(({ generation }) => generation),
    )
  })

  it('go on with one that had ended, and hold it once', () => {
    const earlier = new Transcripts()
    for (const event of [stateEvent('g_a'), tokenEvent('g_a', 0, 'so'), stateEvent('g_a', 'done')])
      earlier.apply(event)
    const again = new Transcripts(earlier.generations(null))
    for (const transcripts of [earlier, again]) {
      transcripts.apply(stateEvent('g_b', 'done'))
      transcripts.apply(stateEvent('g_a', 'generating'))
      transcripts.apply(tokenEvent('g_a', 1, ' far'))
      const found = () =>
        transcripts
          .generations(null)
          .map(({ generation, state, text, tokens }) => [generation, state, text, tokens])
      expect(found()).toEqual([
        ['g_b', 'done', '', 0],
        ['g_a', 'generating', 'so far', 2],
      ])
      transcripts.apply(stateEvent('g_a', 'done'))
      expect(found().at(-1)).toEqual(['g_a', 'done', 'so far', 2])
      expect(found().length).toBe(2)
    }
  })
})
