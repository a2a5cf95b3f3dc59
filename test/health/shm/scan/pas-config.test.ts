import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { Compile } from 'typebox/compile'
import { describe, expect, it } from 'vitest'
import {
  checkedPasConfig,
  excludedBy,
  PasConfigError,
  readPasConfig,
} from '../../../../health/shm/scan/pas-config.ts'
import { PAS_CONFIG_SCHEMA } from '../../../../health/shm/scan/pas-config-schema.ts'
import { policyOf } from '../../../../health/shm/scan/policy.ts'
import { Folder } from './folder.ts'

const FULL = {
  $schema: './docs/pas.schema.json',
  subsystems: { 'the bridge': ['bridge/**', '*.ts'], web: ['web'] },
  exclude: ['**/*.gen.ts'],
  include_tests: true,
  include_dirs: ['include'],
  gate_stability: false,
}

async function told(text: string): Promise<unknown> {
  using folder = new Folder()
  return await readPasConfig(folder.write({ 'pas.config.json': text }).path)
}

describe('pas.config.json', () => {
  it('is read whole, or is not there', async () => {
    expect(await told(`\ufeff${JSON.stringify(FULL)}`)).toEqual(FULL)
    expect(await told('{}')).toEqual({})
    using folder = new Folder()
    expect(await readPasConfig(folder.path)).toBeNull()
  })

  it.each([
    ['{', null, 'pas.config.json is not JSON: '],
    ['[]', null, 'pas.config.json must hold one JSON object.'],
    [
      '{"subsystem":{}}',
      'subsystem',
      '"subsystem" in pas.config.json is unknown; there are $schema, subsystems, exclude, include_tests, include_dirs, gate_stability.',
    ],
    ['{"include_tests":"yes"}', 'include_tests', '"include_tests" in pas.config.json must be true or false.'],
    ['{"gate_stability":0}', 'gate_stability', '"gate_stability" in pas.config.json must be true or false.'],
    ['{"$schema":1}', '$schema', '"$schema" in pas.config.json must be a text.'],
    ['{"exclude":"a"}', 'exclude', '"exclude" in pas.config.json must be a list of texts.'],
    [
      '{"exclude":["a","./b"]}',
      'exclude[1]',
      '"exclude[1]" in pas.config.json must be a path or glob from this folder',
    ],
    ['{"include_dirs":["/usr/include"]}', 'include_dirs[0]', 'must be a path or glob'],
    [
      '{"subsystems":["a"]}',
      'subsystems',
      '"subsystems" in pas.config.json must be an object of lists of globs.',
    ],
    [
      '{"subsystems":{"a":[]}}',
      'subsystems.a',
      '"subsystems.a" in pas.config.json must be a list of texts, of one at least.',
    ],
    ['{"subsystems":{"a":["!x"]}}', 'subsystems.a[0]', 'without ./ or !'],
    ['{"subsystems":{".":["x"]}}', 'subsystems..', 'must have a name'],
    ['{"subsystems":{"12":["x"]}}', 'subsystems.12', 'must have a name'],
    ['{"subsystems":{"__proto__":"x"}}', 'subsystems.__proto__', 'must be a list'],
  ])('that is wrong is refused by the name of what is wrong: %s', async (text, key, message) => {
    const error = await told(text).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(PasConfigError)
    expect(error).toMatchObject({ code: 'CONFIG', file: 'pas.config.json', key })
    expect((error as Error).message).toContain(message)
  })

  it('that cannot be read is told', async () => {
    using folder = new Folder()
    mkdirSync(join(folder.path, 'pas.config.json'))
    await expect(readPasConfig(folder.path)).rejects.toThrow(/^pas.config.json cannot be read: EISDIR/)
  })

  it('is taken exactly if its schema takes it', () => {
    const schema = Compile(PAS_CONFIG_SCHEMA)
    const odd = ['./a', '/a', '', '.', '..', '../x', '!a', 'a\\b', 'a\u0000', '漢'.repeat(501), 1]
    const glob = mostly(['a/**', '.x', '**', 'é*'.repeat(250), '...'], odd)
    const globs = fc.oneof(
      { weight: 9, arbitrary: fc.array(glob, { maxLength: 3 }) },
      fc.constantFrom(null, 'a'),
    )
    const name = mostly(['a', '..', '1a', 'x'.repeat(100)], ['', '.', '1', 'a\n', 'y'.repeat(101)])
    const subsystems = fc.oneof(
      { weight: 9, arbitrary: fc.dictionary(name, globs, { noNullPrototype: true }) },
      fc.constantFrom([], 1, null),
    )
    const config = fc.record(
      {
        $schema: mostly(['a'], [1]),
        subsystems,
        exclude: globs,
        include_dirs: globs,
        include_tests: mostly([true, false], ['true', null]),
        gate_stability: mostly([true, false], ['false', 0]),
      },
      { requiredKeys: [], noNullPrototype: true },
    )
    let taken = 0
    fc.assert(
      fc.property(
        fc.oneof(
          { weight: 20, arbitrary: config },
          config.map(told => ({ ...told, other: 1 })),
          fc.constantFrom(null, [], 'a'),
        ),
        value => {
          expect(isTaken(value)).toBe(schema.Check(value))
          if (isTaken(value)) taken++
        },
      ),
      { numRuns: 2000 },
    )
    expect(taken).toBeGreaterThan(200)
    expect(isTaken(FULL) && schema.Check(FULL)).toBe(true)
  })
})

describe('what a config leaves out', () => {
  it('are files, and folders of which nothing would be left', () => {
    const { file, folder } = excludedBy({ exclude: ['a/**', 'b/c', '**/*.x.ts', 'd/*.ts'] })
    const of = (paths: string[], test: (path: string) => boolean) => paths.filter(test)
    expect(of(['a/x.ts', 'ab/x.ts', 'b/c/x.ts', 'b/d.ts', 'q/y.x.ts', 'd/e.ts', 'd/e/f.ts'], file)).toEqual([
      'a/x.ts',
      'b/c/x.ts',
      'q/y.x.ts',
      'd/e.ts',
    ])
    expect(of(['a', 'ab', 'b', 'b/c', 'd', 'd/e'], folder)).toEqual(['a', 'b/c'])
    expect(excludedBy(null).file('a')).toBe(false)
  })
})

describe('the policy', () => {
  it('has tests in if who asks or the config wants them', () => {
    expect(policyOf({ tests: false, config: null })).toEqual({ tests: false })
    expect(policyOf({ tests: true, config: {} })).toEqual({ tests: true })
    expect(policyOf({ tests: false, config: { include_tests: true } })).toEqual({ tests: true })
  })
})

/** One of the good ones nine times out of ten. */
function mostly<T, U>(good: readonly T[], bad: readonly U[]) {
  return fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...good) }, fc.constantFrom(...bad))
}

function isTaken(value: unknown): boolean {
  try {
    checkedPasConfig(value)
    return true
  } catch (error) {
    if (error instanceof PasConfigError) return false
    throw error
  }
}
