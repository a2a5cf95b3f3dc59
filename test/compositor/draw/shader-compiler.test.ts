import { describe, expect, it } from 'vitest'
import { compileShader } from '../../../compositor/draw/shader-compiler.ts'
import { readShader } from '../../../compositor/shader-files.ts'
import { stitch } from '../../../shaders/stitch.ts'
import { noGpu, useGpu } from '../../support/gpu.ts'

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
  })

  it('gives a module, without errors on the side', async () => {
    const device = await gpu.device()
    await compileShader(device, stitch('map.wgsl', readShader))
    expect(await gpu.faults()).toEqual([])
  })
})
