import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { durationMs } from '../../events/duration.ts'
import { TokenscopeError } from '../../events/errors.ts'
import { durationText, sizeText } from '../../events/quantities.ts'
import { parseRetention } from '../../events/retention.ts'

const DAY = 86_400_000

describe('a retention', () => {
  it.each([
    ['off', null, null],
    ['30d/5GB', 30 * DAY, 5e9],
    ['90m', 90 * 60_000, null],
    ['1.5d', 1.5 * DAY, null],
    ['2w/0.5TB', 14 * DAY, 5e11],
    ['500mb', null, 5e8],
    ['1MB', null, 1e6],
    ['1m/1000TB', 60_000, 1e15],
    ['36500d', 36_500 * DAY, null],
  ])('%s', (text, ageMs, bytes) => {
    expect(parseRetention(text)).toEqual({ ageMs, bytes })
  })

  it.each([
    ['', 'it must be an age (m, h, d, w) and a size (MB, GB, TB) as 30d/5GB, either of them alone, or off.'],
    ['30', 'it must be'],
    ['5GB/30d', 'it must be'],
    ['30d/', 'it must be'],
    ['/5GB', 'it must be'],
    ['30d/5GB/1', 'it must be'],
    ['30d/off', 'it must be'],
    ['30D', 'it must be'],
    ['5GiB', 'it must be'],
    ['-1d', 'it must be'],
    ['1e3d', 'it must be'],
    ['0d', 'it must be'],
    ['0.5m', 'the age must be from 1m to 36500d.'],
    ['36501d/1GB', 'the age must be from 1m to 36500d.'],
    ['0MB', 'the size must be from 1MB to 1000TB.'],
    ['1d/1001TB', 'the size must be from 1MB to 1000TB.'],
  ])('refuses %j', (text, why) => {
    expect(() => parseRetention(text)).toThrow(`--retention ${text}: ${why}`)
  })

  it('is read or refused by name, whatever it is', () => {
    const part = fc.oneof(fc.string(), fc.stringMatching(/^\d{1,3}(\.\d)?(m|h|d|w|MB|GB|TB)$/))
    fc.assert(
      fc.property(fc.array(part, { maxLength: 3 }), parts => {
        try {
          const { ageMs, bytes } = parseRetention(parts.join('/'))
          for (const limit of [ageMs, bytes]) {
            expect(limit === null || (Number.isSafeInteger(limit) && limit > 0)).toBe(true)
          }
        } catch (error) {
          expect(error).toBeInstanceOf(TokenscopeError)
          expect((error as TokenscopeError).code).toBe('CONFIG')
        }
      }),
    )
  })
})

describe('a duration', () => {
  it.each([
    ['1m', 60_000],
    ['12h', DAY / 2],
    ['0.25d', DAY / 4],
    ['1w', 7 * DAY],
    ['0m', null],
    ['0.0001m', null],
    ['1', null],
    ['m', null],
    ['1 h', null],
    ['1s', null],
    ['1h30m', null],
  ])('%s', (text, ms) => {
    expect(durationMs(text)).toBe(ms)
  })

  it.each([
    [0, '0 s'],
    [0.4, '0 s'],
    [59.6, '1 min'],
    [60, '1 min'],
    [125, '2 min 5 s'],
    [3600, '1 h'],
    [3661, '1 h 1 min'],
    [86_400, '1 d'],
    [90_000, '1 d 1 h'],
    [365 * 86_400, '365 d'],
  ])('of %d seconds is told as %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text)
  })
})

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.00 kB'],
  [147_456, '147 kB'],
  [999_499, '999 kB'],
  [999_600, '1.00 MB'],
  [1_074_577_408, '1.07 GB'],
  [12_345_678, '12.3 MB'],
  [5e15, '5000 TB'],
])('a size of %d bytes is told as %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text)
})
