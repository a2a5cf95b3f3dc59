import { expect, test } from 'vitest'
import { retryAfterMs } from '../../bridge/headers.ts'

test.each<[string | null, number | null]>([
  [null, null],
  ['7', 7000],
  [' 1.5 ', 1500],
  ['Sat, 21 Nov 2026 06:00:10 GMT', 10_000],
  ['Sat, 21 Nov 2026 05:00:00 GMT', 0],
  ['soon', null],
  ['', null],
])('a Retry-After of %j is %j ms', (value, expected) => {
  expect(retryAfterMs(value, Date.UTC(2026, 10, 21, 6))).toBe(expected)
})
