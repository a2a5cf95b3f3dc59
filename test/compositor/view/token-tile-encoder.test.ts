import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeTile } from '../../../broadcast/protocol/tile-codec.ts'
import { LAYOUTS, TOKEN_TILES, type ViewToken } from '../../../broadcast/protocol/view.ts'
import { PAGE_TOKENS } from '../../../compositor/tokens/record.ts'
import { tileRect } from '../../../compositor/view/layout-grid.ts'
import { TokenTileEncoder } from '../../../compositor/view/token-tile-encoder.ts'
import { type FilterQuestion, TokenFilter } from '../../../compositor/view/view-filter.ts'
import { viewToken } from '../../../compositor/view/view-tokens.ts'
import { laidOut } from '../../support/laid-out.ts'
import { rounds } from '../../support/rounds.ts'
import { entriesOf, hostileTexts } from '../../support/token-text.ts'

const filters = fc.constantFrom<FilterQuestion>(
  {},
  { filter: { kinds: ['message'] } },
  { filter: { generations: ['g0', 'g2'] } },
  { t: 1_750_000_003 },
)

test('tiles of tokens are, byte by byte, those that a list of the tokens makes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(hostileTexts, { minLength: 1, maxLength: 12 }),
      fc.integer(),
      fc.constantFrom(...LAYOUTS),
      filters,
      async (texts, seed, layout, question) => {
        const { store, flow, watched } = await laidOut(layout, [entriesOf(texts, { seed })], true)
        const filter = new TokenFilter(store, question)
        const encoder = new TokenTileEncoder(store, flow)
        let told = 0
        for (let y = 0; y < 2; y++) {
          for (let x = 0; x < 3; x++) {
            const rect = tileRect(layout, TOKEN_TILES, x, y)
            const tokens: ViewToken[] = []
            watched.locatedIn(rect, (page, first, end, xs, ys) => {
              const places = Array.from({ length: end - first }, (_, i) => [xs[i], ys[i]] as [number, number])
              for (const [i, [left, top]] of places.entries()) {
                const n = page.number * PAGE_TOKENS + first + i
                const inside = left >= rect.left && left < rect.right && top >= rect.top && top < rect.bottom
                if (inside && filter.passes(n)) tokens.push(viewToken(store, flow, watched, n, left, top))
              }
            })
            const { content, count } = encoder.encode(watched, rect, filter)
            expect(count).toBe(tokens.length)
            expect(Buffer.from(content).toString('hex')).toBe(
              Buffer.from(encodeTile({ tokens })).toString('hex'),
            )
            told += count
          }
        }
        if (filter.isOpen && texts.some(({ length }) => length > 0)) expect(told).toBeGreaterThan(0)
      },
    ),
    { numRuns: rounds(400) },
  )
}, 300_000)
