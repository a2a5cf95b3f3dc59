import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  changeText,
  columnsOf,
  counted,
  cutTo,
  cycleSteps,
  escapeMarkup,
  padded,
  percentText,
  valueText,
  visible,
} from '../../../../health/shm/say/plain-text.ts'
import { codePoints } from '../../../support/code-points.ts'

const ANY = codePoints({ maxLength: 60 })

describe('text for a person', () => {
  it('shows what would not be seen', () => {
    expect(visible('a\u0000b\u009bc\u200d\u2028')).toBe('a\\u{0}b\\u{9b}c\\u{200d}\\u{2028}')
    expect(visible('\ud800')).toBe('\\u{d800}')
    expect(visible('src/größe-文.ts 🙂')).toBe('src/größe-文.ts 🙂')
    fc.assert(
      fc.property(ANY, text => {
        expect(visible(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      }),
    )
  })

  it('knows how wide it is', () => {
    expect(columnsOf('文字')).toBe(4)
    expect(columnsOf('e\u0301')).toBe(1)
    expect(padded('文', 4)).toBe('文  ')
  })

  it('is cut at its beginning, to its width', () => {
    expect(cutTo('health/shm/say/terminal.ts:12', 16)).toBe('…/terminal.ts:12')
    expect(cutTo('short', 16)).toBe('short')
    fc.assert(
      fc.property(ANY.map(visible), fc.integer({ min: 0, max: 40 }), (text, columns) => {
        const cut = cutTo(text, columns)
        expect(columnsOf(cut)).toBeLessThanOrEqual(columns)
        if (columnsOf(text) > columns && columns > 0) expect(text.endsWith(cut.slice(1))).toBe(true)
      }),
    )
  })

  it('writes numbers without more than they say', () => {
    expect([1, 0.9, 0.89996, 0.749999999, 0, null].map(valueText)).toEqual([
      '1.000',
      '0.900',
      '0.899',
      '0.749',
      '0.000',
      '–',
    ])
    expect([0.0412, -0.2, 0.0001, -0.0001].map(changeText)).toEqual(['+0.041', '−0.200', '±0.000', '±0.000'])
    expect([0, 0.001, 0.5, 0.999, 1].map(percentText)).toEqual(['0 %', '<1 %', '50 %', '>99 %', '100 %'])
    expect([counted(1, 'file'), counted(1204, 'file')]).toEqual(['1 file', '1,204 files'])
  })

  it('tells a long cycle by its ends', () => {
    const cycle = ['a', 'b', 'c', 'd', 'e'].map((file, i) => ({ file, line: i + 1 }))
    expect(cycleSteps(cycle, 5)).toEqual(['a:1', 'b:2', 'c:3', 'd:4', 'e:5', 'a'])
    expect(cycleSteps(cycle, 4)).toEqual(['a:1', 'b:2', '(2 more files)', 'e:5', 'a'])
    expect(cycleSteps([], 4)).toEqual([])
  })

  it('is only text in markup', () => {
    expect(escapeMarkup(`<a b="c" d='e'>&`)).toBe('&#60;a b=&#34;c&#34; d=&#39;e&#39;&#62;&#38;')
  })
})
