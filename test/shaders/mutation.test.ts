import { describe, expect, it } from 'vitest'
import { layoutMap } from '../../compositor/map.ts'
import { readShader } from '../../compositor/shader-files.ts'
import { noGpu, useGpu } from '../support/gpu.ts'
import { pageOf, randomCells } from '../support/pages.ts'

/** Every integer in the code of a shader, not in its comments, made one larger and one smaller. */
function mutants(file: string) {
  const text = readShader(file)
  const code = text.replaceAll(/\/\/.*/g, comment => ' '.repeat(comment.length))
  return [...code.matchAll(/\b(0x[0-9a-f]+|\d+)(?=u?\b)/g)].flatMap(({ 0: constant, index }) => {
    const line = code.slice(0, index).split('\n').length
    return [Number(constant) + 1, Number(constant) - 1].map(other => ({
      file,
      line,
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
])

const MUTANTS = ['hilbert.wgsl', 'map.wgsl'].flatMap(mutants)

// That GPU and CPU agree is worth what the comparison would notice.
describe.skipIf(noGpu)(`the comparison with the twin ${noGpu ?? ''}`, () => {
  const gpu = useGpu()
  // Three rows of three workgroups, each of them full.
  const [FROM, TO] = [300, 300 + 3 * 3 * 256]
  const cells = randomCells(TO + 100, 5)
  const expected = new Uint32Array(cells.length).fill(7)
  layoutMap(cells, expected, FROM, TO)

  /** What is wrong with what the engine makes of `cells[FROM … TO)`; null if nothing. */
  async function wrong(read: (name: string) => string): Promise<string | null> {
    try {
      const engine = await gpu.engine(cells.length, { read, maxWorkgroups: 3 })
      const page = pageOf(cells)
      await engine.layOut(page, FROM, TO)
      const [fault] = await gpu.faults()
      if (fault !== undefined) return fault
      return page.places.every((place, i) => place === expected[i]) ? null : 'places differ'
    } catch (error) {
      await gpu.faults()
      return String(error)
    }
  }

  it('has nothing against the shaders as they are', async () => {
    expect(await wrong(readShader)).toBeNull()
  })

  it('found the constants', () => {
    expect(MUTANTS.length).toBeGreaterThan(50)
  })

  it.each(MUTANTS)('notices $file:$line with $other for $constant', async ({ text, ...mutant }) => {
    const { file, line, constant, other } = mutant
    const found = await wrong(name => (name === file ? text : readShader(name)))
    // Those that are thought to be the same must be so as well.
    expect(found === null).toBe(EQUIVALENT.has(`${file}:${line} ${constant} ${other}`))
  })
})
