import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Alignment, align, tokensBefore } from '../../web/compare/alignment.ts'
import { commonPairs, type Sequences } from '../../web/compare/common-subsequence.ts'
import { stretchesOf } from '../../web/compare/stretches.ts'
import { rounds } from '../support/rounds.ts'

/** Few different tokens, so that much is common, also by chance. */
const word = fc.constantFrom(' a', ' b', ' c', '\n', ' d', '')
const text = fc.array(word, { maxLength: 40 })
const numbers = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 40 })
const RUNS = { numRuns: rounds(4000) }

function sequencesOf(a: ArrayLike<number>, b: ArrayLike<number>): Sequences {
  return { first: a.length, second: b.length, same: (x, y) => a[x] === b[y] }
}

/** The length of a longest common subsequence, from its definition. */
function longest(a: readonly number[], b: readonly number[]): number {
  let row = new Array<number>(b.length + 1).fill(0)
  for (const value of a) {
    const next = [0]
    for (let j = 1; j <= b.length; j++)
      next.push(
        value === b[j - 1] ? (row[j - 1] as number) + 1 : Math.max(row[j] as number, next[j - 1] as number),
      )
    row = next
  }
  return row[b.length] as number
}

function expectCommon(a: readonly number[], b: readonly number[], pairs: readonly [number, number][]): void {
  let [lastX, lastY] = [-1, -1]
  for (const [x, y] of pairs) {
    expect(x).toBeGreaterThan(lastX)
    expect(y).toBeGreaterThan(lastY)
    expect(x).toBeLessThan(a.length)
    expect(y).toBeLessThan(b.length)
    expect(a[x]).toBe(b[y])
    lastX = x
    lastY = y
  }
}

describe('what two sequences have in common', () => {
  it('is common, in order, and no other is longer', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const pairs = commonPairs(sequencesOf(a, b))
        expectCommon(a, b, pairs)
        expect(pairs).toHaveLength(longest(a, b))
      }),
      RUNS,
    )
  })

  it('is common and in order however little is searched for it', () => {
    fc.assert(
      fc.property(numbers, numbers, fc.integer({ min: 1, max: 6 }), (a, b, most) => {
        const pairs = commonPairs(sequencesOf(a, b), most)
        expectCommon(a, b, pairs)
        expect(pairs.length).toBeLessThanOrEqual(longest(a, b))
      }),
      RUNS,
    )
  })

  it('is found where a few tokens of a long text are others', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1999), { maxLength: 30 }), changed => {
        const a = Array.from({ length: 2000 }, (_, i) => i)
        const b = a.map(value => (changed.includes(value) ? -1 - value : value))
        expect(commonPairs(sequencesOf(a, b))).toHaveLength(2000 - new Set(changed).size)
      }),
      { numRuns: rounds(400) },
    )
  })

  it('is nothing where nothing is, at any length', () => {
    const a = Int32Array.from({ length: 20_000 }, (_, i) => i)
    const b = Int32Array.from({ length: 20_000 }, (_, i) => -1 - i)
    expect(commonPairs(sequencesOf(a, b))).toEqual([])
  })
})

describe('an alignment', () => {
  /** Each text stands in its column, whole and in its order. */
  function expectWhole({ slots }: Alignment, texts: readonly string[][]): void {
    for (const [of, tokens] of texts.entries()) {
      const indexes = slots.map(slot => slot.at[of]).filter(index => index !== null)
      expect(indexes).toEqual(tokens.map((_, i) => i))
    }
    for (const { at } of slots) expect(at.some(index => index !== null)).toBe(true)
  }

  it('has each token of each text once, in its order', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 4 }), texts => {
        expectWhole(align(texts), texts)
        expectWhole(align(texts, 2), texts)
      }),
      RUNS,
    )
  })

  it('says of runs that they are the same where the texts are', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 4 }), texts => {
        const { slots } = align(texts)
        for (let from = 0; from < slots.length; from++) {
          let to = from
          while (to < slots.length && slots[to]?.same) to++
          const said = texts.map((tokens, of) =>
            slots
              .slice(from, to)
              .map(({ at }) => tokens[at[of] ?? -1] ?? '')
              .join(''),
          )
          expect(new Set(said).size).toBe(1)
          from = to
        }
      }),
      RUNS,
    )
  })

  it('parts where the texts do', () => {
    fc.assert(
      fc.property(text, text, text, (common, a, b) => {
        fc.pre(a[0] !== b[0] && a.join('') !== b.join('') && common.length > 0)
        const texts = [
          [...common, ...a],
          [...common, ...b],
        ]
        const { slots, parting, shared } = align(texts)
        expect(parting).not.toBeNull()
        const before = tokensBefore(slots, parting as number, 0)
        // They may go on alike by saying the same in other pieces; they part no later than their letters do.
        expect(before).toBeGreaterThanOrEqual(common.length)
        const said = texts.map((tokens, of) =>
          tokens.slice(0, tokensBefore(slots, parting as number, of)).join(''),
        )
        expect(said[0]).toBe(said[1])
        expect(shared).toBeLessThan(1)
      }),
      RUNS,
    )
  })

  it('does not part where the texts are the same', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 4 }), (tokens, times) => {
        const { parting, shared } = align(Array.from({ length: times }, () => tokens))
        expect(parting).toBeNull()
        expect(shared).toBe(tokens.length === 0 ? null : 1)
      }),
      RUNS,
    )
  })

  it('puts what differs beside what differs, and what is more into slots of its own', () => {
    const { slots, parting, shared } = align([
      ['The', ' tea', ' is', ' hot'],
      ['The', ' black', ' coffee', ' is', ' cold', '.'],
    ])
    expect(slots.map(slot => slot.at)).toEqual([
      [0, 0],
      [1, 1],
      [null, 2],
      [2, 3],
      [3, 4],
      [null, 5],
    ])
    expect(parting).toBe(1)
    expect(shared).toBe(4 / 10)
  })

  it('puts two that agree together where a third says something else', () => {
    const { slots, parting } = align([
      ['One', ' fish', '.'],
      ['One', ' red', ' bird', ' sang', '.'],
      ['One', ' bird', ' sang', '.'],
    ])
    expect(parting).toBe(1)
    expect(slots.map(slot => slot.at)).toEqual([
      [0, 0, 0],
      [1, 1, null],
      [null, 2, 1],
      [null, 3, 2],
      [2, 4, 3],
    ])
  })

  it('knows the same words in other pieces', () => {
    const { parting, shared } = align([
      ['Rivers', ' flow', ' on'],
      ['Riv', 'ers', ' flow', ' o', 'n'],
    ])
    expect(parting).toBeNull()
    expect(shared).toBe(1)
  })

  it('has a text that is the beginning of another part at its end', () => {
    const { slots, parting } = align([
      ['One', ' two'],
      ['One', ' two', ' three'],
    ])
    expect(parting).toBe(2)
    expect(slots[2]?.at).toEqual([null, 2])
  })
})

describe('the rows of an alignment', () => {
  it('cover it from end to end, one after the other', () => {
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 2, maxLength: 3 }),
        fc.integer({ min: 1, max: 9 }),
        (texts, each) => {
          const { slots } = align(texts)
          let at = 0
          for (const stretch of stretchesOf(slots, i => i % each === 0)) {
            expect(stretch.from).toBe(at)
            expect(stretch.to).toBeGreaterThan(at)
            if (stretch.same)
              expect(slots.slice(stretch.from, stretch.to).every(slot => slot.same)).toBe(true)
            at = stretch.to
          }
          expect(at).toBe(slots.length)
        },
      ),
      RUNS,
    )
  })

  it('begin where the texts part', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const { slots, parting } = align([a, b])
        fc.pre(parting !== null)
        expect(stretchesOf(slots, () => false).some(({ from }) => from === parting)).toBe(true)
      }),
      RUNS,
    )
  })
})

describe('the search in long texts', () => {
  it.each([3000, 10_000])(
    'takes a bounded number of looks, with %i tokens that have little in common',
    length => {
      let looks = 0
      const [a, b] = [3, 7].map(step => Int32Array.from({ length }, (_, i) => (i * step * 7919) % 5003))
      const sequences = sequencesOf(a as Int32Array, b as Int32Array)
      const same = (x: number, y: number) => {
        looks++
        return sequences.same(x, y)
      }
      commonPairs({ ...sequences, same })
      expect(looks).toBeLessThan(2_500_000)
    },
  )
})
