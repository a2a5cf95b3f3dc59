import { expect, test } from 'vitest'
import { optionLines } from '../../events/option-lines.ts'

const key = { flag: 'x', value: 'N', repeatable: false, fallback: '', meaning: 'what it means' }

test('an option has its meaning beside it, with its default, and long ones go on in the same column', () => {
  const long = Array(20).fill('sixteen letters.').join(' ')
  const lines = optionLines([
    { ...key, fallback: '5' },
    { ...key, flag: 'a-name-that-fills-its-column', repeatable: true },
    { ...key, meaning: long },
  ])
  expect(lines.slice(0, 3)).toEqual([
    '  --x N                     what it means (default 5)',
    '  --a-name-that-fills-its-column N',
    '                            what it means (repeatable)',
  ])
  const rest = lines.slice(3)
  expect(rest.length).toBeGreaterThan(2)
  expect(Math.max(...rest.map(line => line.length))).toBeLessThanOrEqual(100)
  expect(rest.map(line => line.slice(28)).join(' ')).toBe(long)
  expect(rest.slice(1).every(line => line.startsWith(' '.repeat(28)))).toBe(true)
})
