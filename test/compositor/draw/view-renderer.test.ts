import { createCanvas } from '@napi-rs/canvas'
import { beforeAll, describe, expect, it } from 'vitest'
import { CanvasRasterizer, type GlyphBitmap } from '../../../compositor/draw/glyph-rasterizer.ts'
import type { GlyphRun } from '../../../compositor/draw/glyph-run.ts'
import { LOOK_HATCH, QuadList } from '../../../compositor/draw/quad-list.ts'
import { mixed, rgbaOf } from '../../../compositor/draw/rgba.ts'
import { ViewPainter } from '../../../compositor/draw/view-painter.ts'
import { ViewRenderer } from '../../../compositor/draw/view-renderer.ts'
import type { ViewScene } from '../../../compositor/draw/view-scene.ts'
import { viewTheme } from '../../../compositor/draw/view-theme.ts'
import { wordedScene } from '../../../compositor/draw/worded-scene.ts'
import { fontOf, registerFonts } from '../../../compositor/frame/fonts.ts'
import { readShader } from '../../../compositor/shader-files.ts'
import { noGpu, useGpu } from '../../support/gpu.ts'
import { pictureOf } from '../../support/map-picture.ts'
import { answererOf, makeStreams, ORIGIN } from '../../support/view-answers.ts'
import { differenceOf, pixelAt, type ViewPicture } from '../../support/view-pictures.ts'

const DARK = viewTheme('dark')
const FEW = answererOf(makeStreams({ generations: 5, tokens: 150, unknownEach: 6 }))
const FAR = answererOf(makeStreams({ generations: 60, tokens: 500, unknownEach: 6, seed: 2 }))

const rasterizer = () => new CanvasRasterizer((width, height) => createCanvas(width, height) as never, fontOf)

function painted(scene: ViewScene): ViewPicture {
  const { width, height } = scene
  const ctx = createCanvas(width, height).getContext('2d')
  new ViewPainter((w, h) => createCanvas(w, h) as never, fontOf).paint(ctx as never, scene)
  return { width, height, data: ctx.getImageData(0, 0, width, height).data }
}

function sceneWith(quads: QuadList, runs: GlyphRun[] = [], width = 200, height = 120): ViewScene {
  return { width, height, theme: DARK, layers: [{ quads, runs }] }
}

beforeAll(registerFonts)

describe.skipIf(noGpu)(`views drawn on the GPU ${noGpu ?? ''}`, () => {
  const gpu = useGpu()

  async function drawn(scene: ViewScene, atlas: { atlasSide?: number; atlasPages?: number } = {}) {
    const device = await gpu.device()
    const options = { device, format: 'rgba8unorm' as const, read: readShader, rasterizer: rasterizer() }
    const renderer = await ViewRenderer.create({ ...options, ...atlas })
    const picture = await pictureOf(device, scene, target => renderer.draw(target, scene))
    renderer.destroy()
    return picture
  }

  const VIEWS = [
    ['map', FEW, { x: 0, y: 0, zoom: 44, zoomY: 44 }],
    ['map', FAR, { x: 0, y: 0, zoom: 2.3, zoomY: 2.3 }],
    ['flow', FEW, { x: -3, y: -2, zoom: 8, zoomY: 8 }],
    ['flow', FEW, { x: -3, y: -2, zoom: 3, zoomY: 3 }],
    ['timeline', FEW, { x: -100, y: -40, zoom: 0.9, zoomY: 1 }],
    ['timeline', FAR, { x: -100, y: -40, zoom: 0.01, zoomY: 0.5 }],
  ] as const

  it.each(VIEWS.flatMap(view => (['dark', 'light'] as const).map(theme => [...view, theme] as const)))(
    'are what Canvas 2D paints: %s',
    async (layout, view, place, theme) => {
      const camera = { ...place, width: 500, height: 300 }
      const { x, y, zoom, zoomY } = place
      const answer = await view({ layout, x, y, zoom, zoom_y: zoomY, w: 500, h: 300 })
      const options = {
        camera,
        theme: viewTheme(theme),
        scale: 'viridis' as const,
        legend: true,
        narrowed: null,
      }
      const scene = wordedScene(answer, { ...options, now: ORIGIN + 60 })
      const { mean, unlike, drawn: share } = differenceOf(painted(scene), await drawn(scene))
      expect(mean).toBeLessThan(0.5)
      expect(unlike).toBeLessThan(0.005)
      expect(share).toBeGreaterThan(0.02)
    },
  )

  it('can be added to, also while another is under way and the atlas is too small for both', async () => {
    const device = await gpu.device()
    const options = { device, format: 'rgba8unorm' as const, read: readShader, rasterizer: rasterizer() }
    const renderer = await ViewRenderer.create({ ...options, atlasSide: 64, atlasPages: 1 })
    const line = (text: string, baseline: number): GlyphRun => {
      return { text, x: 4, baseline, size: 15, pitch: 9, ink: DARK.ink }
    }
    const quads = new QuadList()
    quads.add(2, 30, 190, 50, rgbaOf('#304050'))
    // Long enough for steps in the midst of its lines.
    const before = Array.from({ length: 24 }, (_, i) => line(`abcdefgh${i}`, 18))
    const first = sceneWith(new QuadList(), [...before, line('ijklm', 70)])
    const picture = await pictureOf(device, first, target => {
      const other = device.createTexture({ size: [200, 120], format: 'rgba8unorm', usage: 16 })
      const steps = renderer.steps(target, first)
      steps.next()
      renderer.add(
        { view: other.createView(), width: 200, height: 120, theme: DARK },
        { quads: new QuadList(), runs: [line('nopqrstuvwxyz', 18)] },
      )
      while (steps.next().done !== true);
      other.destroy()
      renderer.add(
        { view: target, width: 200, height: 120, theme: DARK },
        { quads, runs: [line('NOPQRSTUVWXYZ', 45)] },
      )
    })
    renderer.destroy()
    const expected = sceneWith(quads, [...before, line('ijklm', 70), line('NOPQRSTUVWXYZ', 45)])
    const { mean, unlike } = differenceOf(painted(expected), picture)
    expect(mean).toBeLessThan(0.5)
    expect(unlike).toBeLessThan(0.005)
  })

  it('have rectangles to the pixel, later ones over earlier ones', async () => {
    const quads = new QuadList()
    quads.add(10, 20, 30, 24, rgbaOf('#ff0000'))
    quads.add(29, 23, 31, 26, rgbaOf('#00ff00'))
    const picture = await drawn(sceneWith(quads))
    expect(pixelAt(picture, 9, 20)).toBe('#0a0e14')
    expect(pixelAt(picture, 10, 20)).toBe('#ff0000')
    expect(pixelAt(picture, 28, 23)).toBe('#ff0000')
    expect(pixelAt(picture, 29, 23)).toBe('#00ff00')
    expect(pixelAt(picture, 30, 25)).toBe('#00ff00')
    expect(pixelAt(picture, 31, 25)).toBe('#0a0e14')
  })

  it('have a hatch that is the same to the pixel as on a canvas, faint or not', async () => {
    const quads = new QuadList()
    quads.add(3, 5, 60, 70, 0xff00_0000, LOOK_HATCH)
    quads.add(70, 5, 120, 70, 0x8000_0000, LOOK_HATCH)
    const scene = sceneWith(quads)
    expect(differenceOf(painted(scene), await drawn(scene)).unlike).toBe(0)
    const picture = await drawn(scene)
    const seen = new Set(Array.from({ length: 50 }, (_, i) => pixelAt(picture, 5 + i, 30)))
    expect(seen).toEqual(new Set(['#141b24', '#5b6979']))
  })

  it('have all letters where an atlas is too small for them at once', async () => {
    const letters = Array.from({ length: 26 * 2 + 10 }, (_, i) =>
      String.fromCharCode(i < 26 ? 65 + i : i < 52 ? 71 + i : i - 4),
    )
    const runs = [8, 9, 10, 11].map((pitch, row): GlyphRun => {
      return {
        text: letters.join(''),
        x: 2,
        baseline: 24 + row * 26,
        size: pitch / 0.6,
        pitch,
        ink: DARK.ink,
      }
    })
    const scene = sceneWith(new QuadList(), runs, 700, 120)
    const {
      mean,
      unlike,
      drawn: share,
    } = differenceOf(painted(scene), await drawn(scene, { atlasSide: 64, atlasPages: 1 }))
    expect(mean).toBeLessThan(0.5)
    expect(unlike).toBeLessThan(0.005)
    expect(share).toBeGreaterThan(0.05)
  })

  it('keep what is on an atlas when it gets another page', async () => {
    const runs = [8, 9, 10, 11].map((pitch, row): GlyphRun => {
      return {
        text: 'Every page has its letters',
        x: 2,
        baseline: 24 + row * 26,
        size: pitch / 0.6,
        pitch,
        ink: DARK.ink,
      }
    })
    const scene = sceneWith(new QuadList(), runs, 400, 120)
    const { mean } = differenceOf(painted(scene), await drawn(scene, { atlasSide: 64, atlasPages: 8 }))
    expect(mean).toBeLessThan(0.5)
  })

  describe('have characters with colours of their own', () => {
    const STRIPES = ['#ff4020', '#20c040', '#3060ff'].map(css => rgbaOf(css))

    /** Draws one character in three stripes, whatever it is: to the pixel where it is not scaled. */
    async function drawnStriped(scene: ViewScene, bitmapOf: (size: number) => GlyphBitmap) {
      const device = await gpu.device()
      const options = { device, format: 'rgba8unorm' as const, read: readShader }
      const rasterizer = { rasterize: (_cluster: string, size: number) => bitmapOf(size) }
      const renderer = await ViewRenderer.create({ ...options, rasterizer })
      const picture = await pictureOf(device, scene, target => renderer.draw(target, scene))
      renderer.destroy()
      return picture
    }

    /** A square as high as the type, in stripes from left to right. */
    function striped(size: number, colours: readonly number[], alpha: number): GlyphBitmap {
      const side = Math.floor(size / 3) * 3
      const pixels = new Uint8ClampedArray(side * side * 4)
      for (let i = 0; i < side * side; i++) {
        const colour = colours[Math.floor(((i % side) * colours.length) / side)] as number
        pixels.set([colour & 255, (colour >>> 8) & 255, (colour >>> 16) & 255, alpha], i * 4)
      }
      return { width: side, height: side, left: 0, top: -side, pixels, coloured: true }
    }

    const run = (size: number, ink: number): GlyphRun => {
      return { text: '🦉', x: 10, baseline: 60, size, pitch: size * 0.6, ink }
    }
    const stripes = (picture: ViewPicture) => [13, 22, 31].map(x => pixelAt(picture, x, 45))

    it('whatever the ink', async () => {
      for (const ink of ['#000000', '#ffffff', '#00ff00']) {
        const scene = sceneWith(new QuadList(), [run(30, rgbaOf(ink))])
        const picture = await drawnStriped(scene, size => striped(size, STRIPES, 255))
        expect(stripes(picture)).toEqual(['#ff4020', '#20c040', '#3060ff'])
        expect([pixelAt(picture, 9, 45), pixelAt(picture, 40, 45)]).toEqual(['#0a0e14', '#0a0e14'])
      }
    })

    it('that cover as much as they say, and as the ink does', async () => {
      const half = (css: string) => {
        const colour = mixed(DARK.ground, rgbaOf(css), 128 / 255)
        return [0, 8, 16].map(shift => (colour >>> shift) & 255)
      }
      for (const [alpha, ink] of [
        [128, 255],
        [255, 128],
      ] as const) {
        const scene = sceneWith(new QuadList(), [run(30, rgbaOf('#ffffff', ink))])
        const picture = await drawnStriped(scene, size => striped(size, STRIPES, alpha))
        for (const [x, css] of [
          [13, '#ff4020'],
          [22, '#20c040'],
          [31, '#3060ff'],
        ] as const) {
          const at = (45 * picture.width + x) * 4
          for (const [channel, value] of half(css).entries())
            expect(Math.abs((picture.data[at + channel] as number) - value)).toBeLessThanOrEqual(2)
        }
      }
    })

    it('without a dark fringe where they are scaled', async () => {
      // White on white is white, however it is sampled.
      const white = { ...viewTheme('light'), ground: rgbaOf('#ffffff') }
      const scene = { ...sceneWith(new QuadList(), [run(35, rgbaOf('#000000'))]), theme: white }
      const picture = await drawnStriped(scene, size => striped(size, [rgbaOf('#ffffff')], 255))
      expect([...new Set(picture.data)]).toEqual([255])
    })

    it('that stay theirs beside letters that take the ink', async () => {
      const scene = sceneWith(new QuadList(), [{ ...run(30, rgbaOf('#ffffff')), text: '🦉a' }])
      const letter = { ...striped(30, [rgbaOf('#000000')], 255), coloured: false }
      let asked = 0
      const picture = await drawnStriped(scene, size =>
        asked++ === 0 ? striped(size, STRIPES, 255) : letter,
      )
      expect(stripes(picture)).toEqual(['#ff4020', '#20c040', '#3060ff'])
      expect(pixelAt(picture, 10 + 36 + 5, 45)).toBe('#ffffff')
    })
  })

  it('are drawn again and again by one renderer, each as if it were the first', async () => {
    const device = await gpu.device()
    const options = { device, format: 'rgba8unorm' as const, read: readShader, rasterizer: rasterizer() }
    const renderer = await ViewRenderer.create({ ...options, atlasSide: 64, atlasPages: 1 })
    const scene = (text: string) =>
      sceneWith(new QuadList(), [{ text, x: 2, baseline: 60, size: 20, pitch: 12, ink: DARK.ink }])
    const picture = (text: string) =>
      pictureOf(device, scene(text), target => renderer.draw(target, scene(text)))
    const first = await picture('Tokenscope')
    await picture('other quick lazy')
    expect(await picture('Tokenscope').then(({ data }) => data)).toEqual(first.data)
    renderer.destroy()
  })
})

describe('letters', () => {
  it('that no face has are a box', () => {
    // A letter of a private area, in a face that draws nothing for it.
    const blank = {
      getContext: () => ({
        clearRect() {},
        fillText() {},
        getImageData: (_x: number, _y: number, w: number, h: number) => ({
          data: new Uint8ClampedArray(w * h * 4),
        }),
      }),
    }
    const { width, height, pixels } = new CanvasRasterizer(() => blank as never, fontOf).rasterize(
      '\ue000',
      20,
      1,
      'light',
    )
    const covered = (x: number, y: number) => (pixels[(y * width + x) * 4 + 3] as number) > 0
    expect([covered(0, 0), covered(width - 1, height - 1), covered(3, height - 1)]).toEqual([
      true,
      true,
      true,
    ])
    expect(covered(Math.floor(width / 2), Math.floor(height / 2))).toBe(false)
    expect(height).toBeGreaterThan(width)
  })

  it.each(['light', 'dark'] as const)('that a face draws in colours keep them: %s ink', tone => {
    const paint = (colour: readonly number[]) => ({
      getContext: () => ({
        clearRect() {},
        fillText() {},
        getImageData: (_x: number, _y: number, w: number, h: number) => {
          const data = new Uint8ClampedArray(w * h * 4)
          data.set(colour, (5 * w + 7) * 4)
          return { data }
        },
      }),
    })
    const colouredOf = (colour: readonly number[]) =>
      new CanvasRasterizer(() => paint(colour) as never, fontOf).rasterize('🦉', 20, 2, tone)
    const own = colouredOf([200, 40, 40, 255])
    expect(own).toMatchObject({ width: 1, height: 1, coloured: true })
    expect([...own.pixels]).toEqual([200, 40, 40, 255])
    expect(colouredOf(tone === 'light' ? [255, 255, 255, 255] : [0, 0, 0, 255]).coloured).toBe(false)
    // An emoji in the ink's opposite has a colour, too.
    expect(colouredOf(tone === 'light' ? [0, 0, 0, 255] : [255, 255, 255, 255]).coloured).toBe(true)
  })

  it('take the ink, whatever its tone, and are no wider than their columns', () => {
    for (const tone of ['light', 'dark'] as const) {
      for (const letter of ['M', '↵', '→', 'é', '⟩']) {
        const { coloured, width } = rasterizer().rasterize(letter, 20, 1, tone)
        expect(coloured, letter).toBe(false)
        expect(width, letter).toBeLessThan(20 * 0.6 * 1.4)
      }
    }
  })
})
