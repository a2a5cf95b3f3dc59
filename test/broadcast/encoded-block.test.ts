import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BLOCK_ENTRIES, EncodedBlock } from '../../broadcast/encoded-block.ts'
import { ByteWriter } from '../../broadcast/protocol/byte-codec.ts'

function add(block: EncodedBlock, index: number, text: string): number {
  block.begin(index).text(text)
  return block.end(index)
}

function copied(block: EncodedBlock, from: number, to: number): string {
  const out = new ByteWriter()
  block.copyTo(out, from, to)
  return Buffer.from(out.written).toString()
}

function textAt(block: EncodedBlock, index: number): string {
  return Buffer.from(block.memory.subarray(block.startOf(index), block.endOf(index))).toString()
}

describe('EncodedBlock', () => {
  it('keeps every entry, in whatever order they are encoded and dropped', () => {
    const entries = fc.uniqueArray(fc.tuple(fc.nat(BLOCK_ENTRIES - 1), fc.integer({ min: 1, max: 9000 })), {
      selector: ([index]) => index,
      minLength: 1,
      maxLength: BLOCK_ENTRIES,
      size: 'max',
    })
    fc.assert(
      fc.property(entries, fc.boolean(), fc.nat(BLOCK_ENTRIES), (plan, commas, dropped) => {
        const block = new EncodedBlock(64, commas)
        const texts = new Map(
          plan.map(([index, size]) => [index, String.fromCharCode(33 + (index % 90)).repeat(size)]),
        )
        for (const [index, text] of texts) expect(add(block, index, text)).toBe(text.length)
        for (let index = 0; index < dropped; index++) {
          expect(block.drop(index)).toBe(texts.get(index)?.length ?? 0)
          texts.delete(index)
        }
        for (let index = 0; index < BLOCK_ENTRIES; index++) {
          expect(block.has(index)).toBe(texts.has(index))
          expect(block.sizeOf(index)).toBe(texts.get(index)?.length ?? 0)
          if (texts.has(index)) expect(textAt(block, index)).toBe(texts.get(index))
        }
        expect(block.bytes).toBe([...texts.values()].join('').length)
        let first = 0
        while (first < BLOCK_ENTRIES && !texts.has(first)) first++
        let last = first
        const run: string[] = []
        for (; texts.has(last); last++) run.push(texts.get(last) as string)
        if (run.length > 0) expect(copied(block, first, last - 1)).toBe(run.join(commas ? ',' : ''))
      }),
      { numRuns: 25 },
    )
  })

  it('takes no more memory than its entries once it is full', () => {
    for (const commas of [false, true]) {
      const block = new EncodedBlock(64, commas)
      for (let index = 0; index < BLOCK_ENTRIES; index++) add(block, index, 'x'.repeat(100))
      expect(block.memory.length).toBe(BLOCK_ENTRIES * (commas ? 101 : 100))
      expect(copied(block, 3, 4)).toBe(`${'x'.repeat(100)}${commas ? ',' : ''}${'x'.repeat(100)}`)
    }
  })

  it('lets go of large entries that are dropped before the block is', () => {
    const block = new EncodedBlock(64, false)
    const size = 100_000
    for (let index = 0; index < BLOCK_ENTRIES; index++) {
      add(block, index, String(index % 10).repeat(size))
      if (index >= 2) block.drop(index - 2)
      expect(block.memory.length).toBeLessThan(12 * size)
    }
    expect(block.bytes).toBe(2 * size)
    expect(textAt(block, BLOCK_ENTRIES - 1)).toBe('5'.repeat(size))
  })

  it('drops what is not there in peace', () => {
    const block = new EncodedBlock(64, true)
    expect(block.drop(7)).toBe(0)
    add(block, 7, 'x')
    expect([block.drop(7), block.drop(7), block.bytes]).toEqual([1, 0, 0])
  })
})
