import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CpuEngine } from '../../../compositor/engine-cpu.ts'
import { flowFragments, flowNumber, flowShift } from '../../../compositor/layout/flow.ts'
import { FlowLayout, fragmentsOf } from '../../../compositor/layout/flow-layout.ts'
import { CARRY_WORDS, FRAGMENT_WORDS } from '../../../compositor/layout/flow-words.ts'
import { PAGE_BITS, PAGE_TOKENS } from '../../../compositor/tokens/record.ts'
import { TokenStore } from '../../../compositor/tokens/token-store.ts'
import { referenceFlow, referencePlace } from '../../support/reference-flow.ts'
import { rounds } from '../../support/rounds.ts'
import { entriesOf, hostileTexts } from '../../support/token-text.ts'

const widths = fc.oneof(fc.integer({ min: 2, max: 24 }), fc.constantFrom(79, 80, 81, 120))
/** As many generations in a run as make its pages worth their memory. */
const manyTexts = fc.array(hostileTexts, { minLength: 12, maxLength: 24, size: 'max' })
/** Blocks near the end of a page, so that a generation's next chunk lies in another one. */
const firstBlocks = fc.constantFrom(0, 4088, 4094, 4095)

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** The texts as one, cut anew between grapheme clusters, by how many of them; some tokens are empty. */
function recut(texts: readonly string[], sizes: readonly number[]): string[] {
  const clusters = [...graphemes.segment(texts.join(''))].map(({ segment }) => segment)
  const tokens: string[] = []
  for (let at = 0, i = 0; at < clusters.length; i++) {
    const size = sizes[i % sizes.length] ?? 1
    tokens.push(clusters.slice(at, at + size).join(''))
    at += size
  }
  return tokens
}

/** A cut that always goes on. */
const cuts = fc
  .tuple(fc.array(fc.nat(5), { maxLength: 20 }), fc.integer({ min: 1, max: 4 }))
  .map(([a, b]) => [...a, b])
const batchSizes = fc.tuple(fc.array(fc.nat(40), { maxLength: 20 }), fc.integer({ min: 1, max: 400 }))

/** Parts of a list, of these sizes; the last size goes on. */
function* batches<T>(list: readonly T[], [sizes, last]: [number[], number]): Generator<T[]> {
  for (let at = 0, i = 0; at < list.length; i++) {
    const size = sizes[i] ?? last
    yield list.slice(at, at + size)
    at += size
  }
}

async function appended(
  texts: string[][],
  width: number,
  firstBlock: number,
  sizes: [number[], number],
  seed = 1,
) {
  const store = new TokenStore({ maxPages: 4 })
  const flow = new FlowLayout({ store, engine: new CpuEngine(), width })
  for (const batch of batches(entriesOf(texts, { firstBlock, seed }), sizes))
    await flow.append(store.append(batch))
  return { store, flow }
}

/** Column and line of each token of a generation. */
function placesOf(store: TokenStore, slot: number): [number, number][] {
  const places: [number, number][] = []
  for (let n = store.tokenAt(slot, 0); n >= 0; n = store.next(n)) {
    const flow = store.pages.get(n >>> PAGE_BITS)?.flow as Uint32Array
    const place = n & (PAGE_TOKENS - 1)
    places.push([(flow[place] as number) % 1024, Math.floor((flow[place] as number) / 1024)])
  }
  return places
}

/** What flow made of each page, and the carries. */
function everything(store: TokenStore, flow: FlowLayout) {
  const slots = store.generations.length
  const carries = Array.from({ length: slots }, (_, slot) => {
    const [column, line, word, wordTokens] = flow.carries.slice(slot * CARRY_WORDS)
    return word === 0 ? [column, line] : [column, line, word, wordTokens]
  })
  return { places: store.generations.map(({ slot }) => placesOf(store, slot)), carries }
}

describe('flow', () => {
  it('lays text where the whole text would lie, however it is cut and told', async () => {
    await fc.assert(
      fc.asyncProperty(
        manyTexts,
        widths,
        firstBlocks,
        cuts,
        batchSizes,
        async (texts, width, firstBlock, cut, sizes) => {
          const tokens = texts.map(one => recut(one, cut))
          const { store } = await appended(tokens, width, firstBlock, sizes)
          for (const [slot, list] of tokens.entries()) {
            const clusters = referenceFlow(list.join(''), width)
            let at = 0
            const expected = list.map(text => {
              const from = at
              for (let length = 0; length < text.length; at++) length += clusters[at]?.text.length ?? 1
              return referencePlace(clusters, from, at)
            })
            expect(placesOf(store, slot)).toEqual(expected)
          }
        },
      ),
      { numRuns: rounds(500) },
    )
  })

  it('lays it out anew as it was when it came token by token, cut into fragments of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        manyTexts,
        widths,
        firstBlocks,
        batchSizes,
        fc.constantFrom(1, 2, 5, 64),
        fc.integer(),
        async (texts, width, firstBlock, sizes, atLeast, seed) => {
          const { store, flow } = await appended(texts, width, firstBlock, sizes, seed)
          const expected = everything(store, flow)
          flow.release()
          const engine = {
            backend: 'cpu' as const,
            wroteFlow: () => {},
            flowAppend: () => Promise.reject(new Error('nothing is added')),
            reflow: async (
              page: Parameters<CpuEngine['reflow']>[0],
              _: Uint32Array,
              carries: Uint32Array,
            ) => {
              const fragments = fragmentsOf(page, atLeast)
              flowFragments(page, fragments, carries, width)
              flowNumber(fragments, carries)
              flowShift(page, fragments)
            },
          }
          const again = new FlowLayout({ store, engine, width })
          await again.reflow()
          expect(everything(store, again)).toEqual(expected)
        },
      ),
      { numRuns: rounds(500) },
    )
  })

  it('goes on with a line feed that two tokens share', async () => {
    const { store } = await appended([['a\r', '\nb', '\r\n', 'c\r', '', '\n', 'd\r', 'e']], 80, 0, [[], 3])
    expect(placesOf(store, 0)).toEqual([
      [0, 0],
      [0, 1],
      [1, 1],
      [0, 2],
      [0, 3],
      [0, 3],
      [0, 3],
      [0, 4],
    ])
  })

  it.each([
    ['a mark', ['xe', '\u0301', '\u0302', 'y'], 3],
    ['joined emoji', ['👩', '\u200d', '👧', '\u200d', '👦', 'y'], 2],
    ['a skin tone', ['👍', '\u{1f3fd}', 'y'], 2],
    ['a flag', ['🇩', '🇪', 'y'], 2],
    ['jamo', ['\u1112', '\u1161', 'y'], 2],
  ])('takes no room for the rest of a cluster that was cut: %s', async (_, tokens, columns) => {
    const { store } = await appended([[...tokens, 'z']], 80, 0, [[], 1])
    const end = placesOf(store, 0).at(-1)?.[0]
    expect(end).toBe(columns + (tokens[0] === 'xe' ? 0 : 1))
  })

  it('cuts a long page into fragments that begin after line feeds', async () => {
    const text = Array.from({ length: 1000 }, (_, i) => (i % 10 === 9 ? ' x\n' : ' word'))
    const { store } = await appended([text, text], 80, 4094, [[], 100])
    const words = [...store.pages.values()].map(page => fragmentsOf(page, 32))
    for (const fragments of words) {
      expect(fragments.length / FRAGMENT_WORDS).toBeGreaterThan(10)
      for (let at = 0; at < fragments.length; at += FRAGMENT_WORDS) {
        expect(fragments[at + 2]).toBeLessThanOrEqual(40)
      }
    }
  })
})
