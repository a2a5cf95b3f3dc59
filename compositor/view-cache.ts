import { LRUCache } from 'lru-cache'
import type { TileAnswer, ViewAnswer, ViewQuestion } from '../broadcast/protocol/view.ts'
import { tilesOf } from './view/viewport.ts'

const MAX_BYTES = 64 * 1024 * 1024
/** What a tile costs beside its content. */
const TILE_BYTES = 200
/** Combinations of layout, colour, filter and time whose tiles are held. */
const MAX_GROUPS = 1024

/** A tile's content, as of one version. */
interface HeldTile {
  readonly version: number
  readonly content: Uint8Array
}

/** What is held of the tiles that a question may be answered with. */
export type HeldTiles = ReadonlyMap<string, HeldTile>

/**
 * The contents of tiles that were answered with, those asked for last: so the process that makes them sends each
 * once for all who ask.
 */
export class ViewCache {
  readonly #tiles: LRUCache<string, HeldTile>
  /** Numbers that stand for what tiles depend on beside their place. */
  readonly #groups = new LRUCache<string, number>({ max: MAX_GROUPS })
  #given = 0

  /** @param maxBytes held at most */
  constructor(maxBytes = MAX_BYTES) {
    this.#tiles = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ content }, key) => content.byteLength + key.length + TILE_BYTES,
    })
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#tiles.calculatedSize
  }

  /** The question as it is asked where the tiles are made: with `have` of what is held, and that. */
  prepare(question: ViewQuestion): { question: ViewQuestion; held: HeldTiles } {
    const group = this.#groupOf(question)
    const held = new Map<string, HeldTile>()
    const have: NonNullable<ViewQuestion['have']> = []
    for (const { z, left, top, right, bottom } of tilesOf(question)) {
      for (let y = top; y < bottom; y++) {
        for (let x = left; x < right; x++) {
          const tile = this.#tiles.get(`${group} ${z} ${x} ${y}`)
          if (tile === undefined) continue
          held.set(`${z} ${x} ${y}`, tile)
          have.push([z, x, y, tile.version])
        }
      }
    }
    return { question: { ...question, have }, held }
  }

  /** Fills in what is held into the answer, and holds what else is in it. */
  complete(question: ViewQuestion, answer: ViewAnswer, held: HeldTiles): ViewAnswer {
    const group = this.#groupOf(question)
    const tiles = answer.tiles.map(tile => {
      const place = placeOf(tile)
      const { version, content } = tile
      if (content === null) return { ...tile, content: held.get(place)?.content ?? null }
      this.#tiles.set(`${group} ${place}`, { version, content })
      return tile
    })
    return { ...answer, tiles }
  }

  #groupOf({ layout, color = 'confidence', t = null, filter = null }: ViewQuestion): number {
    const key = `${layout} ${color} ${t} ${JSON.stringify(filter)}`
    const known = this.#groups.get(key)
    if (known !== undefined) return known
    // Not a length: a number that was given must not come again for something else.
    this.#groups.set(key, ++this.#given)
    return this.#given
  }
}

/** The answer without the contents that the asker has. */
export function withoutHad(answer: ViewAnswer, have: ViewQuestion['have']): ViewAnswer {
  if (have === undefined || have.length === 0) return answer
  const had = new Map(have.map(([z, x, y, version]) => [`${z} ${x} ${y}`, version]))
  const isHad = (tile: TileAnswer) => had.get(placeOf(tile)) === tile.version
  if (!answer.tiles.some(isHad)) return answer
  return { ...answer, tiles: answer.tiles.map(tile => (isHad(tile) ? { ...tile, content: null } : tile)) }
}

function placeOf({ z, x, y }: TileAnswer): string {
  return `${z} ${x} ${y}`
}
