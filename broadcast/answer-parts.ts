import { LIMITS } from './limits.ts'
import { ByteWriter, varintBytes } from './protocol/byte-codec.ts'
import { encodeTile } from './protocol/tile-codec.ts'
import type { TileAnswer, ViewAnswer, ViewToken } from './protocol/view.ts'
import { VIEW, writePartHead, writePartTile } from './protocol/view-codec.ts'
import { BIN_SUBPROTOCOL, type Subprotocol, type ViewHead } from './protocol.ts'
import type { TileTexts } from './tile-texts.ts'
import { type WireFrame, wireFrame } from './wire.ts'

/** What a part may take besides its tokens and tiles: type, size, id, and its own numbers. */
const FRAME_ROOM = 128
/** So little of a tile is not worth a piece of its own. */
const LEAST_PIECE = 1024

/** Where a part begins. */
interface Place {
  /** Tokens and tiles before it. */
  readonly token: number
  readonly tile: number
  /** Of this tile, what earlier parts have of it: bytes, or as JSON pieces. */
  readonly piece: number
}

/** A part without the id, which alone is each asker's own. */
interface Body {
  readonly bytes: Uint8Array
  readonly last: boolean
}

/**
 * An answer in parts, for all who are sent it in one protocol. A part is made when it is asked for, and only the
 * last one is kept: those who are sent it at the same time share it, and an answer under way takes no memory
 * beyond its tiles'.
 */
export class AnswerParts {
  readonly #answer: ViewAnswer
  readonly #texts: TileTexts
  readonly #binary: boolean
  /** Where parts begin, as far as they have been made. */
  readonly #places: Place[] = [{ token: 0, tile: 0, piece: 0 }]
  #made: { part: number; body: Body } | null = null

  constructor(answer: ViewAnswer, protocol: Subprotocol, texts: TileTexts) {
    this.#answer = answer
    this.#binary = protocol === BIN_SUBPROTOCOL
    this.#texts = texts
  }

  /**
   * A part as a message to who asked with `id`.
   *
   * @param part from 0; those before it have been asked for, and were not the last
   */
  frame(part: number, id: number): { frame: WireFrame; last: boolean } {
    if (this.#made?.part !== part) this.#made = { part, body: this.#make(part) }
    const { bytes, last } = this.#made.body
    const out = new ByteWriter(bytes.length + FRAME_ROOM)
    if (this.#binary) {
      out.u8(VIEW)
      out.u32(varintBytes(id) + bytes.length)
      out.varint(id)
    } else out.text(`{"type":"view","id":${id}`)
    out.raw(bytes)
    return { frame: wireFrame(out.written, this.#binary), last }
  }

  #make(part: number): Body {
    const place = this.#places[part] as Place
    const { tokens: _tokens, tiles: _tiles, ...head } = this.#answer
    const made = this.#binary
      ? this.#makeBinary(part, place, part === 0 ? head : null)
      : this.#makeJson(part, place, part === 0 ? head : null)
    this.#places[part + 1] = made.next
    return made.body
  }

  #makeJson(part: number, place: Place, head: ViewHead | null): { body: Body; next: Place } {
    const { tokens, tiles } = this.#answer
    const out = new ByteWriter(LIMITS.frameBytes)
    if (head !== null) out.text(`,${JSON.stringify(head).slice(1, -1)}`)
    out.text(`,"part":${part},"tokens":[`)
    const fits = fitting(out, part)
    let { token, tile, piece } = place
    for (let first = true; token < tokens.length; token++, first = false) {
      const text = JSON.stringify(tokens[token])
      if (!fits(Buffer.byteLength(text))) break
      out.text(first ? text : `,${text}`)
    }
    out.text('],"tiles":[')
    for (let first = true; token === tokens.length && tile < tiles.length; first = false) {
      const { z, x, y, version, count, content } = tiles[tile] as TileAnswer
      const text = content === null ? null : this.#texts.piece(content, piece)
      if (!fits(text?.bytes.length ?? 0)) break
      out.text(`${first ? '' : ','}{"z":${z},"x":${x},"y":${y},"version":${version},"count":${count}`)
      if (text !== null) {
        out.text(`,"${text.field}":[`)
        out.raw(text.bytes)
        out.text(text.more ? '],"more":true' : ']')
      }
      out.text('}')
      if (text?.more === true) piece++
      else {
        tile++
        piece = 0
      }
    }
    const last = token === tokens.length && tile === tiles.length
    out.text(`],"last":${last}}`)
    return { body: { bytes: out.written, last }, next: { token, tile, piece } }
  }

  #makeBinary(part: number, place: Place, head: ViewHead | null): { body: Body; next: Place } {
    const { tokens, tiles } = this.#answer
    const headBytes = head === null ? 0 : JSON.stringify(head).length * 3
    const body = new ByteWriter(LIMITS.frameBytes)
    let { token, tile, piece } = place
    const slice = someOf(tokens, token, LIMITS.frameBytes - FRAME_ROOM - headBytes)
    const tokenBytes = slice.length === 0 ? null : encodeTile({ tokens: slice })
    token += slice.length
    const used = headBytes + (tokenBytes?.length ?? 0)
    while (token === tokens.length && tile < tiles.length) {
      const { content, ...told } = tiles[tile] as TileAnswer
      const room = LIMITS.frameBytes - FRAME_ROOM - used - body.length
      const left = content === null ? 0 : content.length - piece
      const isFirst = body.length === 0 && tokenBytes === null && part > 0
      if (room < Math.min(left, LEAST_PIECE) && !isFirst) break
      const size = Math.min(left, Math.max(room, LEAST_PIECE))
      writePartTile(
        body,
        told,
        content && { total: content.length, from: piece, bytes: content.subarray(piece, piece + size) },
      )
      piece += size
      if (size < left) break
      tile++
      piece = 0
    }
    const last = token === tokens.length && tile === tiles.length
    const out = new ByteWriter(used + body.length + FRAME_ROOM)
    writePartHead(out, { part, last, head, tokens: tokenBytes })
    out.raw(body.written)
    return { body: { bytes: out.written, last }, next: { token, tile, piece } }
  }
}

/** Whether so much more still fits a part; its first thing does, except beside a head that is large by itself. */
function fitting(out: ByteWriter, part: number): (bytes: number) => boolean {
  const most = LIMITS.frameBytes - FRAME_ROOM
  let some = part === 0
  return bytes => {
    const fits = !some || out.length + bytes + FRAME_ROOM <= most
    some = true
    return fits
  }
}

/** The tokens from `from` on that surely fit so many bytes; at least one, if there is any. */
function someOf(tokens: readonly ViewToken[], from: number, most: number): ViewToken[] {
  let to = from
  let last = ''
  for (let bytes = 0; to < tokens.length; to++) {
    const { id, text, wraps } = tokens[to] as ViewToken
    const generation = id.slice(0, id.lastIndexOf(':'))
    bytes += 3 * text.length + 24 * (wraps?.length ?? 0) + 64
    if (generation !== last) bytes += 3 * generation.length + 8
    if (bytes > most && to > from) break
    last = generation
  }
  return tokens.slice(from, to)
}
