import { describe, expect, it } from 'vitest'
import type { TileAnswer, ViewAnswer, ViewQuestion } from '../../broadcast/protocol/view.ts'
import { tilesOf } from '../../compositor/view/viewport.ts'
import { ViewCache, withoutHad } from '../../compositor/view-cache.ts'

const QUESTION: ViewQuestion = { layout: 'map', x: 0, y: 0, w: 4000, h: 300, zoom: 1 }

function tile(x: number, version: number, bytes = 10): TileAnswer {
  const { z } = tilesOf(QUESTION).at(-1) ?? { z: 0 }
  return { z, x, y: 0, version, count: 1, content: new Uint8Array(bytes).fill(version) }
}

function answerOf(...tiles: TileAnswer[]): ViewAnswer {
  return {
    layout: 'map',
    color: 'confidence',
    upto: 1,
    z: 0,
    count: 0,
    origin: null,
    models: [],
    bounds: null,
    tokens: [],
    tiles,
  }
}

describe('the cache of tiles', () => {
  it('asks only for what it does not hold, and gives it all', () => {
    const cache = new ViewCache()
    const first = cache.prepare(QUESTION)
    expect(first.question.have).toEqual([])
    cache.complete(QUESTION, answerOf(tile(0, 5), tile(1, 6)), first.held)
    const second = cache.prepare(QUESTION)
    const { z } = tile(0, 5)
    expect(second.question).toEqual({
      ...QUESTION,
      have: [
        [z, 0, 0, 5],
        [z, 1, 0, 6],
      ],
    })
    const changed = tile(1, 7)
    const raw = answerOf({ ...tile(0, 5), content: null }, changed)
    expect(cache.complete(QUESTION, raw, second.held).tiles).toEqual([tile(0, 5), changed])
    expect(cache.prepare(QUESTION).question.have).toEqual([
      [z, 0, 0, 5],
      [z, 1, 0, 7],
    ])
  })

  it('keeps apart what differs in colour, time or filter', () => {
    const cache = new ViewCache()
    cache.complete(QUESTION, answerOf(tile(0, 5)), new Map())
    for (const other of [{ color: 'entropy' as const }, { t: 1 }, { filter: { models: ['a'] } }]) {
      expect(cache.prepare({ ...QUESTION, ...other }).question.have).toEqual([])
    }
    const same = cache.prepare({ ...QUESTION, color: 'confidence', t: null, filter: null })
    expect(same.question.have?.length).toBe(1)
  })

  it('has what it said to hold even if that had to go meanwhile', () => {
    const cache = new ViewCache(5000)
    cache.complete(QUESTION, answerOf(tile(0, 5, 1000)), new Map())
    const { held } = cache.prepare(QUESTION)
    const many = [1, 2, 3, 4, 5].map(x => tile(x, 6, 1000))
    cache.complete(QUESTION, answerOf(...many), new Map())
    expect(cache.bytes).toBeLessThanOrEqual(5000)
    expect(cache.prepare(QUESTION).held.size).toBeLessThan(5)
    const raw = answerOf({ ...tile(0, 5), content: null })
    expect(cache.complete(QUESTION, raw, held).tiles).toEqual([tile(0, 5, 1000)])
  })
})

describe('who has a tile', () => {
  it('does not get its content again, and gets that of another version', () => {
    const answer = answerOf(tile(0, 5), tile(1, 6))
    const { z } = tile(0, 5)
    const have: [number, number, number, number][] = [
      [z, 0, 0, 5],
      [z, 1, 0, 5],
    ]
    expect(withoutHad(answer, have).tiles).toEqual([{ ...tile(0, 5), content: null }, tile(1, 6)])
    expect(withoutHad(answer, [])).toBe(answer)
    expect(answer.tiles[0]?.content).not.toBeNull()
  })
})
