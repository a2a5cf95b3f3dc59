import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadShader, prepareDump, readShader } from '../../compositor/shader-files.ts'
import { TokenscopeError } from '../../events/errors.ts'

const SHADERS = join(import.meta.dirname, '../../shaders')

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

  it('is not written over its own source', () => {
    const link = join(folder, 'link')
    symlinkSync(SHADERS, link)
    for (const path of [SHADERS, `${SHADERS}/`, link]) {
      expect(() => prepareDump(path)).toThrow(`--dump-wgsl ${path} cannot be written to: `)
    }
  })
})
