import { describe, expect, it } from 'vitest'
import type { ViewAnswer } from '../../broadcast/protocol/view.ts'
import { packAnswer, unpackAnswer } from '../../compositor/packed-answer.ts'
import { tokensOf } from '../support/views-stand-in.ts'

const TOKENS = [...tokensOf(0, 0), ...tokensOf(1, 0), ...tokensOf(2, 0)]
const EMPTY: ViewAnswer = {
  layout: 'flow',
  color: 'age',
  upto: 7,
  z: -1,
  count: 0,
  origin: 1_707_345_600,
  models: ['m'],
  bounds: [0, 0, 9, 9],
  tokens: [],
  tiles: [],
}

describe('an answer that is packed', () => {
  it.each([0, 1, 256, 257, TOKENS.length])('has %i tokens as before', async count => {
    const answer = { ...EMPTY, count, tokens: TOKENS.slice(0, count) }
    expect(await unpackAnswer(structuredClone(packAnswer(answer)))).toEqual(answer)
  })

  it('lets others have their turn while its tokens are read', async () => {
    const tokens = Array.from({ length: 20 }, () => TOKENS).flat()
    const packed = packAnswer({ ...EMPTY, tokens })
    let turns = 0
    let read = false
    const turn = () => {
      turns++
      if (!read) setImmediate(turn)
    }
    setImmediate(turn)
    await unpackAnswer(packed)
    read = true
    expect(turns).toBeGreaterThan(1)
  })

  it('holds the bytes of its tiles, and not the message that they came in', async () => {
    const message = new Uint8Array(1000).fill(7)
    const tile = { z: 0, x: 0, y: 0, version: 1, count: 1 }
    const tiles = [
      { ...tile, content: message.subarray(10, 20) },
      { ...tile, x: 1, content: null },
    ]
    const answer = await unpackAnswer(packAnswer({ ...EMPTY, tiles }))
    expect(answer.tiles).toEqual(tiles)
    expect(answer.tiles[0]?.content?.buffer.byteLength).toBe(10)
  })
})
