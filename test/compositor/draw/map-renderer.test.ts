import { describe, expect, it } from 'vitest'
import { blockNumber } from '../../../compositor/draw/block-number.ts'
import { blockKey } from '../../../compositor/draw/cell.ts'
import { cellEntry, UNKNOWN_CELL } from '../../../compositor/draw/cell-entry.ts'
import { paintCell } from '../../../compositor/draw/cell-paint.ts'
import { cividisRgb } from '../../../compositor/draw/cividis.ts'
import type { MapLight } from '../../../compositor/draw/map-light.ts'
import { MapRenderer } from '../../../compositor/draw/map-renderer.ts'
import { mapPosition } from '../../../compositor/layout/map.ts'
import { readShader } from '../../../compositor/shader-files.ts'
import { noGpu, useGpu } from '../../support/gpu.ts'
import {
  type DrawnBlock,
  drawMap,
  frameWith,
  GRID,
  GROUND,
  HATCH_GROUND,
  HATCH_LINE,
  OUTLINE,
  type Picture,
  type Pixel,
  pictureOf,
} from '../../support/map-picture.ts'

const YELLOW = cellEntry(1)
const FULL = new Array<number>(256).fill(YELLOW)

/** A block with all that there can be: every colour, unknown ones, empty ones. */
const MIXED = Array.from({ length: 256 }, (_, i) =>
  i % 11 === 3 ? Number.NaN : i % 7 === 5 ? null : i / 255,
)
const MIXED_ENTRIES = MIXED.map(confidence => (confidence === null ? 0 : cellEntry(confidence)))

const hex = (pixel: Pixel) => `#${pixel.map(value => value.toString(16).padStart(2, '0')).join('')}`

/** What painting cells with Canvas 2D gives, for cells whose hatch has no lines: rectangles only. */
function paintedBlock(side: number, origin: number, size: number): string[] {
  const pixels = new Array<string>(size * size).fill(hex(GROUND))
  const ctx = {
    fillStyle: '',
    fillRect: (left: number, top: number, width: number, height: number) => {
      for (let y = top; y < top + height; y++) {
        for (let x = left; x < left + width; x++) {
          if (x + origin < size && y + origin < size) pixels[(y + origin) * size + x + origin] = ctx.fillStyle
        }
      }
    },
  }
  const edge = (cell: number) => Math.round((cell * side) / 16)
  for (const [i, confidence] of MIXED.entries()) {
    if (confidence === null) continue
    const [column, row] = [i % 16, Math.floor(i / 16)]
    const [x, y] = [edge(column), edge(row)]
    const hatch = { ground: hex(HATCH_GROUND), line: hex(HATCH_LINE) }
    paintCell(ctx as never, x, y, edge(column + 1) - x, edge(row + 1) - y, confidence, hatch)
  }
  return pixels
}

function pixelsOf(picture: Picture): string[] {
  return Array.from({ length: picture.width * picture.height }, (_, i) =>
    hex(picture.at(i % picture.width, Math.floor(i / picture.width))),
  )
}

const near = (actual: Pixel, expected: readonly number[], tolerance = 1) => {
  for (const channel of [0, 1, 2]) {
    expect(Math.abs((actual[channel] as number) - (expected[channel] as number))).toBeLessThanOrEqual(
      tolerance,
    )
  }
}

describe.skipIf(noGpu)(`the map drawn on the GPU ${noGpu ?? ''}`, () => {
  const gpu = useGpu()

  // Whole and fractional pitches, with and without gaps; no outline is left to be seen where cells are.
  it.each([32, 40, 48, 61, 71, 80, 95, 96])(
    'is to the pixel what Canvas 2D paints, at %d pixels a block',
    async side => {
      const frame = frameWith({ width: 110, height: 110, originX: 5, originY: 5, cell: side / 16 })
      const inks = { ...frame.inks, outline: frame.inks.ground }
      const picture = await drawMap(await gpu.device(), { ...frame, inks }, [[0, MIXED_ENTRIES]])
      expect(pixelsOf(picture)).toEqual(paintedBlock(side, 5, 110))
    },
  )

  it('has the exact colour of the scale in the middle of every cell', async () => {
    const entries = Array.from({ length: 256 }, (_, i) => cellEntry((i + 0.5) / 256))
    const frame = frameWith({ width: 640, height: 640, cell: 40 })
    const picture = await drawMap(await gpu.device(), frame, [[0, entries]])
    for (let i = 0; i < 256; i++) {
      const at = picture.at((i % 16) * 40 + 19, Math.floor(i / 16) * 40 + 19)
      expect(at).toEqual(cividisRgb((i + 0.5) / 256))
    }
  })

  it.each([8, 20, 26, 33, 60])('hatches what is unknown, in cells of %d pixels', async cell => {
    const frame = frameWith({ width: cell * 16, height: cell * 16, cell })
    const entries = new Array<number>(256).fill(UNKNOWN_CELL)
    const picture = await drawMap(await gpu.device(), frame, [[0, entries]])
    const seen = new Map<string, number>()
    for (let y = 0; y < cell - 2; y++) {
      for (let x = 0; x < cell - 2; x++) {
        const pixel = hex(picture.at(cell * 3 + x, cell * 5 + y))
        seen.set(pixel, (seen.get(pixel) ?? 0) + 1)
      }
    }
    const share = (pixel: Pixel) => (seen.get(hex(pixel)) ?? 0) / (cell - 2) ** 2
    // Lines a fifth of their distance wide at least, and ground between them.
    expect(share(HATCH_GROUND)).toBeGreaterThan(0.35)
    expect(1 - share(HATCH_GROUND)).toBeGreaterThan(0.15)
  })

  const LAST = 65_535
  const CORNERS: [number, number][] = [
    [0, 0],
    [LAST, 0],
    [0, LAST],
    [LAST, LAST],
  ]
  const PLACES = [
    ...CORNERS,
    ...[1, 2, 77, 4097, 70_000, 5_000_000, 16_777_214].map(n => mapPosition(n * 256)),
  ]

  it.each(PLACES)('places a block by its number, cell (%d, %d)', async (x, y) => {
    // The camera stands two blocks off, so that the block is not where it is by chance.
    const [column, row] = [Math.floor(x / 16), Math.floor(y / 16)]
    const frame = frameWith({ anchorColumn: column - 1, anchorRow: row, originX: -60, originY: 4, cell: 5 })
    const entries = new Array<number>(256).fill(0)
    entries[(y % 16) * 16 + (x % 16)] = YELLOW
    const picture = await drawMap(await gpu.device(), frame, [[blockNumber(blockKey(x, y)), entries]])
    const [left, top] = [20 + (x % 16) * 5, 4 + (y % 16) * 5]
    const yellow = hex(cividisRgb(1))
    const found = pixelsOf(picture).flatMap((pixel, i) => (pixel === yellow ? [i] : []))
    // Cells of five pixels leave a gap of one.
    expect(found).toHaveLength(16)
    expect(found[0]).toBe(top * picture.width + left)
    expect(found.at(-1)).toBe((top + 3) * picture.width + left + 3)
  })

  it('draws outlines left of and above blocks and on their last pixels, and crosses of the graticule', async () => {
    const frame = frameWith({ originX: 10, originY: 10, cell: 2, gridColumns: 3, gridRows: 2 })
    const picture = await drawMap(await gpu.device(), frame, [[0, new Array(256).fill(0)]])
    for (const [x, y] of [
      [9, 9],
      [9, 25],
      [41, 41],
      [41, 25],
      [25, 9],
      [25, 41],
    ] as const) {
      expect([x, y, ...picture.at(x, y)]).toEqual([x, y, ...OUTLINE])
    }
    expect(picture.at(10, 10)).toEqual(GRID)
    expect(picture.at(42, 25)).toEqual(GROUND)
    expect(picture.at(25, 25)).toEqual(GROUND)
    for (let x = 71; x <= 77; x++) expect([x, ...picture.at(x, 42)]).toEqual([x, ...GRID])
    for (let y = 39; y <= 45; y++) expect([y, ...picture.at(74, y)]).toEqual([y, ...GRID])
    expect(picture.at(70, 42)).toEqual(GROUND)
    expect(picture.at(78, 42)).toEqual(GROUND)
  })

  it('shows the mean of the cells under a pixel where these are smaller', async () => {
    const entries = Array.from({ length: 256 }, (_, i) => (i % 2 === 0 ? cellEntry(0) : YELLOW))
    const frame = frameWith({ width: 16, height: 16, cell: 0.5, snapped: false })
    const picture = await drawMap(await gpu.device(), frame, [[0, entries]])
    const [dark, light] = [cividisRgb(0), cividisRgb(1)]
    const mean = dark.map((value, channel) => (value + (light[channel] as number)) / 2)
    for (const [x, y] of [
      [0, 0],
      [3, 5],
      [7, 7],
    ] as const) {
      near(picture.at(x, y), mean)
    }
    expect(picture.at(8, 3)).toEqual(GROUND)
  })

  it('lets no ground through where blocks share a pixel', async () => {
    const frame = frameWith({ width: 64, height: 64, originX: 0.3, originY: 0.7, cell: 0.33, snapped: false })
    const blocks: DrawnBlock[] = Array.from({ length: 256 }, (_, number) => [number, FULL])
    const picture = await drawMap(await gpu.device(), frame, blocks)
    const yellow = cividisRgb(1)
    for (let y = 1; y < 64; y++) for (let x = 1; x < 64; x++) near(picture.at(x, y), yellow, 3)
  })

  it('adds the light of a landing, or covers with it', async () => {
    const light: MapLight = {
      left: 20,
      top: 20,
      width: 10,
      height: 10,
      ink: [0.2, 0.4, 0.6],
      alpha: 0.5,
      inner: null,
      adds: true,
    }
    const lights = [light, { ...light, left: 40, adds: false }, { ...light, left: 60, inner: 1 }]
    const picture = await drawMap(await gpu.device(), frameWith({}), [], { lights })
    near(picture.at(25, 25), [10 + 25.5, 14 + 51, 20 + 76.5])
    near(picture.at(45, 25), [5 + 25.5, 7 + 51, 10 + 76.5])
    expect(picture.at(19, 25)).toEqual(GROUND)
    // A halo is strongest in its middle and nothing at its edge.
    expect((picture.at(64, 24)[2] as number) - (picture.at(61, 24)[2] as number)).toBeGreaterThan(20)
    near(picture.at(60, 20), GROUND)
  })

  it('keeps all blocks when there are more than it has room for, and forgets those that are gone', async () => {
    const device = await gpu.device()
    const renderer = await MapRenderer.create(device, 'rgba8unorm', readShader)
    const side = 2
    const frame = frameWith({ width: 64, height: 64, cell: side / 16, snapped: false })
    for (let slot = 0; slot < 1024; slot++) renderer.blocks.fill(slot, slot).set(FULL)
    const draw = () => pictureOf(device, frame, target => renderer.draw(target, frame))
    let picture = await draw()
    for (let y = 0; y < 64; y++) for (let x = 0; x < 64; x++) near(picture.at(x, y), cividisRgb(1))

    renderer.blocks.empty(700)
    // One block of 512 bytes and the numbers beside it: what did not change is not sent again.
    expect(renderer.blocks.upload()).toBe(516)
    picture = await draw()
    const [x, y] = mapPosition(700 * 256).map(cell => Math.floor(cell / 16) * side) as [number, number]
    expect(picture.at(x, y)).toEqual(GROUND)
    near(picture.at(x ^ 2, y), cividisRgb(1))
    renderer.destroy()
  })

  it('says in which line of which file a shader is wrong', async () => {
    const device = await gpu.device()
    const broken = (name: string) => readShader(name).replace('fn cell_gap(', 'fn cell_gap(nonsense ')
    await expect(MapRenderer.create(device, 'rgba8unorm', broken)).rejects.toThrow(
      /^The shader map-cells\.wgsl does not compile: map-cells\.wgsl:\d+: /,
    )
  })

  let asItIs: Picture[] | null = null
  it.each([
    ['hilbert.wgsl', '0x33333333u', '0x33333033u'],
    ['hilbert.wgsl', '(y << 16u)', '(y << 15u)'],
    ['map-frame.wgsl', 'number << 8u', 'number << 7u'],
    ['map-frame.wgsl', 'place >> 20u', 'place >> 19u'],
    ['map-frame.wgsl', '+ 0.5', '+ 0.6'],
    ['map-cells.wgsl', 'FIRST_OF_SCALE = 2u', 'FIRST_OF_SCALE = 1u'],
    ['map-cells.wgsl', 'side < 20.0', 'side < 5.0'],
    ['map-cells.wgsl', 'side < 4.0', 'side < 6.0'],
    ['map-cells.wgsl', '0.0625', '0.0624'],
    ['map-cells.wgsl', 'slot * 128u', 'slot * 127u'],
    ['map-cells.wgsl', '* 16.0 + 7.5', '* 16.0 + 6.5'],
    ['map-cells.wgsl', 'size.y) < 6.0', 'size.y) < 4.0'],
  ])('is another picture if in %s %s were %s', async (file, was, is) => {
    const device = await gpu.device()
    const mutant = (name: string) =>
      name === file ? readShader(name).replace(was, () => is) : readShader(name)
    expect(mutant(file)).not.toBe(readShader(file))
    const blocks: DrawnBlock[] = [0, 1, 2, 3, 60_000].map(number => [number, MIXED_ENTRIES])
    const [column, row] = mapPosition(60_000 * 256).map(cell => Math.floor(cell / 16)) as [number, number]
    const frames = [
      frameWith({ width: 220, height: 220, cell: 101 / 16 }),
      frameWith({ width: 220, height: 220, cell: 80 / 16 }),
      frameWith({ width: 120, height: 120, anchorColumn: column, anchorRow: row, cell: 4.5 }),
    ]
    asItIs ??= await Promise.all(frames.map(frame => drawMap(device, frame, blocks)))
    let differ = 0
    for (const [i, frame] of frames.entries()) {
      const actual = await drawMap(device, frame, blocks, { read: mutant })
      if (Buffer.compare((asItIs[i] as Picture).data, actual.data) !== 0) differ++
    }
    expect(differ).toBeGreaterThan(0)
  })
})
