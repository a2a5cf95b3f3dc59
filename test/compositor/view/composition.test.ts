import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  COLORS,
  LAYOUTS,
  type LayoutName,
  type PickQuestion,
  type ViewQuestion,
} from '../../../broadcast/protocol/view.ts'
import { CpuEngine } from '../../../compositor/engine-cpu.ts'
import { Composition } from '../../../compositor/view/composition.ts'
import type { LogEntry } from '../../../events/generation.ts'
import { type ListedToken, TokenList } from '../../support/composition.ts'
import { rounds } from '../../support/rounds.ts'
import { entriesOf, hostileTexts } from '../../support/token-text.ts'

const FIRST = 1_750_000_000.1234

/** Words long enough to go over several panels of narrow lines; ten times as long they only take ten times as long. */
const LONGEST = 900

const generation = hostileTexts.map(tokens => tokens.map(text => text.slice(0, LONGEST)))
const texts = fc.array(generation, { minLength: 1, maxLength: 12 })
const time = fc.double({ min: FIRST - 1, max: FIRST + 20, noNaN: true })

/** A question about a place near one of the tokens, told by fractions since the tokens are not there yet. */
interface Wish {
  layout: LayoutName
  token: number
  dx: number
  dy: number
  w: number
  h: number
  zoom: number
  zoomY: number | null
  color: (typeof COLORS)[number]
  have: boolean
  narrow: Pick<ViewQuestion, 't' | 'filter'>
}

const narrow: fc.Arbitrary<Wish['narrow']> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.record({ t: time }) },
  {
    weight: 2,
    arbitrary: fc.record({
      t: fc.option(time),
      filter: fc.record(
        {
          generations: fc.subarray(['g0', 'g1', 'g2', 'nobody']),
          models: fc.subarray(['m0', 'm1', 'nothing']),
          kinds: fc.subarray(['message', 'reasoning', 'tool_call'] as const).map(kinds => [...kinds]),
          since: time,
          until: time,
        },
        { requiredKeys: [] },
      ),
    }),
  },
)

const wish: fc.Arbitrary<Wish> = fc.record({
  layout: fc.constantFrom(...LAYOUTS),
  token: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  dx: fc.integer({ min: -300, max: 300 }),
  dy: fc.integer({ min: -100, max: 100 }),
  w: fc.integer({ min: 1, max: 1600 }),
  h: fc.integer({ min: 1, max: 900 }),
  zoom: fc.oneof(
    fc.integer({ min: -24, max: 6 }).map(z => 2 ** z),
    fc.double({ min: 0.01, max: 10, noNaN: true }),
    fc.constantFrom(1e-9, 1e9),
  ),
  zoomY: fc.option(fc.constantFrom(0.05, 1, 7)),
  color: fc.constantFrom(...COLORS),
  have: fc.boolean(),
  narrow,
})

function questionOf(
  { layout, token, dx, dy, w, h, zoom, zoomY, color, have, narrow }: Wish,
  tokens: readonly ListedToken[],
): ViewQuestion {
  const near = tokens[Math.floor(token * tokens.length)]
  return {
    layout,
    x: (near?.x ?? 0) + dx / zoom,
    y: (near?.y ?? 0) + dy / zoom,
    w,
    h,
    zoom,
    color,
    ...(zoomY === null ? {} : { zoom_y: zoomY }),
    ...(have ? { have: [] } : {}),
    ...narrow,
  }
}

function pickOf({ layout, token, dx, dy, narrow }: Wish, tokens: readonly ListedToken[]): PickQuestion {
  const near = tokens[Math.floor(token * tokens.length)]
  return { layout, x: (near?.x ?? 0) + dx / 50, y: (near?.y ?? 0) + dy / 50, ...narrow }
}

function cut(entries: readonly LogEntry[], cuts: readonly number[]): LogEntry[][] {
  const at = [
    0,
    ...cuts.map(part => Math.floor(part * entries.length)).toSorted((a, b) => a - b),
    entries.length,
  ]
  return at.slice(1).map((end, i) => entries.slice(at[i], end))
}

// In narrow lines, more words move.
const flowWidth = fc.constantFrom(6, 14, 80)
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 })

/** Feeds both and compares what they say after each part; keeps that a version stands for one content. */
async function compare(
  parts: LogEntry[][],
  wishes: readonly Wish[],
  watched: readonly LayoutName[],
  { maxPages, flowWidth }: { maxPages: number; flowWidth: number },
) {
  const composition = new Composition({ engine: new CpuEngine(), maxPages, flowWidth })
  const list = new TokenList({ maxPages, flowWidth, flows: watched.includes('flow') })
  await composition.watch(new Set(watched))
  const contents = new Map<string, string>()
  for (const part of parts) {
    await composition.append(part, part.at(-1)?.seq ?? 0)
    await list.append(part)
    expect(composition.tokens).toBe(list.store.size)
    for (const one of wishes) {
      if (one.layout === 'flow') await list.beginFlow()
      const tokens = list.tokens(one.layout)
      const question = questionOf(one, tokens)
      const answer = await composition.view(question)
      list.expectView(answer, question)
      for (const { z, x, y, version, content } of answer.tiles) {
        const key = JSON.stringify([one.layout, answer.color, z, x, y, question.filter, question.t, version])
        const hex = Buffer.from(content as Uint8Array).toString('hex')
        expect(contents.get(key) ?? hex).toBe(hex)
        contents.set(key, hex)
      }
      const pick = pickOf(one, tokens)
      list.expectPick(await composition.pick(pick), pick)
    }
  }
}

test('answers are those of a list of all tokens, however entries come and whatever is asked', async () => {
  await fc.assert(
    fc.asyncProperty(
      texts,
      fc.integer(),
      cuts,
      fc.array(wish, { minLength: 1, maxLength: 6 }),
      fc.subarray([...LAYOUTS]),
      flowWidth,
      (tokens, seed, at, wishes, watched, flowWidth) =>
        compare(cut(entriesOf(tokens, { seed }), at), wishes, watched, { maxPages: 4, flowWidth }),
    ),
    { numRuns: rounds(2000, 40) },
  )
}, 600_000)

test('what is gone with its page is in no answer', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(generation, { minLength: 8, maxLength: 16 }),
      fc.integer(),
      fc.integer({ min: 4091, max: 4094 }),
      cuts,
      fc.array(wish, { minLength: 1, maxLength: 3 }),
      fc.subarray([...LAYOUTS]),
      flowWidth,
      (tokens, seed, firstBlock, at, wishes, watched, flowWidth) =>
        compare(cut(entriesOf(tokens, { seed, firstBlock }), at), wishes, watched, {
          maxPages: 1,
          flowWidth,
        }),
    ),
    { numRuns: rounds(600, 40) },
  )
}, 600_000)

test('a word that moves to the next line moves in every picture of it', async () => {
  const piece = fc.constantFrom(' the', ' oscillo', 'scope', 'ing', ' shows-', 'more', ' a', 'b c', '', '\n')
  const look = {
    layout: 'flow',
    token: 0,
    dx: 0,
    dy: 0,
    w: 400,
    h: 400,
    zoomY: null,
    color: 'age',
    have: true,
    narrow: {},
  } as const
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(piece, { minLength: 60, maxLength: 120 }), { minLength: 1, maxLength: 3 }),
      fc.constantFrom(40, 80),
      async (texts, flowWidth) => {
        const entries = entriesOf(texts, { final: false })
        const parts = Array.from({ length: Math.ceil(entries.length / 2) }, (_, i) =>
          entries.slice(2 * i, 2 * i + 2),
        )
        const wishes = [1 / 16, 2].map(zoom => ({ ...look, zoom }))
        await compare(parts, wishes, ['flow'], { maxPages: 4, flowWidth })
      },
    ),
    { numRuns: rounds(100) },
  )
}, 600_000)
