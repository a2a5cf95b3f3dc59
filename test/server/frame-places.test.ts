import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { FramePlaces } from '../../server/frame-places.ts'

const { signal } = new AbortController()

function start() {
  const places = new FramePlaces()
  const begun: number[] = []
  const ends: PromiseWithResolvers<void>[] = []
  const draw = (number: number, by: AbortSignal = signal) => {
    const end = Promise.withResolvers<void>()
    ends[number] = end
    const work = async () => {
      begun.push(number)
      await end.promise
      return number
    }
    return places.with(work, by)
  }
  return { begun, ends, draw }
}

describe('pictures', () => {
  it('are drawn two at a time, the others in their order; beyond twenty they are refused', async () => {
    const { begun, ends, draw } = start()
    const all = Array.from({ length: 20 }, (_, number) => draw(number))
    await turn()
    expect(begun).toEqual([0, 1])
    await expect(draw(20)).rejects.toMatchObject({ code: 'POOL_FULL', status: 503, retryAfterSeconds: 2 })
    ends[1]?.resolve()
    expect(await all[1]).toBe(1)
    await turn()
    expect(begun).toEqual([0, 1, 2])
    for (const { resolve } of ends) resolve()
    expect(await Promise.all(all)).toEqual(Array.from({ length: 20 }, (_, number) => number))
    expect(begun).toEqual(Array.from({ length: 20 }, (_, number) => number))
  })

  it('that nobody waits for any more are not drawn, and leave their place', async () => {
    const { begun, ends, draw } = start()
    const first = [draw(0), draw(1)]
    const gone = new AbortController()
    const left = draw(2, gone.signal)
    const last = draw(3)
    gone.abort()
    await expect(left).rejects.toThrow('aborted')
    await expect(draw(4, gone.signal)).rejects.toThrow('aborted')
    ends[0]?.reject(new Error('it went wrong'))
    await expect(first[0]).rejects.toThrow('it went wrong')
    await turn()
    expect(begun).toEqual([0, 1, 3])
    for (const { resolve } of ends) resolve()
    expect([await first[1], await last]).toEqual([1, 3])
    const later = [draw(5), draw(6)]
    await turn()
    expect(begun).toEqual([0, 1, 3, 5, 6])
    for (const { resolve } of ends) resolve()
    expect(await Promise.all(later)).toEqual([5, 6])
  })
})
