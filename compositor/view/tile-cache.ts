/** Encoded tiles, the least recently used of which go when there are too many. */
import { LRUCache } from 'lru-cache'

export interface EncodedTile {
  /** Of the tile when it was encoded. */
  version: number
  /** Tokens in it. */
  count: number
  content: Uint8Array
}

/** Bytes that an entry takes besides its content, about. */
const OVERHEAD = 200

export class TileCache {
  readonly #tiles: LRUCache<string, EncodedTile>

  /** @param maxBytes of what is kept */
  constructor(maxBytes = 64 * 1024 * 1024) {
    this.#tiles = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ content }, key) => content.length + key.length + OVERHEAD,
    })
  }

  /** The tile with this key if it is kept in this version. */
  get(key: string, version: number): EncodedTile | null {
    const tile = this.#tiles.get(key)
    return tile !== undefined && tile.version === version ? tile : null
  }

  /** Keeps a tile; one larger than the cache is not kept. */
  set(key: string, tile: EncodedTile): void {
    this.#tiles.set(key, tile)
  }

  clear(): void {
    this.#tiles.clear()
  }
}
