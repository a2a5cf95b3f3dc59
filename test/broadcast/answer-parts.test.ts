import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AnswerParts } from '../../broadcast/answer-parts.ts'
import { ViewAssembly, type WholeView } from '../../broadcast/client/view-assembly.ts'
import { LIMITS } from '../../broadcast/limits.ts'
import { decodeTile, encodeTile } from '../../broadcast/protocol/tile-codec.ts'
import type { ViewAnswer, ViewToken } from '../../broadcast/protocol/view.ts'
import {
  BIN_SUBPROTOCOL,
  BinaryReader,
  JSON_SUBPROTOCOL,
  type Subprotocol,
} from '../../broadcast/protocol.ts'
import { TileTexts } from '../../broadcast/tile-texts.ts'
import { payloadBytes } from '../../broadcast/wire.ts'
import { codePoints } from '../support/code-points.ts'
import { rounds } from '../support/rounds.ts'
import { expectSame } from '../support/same.ts'
import { anyContent, anyViewToken } from '../support/view-contents.ts'
import { SIDE, StandInViews, tokensOf } from '../support/views-stand-in.ts'

const PROTOCOLS: Subprotocol[] = [JSON_SUBPROTOCOL, BIN_SUBPROTOCOL]

/** The payloads of an answer, part by part, as they are sent to somebody who asked with `id`. */
function payloadsOf(parts: AnswerParts, id: number): Buffer[] {
  const payloads: Buffer[] = []
  for (let last = false; !last; ) {
    const made = parts.frame(payloads.length, id)
    const { bytes, headerBytes } = made.frame
    payloads.push(bytes.subarray(headerBytes, headerBytes + payloadBytes(made.frame)))
    last = made.last
  }
  return payloads
}

/** What a client makes of them. */
function assembled(
  payloads: Buffer[],
  protocol: Subprotocol,
  had: ViewAnswer['tiles'] = [],
): WholeView | null {
  const byPlace = new Map(had.map(({ content, ...tile }) => [`${tile.z} ${tile.x} ${tile.y}`, tile]))
  const assembly = new ViewAssembly(byPlace, () => {})
  let whole: WholeView | null = null
  const reader = new BinaryReader(part => {
    whole = assembly.addBinary(part)
  })
  for (const payload of payloads) {
    expect(whole).toBeNull()
    if (protocol === BIN_SUBPROTOCOL) expect(reader.read(payload)).toEqual([])
    else whole = assembly.add(JSON.parse(payload.toString()))
  }
  return whole
}

/** The answer as a client has it. */
function wholeOf({ tiles, ...answer }: ViewAnswer): WholeView {
  return {
    ...answer,
    tiles: tiles.map(({ content, ...tile }) =>
      content === null ? tile : { ...tile, ...decodeTile(content) },
    ),
  }
}

const anyAnswer = fc
  .record({
    tokens: fc.array(anyViewToken, { maxLength: 10 }),
    contents: fc.array(fc.option(anyContent), { maxLength: 10 }),
    models: fc.array(codePoints({ maxLength: 100 }), { maxLength: 4 }),
    long: fc.array(fc.nat(200_000), { maxLength: 3 }),
  })
  .map(({ tokens, contents, models, long }): ViewAnswer => {
    const more = long.map(
      (length, i): ViewToken => ({ ...(tokensOf(0, 0)[i] as ViewToken), text: '"ä'.repeat(length >> 1) }),
    )
    return {
      layout: 'flow',
      color: 'kind',
      upto: 7,
      z: 0,
      count: 5,
      origin: null,
      models,
      bounds: null,
      tokens: [...tokens, ...more],
      tiles: [...contents, { tokens: more }].map((content, x) => ({
        z: 0,
        x,
        y: 3 - x,
        version: 5 + x,
        count: 1,
        content: content && encodeTile(content),
      })),
    }
  })

describe.each(PROTOCOLS)('an answer in parts of %s', protocol => {
  it('is put together to what it was', () => {
    fc.assert(
      fc.property(anyAnswer, fc.nat(), (answer, id) => {
        const payloads = payloadsOf(new AnswerParts(answer, protocol, new TileTexts()), id)
        expectSame(assembled(payloads, protocol, answer.tiles), wholeOf(answer))
      }),
      { numRuns: rounds(1000) },
    )
  })

  it.each([
    ['of cells', { zoom: 2 }],
    ['of tokens in tiles', { zoom: 8, have: [] }],
    ['of tokens', { zoom: 8 }],
  ])('%s takes no more than 64 KiB each, and most of that', async (_what, more) => {
    const question = { layout: 'map' as const, x: 0, y: 0, w: 2048, h: 2048, ...more }
    const answer = await new StandInViews().view(question)
    const payloads = payloadsOf(new AnswerParts(answer, protocol, new TileTexts()), 2 ** 53 - 1)
    expect(payloads.length).toBeGreaterThan(2)
    for (const payload of payloads) expect(payload.length).toBeLessThanOrEqual(LIMITS.frameBytes)
    expectSame(assembled(payloads, protocol), wholeOf(answer))
    if (more.zoom === 2)
      for (const { length } of payloads.slice(0, -1)) expect(length).toBeGreaterThan(24 * 1024)
  })

  it('is the same for all, whoever asks for its parts when, and whatever was forgotten meanwhile', async () => {
    const question = { layout: 'map' as const, x: 0, y: 0, w: 1024, h: 2048, zoom: 8, have: [] }
    const answer = await new StandInViews().view(question)
    const texts = new TileTexts(1)
    const parts = new AnswerParts(answer, protocol, texts)
    const inOrder = payloadsOf(parts, 7)
    for (let part = inOrder.length - 1; part >= 0; part--) {
      const { frame, last } = parts.frame(part, 7)
      expect(frame.bytes.subarray(frame.headerBytes).equals(inOrder[part] as Buffer)).toBe(true)
      expect(last).toBe(part === inOrder.length - 1)
    }
  })

  it('with many models keeps the rest for the next part', () => {
    const models = Array.from({ length: 5000 }, (_, i) => `model number ${i}`)
    const answer: ViewAnswer = {
      layout: 'map',
      color: 'model',
      upto: 0,
      z: 0,
      count: 0,
      origin: null,
      models,
      bounds: [0, 0, SIDE, SIDE],
      tokens: [],
      tiles: [new StandInViews().tile(0, 0, 0)],
    }
    const payloads = payloadsOf(new AnswerParts(answer, protocol, new TileTexts()), 1)
    expect(payloads.length).toBeGreaterThan(1)
    for (const { length } of payloads.slice(1)) expect(length).toBeLessThanOrEqual(LIMITS.frameBytes)
    expectSame(assembled(payloads, protocol), wholeOf(answer))
  })
})
