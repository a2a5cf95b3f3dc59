import { matchesGlob } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { globOf } from '../../../../health/shm/scan/glob.ts'
import { rounds } from '../../../support/rounds.ts'

const name = fc.stringMatching(/^[ab.]{1,4}$/).filter(text => text !== '.' && text !== '..')
const path = fc.array(name, { minLength: 1, maxLength: 5 }).map(names => names.join('/'))
const step = fc.oneof(
  name,
  fc.stringMatching(/^[ab.*?]{1,5}$/).filter(text => text !== '.' && text !== '..'),
  fc.constantFrom('**', '*', '*.a'),
)
const glob = fc.array(step, { minLength: 1, maxLength: 5 }).map(steps => steps.join('/'))

describe('globs', () => {
  it('mean what Node takes them to mean', () => {
    fc.assert(
      fc.property(
        glob.filter(text => /[*?]/.test(text)),
        path,
        (text, at) => {
          expect(globOf(text)(at)).toBe(matchesGlob(at, text))
        },
      ),
      { numRuns: rounds(100_000) },
    )
  })

  it.each([
    ['src/**', 'src/a/b.ts', true],
    ['src/**', 'src', false],
    ['src/**', 'srcs/a.ts', false],
    ['src/*', 'src/a/b.ts', false],
    ['**/*.ts', 'a.ts', true],
    ['a/**/b.ts', 'a/b.ts', true],
    ['src/{a,b}/*.ts', 'src/b/x.ts', true],
    ['src/[ab].ts', 'src/c.ts', false],
    ['src/api', 'src/api', true],
    ['src/api', 'src/api/deep/x.ts', true],
    ['src/api', 'src/apis.ts', false],
    ['src/a b\n"c"', 'src/a b\n"c"/x.ts', true],
  ])('%j and %j: %j', (text, at, means) => {
    expect(globOf(text)(at)).toBe(means)
  })

  it('answer for stars without end', () => {
    const steps = Array.from({ length: 200 }, () => '**/*a*a*a*a*a*a*a*a*b').join('/')
    const at = Array.from({ length: 400 }, () => 'a'.repeat(200)).join('/')
    expect(globOf(steps)(at)).toBe(false)
  })
})
