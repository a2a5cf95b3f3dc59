/**
 * Answers as they pass from process to process. Thousands of tokens as objects would take tens of milliseconds to be
 * read at once, in the process that serves the viewers; as bytes they are read a few at a time.
 */
import { decodeTile, encodeTile } from '../broadcast/protocol/tile-codec.ts'
import type { ViewAnswer, ViewToken } from '../broadcast/protocol/view.ts'

/** Tokens that are read at a time: well under a millisecond's. */
const CHUNK_TOKENS = 256
/** Reading at a time, before everything else has a turn. */
const SLICE_MS = 2

/** An answer with its tokens as bytes. */
export interface PackedAnswer extends Omit<ViewAnswer, 'tokens'> {
  /** Some tokens each, as of `encodeTile`. */
  tokens: Uint8Array[]
}

/** The answer as it is sent. */
export function packAnswer({ tokens, ...rest }: ViewAnswer): PackedAnswer {
  const chunks: Uint8Array[] = []
  for (let at = 0; at < tokens.length; at += CHUNK_TOKENS) {
    chunks.push(encodeTile({ tokens: tokens.slice(at, at + CHUNK_TOKENS) }))
  }
  return { ...rest, tokens: chunks }
}

/** The answer as it was, read a few milliseconds at a time. */
export async function unpackAnswer({ tokens: chunks, tiles, ...rest }: PackedAnswer): Promise<ViewAnswer> {
  const tokens: ViewToken[] = []
  let begun = performance.now()
  for (const chunk of chunks) {
    tokens.push(...(decodeTile(chunk).tokens ?? []))
    if (performance.now() - begun < SLICE_MS) continue
    await new Promise(setImmediate)
    begun = performance.now()
  }
  // Bytes that came in a message are a part of it: who keeps one tile would keep the whole message.
  const own = tiles.map(tile => (tile.content === null ? tile : { ...tile, content: tile.content.slice() }))
  return { ...rest, tokens, tiles: own }
}
