import { describe, expect, it } from 'vitest'
import { TextureUsage } from '../../../compositor/draw/gpu-usage.ts'
import { type Blit, PictureBlitter } from '../../../compositor/draw/picture-blitter.ts'
import { readShader } from '../../../compositor/shader-files.ts'
import { noGpu, useGpu } from '../../support/gpu.ts'
import { type Picture, type Pixel, pictureOf } from '../../support/map-picture.ts'

const SIZE = { width: 40, height: 24 }
const GROUND: Pixel = [10, 14, 20]
/** A picture whose pixels are all different. */
const SIDE = 16
const colourAt = (x: number, y: number): Pixel => [x * 16, y * 16, 200]

describe.skipIf(noGpu)(`pictures shown by the GPU ${noGpu ?? ''}`, () => {
  const gpu = useGpu()

  async function shown(blits: Omit<Blit, 'texture'>[]): Promise<Picture> {
    const device = await gpu.device()
    const texture = device.createTexture({
      size: [SIDE, SIDE],
      format: 'rgba8unorm',
      usage: TextureUsage.copyDst | TextureUsage.binding,
    })
    const pixels = new Uint8Array(SIDE * SIDE * 4)
    for (let i = 0; i < SIDE * SIDE; i++)
      pixels.set([...colourAt(i % SIDE, Math.floor(i / SIDE)), 255], i * 4)
    device.queue.writeTexture({ texture }, pixels, { bytesPerRow: SIDE * 4 }, [SIDE, SIDE])
    const blitter = await PictureBlitter.create(device, 'rgba8unorm', readShader)
    const ground = GROUND.map(value => value / 255) as Pixel
    const all = blits.map(blit => ({ ...blit, texture }))
    const picture = await pictureOf(device, SIZE, target => blitter.draw(target, { ...SIZE, ground }, all))
    blitter.destroy()
    texture.destroy()
    return picture
  }

  it('are the ground where there is none', async () => {
    const { at } = await shown([])
    expect([at(0, 0), at(39, 23)]).toEqual([GROUND, GROUND])
  })

  it.each([
    [0, 0],
    [7, 3],
    [-5, -9],
    [33, 20],
  ])('are copied to the pixel in their own size, at %d, %d', async (x, y) => {
    const { at } = await shown([{ x, y, width: SIDE, height: SIDE, alpha: 1 }])
    for (let row = 0; row < SIZE.height; row++) {
      for (let column = 0; column < SIZE.width; column++) {
        const [px, py] = [column - x, row - y]
        const inside = px >= 0 && py >= 0 && px < SIDE && py < SIDE
        expect(at(column, row)).toEqual(inside ? colourAt(px, py) : GROUND)
      }
    }
  })

  it('are stretched by any factor, each way', async () => {
    const { at } = await shown([{ x: 0, y: 0, width: 2 * SIDE, height: SIDE / 2, alpha: 1 }])
    expect(at(31, 7)[2]).toBe(200)
    expect([at(32, 7), at(31, 8)]).toEqual([GROUND, GROUND])
    expect(at(30, 0)[0]).toBeGreaterThan(at(2, 0)[0])
  })

  it('let what lies below shine through, as much as they are told', async () => {
    const whole = { x: 0, y: 0, width: SIDE, height: SIDE }
    const { at } = await shown([
      { ...whole, alpha: 0.5 },
      { ...whole, x: 20, alpha: 0 },
    ])
    expect(Math.abs(at(15, 0)[0] - (240 + GROUND[0]) / 2)).toBeLessThanOrEqual(1)
    expect(Math.abs(at(15, 0)[2] - (200 + GROUND[2]) / 2)).toBeLessThanOrEqual(1)
    expect(at(25, 5)).toEqual(GROUND)
  })

  it('lie over each other in their order', async () => {
    const whole = { width: SIDE, height: SIDE, alpha: 1 }
    const { at } = await shown([
      { ...whole, x: 0, y: 0 },
      { ...whole, x: 8, y: 0 },
    ])
    expect(at(7, 0)).toEqual(colourAt(7, 0))
    expect(at(8, 0)).toEqual(colourAt(0, 0))
  })
})
