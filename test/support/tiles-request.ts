import fc from 'fast-check'
import { COLORS, LAYOUTS, type LayoutName } from '../../broadcast/protocol/view.ts'
import { mapPlace } from '../../compositor/layout/map.ts'
import {
  CHUNK_BASE,
  CHUNK_END,
  CHUNK_WORDS,
  COLUMN_VALUES,
  PAGE_CHUNKS,
  PAGE_TOKENS,
} from '../../compositor/tokens/record.ts'
import { TokenPage } from '../../compositor/tokens/token-page.ts'
import { ALL_KINDS, NO_TIME, type TilesRequest } from '../../compositor/view/tiles-request.ts'
import { between, oneOf, randomFrom } from './random.ts'
import { randomPage } from './random-page.ts'

/** Slots of the generations of {@link tilesPage}. */
export const TILES_SLOTS = 12
/** Panels of a generation, and their side: so small that they are crossed often. */
const PANELS = 5
const PANEL_SIDE = 24
const LANES = 15

/** A page whose `flow` is laid out somehow, with lines beyond the last panel among them. */
export function tilesPage(seed: number): TokenPage {
  const random = randomFrom(seed)
  const number = oneOf(random, [0, 1, 777, 2048, 4095])
  const firstChunk = oneOf(random, [0, 5, 4060])
  const page = randomPage(random, { number, generations: TILES_SLOTS, chunks: 3, firstChunk })
  const flow = new Uint32Array(PAGE_TOKENS)
  let line = 0
  for (let i = firstChunk * 256; i < Math.min((firstChunk + 40) * 256, PAGE_TOKENS); i++) {
    flow[i] = between(random, 0, 9) + line * 1024
    if (random() < 0.1) line = between(random, 0, (PANELS + 1) * (PANEL_SIDE / 2))
  }
  page.flow = flow
  return page
}

/** Any part of a page's layout, often one where something is, with any filter. */
export function tilesRequestOf(page: TokenPage): fc.Arbitrary<TilesRequest> {
  return fc
    .record({
      layout: fc.constantFrom(...LAYOUTS),
      color: fc.constantFrom(...COLORS),
      z: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 7, max: 31 })),
      dx: fc.integer({ min: -30, max: 2 }),
      dy: fc.integer({ min: -20, max: 2 }),
      width: fc.integer({ min: 1, max: 60 }),
      height: fc.integer({ min: 1, max: 40 }),
      until: usually(NO_TIME, fc.integer({ min: 0, max: 200_000 })),
      since: usually(0, fc.integer({ min: 0, max: 100_000 })),
      kinds: usually(ALL_KINDS, fc.integer({ min: 0, max: ALL_KINDS })),
      // The last generations may be ones that nothing is known of yet.
      slots: usually(TILES_SLOTS, fc.integer({ min: 0, max: TILES_SLOTS })),
      seed: fc.integer(),
    })
    .map(({ dx, dy, until: t, slots, seed, ...request }) => {
      const random = randomFrom(seed)
      const generations = new Uint32Array(slots * 4)
      for (let slot = 0; slot < slots; slot++) {
        const lane = random() < 0.05 ? 0xffff_ffff : between(random, 0, LANES)
        generations.set([lane, random() < 0.8 ? 1 : 0, between(random, 0, 4), slot * PANELS], slot * 4)
      }
      const panels = Uint32Array.from({ length: slots * PANELS }, () => between(random, 0, 12))
      const [x, y] = somewhere(page, request.layout, random)
      const left = Math.floor(x / 2 ** request.z) + dx
      const top = (request.layout === 'timeline' ? y : Math.floor(y / 2 ** request.z)) + dy
      return { ...request, t, left, top, generations, panels, panelSide: PANEL_SIDE }
    })
}

function usually(value: number, other: fc.Arbitrary<number>): fc.Arbitrary<number> {
  return fc.oneof({ weight: 2, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: other })
}

/** A place in a layout at which there may be something. */
function somewhere(page: TokenPage, layout: LayoutName, random: () => number): [x: number, y: number] {
  const used = Array.from({ length: PAGE_CHUNKS }, (_, chunk) => chunk).filter(
    chunk => (page.chunks[chunk * CHUNK_WORDS + CHUNK_END] as number) > 0,
  )
  const chunk = oneOf(random, used)
  switch (layout) {
    case 'map': {
      const place = mapPlace(page.number * PAGE_TOKENS + chunk * 256)
      return [place & 0xffff, place >>> 16]
    }
    case 'timeline':
      return [page.chunks[chunk * CHUNK_WORDS + CHUNK_BASE] as number, between(random, 0, LANES)]
    case 'flow':
      return [between(random, 0, 4 * PANEL_SIDE), between(random, 0, 4 * PANEL_SIDE)]
  }
}

/**
 * A page of one generation whose sums of confidence and entropy, all in one cell, end right below and right at
 * 2^32; its last chunk has one token, of which neither is known.
 */
export function borderPage(): TokenPage {
  const page = new TokenPage(0)
  // 65,538 times 65,534 is 2^32 − 4.
  const tokens = 65_538
  const values = COLUMN_VALUES * PAGE_TOKENS
  page.records.fill(0xfffe_fffe, values, values + tokens)
  page.records[values + tokens] = 0x0004_0003
  page.records[values + 300 * 256] = 0xffff_ffff
  for (let chunk = 0; chunk < 256; chunk++) page.chunks[chunk * CHUNK_WORDS + CHUNK_END] = 256
  page.chunks[256 * CHUNK_WORDS + CHUNK_END] = tokens + 1 - 65_536
  page.chunks[300 * CHUNK_WORDS + CHUNK_END] = 1
  return page
}
