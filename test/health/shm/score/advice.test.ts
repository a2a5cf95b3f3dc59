import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PasAdvice, PasPlace } from '../../../../health/shm/report.ts'
import { toNineDigits } from '../../../../health/shm/score/pas.ts'
import { anySketch, report, type Sketch } from './trees.ts'

/** The tree with the advice taken, as a reader of its sentence and its places would take it. */
function taken(sketch: Sketch, { what, places }: PasAdvice): Sketch {
  const move = /^Move (.+) from “(.+)” to “(.+)”/.exec(what)
  if (move) {
    const [, path = '', , to] = move
    const other = `${to === '.' ? '' : `${to}/`}moved-${path.split('/').at(-1)}`
    const name = (file: string) => (file === path ? other : file)
    return {
      ...sketch,
      files: Object.fromEntries(Object.entries(sketch.files).map(([file, lines]) => [name(file), lines])),
      imports: sketch.imports.map(([from, to, line]) => [name(from), name(to), line] as const),
    }
  }
  const named = (from: string, to: string) => places.some(place => place.file === from && place.to === to)
  const kept = sketch.imports.filter(([from, to]) => !named(from, to))
  const turned = places
    .map(place => [place.to, place.file, place.line] as const)
    .filter(([from, to]) => !kept.some(other => other[0] === from && other[1] === to))
  return { ...sketch, imports: what.startsWith('Turn round') ? [...kept, ...turned] : kept }
}

function endsOf(places: readonly (PasPlace & { to: string })[]): string[] {
  return places.map(({ file, line, to }) => `${file}:${line} → ${to}`)
}

describe('advice', () => {
  test('brings what it says', () => {
    fc.assert(
      fc.property(anySketch(), sketch => {
        const { score, advice } = report(sketch)
        for (const piece of advice) {
          expect(report(taken(sketch, piece)).score).toBe(piece.score_then)
          expect(piece.gain).toBe(toNineDigits(piece.score_then - (score as number)))
          if (piece.breaks === undefined) expect(piece.gain).toBeGreaterThanOrEqual(0.0005)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('is at most five pieces and three about cycles, the best first, none about the same imports', () => {
    fc.assert(
      fc.property(anySketch(), sketch => {
        const { advice } = report(sketch)
        expect(advice.length).toBeLessThanOrEqual(8)
        expect(advice.slice(5).every(({ breaks }, i) => i < 3 || breaks !== undefined)).toBe(true)
        const gains = advice.map(({ gain }) => gain)
        expect(gains).toEqual(gains.toSorted((one, other) => other - one))
        expect(new Set(advice.map(({ places }) => endsOf(places).join())).size).toBe(advice.length)
      }),
    )
  })

  test('ends cycles, whatever it brings', () => {
    fc.assert(
      fc.property(anySketch(), sketch => {
        const { advice, sccs } = report(sketch)
        const broken = new Set(advice.flatMap(({ breaks }) => breaks ?? []))
        expect(broken.size).toBeGreaterThanOrEqual(Math.min(sccs.length, 3))
        for (const { breaks, ...piece } of advice.filter(({ breaks }) => breaks !== undefined)) {
          const scc = sccs.find(({ files }) => files[0] === breaks)
          const left = report(taken(sketch, piece)).sccs.map(({ files }) => files.join())
          expect(scc).toBeDefined()
          expect(left).not.toContain(scc?.files.join())
        }
      }),
      { numRuns: 300 },
    )
  })

  test('says how to end a cycle of two files in a large tree, and honestly what that brings', () => {
    const files = Array.from({ length: 2000 }, (_, i) => `${'abcdefgh'[i % 8]}/${i}.ts`)
    const { advice, score } = report({
      files: Object.fromEntries(files.map(file => [file, 40])),
      imports: [
        ...files.slice(8).map((file, i) => [file, files[i] as string] as const),
        [files[0] as string, files[8] as string, 3],
      ],
    })
    const piece = advice.find(({ breaks }) => breaks === 'a/0.ts')
    expect(piece?.what).toMatch(
      /^Remove the import of a\/[08]\.ts in a\/[08]\.ts: the cycle of 2 files around a\/0\.ts is gone\.$/,
    )
    expect(advice.filter(({ breaks }) => breaks !== undefined)).toEqual([piece])
    expect(piece?.gain).toBeLessThan(0.0005)
    expect(piece?.score_then).toBe(toNineDigits((score as number) + (piece?.gain as number)))
  })

  test('says which of two files that import each other should not', () => {
    // All parts rely on core, which relies on one file of app.
    const users = Array.from({ length: 30 }, (_, i) => `${'xyz'[i % 3]}/${i}.ts`)
    for (const [core, app] of [
      ['a/core.ts', 'b/app.ts'],
      ['b/core.ts', 'a/app.ts'],
    ] as const) {
      const { advice } = report({
        files: Object.fromEntries([core, app, ...users].map(file => [file, 40])),
        imports: [
          ...users.map(file => [file, core] as const),
          ...users.slice(0, 6).map(file => [app, file] as const),
          [core, app, 4],
          [app, core, 5],
        ],
      })
      const piece = advice.find(({ breaks }) => breaks === 'a/app.ts' || breaks === 'a/core.ts')
      expect(endsOf(piece?.places ?? [])).toContain(`${core}:4 → ${app}`)
    }
  })

  test('says which import closes a cycle', () => {
    const layers = ['a', 'b', 'c', 'd'].map(folder => `${folder}/x.ts`)
    const down = layers.slice(1).map((file, i) => [layers[i] as string, file, i + 1] as const)
    const { advice, score } = report({
      files: Object.fromEntries(layers.map(file => [file, 10])),
      imports: [...down, ['a/x.ts', 'c/x.ts', 8], ['a/x.ts', 'd/x.ts', 9], ['d/x.ts', 'a/x.ts', 7]],
    })
    expect(advice[0]?.what).toBe(
      'Remove the import of a/x.ts in d/x.ts: the cycle of 4 files around a/x.ts is gone.',
    )
    expect(endsOf(advice[0]?.places ?? [])).toEqual(['d/x.ts:7 → a/x.ts'])
    expect(advice[0]?.score_then).toBeGreaterThan(score as number)
  })

  test('says which import of a tangle matters most', () => {
    const ring = Array.from({ length: 8 }, (_, i) => [`a/${i}.ts`, `a/${(i + 1) % 8}.ts`] as const)
    const { advice } = report({
      files: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`a/${i}.ts`, 10])),
      imports: [...ring, ['a/0.ts', 'a/8.ts'], ['a/8.ts', 'a/0.ts'], ['a/8.ts', 'a/9.ts']],
    })
    const sentences = advice.map(({ what }) => what)
    expect(sentences[0]).toBe('Remove 2 imports: the cycle of 9 files around a/0.ts is gone.')
    expect(sentences).toContainEqual(
      expect.stringMatching(
        /^Remove the import of .*: 7 of the 9 files in the cycle around a\/0\.ts are on no cycle then\.$/,
      ),
    )
  })

  test('says which file lies in the wrong subsystem', () => {
    const [left, right] = ['left', 'right'].map(side =>
      Array.from({ length: 6 }, (_, i) => `${side}/${i}.ts`),
    )
    const chain = (files: string[] = []) =>
      files.slice(1).map((file, i) => [files[i] as string, file] as const)
    const { advice } = report({
      files: Object.fromEntries([...(left ?? []), ...(right ?? []), 'left/stray.ts'].map(path => [path, 10])),
      imports: [
        ...chain(left),
        ...chain(right),
        ['left/0.ts', 'left/stray.ts'],
        ...(right ?? []).map(file => ['left/stray.ts', file, 5] as const),
      ],
    })
    const move = advice.find(({ what }) => what.startsWith('Move'))
    expect(move?.what).toBe(
      'Move left/stray.ts from “left” to “right”: 6 of the 7 imports from and to it are there.',
    )
    expect(endsOf(move?.places ?? [])).toEqual((right ?? []).map(file => `left/stray.ts:5 → ${file}`))
  })

  test('says which subsystem should not know another', () => {
    const users = Array.from({ length: 12 }, (_, i) => `app/${i}.ts`)
    const { advice } = report({
      files: { 'core/a.ts': 60, 'core/b.ts': 60, ...Object.fromEntries(users.map(path => [path, 10])) },
      imports: [
        ...users.map(path => [path, 'core/a.ts', 1] as const),
        ['core/b.ts', 'app/0.ts', 4],
        ['core/b.ts', 'app/1.ts', 5],
      ],
    })
    const piece = advice.find(({ what }) => what.includes('“core”'))
    expect(piece?.what).toMatch(
      /^(Remove|Turn round) the 2 imports of “app” in “core”: “core” is more stable than “app”/,
    )
    expect(endsOf(piece?.places ?? [])).toEqual(['core/b.ts:4 → app/0.ts', 'core/b.ts:5 → app/1.ts'])
  })

  test('says over which import most ways lead', () => {
    const [top, bottom] = ['a', 'b'].map(side => Array.from({ length: 10 }, (_, i) => `${side}/${i}.ts`))
    const { advice } = report({
      files: Object.fromEntries(
        [...(top ?? []), ...(bottom ?? []), 'a/hub.ts', 'b/hub.ts'].map(path => [path, 10]),
      ),
      imports: [
        ...(top ?? []).map(file => [file, 'a/hub.ts'] as const),
        ['a/hub.ts', 'b/hub.ts', 3],
        ...(bottom ?? []).map(file => ['b/hub.ts', file] as const),
      ],
    })
    expect(advice.map(({ what }) => what)).toContain(
      'Remove the import of b/hub.ts in a/hub.ts: 121 ways from file to file lead over it alone.',
    )
  })

  test('has nothing to say about files that stand alone', () => {
    expect(report({ files: { 'a/x.ts': 10, 'b/x.ts': 10 }, imports: [] }).advice).toEqual([])
  })
})
