import fc from 'fast-check'
import type { TileCell, TileContent, ViewToken } from '../../broadcast/protocol/view.ts'
import type { TokenKind } from '../../events/generation.ts'
import { anyText } from './log-events.ts'

/** Any number that a place may be: mostly a whole one. */
const anyPlace = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -100, max: 4_000_000 }) },
  { weight: 1, arbitrary: fc.maxSafeInteger().map(place => Math.trunc(place / 16) + 0) },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map(place => place + 0) },
)

const anyId = fc
  .tuple(fc.constantFrom('g_a', 'g_b', 'g_ä:🙂', 'g_01HP2Q3R4S5T6V7W8X9YZABCDE'), fc.nat(70_000))
  .map(([generation, index]) => `${generation}:${index}`)

/** Any token of a view, with values on the grids that tokens are kept on. */
export const anyViewToken: fc.Arbitrary<ViewToken> = fc
  .record({
    id: anyId,
    text: anyText,
    x: anyPlace,
    y: anyPlace,
    w: anyPlace,
    kind: fc.constantFrom<TokenKind[]>('message', 'reasoning', 'tool_call'),
    model: fc.option(fc.nat(300)),
    confidence: fc.option(fc.nat(65_534).map(steps => steps / 65_534)),
    entropy: fc.option(fc.nat(65_534).map(steps => steps / 4096)),
    interval_ms: fc.option(fc.nat(100_000_000).map(ticks => ticks / 10)),
    timestamp: fc.integer({ min: 16e12, max: 19e12 }).map(ticks => ticks / 10_000),
    wraps: fc.option(fc.array(fc.tuple(fc.nat(1000), anyPlace, anyPlace), { maxLength: 3 })),
  })
  .map(({ wraps, ...token }) => (wraps === null ? token : { ...token, wraps }))

/** Any cells of a tile, in the order of their places. */
export const anyCells: fc.Arbitrary<TileCell[]> = fc
  .uniqueArray(fc.nat(4095), { maxLength: 200 })
  .chain(places =>
    fc.tuple(
      ...places
        .sort((a, b) => a - b)
        .map(at => fc.tuple(fc.constant(at), fc.nat(2 ** 31 - 1), fc.option(fc.nat(2 ** 31 - 1)))),
    ),
  )

/** Any content of a tile. */
export const anyContent: fc.Arbitrary<TileContent> = fc.oneof(
  anyCells.map(cells => ({ cells })),
  fc.array(anyViewToken, { maxLength: 60 }).map(tokens => ({ tokens })),
)
