/** Rust files made of items whose imports are known, and files made to take long. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { extractRust } from '../../../../health/shm/extract/rust.ts'
import { rounds } from '../../../support/rounds.ts'
import { flat, soup, told } from './told.ts'

/** A piece of a file, and what is told of it inside these modules, where items stand or in a function. */
interface Item {
  code: string
  tells: Tells
}

type Tells = (modules: readonly string[], inFunction: boolean) => string[]

const KEYWORDS = [
  'use no;',
  'mod no;',
  'mod no {',
  '#[cfg(test)]',
  'r#"',
  '"#',
  "'a",
  'extern crate no;',
  'macro_rules! no {',
  'as',
  '::',
  '!',
]

const name = fc.constantFrom('a', 'b', 'user', 'modest', 'self_', 'x1', 'r')
const at = (modules: readonly string[]) => (modules.length === 0 ? '' : `@${modules.join('::')}`)
const nothing = () => []

/** What is passed over, whatever is in it. */
const filler: fc.Arbitrary<Item> = fc
  .tuple(soup(KEYWORDS), fc.constantFrom('block', 'line', 'string', 'raw', 'macro'))
  .map(([text, kind]) => {
    const code = {
      block: `/*${text.replace(/[/*]/g, '$& ')}*/`,
      line: `//${text.replaceAll('\n', ' ')}\n`,
      string: `const S: &str = "${text.replace(/[\\"]/g, '\\$&')}";`,
      raw: `const R: &[u8] = br##"${text.replaceAll('"#', '')}"##;`,
      macro: `const M: u8 = m!(r###"${text.replaceAll('"#', '')}"### { use no; } 'x);`,
    }[kind] as string
    return { code, tells: nothing }
  })

interface UseTree {
  code: string
  leaves: string[]
}

const { tree: useTree } = fc.letrec<{ tree: UseTree }>(tie => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    name.map(one => ({ code: one, leaves: [one] })),
    name.map(one => ({ code: `${one} as _`, leaves: [one] })),
    fc.constant('*').map(one => ({ code: one, leaves: [one] })),
    fc.tuple(name, tie('tree')).map(([one, { code, leaves }]) => ({
      code: `${one} :: /* , */ ${code}`,
      leaves: leaves.map(leaf => `${one}::${leaf}`),
    })),
    fc.tuple(name, fc.array(tie('tree'), { maxLength: 3 })).map(([one, trees]) => ({
      code: `${one}::{self, ${trees.map(({ code }) => code).join(' , ')}}`,
      leaves: [one, ...trees.flatMap(({ leaves }) => leaves.map(leaf => `${one}::${leaf}`))],
    })),
  ),
}))

const { items } = fc.letrec<{ items: Item; item: Item }>(tie => ({
  items: fc.array(tie('item'), { maxLength: 5 }).map(list => ({
    code: list.map(({ code }) => code).join('\n'),
    tells: (...where: Parameters<Tells>) => list.flatMap(({ tells }) => tells(...where)),
  })),
  item: fc.oneof(
    { depthSize: 'small' },
    filler,
    useTree.map(({ code, leaves }) => ({
      code: `pub(crate) use ${code};`,
      tells: (modules: readonly string[]) => leaves.map(leaf => `use${at(modules)} ${leaf}`),
    })),
    name.map(one => ({
      code: `mod ${one};`,
      tells: (modules: readonly string[]) => [`mod${at(modules)} ${one}`],
    })),
    fc.tuple(name, tie('items')).map(([one, { code, tells }]) => ({
      code: `mod ${one} {\n${code}\n}`,
      tells: (modules: readonly string[]) => tells([...modules, one], false),
    })),
    tie('items').map(({ code, tells }) => ({
      code: `fn f<'a>(x: [&'a str; 2]) {\n${code}\n}`,
      tells: (modules: readonly string[]) => tells(modules, true),
    })),
    // Inside a function it is a macro of expressions: what it holds does not count.
    tie('items').map(({ code, tells }) => ({
      code: `cfg_x! {\n${code}\n}`,
      tells: (modules: readonly string[], inFunction: boolean) => (inFunction ? [] : tells(modules, false)),
    })),
    fc
      .tuple(
        tie('items'),
        fc.constantFrom('#[test] fn f', '#[cfg(test)] mod t', 'macro_rules! m', '#[cfg(any())] impl<A, B> T'),
      )
      .map(([{ code }, head]) => ({ code: `${head} {\n${code}\n}`, tells: nothing })),
  ),
}))

describe('a Rust file that is made up', () => {
  it('is told as it was made', () => {
    fc.assert(
      fc.property(items, ({ code, tells }) => {
        expect(extractRust(code).imports.map(({ specifier }) => specifier)).toEqual(tells([], false))
      }),
      { numRuns: 500 },
    )
  })

  it('is read without an error though it is no Rust', () => {
    fc.assert(
      fc.property(
        soup([...KEYWORDS, 'use a', '#[path = "', 'cfg(all(', 'mod a {', '#!', 'b"', '$x']),
        source => {
          const { imports, declares } = extractRust(source)
          for (const { specifier, line } of imports) {
            expect(specifier).toMatch(/^(use|mod\??)(@\S+)? \S/)
            expect(line).toBeLessThanOrEqual(source.split('\n').length)
          }
          for (const path of declares) expect(path).toMatch(/^\S+$/)
        },
      ),
      { numRuns: 1000 },
    )
  })
})

// What takes the square of the length would not come to an end here.
describe('a Rust file that is made to take long', () => {
  const pieces = [
    '/*',
    '*/',
    '"',
    "'",
    "'\\",
    '#',
    '#[',
    '#![',
    'r#',
    'r#"',
    '{',
    '}',
    '(',
    ')',
    '[',
    'use ',
    'use {',
    'use a::{',
    'mod a {',
  ]
  pieces.push(
    'mod ',
    '!',
    'a!(',
    'a! {',
    'a !',
    '#[cfg(',
    '#[cfg(all(',
    'all(',
    '::',
    '\n',
    ' ',
    ';',
    ',',
    'a',
    'macro a',
    '#[cfg(test)]',
  )

  it('takes time in proportion to its length', () => {
    for (const piece of pieces) {
      const text = `use first;\n${piece.repeat(rounds(2 ** 20, 16) / piece.length)}`
      expect(told(extractRust(flat(text)))[0]).toBe('use first 1')
    }
  })

  it('is read to its end', () => {
    const many = 2 ** 18
    const nested = [
      `${'/*'.repeat(many)}${'*/'.repeat(many)}`,
      `mod a;${'{'.repeat(many)}${'}'.repeat(many)}`,
      `const A: &str = r${'#'.repeat(many)}""${'#'.repeat(many)};`,
      `#[cfg(${'all('.repeat(many)}test${')'.repeat(many)})] mod b;`,
    ]
    for (const text of nested) expect(told(extractRust(flat(`${text}\nuse last;`))).at(-1)).toBe('use last 2')
  })

  it('tells no more than in proportion to its length', () => {
    const many = 2 ** 17
    const hostile = [
      `use ${'a'.repeat(many)}::{${'b,'.repeat(many)}};`,
      `use ${'a::{b,'.repeat(many)}c${'}'.repeat(many)};`,
      `${'mod a {use b;'.repeat(many)}${'}'.repeat(many)}`,
      `${'mod a {'.repeat(many)}${'mod b;'.repeat(many)}`,
    ]
    for (const text of hostile) {
      const { imports, declares } = extractRust(flat(text))
      const characters = [...imports.map(({ specifier }) => specifier), ...declares].reduce(
        (sum, one) => sum + one.length,
        0,
      )
      expect(characters).toBeGreaterThan(0)
      expect(characters).toBeLessThan(20 * text.length + 100_000)
    }
  })
})
