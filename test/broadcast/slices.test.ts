import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { inSlices } from '../../broadcast/slices.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('work in slices', () => {
  it('is done at once where it takes little', async () => {
    const done: number[] = []
    const spent = inSlices([1, 2, 3], item => {
      vi.advanceTimersByTime(0.5)
      done.push(item)
    })
    expect(done).toEqual([1, 2, 3])
    expect(await spent).toBe(1.5)
  })

  it('lets others have a turn every three milliseconds, whose time does not count', async () => {
    const order: string[] = []
    let over = false
    const others = () => {
      vi.advanceTimersByTime(100)
      order.push('others')
      if (!over) setImmediate(others)
    }
    setImmediate(others)
    const spent = await inSlices([1, 2, 3, 4, 5, 6, 7], item => {
      vi.advanceTimersByTime(1)
      order.push(String(item))
    })
    over = true
    expect(order.join(' ')).toMatch(/^1 2 3 (others )+4 5 6 (others )+7$/)
    expect(spent).toBe(7)
  })

  it('reaches who comes meanwhile, and leaves out who has gone', async () => {
    const items = new Set([1, 2, 3])
    const done: number[] = []
    await inSlices(items, item => {
      vi.advanceTimersByTime(5)
      done.push(item)
      if (item === 1) {
        items.delete(2)
        items.add(4)
      }
    })
    expect(done).toEqual([1, 3, 4])
  })
})
