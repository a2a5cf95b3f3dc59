import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'
import { beforeAll, describe, expect, it } from 'vitest'
import { sourceFiles } from './source-files.ts'

const ROOT = join(import.meta.dirname, '../..')
const MAX_LINES = 400
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+$/
const KEBAB_FOLDER = /^[a-z0-9]+(-[a-z0-9]+)*$/
const LEFT_OPEN = /\b(TODO|FIXME|XXX)\b/
// A reason is more than one letter after the colon (biome-ignore) or the directive (@ts-expect-error).
const SILENCED =
  /biome-ignore(?!\S*\s+[^:]+:\s*\S{2,})|@ts-ignore|@ts-nocheck|@ts-expect-error(?![:\s-]*\S{2,})/

/** What is held to the shape; tests, benches and the demo's texts are not. */
const files: { path: string; lines: string[] }[] = []

beforeAll(async () => {
  const paths = await sourceFiles(ROOT, ['.ts', '.tsx', '.wgsl', '.css', '.html'])
  for (const path of paths.filter(path => !/^(test\/|bench\/|bridge\/demo\/model\/corpus)/.test(path))) {
    files.push({ path, lines: (await readFile(join(ROOT, path), 'utf8')).trimEnd().split('\n') })
  }
})

/** `path:line: text` of every line that has what it should not have. */
function linesWith(pattern: RegExp): string[] {
  return files.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  )
}

describe('every source file', () => {
  it('was found', () => {
    expect(files.length).toBeGreaterThan(5)
  })

  it(`has at most ${MAX_LINES} lines`, () => {
    const long = files.filter(({ lines }) => lines.length > MAX_LINES)
    expect(long.map(({ path, lines }) => `${path} has ${lines.length}`)).toEqual([])
  })

  it('is named in kebab-case, and so are its folders', () => {
    const odd = files.filter(({ path }) => {
      const folders = path.split('/')
      const name = folders.pop() ?? ''
      return !KEBAB.test(name) || !folders.every(folder => KEBAB_FOLDER.test(folder))
    })
    expect(odd.map(({ path }) => path)).toEqual([])
  })

  it('leaves nothing open', () => {
    expect(linesWith(LEFT_OPEN)).toEqual([])
  })

  it('silences no check without saying why', () => {
    expect(linesWith(SILENCED)).toEqual([])
  })

  it('casts nothing to any', () => {
    const casts = files
      .filter(({ path }) => /\.tsx?$/.test(path))
      .flatMap(({ path, lines }) => castsToAny(path, lines.join('\n')))
    expect(casts).toEqual([])
  })
})

describe('the shape check itself', () => {
  it.each([
    ['// biome-ignore lint/suspicious/noExplicitAny: the library types it so', false],
    ['// biome-ignore lint/suspicious/noExplicitAny:', true],
    ['// biome-ignore lint/suspicious/noExplicitAny', true],
    ['// @ts-expect-error the types lack it', false],
    ['// @ts-expect-error', true],
    ['// @ts-ignore whatever', true],
  ])('judges %s', (line, isSilent) => {
    expect(SILENCED.test(line)).toBe(isSilent)
  })

  it('sees casts, not prose', () => {
    const source =
      '// as any other\nexport const a = "as any"\nexport const b = 1 as any\nexport const c = <any>2\n'
    expect(castsToAny('a.ts', source)).toEqual(['a.ts:3', 'a.ts:4'])
  })

  it('sees what is left open', () => {
    expect(LEFT_OPEN.test('// TODO: later')).toBe(true)
    expect(LEFT_OPEN.test('mkdtemp("XXXXXX")')).toBe(false)
  })
})

function castsToAny(path: string, source: string): string[] {
  const found: string[] = []
  const look = (node: { start: number; typeAnnotation: { type: string } }) => {
    if (node.typeAnnotation.type !== 'TSAnyKeyword') return
    found.push(`${path}:${source.slice(0, node.start).split('\n').length}`)
  }
  new Visitor({ TSAsExpression: look, TSTypeAssertion: look }).visit(parseSync(path, source).program)
  return found
}
