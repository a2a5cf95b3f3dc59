import { TileReader } from './protocol/tile-codec.ts'
import type { TileCell, ViewToken } from './protocol/view.ts'

/** JSON of a piece at most, but for one that holds a single token. */
const PIECE_BYTES = 32 * 1024
/** JSON that is kept at most, more or less. */
const KEPT_BYTES = 32 * 1024 * 1024
/** A tile's bytes become so many times as many of JSON. */
const GROWTH = 8

/** Some of a tile's cells or tokens as JSON, without the brackets. */
export interface TileText {
  readonly field: 'cells' | 'tokens'
  readonly bytes: Buffer
  /** Whether the tile goes on after it. */
  readonly more: boolean
}

/** A tile as JSON, as far as it has been made. */
interface Text {
  readonly field: TileText['field']
  /** Gives what no piece has yet; null once all of it was made. */
  rest: (() => TileCell | ViewToken | null) | null
  /** JSON of the item that was one too many for the last piece. */
  over: string | null
  readonly pieces: TileText[]
}

/**
 * Tiles as JSON, in pieces. Made from the tile's bytes, one piece at a time, when it is asked for; kept by the bytes
 * themselves, so that all who are sent the same content share it.
 */
export class TileTexts {
  readonly #texts = new Map<Uint8Array, Text>()
  readonly #keptBytes: number
  #bytes = 0

  /** @param keptBytes JSON that is kept at most, in bytes */
  constructor(keptBytes = KEPT_BYTES) {
    this.#keptBytes = keptBytes
  }

  /**
   * A piece of a tile; of one with nothing in it the first is empty.
   *
   * @param content as of `encodeTile`
   * @param index from 0; those before it said that there is more
   */
  piece(content: Uint8Array, index: number): TileText {
    let text = this.#texts.get(content)
    if (text === undefined) {
      // One item at a time: all of a large tile would hold up everybody else.
      const reader = new TileReader(content)
      const field = reader.hasTokens ? 'tokens' : 'cells'
      const rest = field === 'tokens' ? () => reader.nextToken() : () => reader.nextCell()
      text = { field, rest, over: null, pieces: [] }
      this.#texts.set(content, text)
      this.#bytes += GROWTH * content.length
      this.#trim(content)
    }
    while (text.pieces.length <= index) this.#make(text)
    return text.pieces[index] as TileText
  }

  #make(text: Text): void {
    const { field, rest, pieces } = text
    const made: string[] = text.over === null ? [] : [text.over]
    let bytes = text.over === null ? 0 : Buffer.byteLength(text.over) + 1
    text.over = null
    for (let item = rest?.() ?? null; item !== null; item = rest?.() ?? null) {
      const json = JSON.stringify(item)
      const more = Buffer.byteLength(json) + 1
      if (bytes > 0 && bytes + more > PIECE_BYTES) {
        text.over = json
        break
      }
      made.push(json)
      bytes += more
    }
    const more = text.over !== null
    if (!more) text.rest = null
    pieces.push({ field, bytes: Buffer.from(made.join(',')), more })
  }

  /** Lets the oldest go where there is too much, but for the one in use. */
  #trim(used: Uint8Array): void {
    if (this.#bytes <= this.#keptBytes) return
    for (const content of this.#texts.keys()) {
      if (content === used) continue
      this.#texts.delete(content)
      this.#bytes -= GROWTH * content.length
      if (this.#bytes <= this.#keptBytes) return
    }
  }
}
