import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkSame, componentsIn, edgesOf, type FileGraph, partOf } from '../../../bench/shm/comparison.ts'
import { componentsOf } from '../../../health/shm/graph/components.ts'
import { graphOf } from '../../../health/shm/graph.ts'

const NAMES = ['ours', 'theirs'] as const

/** `{ a: 'b c' }`: a imports b and c. */
function graph(imports: Record<string, string>): FileGraph {
  return new Map(
    Object.entries(imports).map(([from, to]) => [from, new Set(to.split(' ').filter(name => name !== ''))]),
  )
}

const anyGraph = fc.integer({ min: 1, max: 12 }).chain(count =>
  fc.tuple(
    fc.constant(count),
    fc.uniqueArray(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), {
      maxLength: 40,
      selector: ([from, to]) => `${from} ${to}`,
    }),
  ),
)

describe('checkSame', () => {
  const tangled = graph({ a: 'b', b: 'c', c: 'a', d: 'a e', e: 'd', f: '' })

  it('counts what both have', () => {
    expect(checkSame(tangled, tangled, NAMES)).toEqual({
      files: 6,
      edges: 6,
      components: 2,
      inComponents: 5,
      explained: new Map(),
    })
  })

  it('names a file that one lacks', () => {
    const more = graph({ a: 'b', b: '', c: '' })
    const less = graph({ a: 'b', b: '' })
    expect(() => checkSame(more, less, NAMES)).toThrow('1 files that only ours has: c')
    expect(() => checkSame(less, more, NAMES)).toThrow('1 files that only theirs has: c')
  })

  it('names an import that one lacks, and the cycle that is gone with it', () => {
    const cut = graph({ a: 'b', b: 'c', c: '', d: 'a e', e: 'd', f: '' })
    const check = () => checkSame(cut, tangled, NAMES)
    expect(check).toThrow('1 imports that only theirs has: c -> a')
    expect(check).toThrow('1 cycles that only theirs has: 3 files (a, b, c)')
    expect(check).not.toThrow('only ours')
  })

  it('lists the first ones of many, and says how many more there are', () => {
    const star = graph({ a: 'b c d e f g h i j k' })
    expect(() => checkSame(star, graph({ a: '' }), NAMES)).toThrow('a -> i, and 2 more')
  })

  it('sets aside what is explained and only that, and tells how much it was', () => {
    const known = { name: 'a known one', isOurs: ({ to }: { to: string }) => to === 'x' }
    const ours = graph({ a: 'b x', b: 'x', x: 'a' })
    const theirs = graph({ a: 'b', b: '', x: 'a' })
    expect(checkSame(ours, theirs, NAMES, [known])).toMatchObject({
      edges: 2,
      components: 0,
      explained: new Map([['a known one', 2]]),
    })
    expect(() => checkSame(theirs, ours, NAMES, [known])).toThrow('2 imports that only theirs has')
    // What both have is compared whether or not it could be explained.
    expect(checkSame(ours, ours, NAMES, [known])).toMatchObject({ edges: 4, explained: new Map() })
  })
})

describe('partOf', () => {
  it('holds the files of a part and the imports between them', () => {
    const whole = graph({ 'a/x': 'a/y b/x', 'a/y': '', 'b/x': 'a/x' })
    expect(edgesOf(partOf(whole, path => path.startsWith('a/')))).toEqual(['a/x -> a/y'])
  })
})

describe('componentsIn', () => {
  it('gives the largest first, each by name', () => {
    expect(componentsIn(graph({ z: 'y', y: 'z', c: 'a', a: 'b', b: 'c', q: 'z' }))).toEqual([
      ['a', 'b', 'c'],
      ['y', 'z'],
    ])
  })

  it('finds the components that Tarjan’s walk finds', () => {
    fc.assert(
      fc.property(anyGraph, ([count, pairs]) => {
        const files = Array.from({ length: count }, (_, i) => String(i))
        const named = new Map(
          files.map((file, i) => [
            file,
            new Set(pairs.flatMap(([from, to]) => (from === i && to !== i ? [String(to)] : []))),
          ]),
        )
        const { of, sizes } = componentsOf(
          graphOf(
            count,
            pairs.map(([from, to]) => ({ from, to, line: 1 })),
          ),
        )
        const members = [...sizes.keys()]
          .map(component => files.filter((_, i) => of[i] === component))
          .filter(({ length }) => length > 1)
        const sorted = (all: string[][]) => all.map(one => [...one].sort().join()).sort()
        expect(sorted(componentsIn(named))).toEqual(sorted(members))
      }),
    )
  })

  it('walks a chain that is longer than a stack is deep', () => {
    const length = 20_000
    const ring = new Map(
      Array.from({ length }, (_, i) => [String(i), new Set([String((i + 1) % length)])] as const),
    )
    expect(componentsIn(ring).map(({ length: size }) => size)).toEqual([length])
  })
})
