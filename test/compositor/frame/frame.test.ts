import { decode } from 'fast-png'
import { describe, expect, it } from 'vitest'
import type { ViewAnswer, ViewQuestion } from '../../../broadcast/protocol/view.ts'
import { CpuEngine } from '../../../compositor/engine-cpu.ts'
import { FrameArtist } from '../../../compositor/frame/frame.ts'
import { frameCamera } from '../../../compositor/frame/frame-camera.ts'
import type { FrameQuestion } from '../../../compositor/frame/frame-question.ts'
import { Composition } from '../../../compositor/view/composition.ts'
import { noGpu, useGpu } from '../../support/gpu.ts'
import { answererOf, makeStreams, ORIGIN } from '../../support/view-answers.ts'
import { entriesOf } from '../../support/view-entries.ts'
import { differenceOf, pictureOfPng, pixelAt } from '../../support/view-pictures.ts'

const FEW = answererOf(makeStreams({ generations: 4, tokens: 120, unknownEach: 8 }))
const NONE = answererOf([])
const QUESTION: FrameQuestion = {
  layout: 'map',
  color: 'confidence',
  x: null,
  y: null,
  zoom: null,
  zoom_y: null,
  w: 640,
  h: 360,
  t: null,
  filter: null,
  theme: 'dark',
  scale: 'cividis',
}
const LAYOUTS = ['map', 'flow', 'timeline'] as const

/** Draws one picture by an artist of its own. */
async function drawFrame(question: FrameQuestion, view: typeof FEW, device: GPUDevice | null) {
  const artist = new FrameArtist(device)
  const png = await artist.draw(question, view)
  await artist.destroy()
  return png
}

describe('a frame', () => {
  it.each(LAYOUTS)('shows all of a %s, within its margins', async layout => {
    const answers: [ViewQuestion, ViewAnswer][] = []
    const png = await drawFrame({ ...QUESTION, layout }, note(FEW, answers), null)
    const [question, answer] = answers.at(-1) as [ViewQuestion, ViewAnswer]
    const all = (answers[0] as [ViewQuestion, ViewAnswer])[1].bounds
    const [left, top, right, bottom] = all as NonNullable<typeof all>
    expect(answer.tokens.length + answer.tiles.reduce((sum, tile) => sum + tile.count, 0)).toBeGreaterThan(
      200,
    )
    expect((left - question.x) * question.zoom).toBeGreaterThan(0)
    expect((right - question.x) * question.zoom).toBeLessThanOrEqual(640)
    expect((top - question.y) * (question.zoom_y as number)).toBeGreaterThan(0)
    expect((bottom - question.y) * (question.zoom_y as number)).toBeLessThanOrEqual(360 - 32)
    expect(decode(png)).toMatchObject({ width: 640, height: 360 })
  })

  it.each(LAYOUTS)('shows few tokens of a %s large enough to be read', async layout => {
    const one = answererOf(makeStreams({ generations: 1, tokens: 3 }))
    const answers: [ViewQuestion, ViewAnswer][] = []
    await drawFrame({ ...QUESTION, layout }, note(one, answers), null)
    const { zoom } = (answers.at(-1) as [ViewQuestion, ViewAnswer])[0]
    expect(zoom).toBe({ map: 64, flow: 9, timeline: 2 }[layout])
  })

  it.each(LAYOUTS)('says so where a %s has no tokens', async layout => {
    const picture = pictureOfPng(await drawFrame({ ...QUESTION, layout }, NONE, null))
    expect(pixelAt(picture, 0, 0)).toBe('#0a0e14')
    const middle: string[] = []
    for (let y = 150; y < 210; y++) for (let x = 100; x < 540; x++) middle.push(pixelAt(picture, x, y))
    expect(middle.filter(pixel => pixel !== '#0a0e14').length).toBeGreaterThan(500)
  })

  it('asks for what it was asked for, and by the camera it was given', async () => {
    const answers: [ViewQuestion, ViewAnswer][] = []
    const filter = { kinds: ['reasoning' as const] }
    const camera = { x: 3, y: 4.5, zoom: 12, t: ORIGIN + 4 }
    await drawFrame({ ...QUESTION, ...camera, filter, color: 'entropy' }, note(FEW, answers), null)
    expect(answers.map(([question]) => question)).toEqual([
      { layout: 'map', color: 'entropy', filter, ...camera, w: 640, h: 360, zoom_y: 12 },
    ])
  })

  it.each([
    [1, 1],
    [7, 300],
    [300, 7],
    [100, 60],
    [359, 400],
  ])('can be %d × %d', async (w, h) => {
    for (const layout of LAYOUTS) {
      for (const view of [FEW, NONE]) {
        const png = await drawFrame({ ...QUESTION, layout, w, h }, view, null)
        expect(decode(png)).toMatchObject({ width: w, height: h })
      }
    }
  })

  it.each(LAYOUTS)('shows the %s of a composition', async layout => {
    const composition = new Composition({ engine: new CpuEngine(), maxPages: 1 })
    const entries = entriesOf(makeStreams({ generations: 4, tokens: 120, unknownEach: 8 }))
    await composition.append(entries, entries.length)
    for (const far of [null, 0.02]) {
      const answers: [ViewQuestion, ViewAnswer][] = []
      const view = note(question => composition.view(question), answers)
      const png = await drawFrame({ ...QUESTION, layout, zoom: far }, view, null)
      const { tokens, tiles } = (answers.at(-1) as [ViewQuestion, ViewAnswer])[1]
      expect(tokens.length > 0).toBe(far === null)
      expect(tiles.length > 0).toBe(far !== null)
      const picture = pictureOfPng(png)
      const empty = pictureOfPng(await drawFrame({ ...QUESTION, layout, zoom: far }, NONE, null))
      expect(differenceOf(picture, empty).unlike).toBeGreaterThan(far === null ? 0.015 : 1e-4)
    }
    await composition.stop()
  })

  it('is on paper where that is asked for', async () => {
    const picture = pictureOfPng(await drawFrame({ ...QUESTION, theme: 'light' }, FEW, null))
    expect(pixelAt(picture, 0, 0)).toBe('#f7f5f0')
  })

  it('differs with scale and colour', async () => {
    const pictures = await Promise.all(
      [{}, { scale: 'viridis' as const }, { color: 'model' as const }, { color: 'interval' as const }].map(
        async more => pictureOfPng(await drawFrame({ ...QUESTION, ...more }, FEW, null)),
      ),
    )
    for (const [i, a] of pictures.entries()) {
      for (const b of pictures.slice(i + 1)) expect(differenceOf(a, b).unlike).toBeGreaterThan(0.02)
    }
  })

  it('leaves the middle to what is asked for alone', () => {
    const camera = frameCamera({ ...QUESTION, x: 5 }, [0, 0, 10, 10])
    expect(camera.x).toBe(5)
    const middle = camera.y + (360 - 32) / 2 / camera.zoomY
    expect(middle).toBeCloseTo(5, 6)
  })
})

describe.skipIf(noGpu)(`a frame drawn on the GPU ${noGpu ?? ''}`, () => {
  const gpu = useGpu()

  // Widths whose rows are no multiple of 256 bytes, and one whose are.
  it.each([
    ['map', 640, 'dark'],
    ['flow', 601, 'light'],
    ['timeline', 333, 'dark'],
  ] as const)('is the same as without one: %s, %d pixels wide', async (layout, w, theme) => {
    const question = { ...QUESTION, layout, w, theme, t: ORIGIN + 60 }
    const device = await gpu.device()
    const [drawn, painted] = [await drawFrame(question, FEW, device), await drawFrame(question, FEW, null)]
    const { mean, unlike, drawn: share } = differenceOf(pictureOfPng(painted), pictureOfPng(drawn))
    expect(mean).toBeLessThan(0.5)
    expect(unlike).toBeLessThan(0.005)
    expect(share).toBeGreaterThan(0.01)
  })

  it('is the same from an artist that has drawn others, several at once', async () => {
    const device = await gpu.device()
    const questions = LAYOUTS.flatMap(layout =>
      (['dark', 'light'] as const).map(theme => {
        return { ...QUESTION, layout, theme, w: theme === 'dark' ? 640 : 500, t: ORIGIN + 60 }
      }),
    )
    const fresh = await Promise.all(questions.map(question => drawFrame(question, FEW, device)))
    const artist = new FrameArtist(device)
    for (let round = 0; round < 2; round++) {
      expect(await Promise.all(questions.map(question => artist.draw(question, FEW)))).toEqual(fresh)
    }
    await artist.destroy()
    await expect(artist.draw(QUESTION, FEW)).rejects.toThrow('no more pictures')
  })

  it('takes no more of the device the more are drawn, and all is given back', async () => {
    const device = await gpu.device()
    const count = countingBuffers(device)
    const artist = new FrameArtist(device)
    await artist.draw({ ...QUESTION, t: ORIGIN }, FEW)
    const after = count()
    for (const layout of LAYOUTS) await artist.draw({ ...QUESTION, layout, t: ORIGIN }, NONE)
    expect(after).toBeGreaterThan(0)
    expect(count()).toBe(after)
    await artist.destroy()
    expect(count()).toBe(0)
  })

  it('is painted without it where it is larger than its textures', async () => {
    const device = await gpu.device()
    const w = device.limits.maxTextureDimension2D + 8
    expect(decode(await drawFrame({ ...QUESTION, w, h: 16 }, FEW, device))).toMatchObject({
      width: w,
      height: 16,
    })
  })
})

/** Counts the buffers and textures of a device that were made and not destroyed. */
function countingBuffers(device: GPUDevice): () => number {
  const alive = new Set<GPUBuffer | GPUTexture>()
  const watch = <T extends GPUBuffer | GPUTexture>(made: T): T => {
    alive.add(made)
    const destroy = made.destroy.bind(made)
    made.destroy = (): undefined => {
      alive.delete(made)
      destroy()
    }
    return made
  }
  const { createBuffer, createTexture } = device
  device.createBuffer = descriptor => watch(createBuffer.call(device, descriptor))
  device.createTexture = descriptor => watch(createTexture.call(device, descriptor))
  return () => alive.size
}

/** Notes what is asked and answered. */
function note(view: (q: ViewQuestion) => Promise<ViewAnswer>, to: [ViewQuestion, ViewAnswer][]) {
  return async (question: ViewQuestion) => {
    const answer = await view(question)
    to.push([question, answer])
    return answer
  }
}
