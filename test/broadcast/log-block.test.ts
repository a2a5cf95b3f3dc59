import { describe, expect, it, vi } from 'vitest'
import { LogBlock } from '../../broadcast/log-block.ts'
import { BIN_SUBPROTOCOL, JSON_SUBPROTOCOL } from '../../broadcast/protocol.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'

const key = { handle: 7, id: 'g_a', began: 17_000_000_000_000 }
const keys = new Map([[7, key]])

/** A block that begins at seq 257 with a state and two tokens. */
function blockOfThree(): LogBlock {
  const block = new LogBlock(257)
  block.append(stateEvent('g_a'), key, null, 1)
  block.append(tokenEvent('g_a', 0, 'ä'), key, { cell: 2 ** 32 - 1, position: [9, 65_535], opens: false }, 2)
  block.append(tokenEvent('g_a', 1, 'b'), key, { cell: 0, position: [0, 0], opens: false }, 3)
  return block
}

describe('LogBlock', () => {
  it('gives back what was appended', () => {
    const block = blockOfThree()
    expect(block.length).toBe(3)
    expect([0, 1, 2].map(index => block.entry(index, keys))).toEqual([
      { seq: 257, ...stateEvent('g_a') },
      { seq: 258, ...tokenEvent('g_a', 0, 'ä'), position: [9, 65_535] },
      { seq: 259, ...tokenEvent('g_a', 1, 'b'), position: [0, 0] },
    ])
    expect([0, 1, 2].map(index => block.cell(index))).toEqual([Number.NaN, 2 ** 32 - 1, 0])
    expect([0, 1, 2].map(index => block.readAt(index))).toEqual([1, 2, 3])
    expect([0, 1, 2].map(index => block.handle(index))).toEqual([7, 7, 7])
    expect(block.appendedAt(1)).toBeGreaterThanOrEqual(block.appendedAt(0))
    expect(block.appendedAt(2)).toBeLessThanOrEqual(performance.now())
  })

  it('makes JSON of the entries that are asked for, each once', () => {
    const block = blockOfThree()
    expect(block.encoded(BIN_SUBPROTOCOL, 0, 2, keys)).toBe(block.binary)
    expect(block.jsonBytes).toBe(0)
    const stringify = vi.spyOn(JSON, 'stringify')
    try {
      const json = block.encoded(JSON_SUBPROTOCOL, 1, 1, keys)
      expect([0, 1, 2].map(index => json.has(index))).toEqual([false, true, false])
      expect(stringify).toHaveBeenCalledTimes(1)
      expect(block.encoded(JSON_SUBPROTOCOL, 0, 2, keys)).toBe(json)
      block.encoded(JSON_SUBPROTOCOL, 0, 2, keys)
      expect(stringify).toHaveBeenCalledTimes(3)
    } finally {
      stringify.mockRestore()
    }
    expect(block.jsonBytes).toBe(
      [0, 1, 2].reduce((sum, i) => sum + Buffer.byteLength(JSON.stringify(block.entry(i, keys))), 0),
    )
  })

  it('counts the bytes of all encodings when an entry is dropped', () => {
    const block = blockOfThree()
    const binary = block.binary.sizeOf(0)
    expect(block.drop(0)).toBe(binary)
    const json = block.encoded(JSON_SUBPROTOCOL, 1, 1, keys).sizeOf(1)
    expect(block.drop(1)).toBe(block.binary.sizeOf(2) + 1 + json)
    expect(block.jsonBytes).toBe(0)
  })

  it('forgets JSON alone, and makes it again', () => {
    const block = blockOfThree()
    block.encoded(JSON_SUBPROTOCOL, 0, 2, keys)
    const { jsonBytes } = block
    expect(block.forgetJson()).toBe(jsonBytes)
    expect(block.jsonBytes).toBe(0)
    expect(block.entry(2, keys)).toMatchObject({ token_text: 'b' })
    block.encoded(JSON_SUBPROTOCOL, 0, 2, keys)
    expect(block.jsonBytes).toBe(jsonBytes)
  })
})
