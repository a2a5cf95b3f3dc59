import { expect, test } from 'vitest'
import { TileCache } from '../../../compositor/view/tile-cache.ts'

const tile = (version: number, bytes = 1) => ({ version, count: 1, content: new Uint8Array(bytes) })

test('a tile is there in its version only', () => {
  const cache = new TileCache()
  cache.set('a', tile(1))
  expect(cache.get('a', 1)).toEqual(tile(1))
  expect(cache.get('a', 2)).toBeNull()
  expect(cache.get('b', 1)).toBeNull()
  cache.set('a', tile(2))
  expect(cache.get('a', 2)).toEqual(tile(2))
})

test('what was used least recently goes when there is too much', () => {
  const cache = new TileCache(10_000)
  cache.set('a', tile(1, 4000))
  cache.set('b', tile(1, 4000))
  cache.get('a', 1)
  cache.set('c', tile(1, 4000))
  expect(cache.get('b', 1)).toBeNull()
  expect(cache.get('a', 1)).not.toBeNull()
  expect(cache.get('c', 1)).not.toBeNull()
})

test('a tile that is too large is not kept, and costs no other its place', () => {
  const cache = new TileCache(10_000)
  cache.set('a', tile(1, 4000))
  cache.set('b', tile(1, 20_000))
  expect(cache.get('b', 1)).toBeNull()
  expect(cache.get('a', 1)).not.toBeNull()
})
