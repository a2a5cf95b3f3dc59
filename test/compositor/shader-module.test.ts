import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compileShader, loadShader, prepareDump, readShader } from '../../compositor/shader-module.ts'
import { TokenscopeError } from '../../events/errors.ts'
import { stitch } from '../../shaders/stitch.ts'
import { noGpu, useGpu } from '../support/gpu.ts'

describe('a shader that is dumped', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tokenscope-wgsl-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('is written as the compiler gets it, into a folder that is made for it', () => {
    const dump = join(folder, 'new')
    prepareDump(dump)
    prepareDump(dump)
    const { code } = loadShader('map.wgsl', readShader, dump)
    expect(readFileSync(join(dump, 'map.wgsl'), 'utf8')).toBe(code)
    expect(code).toMatch(/fn map_place[\s\S]*fn layout_map/)
    expect(code).not.toContain('#import')
  })

  it('is refused where nothing can be written', () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    for (const path of [file, join(folder, 'neither', 'nor')]) {
      expect(() => prepareDump(path)).toThrow(TokenscopeError)
      expect(() => prepareDump(path)).toThrow(`--dump-wgsl ${path} cannot be written to: `)
    }
  })
})

describe.skipIf(noGpu)(`compileShader ${noGpu ?? ''}`, () => {
  const gpu = useGpu()

  it('names file and line of each error, in whatever module it stands', async () => {
    const files: Record<string, string> = {
      'a.wgsl': '// a\n#import b.wgsl\nfn a() -> u32 { return b() + c(); }\n#import c.wgsl\n',
      'b.wgsl': '// b\n\nfn b() -> u32 {\n  return 1.5;\n}\n',
      'c.wgsl': 'fn c() -> u32 { return 1u; }\n',
    }
    const shader = stitch('a.wgsl', name => files[name] as string)
    const compiling = compileShader(await gpu.device(), shader)
    await expect(compiling).rejects.toThrow(
      /^The shader a\.wgsl does not compile: b\.wgsl:4: .*cannot convert.*f?loat.*u32/,
    )
    await expect(compiling).rejects.toMatchObject({ code: 'INTERNAL' })
  })

  it('gives a module, without errors on the side', async () => {
    const device = await gpu.device()
    await compileShader(device, stitch('map.wgsl', readShader))
    expect(await gpu.faults()).toEqual([])
  })

  it('fails an engine whose shader has no such entry point', async () => {
    const read = () => '@compute @workgroup_size(1) fn other() {}'
    await expect(gpu.engine(256, { read })).rejects.toThrow(/^The shader map\.wgsl makes no pipeline: /)
  })
})
