import { describe, expect, it } from 'vitest'
import { CellAllocator } from '../../broadcast/cells.ts'

describe('CellAllocator', () => {
  it('gives a generation its second block when the first is full, after those of others', () => {
    const cells = new CellAllocator()
    const first = Array.from({ length: 256 }, () => cells.allocate('a'))
    expect(first).toEqual(Array.from({ length: 256 }, (_, i) => i))
    expect(cells.allocate('b')).toBe(256)
    expect(cells.allocate('a')).toBe(512)
    expect(cells.allocate('b')).toBe(257)
    expect(cells.allocate('a')).toBe(513)
  })

  it('begins no block before it is needed', () => {
    const cells = new CellAllocator()
    for (let i = 0; i < 256; i++) cells.allocate('a')
    expect(cells.allocate('b')).toBe(256)
  })

  it('leaves the rest of a closed block empty', () => {
    const cells = new CellAllocator()
    cells.allocate('a')
    cells.close('a')
    expect(cells.allocate('b')).toBe(256)
    expect(cells.allocate('a')).toBe(512)
  })

  it('closes what it does not know in peace', () => {
    const cells = new CellAllocator()
    cells.close('nobody')
    expect(cells.allocate('a')).toBe(0)
  })

  it('goes on where an earlier one ended', () => {
    const cells = new CellAllocator(7)
    expect([cells.allocate('a'), cells.nextBlock]).toEqual([7 * 256, 8])
    expect([cells.allocate('a'), cells.nextBlock]).toEqual([7 * 256 + 1, 8])
  })

  it('goes over the end of the map to its first block', () => {
    const last = 2 ** 24 - 1
    const cells = new CellAllocator(last)
    const first = Array.from({ length: 256 }, () => cells.allocate('a'))
    expect([first[0], first[255]]).toEqual([last * 256, 2 ** 32 - 1])
    expect(cells.nextBlock).toBe(0)
    expect([cells.allocate('b'), cells.allocate('a')]).toEqual([0, 256])
    expect(new CellAllocator(2 ** 24).allocate('a')).toBe(0)
  })

  it('gives no block again that is being filled, wherever the round ends', () => {
    const cells = new CellAllocator(2 ** 24 - 2)
    // Two that stay open, at the end and at the beginning.
    const open = [cells.allocate('a'), cells.allocate('b'), cells.allocate('c')]
    expect(open).toEqual([(2 ** 24 - 2) * 256, (2 ** 24 - 1) * 256, 0])
    for (let block = 1; block < 2 ** 24 - 2; block++) {
      cells.allocate('x')
      cells.close('x')
    }
    cells.close('b')
    expect([cells.allocate('x'), cells.allocate('y')]).toEqual([(2 ** 24 - 1) * 256, 256])
    expect([cells.allocate('a'), cells.allocate('c')]).toEqual([(2 ** 24 - 2) * 256 + 1, 1])
  })
})
