import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Extracted,
  packExtractions,
  packFiles,
  unpackExtractions,
  unpackFiles,
} from '../../../../health/shm/extract/packed-extractions.ts'
import { LANGUAGES } from '../../../../health/shm/source-tree.ts'
import { codePoints } from '../../../support/code-points.ts'

const note = fc.record({
  code: fc.constantFrom('BINARY_FILE' as const, 'TOO_LARGE' as const),
  message: fc.string(),
})
const word = codePoints({ maxLength: 30 })

const read = fc
  .record({
    imports: fc.array(
      fc.record({
        specifier: word,
        line: fc.integer({ min: 1, max: 2 ** 24 }),
        kind: fc.constantFrom('static' as const, 'dynamic' as const, 'type' as const),
      }),
      { maxLength: 5 },
    ),
    lines: fc.nat(),
    hash: fc.stringMatching(/^[0-9a-f]{64}$/),
    trouble: fc.option(note),
    declares: fc.array(word, { maxLength: 3 }),
    generated: fc.boolean(),
  })
  .map((extraction): Extracted => ({ extraction, note: extraction.trouble }))

const unread = note.map(
  ({ message }): Extracted => ({
    extraction: null,
    note: { code: 'VANISHED_FILE', message },
  }),
)

describe('packed extractions', () => {
  it('come out as they went in', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(read, unread), { maxLength: 8 }), extracted => {
        expect(unpackExtractions(structuredClone(packExtractions(extracted)))).toEqual(extracted)
      }),
    )
  })
})

describe('packed files', () => {
  it('come out as they went in', () => {
    const path = fc.string({ minLength: 1 }).filter(text => !text.includes('\0'))
    const file = fc.record({ path, language: fc.constantFrom(...LANGUAGES), size: fc.nat() })
    fc.assert(
      fc.property(fc.array(file), fc.string(), (files, root) => {
        const packed = packFiles(
          root,
          files.map(one => ({ ...one, changedMs: 0 })),
        )
        expect(unpackFiles(structuredClone(packed))).toEqual(files)
        expect(packed.root).toBe(root)
      }),
    )
  })
})
