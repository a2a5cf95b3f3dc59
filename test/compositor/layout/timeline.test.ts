import { expect, it } from 'vitest'
import { LANE_UNITS, layoutTimeline } from '../../../compositor/layout/timeline.ts'
import { PAGE_TOKENS } from '../../../compositor/tokens/record.ts'
import { TokenStore } from '../../../compositor/tokens/token-store.ts'
import { entriesOf } from '../../support/token-text.ts'

it('lays tokens by time, in the lanes of their generations', () => {
  const store = new TokenStore({ maxPages: 2 })
  const text = Array.from({ length: 600 }, () => 'x')
  const entries = entriesOf([text, text, text])
  store.append(entries)
  const page = store.pages.get(0)
  if (page === undefined) throw new Error('there is no page')
  const lanes = Uint32Array.from(store.generations, ({ lane }) => lane)
  expect(new Set(lanes).size).toBe(3)
  const places = new Uint32Array(2 * 2048)
  layoutTimeline(page, lanes, places, 100, 2148)
  let looked = 0
  for (const entry of entries) {
    if (entry.type !== 'token_activation') continue
    const slot = Number(entry.generation.slice(1))
    const n = store.tokenAt(slot, entry.index)
    if (n < 100 || n >= 2148 || n >= PAGE_TOKENS) continue
    looked++
    const ms = Math.floor(Math.round((entry.timestamp - (store.origin as number)) * 10_000) / 10)
    expect([places[(n - 100) * 2], places[(n - 100) * 2 + 1]]).toEqual([
      ms,
      (lanes[slot] as number) * LANE_UNITS,
    ])
  }
  expect(looked).toBeGreaterThan(1500)
})
