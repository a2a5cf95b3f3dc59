import { ProtocolError } from '../protocol/byte-codec.ts'
import type { TilePiece, ViewHead, ViewMessage } from '../protocol/messages.ts'
import { decodeTile } from '../protocol/tile-codec.ts'
import type { ViewToken } from '../protocol/view.ts'
import type { ViewPart, ViewPartTile } from '../protocol/view-codec.ts'
import { placeOf, type WholeTile } from './kept-tiles.ts'

/** An answer about a layout, whole, with the content of all of its tiles. */
export interface WholeView extends ViewHead {
  tokens: ViewToken[]
  tiles: WholeTile[]
}

/** A tile that goes on in the next part. */
interface Growing {
  readonly tile: WholeTile
  /** Of the binary protocol, which tells a tile's bytes. */
  readonly pieces: Uint8Array[]
  bytes: number
}

/** Puts the parts of an answer together, in either protocol. */
export class ViewAssembly {
  readonly #had: ReadonlyMap<string, WholeTile>
  readonly #onTile: (tile: WholeTile) => void
  #head: ViewHead | null = null
  #parts = 0
  #tokens: ViewToken[] = []
  #tiles: WholeTile[] = []
  #growing: Growing | null = null

  /**
   * @param had the tiles that the question said are here, by `placeOf`
   * @param onTile told each tile whose content came, once that is whole
   */
  constructor(had: ReadonlyMap<string, WholeTile>, onTile: (tile: WholeTile) => void) {
    this.#had = had
    this.#onTile = onTile
  }

  /**
   * Takes a part of JSON.
   *
   * @returns the answer, once it is whole
   * @throws ProtocolError if it does not follow what came before
   */
  add({ type: _type, id: _id, part, last, tokens, tiles, ...head }: ViewMessage): WholeView | null {
    this.#begin(part, part === 0 ? (head as ViewHead) : null)
    append(this.#tokens, tokens)
    for (const tile of tiles) this.#addPiece(tile)
    return this.#end(last)
  }

  /** The same with a part of the binary protocol. */
  addBinary({ part, last, head, tokens, tiles }: ViewPart): WholeView | null {
    this.#begin(part, head)
    if (tokens !== null) append(this.#tokens, decodeTile(tokens).tokens ?? [])
    for (const tile of tiles) this.#addBytes(tile)
    return this.#end(last)
  }

  #begin(part: number, head: ViewHead | null): void {
    if (part !== this.#parts) throw new ProtocolError(`part ${part} of an answer came after ${this.#parts}`)
    this.#parts++
    if (part === 0) this.#head = head
  }

  #end(last: boolean): WholeView | null {
    if (!last) return null
    if (this.#head === null || this.#growing !== null) throw new ProtocolError('an answer ended too early')
    return { ...this.#head, tokens: this.#tokens, tiles: this.#tiles }
  }

  #addPiece({ more, ...piece }: TilePiece): void {
    const growing = this.#grown(piece)
    if (growing === null && piece.cells === undefined && piece.tokens === undefined) this.#addHad(piece)
    else {
      const tile: WholeTile = growing?.tile ?? piece
      if (growing !== null) {
        append(tile.cells ?? [], piece.cells ?? [])
        append(tile.tokens ?? [], piece.tokens ?? [])
      }
      if (more === true) this.#growing = { tile, pieces: [], bytes: 0 }
      else this.#addWhole(tile)
    }
  }

  #addBytes({ content, ...tile }: ViewPartTile): void {
    const growing: Growing = this.#grown(tile) ?? { tile, pieces: [], bytes: 0 }
    if (content === null) {
      this.#addHad(tile)
      return
    }
    const { total, from, bytes } = content
    if (from !== growing.bytes) throw new ProtocolError('a piece of a tile is missing')
    growing.pieces.push(bytes)
    growing.bytes += bytes.length
    if (growing.bytes < total) this.#growing = growing
    else this.#addWhole({ ...tile, ...decodeTile(joined(growing.pieces)) })
  }

  /** The tile that a piece goes on with, if there is one. */
  #grown(tile: Pick<WholeTile, 'z' | 'x' | 'y'>): Growing | null {
    const growing = this.#growing
    this.#growing = null
    if (growing !== null && placeOf(growing.tile) !== placeOf(tile)) {
      throw new ProtocolError('a tile ended too early')
    }
    return growing
  }

  /** A tile that has not changed since it came. */
  #addHad(tile: WholeTile): void {
    const had = this.#had.get(placeOf(tile))
    if (had?.version !== tile.version) throw new ProtocolError('a tile came without its content')
    this.#tiles.push(had)
  }

  #addWhole(tile: WholeTile): void {
    this.#tiles.push(tile)
    this.#onTile(tile)
  }
}

function append<T>(list: T[], more: readonly T[]): void {
  for (const item of more) list.push(item)
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0] as Uint8Array
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
