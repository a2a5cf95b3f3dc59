import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type ColorName,
  LAYOUTS,
  type LayoutName,
  type ViewAnswer,
  type ViewQuestion,
} from '../../../broadcast/protocol/view.ts'
import { CpuEngine } from '../../../compositor/engine-cpu.ts'
import { Composition } from '../../../compositor/view/composition.ts'
import type { LogEntry } from '../../../events/generation.ts'
import { stateEvent } from '../../support/hub-events.ts'
import { rounds } from '../../support/rounds.ts'
import { tokenEntry } from '../../support/token-text.ts'

const IDS = ['g0', 'g1', 'g2']
const BEGAN = 1_750_000_000
/** Lines of this width lie in panels of 56 units, so that tiles of tokens end within panels. */
const FLOW_WIDTH = 40
/** From near, where tokens are told, to where all is one cell; `timeline` in pixels a millisecond. */
const ZOOMS: Record<LayoutName, readonly number[]> = {
  map: [8, 2, 0.1],
  flow: [4, 1, 0.1],
  timeline: [0.06, 0.02, 0.0005],
}

interface Step {
  id: string
  /** A token's text; without one a state is told. */
  text: string | null
  model: string | null
  /** Milliseconds since the token before it, of whichever generation. */
  wait: number
  /** Whether its block is in the page after. */
  isFar: boolean
}

/** Feeds entries one by one; holds each tile's content against what a question gets that nobody asked before. */
async function check(steps: readonly Step[], layouts: readonly LayoutName[], options: { maxPages: number }) {
  const composition = new Composition({ engine: new CpuEngine(), flowWidth: FLOW_WIDTH, ...options })
  await composition.watch(new Set(layouts))
  const entries = entriesOf(steps)
  let asked = 0
  for (const [i, entry] of entries.entries()) {
    await composition.append([entry], i + 1)
    for (const layout of layouts) {
      for (const [row, zoom] of ZOOMS[layout].entries()) {
        const color: ColorName = row === 1 ? 'model' : 'interval'
        const question: ViewQuestion = { layout, x: 0, y: 0, w: 1000, h: 1000, zoom, color, have: [] }
        const filter = { generations: [...IDS, `nobody${asked++}`] }
        const fresh = await composition.view({ ...question, filter })
        expect(contentsOf(await composition.view(question))).toEqual(contentsOf(fresh))
      }
    }
  }
}

function contentsOf({ z, tiles }: ViewAnswer): string[] {
  return tiles.map(
    ({ x, y, content }) => `${z} ${x} ${y} ${Buffer.from(content as Uint8Array).toString('hex')}`,
  )
}

function entriesOf(steps: readonly Step[]): LogEntry[] {
  const blocks = new Map<string, { block: number; used: number }>()
  const tokens = new Map<string, number>()
  let page = 0
  let next = 0
  let ms = 0
  return steps.map(({ id, text, model, wait, isFar }, i): LogEntry => {
    if (text === null) return { seq: i + 1, ...stateEvent(id, 'generating', { model }) }
    ms += wait
    if (isFar) {
      page++
      next = page * 4096
    }
    let at = blocks.get(id)
    if (at === undefined || isFar || at.used === 256) {
      at = { block: next++, used: 0 }
      blocks.set(id, at)
    }
    const index = tokens.get(id) ?? 0
    tokens.set(id, index + 1)
    const traits = {
      seq: i + 1,
      cell: at.block * 256 + at.used++,
      time: BEGAN + ms / 1000,
      random: () => 0.5,
    }
    return tokenEntry(id, index, text, traits)
  })
}

const plain = { text: null, model: null, wait: 0, isFar: false }

test('a tile of `flow` is told anew when a word of it moves, or goes on elsewhere', async () => {
  // Four tiles meet in the ninth panel: after its 16th column and after its 8th line, line 231 of all.
  const piece = fc.constantFrom(
    ' oscilloscope',
    'wordwordword',
    'oscilloscope ab',
    ' the',
    'ing',
    ' a b',
    '',
    '-',
    'w'.repeat(20),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 229, max: 231 }),
      fc.array(piece, { minLength: 8, maxLength: 16 }),
      async (line, pieces) => {
        const texts = ['\n'.repeat(line), ...pieces]
        await check(
          texts.map(text => ({ ...plain, id: 'g0', text, wait: 7 })),
          ['flow'],
          { maxPages: 4 },
        )
      },
    ),
    { numRuns: rounds(300) },
  )
}, 600_000)

test('a tile of `flow` is told anew when the word moves that its last token only begins', async () => {
  // The token, what its word goes on with, where that goes to and what comes then lie in four tiles.
  const texts = ['\n'.repeat(231), `x ${'a'.repeat(14)}`, 'b'.repeat(20), 'c'.repeat(6)]
  await check(
    texts.map(text => ({ ...plain, id: 'g0', text, wait: 7 })),
    ['flow'],
    { maxPages: 4 },
  )
})

test('a tile of `flow` is told anew when a word leaves it, though nothing else of its line is there', async () => {
  const texts = ['\n'.repeat(228), 'a'.repeat(24), ` ${'b'.repeat(14)}`, 'cc']
  await check(
    texts.map(text => ({ ...plain, id: 'g0', text, wait: 7 })),
    ['flow'],
    { maxPages: 4 },
  )
})

test('a tile of `timeline` is told anew when the token after its last one comes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          id: fc.constantFrom(...IDS),
          // Around the borders of tiles, 4096 ms apart.
          tile: fc.nat(1),
          wait: fc.integer({ min: 1, max: 70 }),
        }),
        { minLength: 4, maxLength: 20 },
      ),
      async steps => {
        let ms = 0
        const placed = steps.map(({ id, tile, wait }): Step => {
          const at = ms + wait + (tile === 0 ? 0 : 4046 - (ms % 4096))
          const step = { ...plain, id, text: 'x', wait: Math.max(1, at - ms) }
          ms += step.wait
          return step
        })
        await check(placed, ['timeline'], { maxPages: 4 })
      },
    ),
    { numRuns: rounds(300) },
  )
}, 600_000)

test('no tile stays as it was when models become known late or pages go', async () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        id: fc.constantFrom(...IDS),
        text: fc.constantFrom(' the', 'word', 'a b', '\n', ' oscilloscope'),
        model: fc.constant(null),
        wait: fc.constantFrom(0, 20, 90, 3000),
        isFar: fc.nat(9).map(n => n === 0),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        id: fc.constantFrom(...IDS),
        text: fc.constant(null),
        model: fc.constantFrom('m0', 'm1'),
        wait: fc.constant(0),
        isFar: fc.constant(false),
      }),
    },
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 8, maxLength: 24, size: 'max' }),
      fc.constantFrom(1, 2),
      async (steps, maxPages) => check(steps, [...LAYOUTS], { maxPages }),
    ),
    { numRuns: rounds(200) },
  )
}, 600_000)
