import { writeFileSync } from 'node:fs'
import { decode, encode } from 'fast-png'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LogEntry } from '../../events/generation.ts'
import type { Tokenscope } from '../../main.ts'
import type { DrawnBy } from '../../web/view/picture-layer.ts'
import { drawnBySoftware, launchBrowser, noWebgpuBrowser, picturePath } from '../support/browser.ts'
import { feedPage, logOf } from '../support/page-feed.ts'
import { startScope } from '../support/scope.ts'

declare global {
  interface Window {
    /** The devices that the page was given. */
    __devices: GPUDevice[]
  }
}

const WAYS = ['webgpu', 'canvas2d'] as const
const VIEWPORT = { width: 1600, height: 800 }
/** The map without what floats at its foot. */
const CLIP = { x: 265, y: 49, width: 1335, height: 440 }

/** The last cell that is still in view with all others is a few hundred away: there they are the smallest. */
const COUNTS = Array.from({ length: 200 }, (_, i) => 60 + ((i * 97) % 420))
const LOG = logOf({ counts: COUNTS, stride: 4, unknownEach: 5 })
const SHORT_LOG = logOf({ counts: [400, 90, 256], stride: 2, unknownEach: 5 })

describe.skipIf(noWebgpuBrowser)(`the map, drawn both ways ${noWebgpuBrowser ?? ''}`, () => {
  let scope: Tokenscope
  const browsers: Partial<Record<DrawnBy, Browser>> = {}
  const pages: Partial<Record<DrawnBy, Page>> = {}
  const troubles: string[] = []

  beforeAll(async () => {
    scope = await startScope()
    await Promise.all(
      WAYS.map(async way => {
        browsers[way] = await launchBrowser({ webgpu: way === 'webgpu' })
        pages[way] = await openPage(browsers[way], LOG)
      }),
    )
  })
  afterAll(async () => {
    for (const browser of Object.values(browsers)) await browser.close()
    await scope.stop()
  })

  async function openPage(
    browser: Browser,
    log: LogEntry[],
    { complaints = troubles, prepare }: { complaints?: string[]; prepare?(page: Page): Promise<void> } = {},
  ): Promise<Page> {
    const page = await browser.newPage({
      viewport: VIEWPORT,
      colorScheme: 'dark',
      reducedMotion: 'reduce',
    })
    page.on('pageerror', error => complaints.push(error.message))
    page.on('console', message => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    await prepare?.(page)
    await feedPage(page, log)
    await keepDevices(page)
    await page.goto(drawnBySoftware(scope.url))
    const tokens = log.filter(entry => entry.type === 'token_activation').length
    await page.waitForFunction(tokens => window.__scope?.tokens === tokens, tokens)
    await page.keyboard.press('Escape')
    // The small map is the server's own picture, and no server has these tokens.
    await page.keyboard.press('m')
    await page.keyboard.press('0')
    await settle(page)
    return page
  }

  const drawnBy = (page: Page, way: DrawnBy) => page.waitForFunction(by => window.__scope.drawnBy === by, way)

  /**
   * Brings a page to rest with cells of this many pixels, as a link does: the same cell at the same place, however
   * much room what floats at the foot leaves.
   */
  async function look(page: Page, scale: number): Promise<void> {
    let y = 64
    for (let off = 1; Math.abs(off) > 1e-3; y += off / scale) {
      await page.evaluate(hash => {
        location.hash = hash
      }, `layout=map&x=64&y=${y}&z=${scale}`)
      await page.waitForFunction(scale => {
        const [at, next] = [window.__scope.cellToClient(40, 40), window.__scope.cellToClient(41, 40)]
        return Math.abs((next.x - at.x) / scale - 1) < 1e-6
      }, scale)
      await settle(page)
      off = await page.evaluate(() => window.__scope.cellToClient(64, 64).y - 260.3)
    }
    await page.mouse.move(5, 5)
    await settle(page)
  }

  /** Until all that is to be seen is, and nothing of it is on its way. */
  async function settle(page: Page): Promise<void> {
    await page.evaluate(() => new Promise(resolve => requestAnimationFrame(resolve)))
    await page.waitForFunction(() => window.__scope.settled)
    await page.evaluate(() => new Promise(resolve => requestAnimationFrame(resolve)))
  }

  async function shot(page: Page, name: string) {
    const png = await page.screenshot({ clip: CLIP })
    writeFileSync(picturePath(name), png)
    return decode(png)
  }

  /** Mean difference of a pixel, and the share of those that a person could tell apart. */
  function difference(a: ReturnType<typeof decode>, b: ReturnType<typeof decode>, name: string) {
    const pixels = a.width * a.height
    const shown = new Uint8Array(pixels)
    let [sum, unlike, ink] = [0, 0, 0]
    for (let i = 0; i < pixels; i++) {
      let most = 0
      for (let channel = 0; channel < 3; channel++) {
        const value = a.data[i * a.channels + channel] as number
        most = Math.max(most, Math.abs(value - (b.data[i * b.channels + channel] as number)))
        if (value > 60) ink++
      }
      sum += most
      if (most > 24) unlike++
      shown[i] = Math.min(255, most * 8)
    }
    const { width, height } = a
    writeFileSync(picturePath(name), encode({ width, height, data: shown, channels: 1 }))
    return { mean: sum / pixels, unlike: unlike / pixels, ink: ink / pixels }
  }

  it('is drawn by what is meant to draw it', async () => {
    await drawnBy(pages.webgpu as Page, 'webgpu')
    await drawnBy(pages.canvas2d as Page, 'canvas2d')
  })

  // Text, small text, a hatch, no gaps, cells of one token, of four, of more. Letters' edges differ from one to the
  // other, all else does not.
  it.each([
    [60, 1, 0.015],
    [20, 2, 0.04],
    [11.73, 0.05, 0.001],
    [6, 0.05, 0.001],
    [2, 0.05, 0.001],
    [1, 0.05, 0.001],
    [0.5, 0.05, 0.001],
  ])('looks the same with cells of %d pixels', async (scale, mostMean, mostUnlike) => {
    const [webgpu, canvas2d] = await Promise.all(
      WAYS.map(async way => {
        await look(pages[way] as Page, scale)
        return shot(pages[way] as Page, `cells-${scale}-${way}`)
      }),
    )
    const { mean, unlike, ink } = difference(webgpu as never, canvas2d as never, `cells-${scale}-difference`)
    expect(mean).toBeLessThan(mostMean)
    expect(unlike).toBeLessThan(mostUnlike)
    // And it is no two blank pictures that are the same.
    expect(ink).toBeGreaterThan(0.02)
  })

  it('goes on when its device is lost: with another one, and without one with Canvas 2D', async () => {
    const page = await openPage(browsers.webgpu as Browser, SHORT_LOG)
    await drawnBy(page, 'webgpu')
    const clip = { ...CLIP, width: 400, height: 300 }
    // Without letters, whose edges differ.
    await look(page, 11.73)
    const whole = await page.screenshot({ clip })
    await page.evaluate(() => window.__devices.at(-1)?.destroy())
    await page.waitForFunction(() => window.__devices.length === 2)
    await drawnBy(page, 'webgpu')
    await settle(page)
    expect(await page.screenshot({ clip })).toEqual(whole)
    expect(await page.getByTestId('draw-note').count()).toBe(0)

    await page.evaluate(() => {
      navigator.gpu.requestAdapter = async () => null
      window.__devices.at(-1)?.destroy()
    })
    await page.getByTestId('draw-note').waitFor()
    expect(await page.getByTestId('draw-note').innerText()).toMatch(
      /^Drawn with Canvas 2D: the GPU device was lost: .+[^.]\.$/,
    )
    await drawnBy(page, 'canvas2d')
    await settle(page)
    expect(await page.screenshot({ clip })).toEqual(whole)
    await page.close()
  })

  it('is drawn by a thread of its own with Canvas 2D, and looks the same where none can be had', async () => {
    const page = pages.canvas2d as Page
    await look(page, 60)
    expect(page.workers().map(worker => worker.url())).toEqual([expect.stringContaining('drawing-thread')])
    const complaints: string[] = []
    const alone = await openPage(browsers.canvas2d as Browser, LOG, {
      complaints,
      prepare: async page => {
        await page.route('**/drawing-thread*', route => route.abort())
      },
    })
    await look(alone, 60)
    expect(alone.workers()).toEqual([])
    expect(await alone.evaluate(() => window.__scope.drawnBy)).toBe('canvas2d')
    expect(complaints).toContain('the thread that draws the map cannot be started')
    const [one, other] = [await shot(page, 'by-thread'), await shot(alone, 'by-page')]
    expect(difference(one, other, 'thread-difference')).toMatchObject({ mean: 0, unlike: 0 })
    await alone.close()
  })

  it('is drawn by a GPU that is a program only where the address says so', async () => {
    const page = await (browsers.webgpu as Browser).newPage({ viewport: VIEWPORT })
    await page.goto(scope.url)
    await page.getByTestId('draw-note').waitFor()
    expect(await page.getByTestId('draw-note').innerText()).toBe(
      'Drawn with Canvas 2D: this browser has only a software GPU; ?draw=webgpu uses it.',
    )
    expect(await page.evaluate(() => window.__scope.drawnBy)).toBe('canvas2d')
    await page.close()
  })

  it('is drawn by the GPU in a window that is larger than a texture can be', async () => {
    const page = await openPage(browsers.webgpu as Browser, SHORT_LOG)
    await drawnBy(page, 'webgpu')
    for (const size of [{ width: 9500, height: 400 }, { width: 400, height: 9500 }, VIEWPORT]) {
      await page.setViewportSize(size)
      // Frames of a window that is larger than the screen may be long in coming: nothing waits for them.
      await page.waitForFunction(
        side =>
          ['.map-cells', '.map-canvas'].every(name => {
            const canvas = document.querySelector<HTMLCanvasElement>(name)
            return canvas !== null && Math.max(canvas.width, canvas.height) === side
          }),
        size === VIEWPORT ? CLIP.width + 1 : 8192,
        { polling: 100 },
      )
    }
    expect(await page.evaluate(() => window.__scope.drawnBy)).toBe('webgpu')
    await page.close()
  })

  it('has no errors to tell of', () => {
    expect(troubles).toEqual([])
  })
})

/** Keeps the devices that the page gets, so that a test can take them away. */
async function keepDevices(page: Page): Promise<void> {
  await page.addInitScript(() => {
    window.__devices = []
    const { requestDevice } = GPUAdapter.prototype
    GPUAdapter.prototype.requestDevice = async function (...asked) {
      const device = await requestDevice.apply(this, asked)
      window.__devices.push(device)
      return device
    }
  })
}
