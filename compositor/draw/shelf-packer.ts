/** A place on a page of an atlas, in pixels. */
export interface Shelved {
  page: number
  x: number
  y: number
}

interface Shelf {
  page: number
  y: number
  height: number
  /** Where the next one would stand. */
  x: number
}

/** Shelves are so many pixels apart in height: characters of about one height share them. */
const STEP = 4

/** Packs rectangles onto square pages: in rows of about one height, one after the other. */
export class ShelfPacker {
  readonly #side: number
  readonly #pages: number
  readonly #open = new Map<number, Shelf>()
  #page = 0
  #y = 0

  /** @param side of a page, in pixels */
  constructor(side: number, pages: number) {
    this.#side = side
    this.#pages = pages
  }

  /** Pages that anything is on. */
  get pages(): number {
    return Math.min(this.#pages, this.#page + 1)
  }

  /** A place of this size; null if there is none. Larger than a page is never given one. */
  place(width: number, height: number): Shelved | null {
    const rounded = Math.ceil(height / STEP) * STEP
    if (width > this.#side || rounded > this.#side) return null
    let shelf = this.#open.get(rounded)
    if (shelf === undefined || shelf.x + width > this.#side) {
      const next = this.#newShelf(rounded)
      if (next === null) return null
      shelf = next
    }
    const { page, x, y } = shelf
    shelf.x += width
    return { page, x, y }
  }

  /** Forgets all that was placed. */
  clear(): void {
    this.#open.clear()
    this.#page = 0
    this.#y = 0
  }

  #newShelf(height: number): Shelf | null {
    let [page, y] = [this.#page, this.#y]
    if (y + height > this.#side) [page, y] = [page + 1, 0]
    if (page >= this.#pages) return null
    this.#page = page
    this.#y = y + height
    const shelf = { page, y, height, x: 0 }
    this.#open.set(height, shelf)
    return shelf
  }
}
