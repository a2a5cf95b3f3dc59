import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PRIORITY_STEP_MS, type Waiting, WaitingList } from '../../../bridge/pool/waiting-list.ts'

const inOrder = (list: WaitingList<string>) => [...list].map(({ what }) => what)

describe('a waiting list', () => {
  test('serves lower priorities first, and within one who came first', () => {
    const list = new WaitingList<string>(10)
    list.add('late', 5, 0)
    list.add('first', 0, 1)
    list.add('second', 0, 2)
    list.add('urgent', -1, 3)
    expect(inOrder(list)).toEqual(['urgent', 'first', 'second', 'late'])
  })

  test('lets nobody wait for ever: a minute counts as a step', () => {
    const list = new WaitingList<string>(10)
    list.add('patient', 1, 0)
    list.add('hurried', 0, PRIORITY_STEP_MS - 1)
    list.add('later', 0, PRIORITY_STEP_MS + 1)
    list.add('much later', -1000, 102 * PRIORITY_STEP_MS)
    expect(inOrder(list)).toEqual(['hurried', 'patient', 'later', 'much later'])
  })

  test('is bounded', () => {
    const list = new WaitingList<string>(1)
    list.add('one', 0, 0)
    expect(list.isFull).toBe(true)
    expect(() => list.add('two', -5, 0)).toThrow(RangeError)
  })

  test('is what a sorted list would be, whatever is added and taken out', () => {
    const step = fc.oneof(
      fc.record({ add: fc.integer({ min: -3, max: 3 }), wait: fc.nat(90_000) }),
      fc.record({ remove: fc.nat() }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), steps => {
        const list = new WaitingList<number>(50)
        let model: { waiting: Waiting<number>; rank: number }[] = []
        let now = 0
        let next = 0
        for (const one of steps) {
          if ('add' in one) {
            now += one.wait
            if (list.isFull) continue
            model.push({ waiting: list.add(next++, one.add, now), rank: now + one.add * PRIORITY_STEP_MS })
            // Array.prototype.sort is stable, so equal ranks stay as they came.
            model = model.sort((a, b) => a.rank - b.rank)
          } else if (model.length > 0) {
            const [gone] = model.splice(one.remove % model.length, 1)
            expect(list.remove((gone as (typeof model)[0]).waiting)).toBe(true)
            expect(list.remove((gone as (typeof model)[0]).waiting)).toBe(false)
          }
          expect([...list]).toEqual(model.map(({ waiting }) => waiting))
        }
      }),
    )
  })
})
