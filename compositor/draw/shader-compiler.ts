import { type StitchedShader, tellMessage } from '../../shaders/stitch.ts'

/**
 * Compiles a stitched shader, in the page as on Dawn in Node.
 *
 * @throws Error that names file and line of each error of the compiler
 */
export async function compileShader(device: GPUDevice, shader: StitchedShader): Promise<GPUShaderModule> {
  // What is wrong with it is told below, by file and line; the device need not tell it as well.
  device.pushErrorScope('validation')
  const module = device.createShaderModule({ label: shader.name, code: shader.code })
  const [{ messages }] = await Promise.all([module.getCompilationInfo(), device.popErrorScope()])
  const errors = messages.filter(({ type }) => type === 'error').map(message => tellMessage(shader, message))
  if (errors.length === 0) return module
  throw new Error(`The shader ${shader.name} does not compile: ${errors.join('; ')}`)
}
