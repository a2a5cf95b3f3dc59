import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readShader } from '../../compositor/shader-files.ts'
import { stitch, tellMessage } from '../../shaders/stitch.ts'
import { noGpu, useGpu } from '../support/gpu.ts'

const SHADERS = readdirSync(join(import.meta.dirname, '../../shaders'))
  .filter(name => name.endsWith('.wgsl'))
  .sort()

it('there are shaders to compile', () => {
  expect(SHADERS).toContain('map.wgsl')
})

describe.skipIf(noGpu)(`every shader, on Dawn ${noGpu ?? ''}`, () => {
  const gpu = useGpu()

  // Those that others import as well: each is whole by itself.
  it.each(SHADERS)('%s compiles, and the compiler has nothing to say', async name => {
    const device = await gpu.device()
    const shader = stitch(name, readShader)
    const module = device.createShaderModule({ label: name, code: shader.code })
    const { messages } = await module.getCompilationInfo()
    expect(messages.map(message => `${message.type}: ${tellMessage(shader, message)}`)).toEqual([])
    for (const [, entryPoint] of shader.code.matchAll(/@compute\s[^{]*?\bfn\s+(\w+)/g)) {
      const compute = { module, entryPoint: entryPoint as string }
      await device.createComputePipelineAsync({ layout: 'auto', compute })
    }
  })
})
