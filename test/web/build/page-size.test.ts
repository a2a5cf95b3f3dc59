import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type Rolldown } from 'vite'
import { beforeAll, describe, expect, it } from 'vitest'

const WEB = join(import.meta.dirname, '../../../web')
const MOST_BYTES = 150 * 1024

/** The page, built as for a person and written nowhere. */
describe('the built page', () => {
  let files: (Rolldown.OutputChunk | Rolldown.OutputAsset)[]

  beforeAll(async () => {
    const config = { root: WEB, configFile: join(WEB, 'vite.config.ts'), logLevel: 'warn' } as const
    const built = (await build({ ...config, build: { write: false } })) as Rolldown.RolldownOutput
    files = built.output
  })

  const chunks = () => files.filter(file => file.type === 'chunk')
  const chunk = (name: string) => chunks().find(one => one.name === name)

  it('is at most 150 KiB of scripts, styles and markup, packed', () => {
    const sizes = files
      .filter(({ fileName }) => /\.(js|css|html)$/.test(fileName))
      .map(file => gzipSync(file.type === 'chunk' ? file.code : file.source).length)
    expect(sizes.length).toBeGreaterThan(4)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(MOST_BYTES)
  })

  it('has every module once: the drawing thread loads what the page loads', () => {
    const modules = chunks().flatMap(({ moduleIds }) => moduleIds)
    expect(new Set(modules).size).toBe(modules.length)
    const thread = chunk('drawing-thread')
    expect(thread?.moduleIds).toEqual([join(WEB, 'view/drawing-thread.ts')])
    const page = chunk('index') as Rolldown.OutputChunk
    expect(page.imports).toEqual(expect.arrayContaining(thread?.imports ?? ['nothing']))
    const name = thread?.fileName.split('/').at(-1) as string
    expect(
      chunks()
        .filter(({ code }) => code.includes(name))
        .map(({ name }) => name),
    ).toEqual(['index'])
  })

  it('has the parts of the instruments in files of their own, loaded when they are asked for', () => {
    const page = chunk('index') as Rolldown.OutputChunk
    for (const name of ['instruments-body', 'structure-body']) {
      const part = chunk(name) as Rolldown.OutputChunk
      expect(page.dynamicImports).toContain(part.fileName)
      expect(page.imports).not.toContain(part.fileName)
    }
    expect(page.moduleIds.filter(id => id.includes('uplot'))).toEqual([])
  })
})
