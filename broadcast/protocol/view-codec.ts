/** Parts of answers about layouts, as the binary protocol carries them: message type 3, see docs/protocol.md. */
import { type ByteReader, type ByteWriter, ProtocolError } from './byte-codec.ts'
import type { ViewHead } from './messages.ts'

/** Type of the binary message. */
export const VIEW = 3
const LAST = 1

/** Part of an answer, its tokens and tiles as they were encoded. Parts count from 0. */
export interface ViewPart {
  id: number
  part: number
  last: boolean
  /** In the first part only. */
  head: ViewHead | null
  /** A tile's bytes; null: no tokens. */
  tokens: Uint8Array | null
  tiles: ViewPartTile[]
}

/** What is said of a tile before its content. */
export interface TileHead {
  z: number
  x: number
  y: number
  version: number
  count: number
}

export interface ViewPartTile extends TileHead {
  /** Null where the asker has this version. */
  content: ContentPiece | null
}

/** Bytes of a tile's content, from `from` on, of `total`. */
export interface ContentPiece {
  total: number
  from: number
  bytes: Uint8Array
}

/** Writes what comes before the tiles, but for the id. */
export function writePartHead(out: ByteWriter, part: Omit<ViewPart, 'id' | 'tiles'>): void {
  out.varint(part.part)
  out.u8(part.last ? LAST : 0)
  const head = out.beginSized()
  if (part.head !== null) out.text(JSON.stringify(part.head))
  out.endSized(head)
  out.varint(part.tokens?.length ?? 0)
  if (part.tokens !== null) out.raw(part.tokens)
}

/** Writes a tile, or a piece of one. */
export function writePartTile(out: ByteWriter, tile: TileHead, content: ContentPiece | null): void {
  out.zigzag(tile.z)
  out.zigzag(tile.x)
  out.zigzag(tile.y)
  out.varint(tile.version)
  out.varint(tile.count)
  out.varint(content === null ? 0 : content.total + 1)
  if (content === null) return
  out.varint(content.from)
  out.varint(content.bytes.length)
  out.raw(content.bytes)
}

/**
 * Reads a part: the body of a binary message of type 3.
 *
 * @throws ProtocolError if it cannot be read
 */
export function readViewPart(input: ByteReader): ViewPart {
  const id = input.varint()
  const part = input.varint()
  const last = (input.u8() & LAST) !== 0
  const headBytes = input.varint()
  const headText = input.text(input.at + headBytes)
  const tokens = readBytes(input)
  const tiles: ViewPartTile[] = []
  while (input.at < input.end) tiles.push(readTile(input))
  return { id, part, last, head: readHead(headText), tokens: tokens.length === 0 ? null : tokens, tiles }
}

function readTile(input: ByteReader): ViewPartTile {
  const z = input.zigzag()
  const x = input.zigzag()
  const y = input.zigzag()
  const version = input.varint()
  const count = input.varint()
  const total = input.varint() - 1
  if (total < 0) return { z, x, y, version, count, content: null }
  const from = input.varint()
  const bytes = readBytes(input)
  if (from + bytes.length > total) throw new ProtocolError('a tile goes on after its end')
  return { z, x, y, version, count, content: { total, from, bytes } }
}

function readBytes(input: ByteReader): Uint8Array {
  const { at, end } = input.part(input.varint())
  return input.bytes.subarray(at, end)
}

function readHead(text: string): ViewHead | null {
  if (text === '') return null
  try {
    return JSON.parse(text) as ViewHead
  } catch {
    throw new ProtocolError('the head of an answer holds something that is not JSON')
  }
}
