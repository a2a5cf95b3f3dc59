import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeOf, type WholeTile } from '../../../broadcast/client/kept-tiles.ts'
import { ViewAssembly, type WholeView } from '../../../broadcast/client/view-assembly.ts'
import { ProtocolError } from '../../../broadcast/protocol/byte-codec.ts'
import { decodeTile, encodeTile } from '../../../broadcast/protocol/tile-codec.ts'
import type { TileContent, ViewToken } from '../../../broadcast/protocol/view.ts'
import type { ViewPart, ViewPartTile } from '../../../broadcast/protocol/view-codec.ts'
import type { TilePiece, ViewHead, ViewMessage } from '../../../broadcast/protocol.ts'
import { rounds } from '../../support/rounds.ts'
import { anyContent, anyViewToken } from '../../support/view-contents.ts'

const HEAD: ViewHead = {
  layout: 'flow',
  color: 'kind',
  upto: 7,
  z: 0,
  count: 5,
  origin: null,
  models: ['m'],
  bounds: null,
}

interface Given {
  tokens: ViewToken[]
  /** Null: the asker has it. */
  contents: (TileContent | null)[]
  /** Where parts end, as numbers to take one after the other. */
  cuts: number[]
}

const anyGiven: fc.Arbitrary<Given> = fc.record({
  tokens: fc.array(anyViewToken, { maxLength: 8 }),
  contents: fc.array(fc.option(anyContent), { maxLength: 6 }),
  cuts: fc.array(fc.nat(40), { minLength: 1, maxLength: 30 }),
})

const headOf = (x: number) => ({ z: 0, x, y: 3, version: 100 + x, count: 9 })

/** Lists cut in pieces of sizes that `cuts` tells, the last of each marked as such; empty ones are one piece. */
function pieces<T>(
  list: ArrayLike<T> & { slice(from: number, to: number): T[] | Uint8Array },
  next: () => number,
) {
  const cut: { from: number; to: number; more: boolean }[] = []
  for (let from = 0; from < list.length || cut.length === 0; ) {
    const to = Math.min(list.length, from + Math.max(1, next()))
    cut.push({ from, to, more: to < list.length })
    from = Math.max(to, from + 1)
  }
  return cut
}

/** An answer cut into parts of the JSON protocol, anywhere where the protocol allows it. */
function jsonParts({ tokens, contents, cuts }: Given): ViewMessage[] {
  let taken = 0
  const next = () => cuts[taken++ % cuts.length] as number
  const parts: Pick<ViewMessage, 'tokens' | 'tiles'>[] = [{ tokens: [], tiles: [] }]
  const end = () => parts.push({ tokens: [], tiles: [] })
  for (const { from, to } of pieces(tokens, next)) {
    parts.at(-1)?.tokens.push(...tokens.slice(from, to))
    if (next() % 2 === 0) end()
  }
  for (const [x, content] of contents.entries()) {
    const field = content?.tokens === undefined ? 'cells' : 'tokens'
    const list: unknown[] = content?.tokens ?? content?.cells ?? []
    for (const { from, to, more } of content === null
      ? [{ from: 0, to: 0, more: false }]
      : pieces(list, next)) {
      const piece = {
        ...headOf(x),
        ...(content === null ? {} : { [field]: list.slice(from, to) }),
      } as TilePiece
      parts.at(-1)?.tiles.push(more ? { ...piece, more } : piece)
      if (more || next() % 2 === 0) end()
    }
  }
  return parts.map((part, i) => ({
    type: 'view',
    id: 1,
    ...(i === 0 ? HEAD : {}),
    part: i,
    last: i === parts.length - 1,
    ...part,
  }))
}

/** The same in the binary protocol, where a tile's bytes are cut anywhere. */
function binaryParts({ tokens, contents, cuts }: Given): ViewPart[] {
  let taken = 0
  const next = () => cuts[taken++ % cuts.length] as number
  const parts: { tokens: Uint8Array | null; tiles: ViewPartTile[] }[] = []
  const end = () => parts.push({ tokens: null, tiles: [] })
  for (const { from, to } of pieces(tokens, next)) {
    parts.push({ tokens: encodeTile({ tokens: tokens.slice(from, to) }), tiles: [] })
  }
  for (const [x, content] of contents.entries()) {
    if (content === null) {
      parts.at(-1)?.tiles.push({ ...headOf(x), content })
      continue
    }
    const bytes = encodeTile(content)
    for (const { from, to, more } of pieces(bytes, next)) {
      const piece = { total: bytes.length, from, bytes: bytes.subarray(from, to) }
      parts.at(-1)?.tiles.push({ ...headOf(x), content: piece })
      if (more || next() % 2 === 0) end()
    }
  }
  return parts.map((part, i) => ({
    id: 1,
    part: i,
    last: i === parts.length - 1,
    head: i === 0 ? HEAD : null,
    ...part,
  }))
}

function had(contents: Given['contents']): Map<string, WholeTile> {
  const tiles = contents.flatMap((content, x) => (content === null ? [{ ...headOf(x), cells: [] }] : []))
  return new Map(tiles.map(tile => [placeOf(tile), tile]))
}

describe('an answer in parts', () => {
  it('is whole again, wherever they were cut, in both protocols', () => {
    fc.assert(
      fc.property(anyGiven, given => {
        const { tokens, contents } = given
        const expected: WholeView = {
          ...HEAD,
          tokens,
          tiles: contents.map((content, x) => ({ ...headOf(x), ...(content ?? { cells: [] }) })),
        }
        for (const inJson of [true, false]) {
          const told: WholeTile[] = []
          const assembly = new ViewAssembly(had(contents), tile => told.push(tile))
          const parts = inJson ? jsonParts(given) : binaryParts(given)
          const answers = parts.map(part =>
            'type' in part ? assembly.add(structuredClone(part)) : assembly.addBinary(part),
          )
          expect(answers.slice(0, -1).every(answer => answer === null)).toBe(true)
          expect(answers.at(-1)).toEqual(expected)
          expect(told).toEqual(expected.tiles.filter((_, x) => contents[x] !== null))
        }
      }),
      { numRuns: rounds(3000) },
    )
  })

  const cells: [number, number, number][] = [[0, 1, 2]]
  const part = (more: Partial<ViewMessage>): ViewMessage => ({
    type: 'view',
    id: 1,
    ...HEAD,
    part: 0,
    last: false,
    tokens: [],
    tiles: [],
    ...more,
  })
  it.each<[string, ViewMessage[]]>([
    ['a part is missing', [part({}), part({ part: 2 })]],
    ['the first part is missing', [part({ part: 1, last: true })]],
    [
      'a tile does not go on',
      [part({ tiles: [{ ...headOf(0), cells, more: true }] }), part({ part: 1, last: true })],
    ],
    [
      'another tile goes on',
      [
        part({ tiles: [{ ...headOf(0), cells, more: true }] }),
        part({ part: 1, last: true, tiles: [{ ...headOf(1), cells }] }),
      ],
    ],
    ['a tile without content is not here', [part({ last: true, tiles: [headOf(0)] })]],
  ])('is refused where %s', (_what, parts) => {
    const assembly = new ViewAssembly(new Map(), () => {})
    expect(() => {
      for (const message of parts) assembly.add(message)
    }).toThrow(ProtocolError)
  })

  it('is refused where a piece of a tile is missing', () => {
    const bytes = encodeTile({ cells })
    const piece = { total: bytes.length, from: 1, bytes: bytes.subarray(1) }
    const tile = { ...headOf(0), content: piece }
    const assembly = new ViewAssembly(new Map(), () => {})
    expect(() =>
      assembly.addBinary({ id: 1, part: 0, last: true, head: HEAD, tokens: null, tiles: [tile] }),
    ).toThrow(ProtocolError)
    expect(decodeTile(bytes)).toEqual({ cells })
  })
})
