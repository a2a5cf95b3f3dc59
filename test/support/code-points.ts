import fc from 'fast-check'

const SURROGATES = { first: 0xd800, count: 0x800 }
/** Every code point but the surrogates. */
const CODE_POINT = fc.integer({ min: 0, max: 0x10ffff - SURROGATES.count }).map(
  at => String.fromCodePoint(at < SURROGATES.first ? at : at + SURROGATES.count),
  (character): number => {
    if (typeof character !== 'string' || !/^\P{Surrogate}$/u.test(character)) throw new Error('no code point')
    const at = character.codePointAt(0) as number
    return at < SURROGATES.first ? at : at - SURROGATES.count
  },
)

/**
 * As `fc.string` with `unit: 'binary'`, which makes a table of all code points first: that takes a process a second or two of
 * processor time.
 */
export function codePoints(bounds: { minLength?: number; maxLength?: number } = {}): fc.Arbitrary<string> {
  return fc.string({ ...bounds, unit: CODE_POINT })
}
