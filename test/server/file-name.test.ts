import fc from 'fast-check'
import { expect, test } from 'vitest'
import { attachment } from '../../server/file-name.ts'
import { codePoints } from '../support/code-points.ts'
import { rounds } from '../support/rounds.ts'

test.each<[string | null, string]>([
  [null, 'attachment; filename="g_1.csv"'],
  ['', 'attachment; filename="g_1.csv"'],
  [' .. ', 'attachment; filename="g_1.csv"'],
  ['My first one', 'attachment; filename="My first one.csv"'],
  ['../../etc/passwd', 'attachment; filename="_.._etc_passwd.csv"'],
  ['CON', 'attachment; filename="_CON.csv"'],
  ['100%', `attachment; filename="100_.csv"; filename*=UTF-8''100%25.csv`],
  [`it's (💜)`, `attachment; filename="it's (_).csv"; filename*=UTF-8''it%27s%20%28%F0%9F%92%9C%29.csv`],
  ['gpj\u202e.exe', 'attachment; filename="gpj_.exe.csv"'],
])('what is called %j is saved as %s', (name, header) => {
  expect(attachment(name, 'g_1', 'csv')).toBe(header)
})

test('whatever it is called, it is a header, and the name that of a file in no other folder', () => {
  fc.assert(
    fc.property(codePoints(), fc.string(), (name, id) => {
      const header = attachment(name, id, 'txt')
      expect(header).toMatch(
        /^attachment; filename="[\x20-\x21\x23-\x7e]+\.txt"(; filename\*=UTF-8''[\w.!#$&+^`|~%-]+)?$/,
      )
      const encoded = header.split("''")[1]
      const file = encoded === undefined ? (header.split('"')[1] as string) : decodeURIComponent(encoded)
      expect(file).toMatch(/^[^\s./\\:*?<>|"\p{Cc}][^/\\:*?<>|"\p{Cc}]*\.txt$/u)
      expect([...file].length).toBeLessThanOrEqual(105)
    }),
    { numRuns: rounds(20_000) },
  )
})
