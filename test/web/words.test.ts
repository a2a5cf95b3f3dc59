import { describe, expect, it } from 'vitest'
import {
  endingWords,
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
  replayWords,
} from '../../web/format.ts'
import { visiblePieces, visibleText } from '../../web/invisible.ts'
import { bucketsOf } from '../../web/rail/spark-buckets.ts'
import { TokenColumns } from '../../web/token-columns.ts'

describe('endings', () => {
  it.each([
    ['stop', null],
    ['end_turn', null],
    ['eos', null],
    [null, null],
    ['length', 'at the length limit'],
    ['limit', 'at the length limit'],
    ['timeout', 'silent for too long'],
    ['some_new_word', 'some new word'],
  ])('%s is shown as %s', (ending, shown) => {
    expect(endingWords(ending)).toBe(shown)
  })
})

describe('replays', () => {
  it.each([
    [1, 'replay'],
    [4, 'replay ×4'],
    [0.25, 'replay ×0.25'],
    [null, 'replay ×max'],
  ])('at speed %s are a %s', (speed, shown) => {
    expect(replayWords({ of: 'g_old', speed })).toBe(shown)
  })
})

describe('invisible characters', () => {
  it.each([
    [' hello', '·hello'],
    ['a\tb\n', 'a⇥b↵'],
    ['\r\n', '␍↵'],
    ['\u0000\u001b', '␀␛'],
    ['a\u200bb', 'a⟨ZWSP⟩b'],
    ['\u202eevil', '⟨U+202E⟩evil'],
    ['\u00a0', '⍽'],
    ['\u3000', '⟨U+3000⟩'],
    ['\ud83d', '⟨U+D83D⟩'],
    ['', ''],
  ])('%j is shown as %s', (text, shown) => {
    expect(visibleText(text)).toBe(shown)
  })

  it('leaves emoji, accents and other scripts alone', () => {
    for (const text of ['👩‍💻', '👩🏽‍🚀', '🏳️‍🌈', 'naïve', '日本', 'e\u0301', '<b>&amp;</b>'])
      expect(visibleText(text)).toBe(text)
  })

  it('tells its signs from text that looks the same', () => {
    expect(visiblePieces('· ')).toEqual([
      { text: '·', sign: false },
      { text: '·', sign: true },
    ])
  })
})

describe('numbers', () => {
  it('have their unit, and a dash where nobody gave them', () => {
    expect(formatDuration(null)).toBe('–')
    expect(formatDuration(4.2)).toBe('4.2 ms')
    expect(formatDuration(84.4)).toBe('84 ms')
    expect(formatDuration(210)).toBe('0.21 s')
    expect(formatDuration(12_340)).toBe('12.3 s')
    expect(formatDuration(125_000)).toBe('2 min 05 s')
    expect(formatRate(null)).toBe('–')
    expect(formatRate(0)).toBe('0')
    expect(formatRate(9.94)).toBe('9.9')
    expect(formatRate(142.6)).toBe('143')
    expect(formatCount(1_234_567)).toBe('1\u2009234\u2009567')
  })

  it('never claim a certainty they do not have', () => {
    expect(formatPercent(1)).toBe('100 %')
    expect(formatPercent(0.99999)).toBe('> 99.9 %')
    expect(formatPercent(0.951)).toBe('95.1 %')
    expect(formatPercent(0.00001)).toBe('< 0.1 %')
    expect(formatPercent(0)).toBe('0 %')
    expect(formatPercent(null)).toBe('–')
  })
})

describe('a sparkline', () => {
  it('sums tokens up in runs, with unknown confidence left unknown', () => {
    const tokens = new TokenColumns()
    for (let index = 0; index < 100; index++) {
      tokens.put({
        index,
        token_id: null,
        token_text: 'x',
        kind: 'message',
        timestamp: index / 20,
        position: [index, 0],
        logprob: null,
        confidence: index < 50 ? 0.5 : null,
        entropy: null,
        top: [],
      })
    }
    const buckets = bucketsOf(tokens, 10)
    expect(buckets).toHaveLength(10)
    expect(buckets[0]?.confidence).toBeCloseTo(0.5)
    expect(buckets[9]?.confidence).toBeNaN()
    for (const bucket of buckets) expect(bucket.rate).toBeCloseTo(20)
    expect(bucketsOf(new TokenColumns(), 10)).toEqual([])
  })
})
