import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CpuEngine } from '../../../compositor/engine-cpu.ts'
import { FlowLayout } from '../../../compositor/layout/flow-layout.ts'
import { wrapsOf } from '../../../compositor/layout/flow-runs.ts'
import { TokenStore } from '../../../compositor/tokens/token-store.ts'
import { referenceFlow } from '../../support/reference-flow.ts'
import { rounds } from '../../support/rounds.ts'
import { entriesOf, hostileTexts } from '../../support/token-text.ts'

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

async function laidOut(tokens: readonly string[], width: number) {
  const store = new TokenStore({ maxPages: 2 })
  const flow = new FlowLayout({ store, engine: new CpuEngine(), width })
  await flow.append(store.append(entriesOf([tokens])))
  return { store, flow }
}

/** Where each cluster of a token is seen that a reader of its place and wraps would draw, by UTF-16 unit. */
function drawn(
  store: TokenStore,
  flow: FlowLayout,
  n: number,
  seen: Map<number, number>,
): Map<number, string> {
  const text = store.textOf(n)
  const wraps = new Map(wrapsOf(store, flow, n).map(([at, x, y]) => [at, [x, y] as const]))
  const places = new Map<number, string>()
  let [x, y] = flow.placeOf(n)
  let blank = true
  for (const { index } of graphemes.segment(text)) {
    const wrap = wraps.get(index)
    if (wrap !== undefined) [x, y] = wrap
    const columns = seen.get(index)
    if (columns !== undefined) {
      places.set(index, `${x},${y}`)
      if (columns > 0) blank = false
      x += columns
    } else if (!blank) x += 1
  }
  return places
}

describe('where the text of a token goes on', () => {
  it('is where the whole text has it', async () => {
    await fc.assert(
      fc.asyncProperty(
        hostileTexts,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 }),
        fc.constantFrom(2, 5, 8, 13, 40),
        async (texts, sizes, width) => {
          const whole = [...graphemes.segment(texts.join('').toWellFormed())].map(({ segment }) => segment)
          const tokens: string[] = []
          for (let at = 0, i = 0; at < whole.length; i++) {
            const size = sizes[i % sizes.length] as number
            tokens.push(whole.slice(at, at + size).join(''))
            at += size
          }
          const { store, flow } = await laidOut(tokens, width)
          const clusters = referenceFlow(tokens.join(''), width)
          let at = 0
          for (const [index, token] of tokens.entries()) {
            const expected = new Map<number, string>()
            const seen = new Map<number, number>()
            // What takes no room is neither seen nor does it take any in the middle of a text.
            for (let unit = 0; unit < token.length; at++) {
              const cluster = clusters[at] as (typeof clusters)[number]
              if (cluster.kind === 'word') {
                expected.set(unit, String(flow.worldOf(0, cluster.column, cluster.line)))
                seen.set(unit, cluster.columns)
              } else if (cluster.kind === 'nothing') seen.set(unit, 0)
              unit += cluster.text.length
            }
            const told = drawn(store, flow, store.tokenAt(0, index), seen)
            for (const [unit, columns] of seen) if (columns === 0) told.delete(unit)
            expect(told).toEqual(expected)
          }
        },
      ),
      { numRuns: rounds(1000) },
    )
  })

  it('is told of nothing that lies in one piece', async () => {
    const { store, flow } = await laidOut(['one', ' two', ',', ' three four', '\n', '  '], 80)
    for (let i = 0; i < 6; i++) expect(wrapsOf(store, flow, store.tokenAt(0, i))).toEqual([])
  })

  it('is told of words after line feeds, tabs, wraps, and within words longer than a line', async () => {
    const { store, flow } = await laidOut(['a\n b', '\tc', ' dddd ee', 'f', 'ggggggggggggggggggg'], 8)
    const wraps = Array.from({ length: 5 }, (_, i) => wrapsOf(store, flow, store.tokenAt(0, i)))
    expect(wraps[0]).toEqual([[3, ...flow.worldOf(0, 1, 1)]])
    // A tab to the end of the line: c goes to the next one.
    expect(wraps[1]).toEqual([[1, ...flow.worldOf(0, 0, 2)]])
    // What comes after makes ee too long for its line.
    expect(wraps[2]).toEqual([[6, ...flow.worldOf(0, 0, 3)]])
    expect(wraps[3]).toEqual([])
    expect(wraps[4]).toEqual([
      [5, ...flow.worldOf(0, 0, 4)],
      [13, ...flow.worldOf(0, 0, 5)],
    ])
  })
})
