import { describe, expect, it } from 'vitest'
import { COLORS, LAYOUTS } from '../../broadcast/protocol/view.ts'
import type { Engine } from '../../compositor/engine.ts'
import { CpuEngine } from '../../compositor/engine-cpu.ts'
import { readShader } from '../../compositor/shader-files.ts'
import { TokenPage } from '../../compositor/tokens/token-page.ts'
import { ALL_KINDS, NO_TIME } from '../../compositor/view/tiles-request.ts'
import { noGpu, useGpu } from '../support/gpu.ts'
import { randomFrom } from '../support/random.ts'
import { randomPage } from '../support/random-page.ts'
import { rounds } from '../support/rounds.ts'
import { borderPage, TILES_SLOTS, tilesPage } from '../support/tiles-request.ts'
import { differences } from '../support/words.ts'

/**
 * Every integer in the code of a shader, not in its comments, made one larger and one smaller; but for constants
 * of record.wgsl, which constants.test.ts compares.
 */
function mutants(file: string) {
  const text = readShader(file)
  const skipped = file === 'record.wgsl' ? /\/\/.*|^const .*/gm : /\/\/.*/g
  const code = text.replaceAll(skipped, part => ' '.repeat(part.length))
  return [...code.matchAll(/(?<![\w.])(0x[0-9a-f]+|\d+)(?=u?\b)/g)].flatMap(({ 0: constant, index }) => {
    const line = code.slice(0, index).split('\n').length
    return [Number(constant) + 1, Number(constant) - 1].map(other => ({
      file,
      line,
      // Its name, where it has one.
      where: /^(?:const|override) (\w+)/.exec(code.split('\n')[line - 1] as string)?.[1] ?? String(line),
      constant,
      other,
      text: text.slice(0, index) + other + text.slice(index + constant.length),
    }))
  })
}

/** Changes that change nothing, and why. */
const EQUIVALENT = new Set([
  // Bit 0 of `swaps` is read only where bit 0 of `low` is set, and there `~(low | high)` has none to mask.
  'hilbert.wgsl:25 0xffff 65534',
  // What is overridden in every pipeline.
  'tiles.wgsl:LAYOUT 0 1',
  'tiles.wgsl:COLOR 0 1',
  // As far from any cell.
  'tiles.wgsl:NOWHERE 0xffffffff 4294967294',
  // A turn beyond the chunk's end.
  'tiles.wgsl:TURNS 16 17',
])

// Not flow.wgsl, whose loops might never end.
const FILES = ['hilbert', 'map', 'range', 'timeline', 'record', 'channels', 'tiles'].map(
  name => `${name}.wgsl`,
)
const ALL_MUTANTS = FILES.flatMap(mutants)
// A tenth of them in `pnpm test`.
const MUTANTS = ALL_MUTANTS.filter((_, i) => rounds(20) === 20 || i % 10 === 0)

/** Pages whose numbers have all bits, and both values of each. */
const NUMBERS = [0, 0x555, 0xaaa, 0xfff, 0x3c5, 0xc3a]
const FIRSTS = [0, 0x5_5555, 0xa_aaaa, 0xf_f000]
/** Three rows of three workgroups. */
const COUNT = 3 * 3 * 256

// That GPU and CPU agree is worth what the comparison would notice.
describe.skipIf(noGpu)(`the comparison with the twin ${noGpu ?? ''}`, () => {
  const gpu = useGpu()
  const empty = NUMBERS.map(number => new TokenPage(number))
  const pages = [0, 1, 2].map(tilesPage)
  const border = borderPage()
  const triple = randomPage(randomFrom(1), { generations: 48, chunks: 1 })
  const lanes = Uint32Array.from({ length: TILES_SLOTS }, (_, slot) => slot * 3)
  const generations = Uint32Array.from(lanes, lane => (lane === 21 ? 0xffff_ffff : lane % 9)).reduce(
    (rows, lane, slot) => {
      rows.set([lane, slot === 5 ? 0 : 1, slot % 3, slot * 2], slot * 4)
      return rows
    },
    new Uint32Array(TILES_SLOTS * 4),
  )
  const panels = Uint32Array.from({ length: TILES_SLOTS * 2 }, (_, i) => (i * 7) % 16)
  const filters = [
    { t: NO_TIME, since: 0, kinds: ALL_KINDS },
    { t: 50_000, since: 20_000, kinds: 5 },
  ]
  const base = { generations, panels, panelSide: 24, left: -1, top: -1, width: 34, height: 34 }

  /** All that the shaders are asked. */
  async function* answers(engine: Engine): AsyncGenerator<Uint32Array> {
    const all = { ...base, ...(filters[0] as (typeof filters)[0]), layout: 'map' as const, z: 16 }
    for (const color of ['confidence', 'entropy'] as const) yield engine.tiles({ ...all, color }, [border])
    // Three workgroups, all of whose invocations are needed.
    const every = new Uint32Array(48 * 4).fill(1)
    yield engine.tiles({ ...all, generations: every, color: 'kind', z: 4 }, [triple])
    yield engine.tiles({ ...all, generations: every, color: 'kind', z: 0 }, [triple])
    for (const page of empty)
      for (const first of FIRSTS) yield engine.places('map', page, lanes, first, first + COUNT)
    for (const page of pages) {
      const first = page.chunks.findIndex(word => word > 0) * 32
      yield engine.places('timeline', page, lanes, first + 3, first + COUNT)
      for (const layout of LAYOUTS) {
        for (const [i, color] of COLORS.entries()) {
          const z = { map: 11, flow: 2, timeline: 12 }[layout]
          yield engine.tiles({ ...base, layout, color, z, ...(filters[i & 1] as (typeof filters)[0]) }, [
            page,
          ])
        }
      }
    }
  }

  const expected = (async () => {
    const all: Uint32Array[] = []
    for await (const words of answers(new CpuEngine())) all.push(words)
    return all
  })()

  /** What is wrong with what the engine answers; null if nothing. */
  async function wrong(read: (name: string) => string): Promise<string | null> {
    try {
      const engine = await gpu.engine({ read, maxWorkgroups: 3 })
      let at = 0
      for await (const words of answers(engine)) {
        const [difference] = differences(words, (await expected)[at++] as Uint32Array)
        if (difference !== undefined) return difference
      }
      return (await gpu.faults())[0] ?? null
    } catch (error) {
      await gpu.faults()
      return String(error)
    }
  }

  it('has nothing against the shaders as they are', async () => {
    expect(await wrong(readShader)).toBeNull()
  })

  it('asks about something', async () => {
    for (const words of await expected) expect(words.some(word => word > 0)).toBe(true)
  })

  it('found the constants', () => {
    expect(ALL_MUTANTS.length).toBeGreaterThan(150)
  })

  it.each(MUTANTS)('notices $file:$line with $other for $constant', async ({ text, ...mutant }) => {
    const { file, where, constant, other } = mutant
    const found = await wrong(name => (name === file ? text : readShader(name)))
    // Those that are thought to be the same must be so as well.
    expect(found === null).toBe(EQUIVALENT.has(`${file}:${where} ${constant} ${other}`))
  })
})
