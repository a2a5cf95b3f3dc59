/** The score held against its definition, written down a second time: in shares and matrices, without a thought for speed. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CALIBRATION, type Knots } from '../../../../health/shm/score/calibration.ts'
import { mutual, waysOf } from '../graph/graphs.ts'
import { anySketch, found, report, type Sketch } from './trees.ts'

type Defined = Record<
  'evenness' | 'acyclicity' | 'coupling' | 'modularity' | 'consistency' | 'stability',
  number | null
>

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** The line through the knots, from the definition of a line through two points. */
function line(knots: Knots, x: number): number {
  const next = knots.findIndex(([at]) => at >= x)
  if (next === -1) return knots.at(-1)?.[1] as number
  const [[x0, y0], [x1, y1]] = [knots[Math.max(0, next - 1)] ?? [0, 0], knots[next] ?? [0, 0]]
  return x1 === x0 ? y1 : y0 + ((y1 - y0) * (x - x0)) / (x1 - x0)
}

/** Raw values, and PC without what reaches itself. */
function definition(sketch: Sketch): Defined & { others: number } {
  const { graph, lines, partition } = found(sketch)
  const parts = [...partition.subsystems.keys()]
  const n = graph.count
  const loc = parts.map(part => sum([...lines].filter((_, file) => partition.of[file] === part)))
  const shares = loc.map(size => size / sum(loc)).filter(share => share > 0)
  const H = -sum(shares.map(share => share * Math.log(share)))
  const cyclic = mutual(graph)
    .filter(({ length }) => length > 1)
    .flat().length
  const PC = waysOf(graph).flat().filter(Boolean).length / n ** 2

  const ends = sketch.imports.map(
    ends => ends.slice(0, 2).map(path => partOf(String(path))) as [string, string],
  )
  const names = partition.subsystems.map(({ name }) => name)
  const e = names.map(from =>
    names.map(to => ends.filter(pair => pair[0] === from && pair[1] === to).length / ends.length),
  )
  const a = e.map(sum)
  const b = parts.map(to => sum(e.map(row => row[to] as number)))
  const expected = sum(parts.map(part => (a[part] as number) * (b[part] as number)))
  const trace = sum(parts.map(part => e[part]?.[part] as number))

  const cross = ends.filter(([from, to]) => from !== to)
  const instability = (name: string) => {
    const Ce = cross.filter(([from]) => from === name).length
    return Ce / (Ce + cross.filter(([, to]) => to === name).length)
  }
  const bad = cross.filter(([from, to]) => instability(from) < instability(to)).length
  const [t, x] = sketch.commits ?? [0, 0]
  return {
    evenness: names.length > 1 && sum(loc) > 0 ? H / Math.log(names.length) : null,
    acyclicity: 1 - cyclic / n,
    coupling: n < 2 ? null : 1 - PC,
    others: (PC * n - 1) / (n - 1),
    modularity:
      ends.length === 0 || expected > 1 - 1e-9 ? null : Math.max(0, (trace - expected) / (1 - expected)),
    consistency: cross.length === 0 ? null : 1 - bad / (cross.length + 10),
    stability: t === 0 ? null : 1 - x / (t + 20),
  }
}

function partOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] as string) : '.'
}

function close(told: number | null, defined: number | null): void {
  if (told === null || defined === null) expect(told).toBe(defined)
  else expect(Math.abs(told - defined)).toBeLessThan(1e-8)
}

test('is the score that the definition gives', () => {
  fc.assert(
    fc.property(anySketch(), sketch => {
      const { score, dimensions } = report(sketch)
      const { others, ...raw } = definition(sketch)
      const calibrated = (name: keyof typeof CALIBRATION) =>
        raw[name] === null
          ? null
          : line(CALIBRATION[name], name === 'coupling' ? others : (raw[name] as number))
      const even = calibrated('evenness')
      const A = raw.acyclicity as number
      const values: [weight: number, value: number | null][] = [
        [0.35, even === null ? A : 0.7 * even + 0.3 * A],
        [0.25, calibrated('coupling')],
        [0.15, calibrated('modularity')],
        [0.15, calibrated('consistency')],
        [0.1, calibrated('stability')],
      ]
      const { symmetry, coupling, modularity, consistency, stability } = dimensions
      close(symmetry.raw, raw.evenness === null ? A : 0.7 * raw.evenness + 0.3 * A)
      close(symmetry.parts.evenness.raw, raw.evenness)
      close(symmetry.parts.evenness.value, even)
      close(symmetry.parts.acyclicity.value, A)
      for (const [i, dimension] of [symmetry, coupling, modularity, consistency, stability].entries())
        close(dimension.value, values[i]?.[1] ?? null)
      for (const name of ['coupling', 'modularity', 'consistency', 'stability'] as const)
        close(dimensions[name].raw, raw[name])

      const defined = values.filter((entry): entry is [number, number] => entry[1] !== null)
      const all = sum(defined.map(([weight]) => weight))
      close(
        score,
        defined.reduce((product, [weight, value]) => product * Math.max(value, 0.01) ** (weight / all), 1),
      )
    }),
    { numRuns: 500 },
  )
})
