/** What must hold of every tree, whatever it looks like. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PasReport } from '../../../../health/shm/report.ts'
import { toNineDigits } from '../../../../health/shm/score/pas.ts'
import { anySketch, report, type Sketch } from './trees.ts'

/** Acyclicity and coupling, raw and calibrated. */
function monotone({ dimensions: { symmetry, coupling } }: PasReport): number[] {
  const { acyclicity } = symmetry.parts
  return [acyclicity.raw, acyclicity.value, coupling.raw, coupling.value].map(number => number ?? 1)
}

/** The tree with other paths; no two may become the same. */
function renamed({ files, imports, ...rest }: Sketch, name: (path: string) => string): Sketch {
  return {
    ...rest,
    files: Object.fromEntries(Object.entries(files).map(([path, lines]) => [name(path), lines])),
    imports: imports.map(([from, to, line]) => [name(from), name(to), line] as const),
  }
}

/** What a report says of the tree and not of its files' names. */
function scored({ score, status, dimensions, counts, also }: PasReport) {
  return { score, status, dimensions, counts, also }
}

describe('removing or adding an import', () => {
  test('never lowers, and never raises, acyclicity and coupling', () => {
    fc.assert(
      fc.property(anySketch(), sketch => {
        const all = monotone(report(sketch))
        sketch.imports.forEach((_, gone) => {
          const fewer = monotone(report({ ...sketch, imports: sketch.imports.toSpliced(gone, 1) }))
          fewer.forEach((value, i) => {
            expect(value).toBeGreaterThanOrEqual(all[i] as number)
          })
        })
      }),
      { numRuns: 60 },
    )
  })
})

describe('evenness', () => {
  test('of equal sizes is 1', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 300 }), fc.integer({ min: 1, max: 1e6 }), (parts, lines) => {
        const files = Object.fromEntries(Array.from({ length: parts }, (_, i) => [`p${i}/a.ts`, lines]))
        const { evenness } = report({ files, imports: [] }).dimensions.symmetry.parts
        expect(evenness).toEqual({ raw: 1, value: 1 })
      }),
    )
  })
})

describe('renaming files, and so reordering them,', () => {
  test('changes no score, but the tree hash', () => {
    const cases = anySketch().chain(sketch => {
      const paths = Object.keys(sketch.files)
      const order = fc.shuffledSubarray([...paths.keys()], { minLength: paths.length })
      return fc.tuple(fc.constant(sketch), order, fc.shuffledSubarray(['x', 'y', 'z'], { minLength: 3 }))
    })
    fc.assert(
      fc.property(cases, ([sketch, order, folders]) => {
        const paths = Object.keys(sketch.files)
        const other = renamed(sketch, path => {
          const folder = path.includes('/') ? `${folders['abc'.indexOf(path[0] as string)]}/` : ''
          return `${folder}g${order[paths.indexOf(path)]}.ts`
        })
        const [one, two] = [report(sketch), report(other)]
        expect(scored(two)).toEqual(scored(one))
        expect(two.sccs.map(({ size, edges, cycle }) => [size, edges, cycle.length]).sort()).toEqual(
          one.sccs.map(({ size, edges, cycle }) => [size, edges, cycle.length]).sort(),
        )
        expect(two.ids.tree).not.toBe(one.ids.tree)
      }),
    )
  })
})

describe('two disjoint copies of a tree as two subsystems', () => {
  test('have modularity 1 and evenness 1', () => {
    fc.assert(
      fc.property(anySketch(), ({ files, imports }) => {
        const [one, two] = ['left', 'right'].map(side =>
          renamed({ files, imports }, path => `${side}/${path}`),
        ) as [Sketch, Sketch]
        const { dimensions, counts } = report({
          files: { ...one.files, ...two.files },
          imports: [...one.imports, ...two.imports],
        })
        const lines = counts.lines > 0 ? 1 : null
        expect(dimensions.symmetry.parts.evenness.raw).toBe(lines)
        expect(dimensions.modularity.raw).toBe(imports.length > 0 ? 1 : null)
        expect(dimensions.modularity.value).toBe(imports.length > 0 ? 1 : null)
        expect(dimensions.consistency.raw).toBeNull()
      }),
    )
  })
})

test('every number is in [0, 1] and has at most 9 digits', () => {
  fc.assert(
    fc.property(anySketch(), sketch => {
      const { score, dimensions } = report(sketch)
      const { evenness, acyclicity } = dimensions.symmetry.parts
      const parts = [...Object.values(dimensions), evenness, acyclicity]
      for (const number of [score, ...parts.flatMap(({ raw, value }) => [raw, value])]) {
        if (number === null) continue
        expect(number).toBeGreaterThanOrEqual(0)
        expect(number).toBeLessThanOrEqual(1)
        expect(toNineDigits(number)).toBe(number)
      }
    }),
  )
})

test('the same tree makes the same report', () => {
  fc.assert(
    fc.property(anySketch(), sketch => {
      const other = { ...sketch, imports: sketch.imports.toReversed() }
      expect(JSON.stringify(report(other))).toBe(JSON.stringify(report(sketch)))
    }),
  )
})
