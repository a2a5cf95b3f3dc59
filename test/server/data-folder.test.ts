import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DataFolder } from '../../server/data-folder.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenscope-data-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the folder for compiled modules', () => {
  it('is its owner’s alone, and holds what this version of Node compiled and no other', () => {
    const old = join(folder, 'data', 'compile-cache', 'v1.2.3')
    mkdirSync(old, { recursive: true })
    writeFileSync(join(old, 'module'), 'compiled')
    const data = new DataFolder(join(folder, 'data'))
    expect(data.compileCache).toBeNull()
    data.open()
    data.close()
    expect(data.compileCache).toBe(join(folder, 'data', 'compile-cache', process.version))
    expect(statSync(data.compileCache as string).mode & 0o777).toBe(0o700)
    expect(existsSync(old)).toBe(false)
  })

  it('may be missing', () => {
    mkdirSync(join(folder, 'data'))
    writeFileSync(join(folder, 'data', 'compile-cache'), 'a file in its place')
    const data = new DataFolder(join(folder, 'data'))
    data.open()
    expect(data.compileCache).toBeNull()
    data.close()
  })
})

it('a file in place of the folder is named as one', () => {
  const file = join(folder, 'data')
  writeFileSync(file, '')
  expect(() => new DataFolder(file).open()).toThrow(
    `The data folder ${file} cannot be used: ${file} is a file. Use --data for another folder.`,
  )
})
