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
})
