import { describe, expect, it } from 'vitest'
import type { ColorName } from '../../../broadcast/protocol/view.ts'
import {
  CHUNK_FIRST,
  CHUNK_INTERVAL,
  CHUNK_WORDS,
  COLUMN_TIMES,
  NO_INTERVAL,
  PAGE_TOKENS,
  UNKNOWN,
} from '../../../compositor/tokens/record.ts'
import { TokenPage } from '../../../compositor/tokens/token-page.ts'
import { cellValue, channelValue } from '../../../compositor/view/channels.ts'

describe('channelValue', () => {
  it('takes confidence from the low and entropy from the high half of a word', () => {
    const page = new TokenPage(0)
    page.records[5] = 0xffff_fffe
    expect(channelValue(page, 5, 'confidence')).toBe(65_534)
    expect(channelValue(page, 5, 'entropy')).toBe(UNKNOWN)
  })

  it.each([
    [0, 0],
    [65_533, 65_533],
    [65_534, 65_534],
    [65_535, 65_534],
    [4_000_000_000, 65_534],
    [NO_INTERVAL, UNKNOWN],
  ])('takes the first interval of a chunk, %d ticks, from its header', (ticks, value) => {
    const page = new TokenPage(0)
    page.chunks[3 * CHUNK_WORDS + CHUNK_FIRST] = 7
    page.chunks[3 * CHUNK_WORDS + CHUNK_INTERVAL] = ticks
    expect(channelValue(page, 3 * 256 + 7, 'interval')).toBe(value)
  })

  it.each([
    [0, 0],
    [65_534, 65_534],
    [65_535, 65_534],
    [4_000_000_000, 65_534],
  ])('takes a later interval, %d ticks, from the times', (ticks, value) => {
    const page = new TokenPage(0)
    page.records.set([17, 17 + ticks], COLUMN_TIMES * PAGE_TOKENS + 300)
    expect(channelValue(page, 301, 'interval')).toBe(value)
  })
})

describe('cellValue', () => {
  // Lane, passes, model plus 1, panels.
  const generations = Uint32Array.of(0, 1, 3, 0, 0, 1, 0, 0)

  it.each<[string, ColorName, number[], number | null]>([
    ['nothing, where no token is', 'confidence', [0, 0, 0, 0], null],
    ['nothing, where no token has a value', 'entropy', [3, 0, 0, 0], null],
    ['the mean of those that have one, rounded down', 'interval', [9, 3, 8, 0], 2],
    ['the mean of a sum beyond 32 bits', 'confidence', [70_000, 70_000, 292_412_704, 1], 65_534],
    ['the kind that most are of', 'kind', [9, 2, 3, 0], 0],
    ['reasoning, if most are', 'kind', [9, 4, 2, 0], 1],
    ['tool calls, if most are', 'kind', [9, 2, 4, 0], 2],
    ['of as many messages the message', 'kind', [9, 3, 3, 0], 0],
    ['of as many tool calls the reasoning', 'kind', [8, 4, 4, 0], 1],
    ['the model of the youngest generation', 'model', [5, 1, 0, 0], 2],
    ['no model, where that has none', 'model', [5, 2, 0, 0], null],
    ['the time of the newest token', 'age', [5, 1, 0, 0], 0],
  ])('is %s', (_, color, words, value) => {
    expect(cellValue(Uint32Array.of(9, 9, 9, 9, ...words), 4, color, generations)).toBe(value)
  })
})
