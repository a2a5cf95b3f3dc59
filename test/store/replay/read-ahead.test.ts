import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { readAhead } from '../../../store/replay/read-ahead.ts'

const never = new AbortController().signal

/** Numbers from 1 on, and what was asked of them. */
class Numbers implements AsyncIterable<number> {
  asked = 0
  letGo = 0
  readonly #end: number
  readonly #fails: boolean

  constructor(end: number, fails = false) {
    this.#end = end
    this.#fails = fails
  }

  [Symbol.asyncIterator](): AsyncIterator<number, void> {
    return {
      next: async () => {
        const value = ++this.asked
        if (value > this.#end) {
          if (this.#fails) throw new Error('no more')
          return { done: true, value: undefined }
        }
        return { done: false, value }
      },
      return: async () => {
        this.letGo++
        return { done: true, value: undefined }
      },
    }
  }
}

describe('pieces that are read ahead', () => {
  test('are the same, in their order, one ahead', async () => {
    const numbers = new Numbers(5)
    const got: number[] = []
    for await (const piece of readAhead(numbers, never)) {
      got.push(piece)
      await setImmediate()
      expect(numbers.asked).toBe(piece + 1)
    }
    expect([got, numbers.letGo]).toEqual([[1, 2, 3, 4, 5], 0])
  })

  test('end with the source’s failure, after what came before it', async () => {
    const numbers = new Numbers(2, true)
    const got: number[] = []
    const read = async () => {
      for await (const piece of readAhead(numbers, never)) {
        got.push(piece)
        await setImmediate()
      }
    }
    await expect(read()).rejects.toThrow('no more')
    expect([got, numbers.letGo]).toEqual([[1, 2], 0])
  })

  test('let the source go where their reader stops', async () => {
    const numbers = new Numbers(5)
    for await (const piece of readAhead(numbers, never)) if (piece === 2) break
    expect([numbers.asked, numbers.letGo]).toEqual([3, 1])
  })

  test('end when they are not wanted any more, whatever the source does', async () => {
    const abort = new AbortController()
    let letGo = false
    const silent: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: () => {
          letGo = true
          return new Promise(() => {})
        },
      }),
    }
    const next = readAhead(silent, abort.signal).next()
    abort.abort()
    expect([await next, letGo]).toEqual([{ done: true, value: undefined }, true])
  })

  test('are not asked for where nobody wants them to begin with', async () => {
    const numbers = new Numbers(5)
    for await (const _piece of readAhead(numbers, AbortSignal.abort())) expect.unreachable()
    expect(numbers.letGo).toBe(1)
  })
})
