import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AtlasStore, GlyphAtlas, sizeBucket } from '../../../compositor/draw/glyph-atlas.ts'
import { GlyphBuffer } from '../../../compositor/draw/glyph-buffer.ts'
import type { GlyphBitmap, GlyphRasterizer } from '../../../compositor/draw/glyph-rasterizer.ts'
import { ShelfPacker, type Shelved } from '../../../compositor/draw/shelf-packer.ts'

/** As many characters as there are Hangul syllables are all different. */
const HANGUL = 0xac00
const charactersOf = (count: number) =>
  Array.from({ length: count }, (_, i) => String.fromCodePoint(HANGUL + i))

/** Boxes whose every byte tells of the character that they stand for. */
class BoxRasterizer implements GlyphRasterizer {
  calls = 0

  rasterize(cluster: string, size: number): GlyphBitmap {
    this.calls++
    const [width, height] = [Math.ceil(size * 0.9), Math.ceil(size)]
    const pixels = new Uint8ClampedArray(width * height * 4).fill(markOf(cluster))
    return { width, height, left: 0, top: -height, pixels, coloured: false }
  }
}

/** Pages in memory, a byte a pixel. */
class MemoryStore implements AtlasStore {
  readonly side: number
  readonly pages: Uint8Array[] = []

  constructor(side: number) {
    this.side = side
  }

  reserve(pages: number): void {
    while (this.pages.length < pages) this.pages.push(new Uint8Array(this.side * this.side))
  }

  write({ page, x, y }: Shelved, { width, height, pixels }: GlyphBitmap): void {
    const target = this.pages[page] as Uint8Array
    expect(x >= 1 && y >= 1 && x + width < this.side && y + height < this.side).toBe(true)
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        target[(y + row) * this.side + x + column] = pixels[(row * width + column) * 4] as number
      }
    }
  }

  at({ page, x, y }: Shelved): number {
    return (this.pages[page] as Uint8Array)[y * this.side + x] as number
  }
}

function markOf(cluster: string): number {
  return 1 + ((cluster.codePointAt(0) as number) % 251)
}

function atlasOf(side: number, pages: number) {
  const rasterizer = new BoxRasterizer()
  const store = new MemoryStore(side)
  return { atlas: new GlyphAtlas({ rasterizer, store, side, pages }), rasterizer, store }
}

describe('the glyph atlas', () => {
  it('rasterises each character once a size and tone', () => {
    const { atlas, rasterizer } = atlasOf(256, 1)
    const first = atlas.find('a', 12, 'light')
    expect(atlas.find('a', 12, 'light')).toBe(first)
    expect(rasterizer.calls).toBe(1)
    atlas.find('a', 13, 'light')
    atlas.find('a', 12, 'dark')
    expect(rasterizer.calls).toBe(3)
  })

  it('takes another page when one is full, and says so when all are', () => {
    const { atlas, store } = atlasOf(64, 2)
    const found = charactersOf(40).map(character => atlas.find(character, 12, 'light'))
    expect(found[0]?.page).toBe(0)
    expect(found.some(glyph => glyph?.page === 1)).toBe(true)
    expect(found.at(-1)).toBeNull()
    expect(store.pages.length).toBe(2)
    // What was there before stays where it is.
    expect(atlas.version).toBe(1)
    expect(atlas.find(charactersOf(1)[0] as string, 12, 'light')).toBe(found[0])
  })

  it('is cleared as a whole, and whoever kept places of it sees that by its version', () => {
    const { atlas, store } = atlasOf(64, 1)
    const kept = { glyph: atlas.find('a', 12, 'light'), version: atlas.version }
    while (atlas.find(String.fromCodePoint(HANGUL + atlas.size), 12, 'light') !== null);
    atlas.clear()
    expect(atlas.size).toBe(0)
    expect(atlas.version).toBeGreaterThan(kept.version)
    atlas.find('b', 12, 'light')
    // The old place now shows another character: drawing it without comparing would be wrong.
    expect(store.at(kept.glyph as Shelved)).toBe(markOf('b'))
    const versions = [atlas.version]
    for (let i = 0; i < 3; i++) {
      atlas.clear()
      versions.push(atlas.version)
    }
    expect(versions).toEqual([...versions].sort((a, b) => a - b))
    expect(new Set(versions).size).toBe(4)
  })

  it('has every one of 10,000 characters in its place when it is drawn, however small it is', () => {
    const { atlas, store } = atlasOf(128, 2)
    const buffer = new GlyphBuffer()
    const drawn: number[] = []
    let flushes = 0
    const flush = () => {
      const floats = new Float32Array(buffer.words.buffer, 0, buffer.words.length)
      for (let at = 0; at < buffer.words.length; at += 10) {
        const page = (buffer.words[at + 9] as number) >> 1
        drawn.push(store.at({ page, x: floats[at + 4] as number, y: floats[at + 5] as number }))
      }
      buffer.clear()
      flushes++
    }
    const characters = charactersOf(10_000)
    for (let i = 0; i < characters.length; i += 100) {
      const text = characters.slice(i, i + 100).join('')
      buffer.addRun({ text, x: 0, baseline: 10, size: 12, pitch: 8, ink: 0xffff_ffff }, atlas, flush)
    }
    flush()
    expect(drawn).toEqual(characters.map(markOf))
    expect(flushes).toBeGreaterThan(10)
    expect(atlas.version).toBe(flushes)
  })

  it('leaves out what is larger than a page, and goes on', () => {
    const { atlas } = atlasOf(32, 1)
    const buffer = new GlyphBuffer()
    const run = { text: 'a', x: 0, baseline: 10, pitch: 8, ink: 0xffff_ffff }
    buffer.addRun({ ...run, size: 60 }, atlas, () => buffer.clear())
    expect(buffer.count).toBe(0)
    buffer.addRun({ ...run, size: 12 }, atlas, () => buffer.clear())
    expect(buffer.count).toBe(1)
  })

  it('knows few sizes, and draws the others at a scale', () => {
    expect(sizeBucket(12)).toBe(12)
    expect(sizeBucket(11.6)).toBeCloseTo(35 / 3, 10)
    expect(sizeBucket(1000)).toBe(128)
    const sizes = Array.from({ length: 2000 }, (_, i) => 32 + i * 0.1)
    expect(new Set(sizes.map(sizeBucket)).size).toBeLessThan(10)
    const { atlas } = atlasOf(256, 1)
    expect(atlas.find('a', 256, 'light')?.scale).toBe(2)
  })
})

describe('shelves', () => {
  it('never put one thing on another', () => {
    const size = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }))
    fc.assert(
      fc.property(fc.array(size, { maxLength: 200 }), sizes => {
        const packer = new ShelfPacker(64, 3)
        const taken = new Set<number>()
        for (const [width, height] of sizes) {
          const place = packer.place(width, height)
          if (place === null) continue
          expect(place.x + width).toBeLessThanOrEqual(64)
          expect(place.y + height).toBeLessThanOrEqual(64)
          expect(place.page).toBeLessThan(packer.pages)
          for (let y = place.y; y < place.y + height; y++) {
            for (let x = place.x; x < place.x + width; x++) {
              const pixel = (place.page * 64 + y) * 64 + x
              expect(taken.has(pixel)).toBe(false)
              taken.add(pixel)
            }
          }
        }
      }),
    )
  })
})
