/** From a file in `shaders/` to a module that the GPU runs. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reasonOf, TokenscopeError } from '../events/errors.ts'
import { type ReadShader, type StitchedShader, stitch, tellMessage } from '../shaders/stitch.ts'

const SHADERS = join(import.meta.dirname, '../shaders')

/** Reads a file of `shaders/`. */
export const readShader: ReadShader = name => readFileSync(join(SHADERS, name), 'utf8')

/**
 * Compiles a stitched shader.
 *
 * @throws TokenscopeError INTERNAL that names file and line of each error of the compiler
 */
export async function compileShader(device: GPUDevice, shader: StitchedShader): Promise<GPUShaderModule> {
  // What is wrong with it is told below, by file and line; the device need not tell it as well.
  device.pushErrorScope('validation')
  const module = device.createShaderModule({ label: shader.name, code: shader.code })
  const [{ messages }] = await Promise.all([module.getCompilationInfo(), device.popErrorScope()])
  const errors = messages.filter(({ type }) => type === 'error').map(message => tellMessage(shader, message))
  if (errors.length === 0) return module
  throw new TokenscopeError('INTERNAL', `The shader ${shader.name} does not compile: ${errors.join('; ')}`)
}

/**
 * The shader `name`, its imports in it.
 *
 * @param dump folder that its text is written to as well; null for none
 * @throws Error if it cannot be read or written
 */
export function loadShader(name: string, read: ReadShader, dump: string | null): StitchedShader {
  const shader = stitch(name, read)
  if (dump !== null) writeFileSync(join(dump, name), shader.code)
  return shader
}

/**
 * Creates the folder that shaders are written to, if need be; what is above it must be there.
 *
 * @throws TokenscopeError CONFIG if nothing can be written to it
 */
export function prepareDump(folder: string): void {
  try {
    if (!existsSync(folder)) mkdirSync(folder)
    // Only writing shows that it can be written to: to root everything seems to be allowed.
    rmdirSync(mkdtempSync(join(folder, '.try-')))
  } catch (cause) {
    const message = `--dump-wgsl ${folder} cannot be written to: ${reasonOf(cause)}.`
    throw new TokenscopeError('CONFIG', message, { cause, param: '--dump-wgsl' })
  }
}
