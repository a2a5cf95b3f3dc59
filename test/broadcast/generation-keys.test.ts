import { describe, expect, it } from 'vitest'
import { GenerationKeys } from '../../broadcast/generation-keys.ts'

const handles = (keys: GenerationKeys, after: number) => keys.before(after).map(({ handle }) => handle)

describe('GenerationKeys', () => {
  it('numbers generations 1, 2, 3, … and says when it heard of them, in tenths of a millisecond', () => {
    const keys = new GenerationKeys()
    const before = Date.now()
    const [first, second] = [keys.open('g_a', 1), keys.open('g_b', 5)]
    expect([first.handle, second.handle]).toEqual([1, 2])
    expect(first.began / 10).toBeGreaterThanOrEqual(before)
    expect(first.began / 10).toBeLessThanOrEqual(Date.now())
    expect(Number.isInteger(first.began)).toBe(true)
    expect(keys.find('g_b')).toBe(second)
    expect([keys.idOf(2), keys.idOf(3)]).toEqual(['g_b', undefined])
  })

  it('forgets one that is final with its last entry, and gives no handle twice', () => {
    const keys = new GenerationKeys()
    const known = keys.open('g_a', 1)
    known.last = 3
    keys.dropped(1, 1)
    keys.dropped(1, 3)
    expect(keys.idOf(1)).toBe('g_a')
    known.final = true
    keys.dropped(1, 2)
    expect(keys.idOf(1)).toBe('g_a')
    keys.dropped(1, 3)
    expect([keys.idOf(1), keys.find('g_a'), keys.keys.size]).toEqual([undefined, undefined, 0])
    expect(keys.open('g_a', 4).handle).toBe(2)
    // An entry of its first life has nothing to do with its second.
    keys.dropped(1, 3)
    expect(keys.idOf(2)).toBe('g_a')
  })

  it('tells a reader those opened before it that may still have entries after it', () => {
    const keys = new GenerationKeys()
    const ended = keys.open('g_ended', 1)
    ended.last = 4
    ended.final = true
    keys.open('g_running', 2).last = 2
    expect([0, 1, 2, 3, 4, 9].map(after => handles(keys, after))).toEqual([[], [1], [1, 2], [1, 2], [2], [2]])
  })
})
