/** The files of `shaders/`, and the folder that what is made of them is written to. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { reasonOf, TokenscopeError } from '../events/errors.ts'
import { type ReadShader, type StitchedShader, stitch } from '../shaders/stitch.ts'

const SHADERS = join(import.meta.dirname, '../shaders')

/** Reads a file of `shaders/`. */
export const readShader: ReadShader = name => readFileSync(join(SHADERS, name), 'utf8')

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
    if (realpathSync(folder) === realpathSync(SHADERS)) throw new Error('the shaders’ own sources are there')
    // Only writing shows that it can be written to: to root everything seems to be allowed.
    rmdirSync(mkdtempSync(join(folder, '.try-')))
  } catch (cause) {
    const message = `--dump-wgsl ${folder} cannot be written to: ${reasonOf(cause)}.`
    throw new TokenscopeError('CONFIG', message, { cause, param: '--dump-wgsl' })
  }
}
