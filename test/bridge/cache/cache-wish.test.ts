import { expect, test } from 'vitest'
import { cacheWishOf } from '../../../bridge/cache/cache-wish.ts'

const FULL = { reads: true, maxAgeMs: Number.POSITIVE_INFINITY, writes: true }

test.each([
  ['nothing', {}, false, null],
  ['nothing, with the option', {}, true, FULL],
  ['on', { 'x-tokenscope-cache': ' ON ' }, false, FULL],
  [
    'off, with the option',
    { 'x-tokenscope-cache': 'off' },
    true,
    { reads: false, maxAgeMs: 0, writes: false },
  ],
  ['a word that is neither', { 'x-tokenscope-cache': 'maybe' }, false, null],
  ['no-store', { 'cache-control': 'No-Store' }, true, { ...FULL, reads: false, writes: false }],
  ['no-cache among others', { 'cache-control': 'private, no-cache' }, true, { ...FULL, reads: false }],
  ['an old no-cache', { pragma: 'no-cache' }, true, { ...FULL, reads: false }],
  [
    'an old no-cache that is overruled',
    { pragma: 'no-cache', 'cache-control': 'max-age=60' },
    true,
    { ...FULL, maxAgeMs: 60_000 },
  ],
  ['an age in quotes', { 'cache-control': 'max-age="7"' }, true, { ...FULL, maxAgeMs: 7000 }],
  ['no age at all', { 'cache-control': 'max-age=0' }, true, { ...FULL, reads: false, maxAgeMs: 0 }],
  ['an age that is none', { 'cache-control': 'max-age=soon' }, true, FULL],
])('%s', (_name, headers, byDefault, wish) => {
  expect(cacheWishOf(headers, byDefault)).toEqual(wish)
})
