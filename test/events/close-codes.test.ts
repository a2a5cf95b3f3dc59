import { expect, test } from 'vitest'
import { CLOSE_CODES, mayComeBack } from '../../events/close-codes.ts'

const rows = Object.entries(CLOSE_CODES)

test('every code is one of its own, and may stand in a close frame', () => {
  const codes = rows.map(([, { code }]) => code)
  expect(new Set(codes).size).toBe(codes.length)
  // RFC 6455 §7.4: its own, which an endpoint may send, or those for private use.
  for (const code of codes)
    expect(code === 1001 || code === 1009 || (code >= 4000 && code <= 4999)).toBe(true)
})

test.each(rows)('the reason of %s fits a close frame', (_name, { reason }) => {
  expect(reason).not.toBe('')
  expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123)
})

test.each(rows)('whether to come back after %s follows from its number', (_name, { code, comeBack }) => {
  expect(mayComeBack(code)).toBe(comeBack)
  expect(comeBack).toBe(code < 4500)
})

test('what is not in the table is judged by its number, too', () => {
  expect([1000, 1006, 4000, 4499, 4500, 4999].map(mayComeBack)).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
  ])
})
