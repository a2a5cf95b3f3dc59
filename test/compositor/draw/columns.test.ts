import { describe, expect, it } from 'vitest'
import { columnsOf } from '../../../compositor/draw/columns.ts'

describe('columns of a grapheme cluster', () => {
  it.each([
    ['a', 1],
    ['é', 1],
    ['e\u0301', 1],
    ['ж', 1],
    ['ש', 1],
    ['\u00a0', 1],
    ['\0', 1],
    ['\ud83d', 1],
    ['ｶ', 1],
    ['❤', 1],
    ['漢', 2],
    ['한', 2],
    ['\u1112\u1161', 2],
    ['Ａ', 2],
    ['\u3000', 2],
    ['🙂', 2],
    ['👩‍👩‍👧‍👦', 2],
    ['👍🏽', 2],
    ['❤\ufe0f', 2],
    ['1\ufe0f\u20e3', 2],
    ['🇩🇪', 2],
    ['🇩', 2],
    ['\u0301', 0],
    ['\u200d', 0],
    ['\u200b', 0],
    ['\ufeff', 0],
    ['\u00ad', 0],
    ['\ufe0f', 0],
  ])('%j: %i', (cluster, columns) => {
    expect(columnsOf(cluster)).toBe(columns)
  })
})
