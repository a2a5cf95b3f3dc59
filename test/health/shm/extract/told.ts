import fc from 'fast-check'
import type { Extraction } from '../../../../health/shm/imports.ts'

/** What was found as `specifier line`, in the order in which it was told. */
export function told({ imports }: Pick<Extraction, 'imports'>): string[] {
  return imports.map(({ specifier, line }) => `${specifier} ${line}`)
}

/** A text in one piece, as it comes from a file: strings that were put together are slow to read. */
export function flat(text: string): string {
  return Buffer.from(text).toString()
}

/** Words and signs that lexers stumble over, in any order. */
export function soup(words: readonly string[]): fc.Arbitrary<string> {
  const signs = [
    '"',
    "'",
    '\\',
    '/',
    '*',
    '/*',
    '*/',
    '//',
    '#',
    '\n',
    ' ',
    '(',
    ')',
    '{',
    '}',
    '[',
    ']',
    ';',
    ',',
    '`',
    '<',
    '>',
    'a',
    '0',
  ]
  const piece = fc.oneof(
    fc.constantFrom(...signs, ...words),
    fc.nat(0xffff).map(code => String.fromCharCode(code)),
  )
  return fc.array(piece, { maxLength: 30 }).map(pieces => pieces.join(''))
}
