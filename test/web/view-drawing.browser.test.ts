import { writeFileSync } from 'node:fs'
import { encode } from 'fast-png'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ViewAnswer, ViewQuestion } from '../../broadcast/protocol/view.ts'
import { viewTheme } from '../../compositor/draw/view-theme.ts'
import { FrameArtist } from '../../compositor/frame/frame.ts'
import type { FrameQuestion } from '../../compositor/frame/frame-question.ts'
import { launchBrowser, noWebgpuBrowser, picturePath } from '../support/browser.ts'
import { answererOf, makeStreams, ORIGIN } from '../support/view-answers.ts'
import type { PageDrawing } from '../support/view-page.ts'
import { serveViewPage } from '../support/view-pages.ts'
import { differenceOf, pictureOfPng, type ViewPicture } from '../support/view-pictures.ts'

const FEW = answererOf(makeStreams({ generations: 6, tokens: 160, unknownEach: 7 }))
const MANY = answererOf(makeStreams({ generations: 60, tokens: 500, unknownEach: 7, seed: 3 }))
const QUESTION: FrameQuestion = {
  layout: 'map',
  color: 'confidence',
  x: 0,
  y: 0,
  zoom: 44,
  zoom_y: null,
  w: 640,
  h: 400,
  t: ORIGIN + 60,
  filter: null,
  theme: 'dark',
  scale: 'cividis',
}

/** The last two: how far apart pictures may be. Letters' edges differ from program to program, all else does not. */
const VIEWS: [string, typeof FEW, Partial<FrameQuestion>, mean: number, unlike: number][] = [
  ['cells with text', FEW, {}, 1, 0.015],
  ['small cells on paper', FEW, { zoom: 18, theme: 'light', scale: 'viridis', color: 'entropy' }, 2, 0.04],
  ['text', FEW, { layout: 'flow', zoom: 9, x: -3, y: -2 }, 2, 0.04],
  ['text on paper', FEW, { layout: 'flow', zoom: 7, x: -3, y: -2, theme: 'light', color: 'kind' }, 2, 0.04],
  ['lanes', FEW, { layout: 'timeline', zoom: 0.8, x: -30, y: -40, zoom_y: 1 }, 0.5, 0.005],
  ['density', MANY, { x: null, y: null, zoom: null, color: 'age' }, 0.2, 0.003],
]

describe.skipIf(noWebgpuBrowser)(`views drawn in the page ${noWebgpuBrowser ?? ''}`, () => {
  let served: Awaited<ReturnType<typeof serveViewPage>>
  let browser: Browser
  let page: Page
  const troubles: string[] = []

  beforeAll(async () => {
    ;[served, browser] = await Promise.all([serveViewPage(), launchBrowser({ webgpu: true })])
    page = await browser.newPage()
    page.on('pageerror', error => troubles.push(error.message))
    page.on('console', message => {
      if (message.type() === 'error') troubles.push(message.text())
    })
    await page.goto(served.url)
  })
  afterAll(async () => {
    await browser?.close()
    await served?.stop()
  })

  it.each(VIEWS)(
    'shows %s as Node does, with WebGPU and with Canvas 2D',
    async (name, view, more, mostMean, mostUnlike) => {
      const { png, drawing } = await drawnByNode({ ...QUESTION, ...more }, view)
      const expected = pictureOfPng(png)
      writeFileSync(picturePath(`view-${name.replaceAll(' ', '-')}-node`), png)
      for (const way of ['webgpu', 'canvas2d'] as const) {
        const text = await page.evaluate(([drawing, way]) => window.__drawView(drawing, way), [
          drawing,
          way,
        ] as const)
        const { width, height } = expected
        const picture: ViewPicture = { width, height, data: Buffer.from(text, 'base64') }
        writeFileSync(picturePath(`view-${name.replaceAll(' ', '-')}-${way}`), encode(picture as never))
        const difference = differenceOf(expected, picture)
        // Faces that neither brings differ, and so do the last bits of letters' edges.
        expect(difference.mean, way).toBeLessThan(mostMean)
        expect(difference.unlike, way).toBeLessThan(mostUnlike)
        expect(difference.drawn).toBeGreaterThan(0.02)
      }
    },
  )

  it('has no errors to tell of', () => {
    expect(troubles).toEqual([])
  })
})

/** Node's picture, and the same for a page to draw: what was answered, as it was asked for. */
async function drawnByNode(question: FrameQuestion, view: (q: ViewQuestion) => Promise<ViewAnswer>) {
  const asked: [ViewQuestion, ViewAnswer][] = []
  const png = await new FrameArtist(null).draw(question, async q => {
    const answer = await view(q)
    asked.push([q, answer])
    return answer
  })
  const [{ x, y, w, h, zoom, zoom_y }, answer] = asked.at(-1) as [ViewQuestion, ViewAnswer]
  const tiles = answer.tiles.map(tile => ({ ...tile, content: [...(tile.content as Uint8Array)] }))
  const drawing: PageDrawing = {
    answer: { ...answer, tiles },
    options: {
      camera: { x, y, width: w, height: h, zoom, zoomY: zoom_y as number },
      theme: viewTheme(question.theme),
      scale: question.scale,
      now: question.t as number,
      legend: true,
      narrowed: null,
    },
  }
  return { png, drawing }
}
