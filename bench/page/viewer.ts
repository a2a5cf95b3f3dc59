/** A page in a real browser, looked at and moved as by a person. */
import type { Browser, CDPSession, Page } from 'playwright-core'
import type { DrawnBy } from '../../web/view/picture-layer.ts'
import { FRAME_MARK, type Frame, framesOf, TRACED } from './trace.ts'

/** CSS pixels. */
const SIZE = { width: 1280, height: 800 }
/** Of what moves the pointer: as often as a frame comes. */
const STEP_MS = 16
/** How long each layout is looked at, its change included. */
const LAYOUT_MS = 900

/** When a page that was opened had come how far, in milliseconds after it was asked for. */
export interface Opening {
  /** First something was painted (`first-contentful-paint`). */
  paint: number
  /** First it had all that runs, and what keys and pointer do was seen in the next frame. */
  interactive: number
  /** First all tokens in view were drawn, whole and sharp. */
  drawn: number
}

/** What a person does while frames are counted. */
export type Doing = 'watching' | 'panning' | 'zooming' | 'changing the layout'

/** A page that is open. */
export class PageViewer {
  readonly page: Page
  readonly #browser: Browser
  readonly #session: CDPSession

  private constructor(page: Page, browser: Browser, session: CDPSession) {
    this.page = page
    this.#browser = browser
    this.#session = session
  }

  /** Opens a page as somebody who was never there, and waits until it can be used. */
  static async open(browser: Browser, url: string): Promise<PageViewer> {
    const context = await browser.newContext({ viewport: SIZE, colorScheme: 'dark' })
    const page = await context.newPage()
    page.on('pageerror', error => {
      throw error
    })
    await page.addInitScript(noteProgress, FRAME_MARK)
    await page.goto(url)
    await page.waitForFunction(() => window.__progress?.interactive !== undefined)
    return new PageViewer(page, browser, await context.newCDPSession(page))
  }

  /** How it came to be open, once the map is drawn. With live tokens it never is: the next ones are on their way. */
  async opening(): Promise<Opening> {
    await this.page.waitForFunction(() => window.__progress.drawn !== undefined)
    return await this.page.evaluate(() => ({
      paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
      interactive: window.__progress.interactive ?? Number.NaN,
      drawn: window.__progress.drawn ?? Number.NaN,
    }))
  }

  /** Waits until this draws the map. */
  async drawnBy(by: DrawnBy): Promise<void> {
    await this.page.waitForFunction(name => window.__scope.drawnBy === name, by)
  }

  /** The frames of so many seconds in which this is done. */
  async frames(doing: Doing, seconds: number): Promise<Frame[]> {
    await this.#browser.startTracing(this.page, { categories: TRACED })
    const until = performance.now() + seconds * 1000
    while (performance.now() < until) await this.#act(doing)
    return framesOf(await this.#browser.stopTracing())
  }

  /** Bytes of the JS heap in use: as they are found, and after a full garbage collection. */
  async heap(): Promise<{ found: number; held: number }> {
    const used = async () => (await this.#session.send('Runtime.getHeapUsage')).usedSize
    const found = await used()
    await this.#session.send('HeapProfiler.collectGarbage')
    return { found, held: await used() }
  }

  async close(): Promise<void> {
    await this.page.context().close()
  }

  async #act(doing: Doing): Promise<void> {
    const { page } = this
    const middle = { x: SIZE.width / 2, y: SIZE.height / 2 }
    if (doing === 'watching') await page.waitForTimeout(250)
    else if (doing === 'panning') {
      await page.mouse.move(middle.x, middle.y)
      await page.mouse.down()
      for (let step = 0; step < 60; step++) {
        const angle = (step / 30) * Math.PI
        await page.mouse.move(middle.x + 240 * Math.sin(angle), middle.y + 120 * Math.sin(2 * angle))
        await page.waitForTimeout(STEP_MS)
      }
      await page.mouse.up()
      await page.waitForTimeout(250)
    } else if (doing === 'zooming') {
      await page.mouse.move(middle.x, middle.y)
      for (let step = 0; step < 60; step++) {
        await page.mouse.wheel(0, step < 30 ? -40 : 40)
        await page.waitForTimeout(STEP_MS)
      }
    } else {
      for (const key of ['2', '3', '1']) {
        await page.keyboard.press(key)
        await page.waitForTimeout(LAYOUT_MS)
      }
    }
  }
}

/** When what was reached, in milliseconds since the page was asked for. */
interface Progress {
  interactive?: number
  drawn?: number
}

declare global {
  interface Window {
    __progress: Progress
  }
}

/** Runs in the page, before anything of its own: asks for each frame, so that none is missing, and marks it. */
function noteProgress(mark: string): void {
  const progress: Progress = {}
  window.__progress = progress
  const tick = () => {
    const scope = window.__scope
    if (scope !== undefined && scope.frames > 0 && scope.tokens > 0)
      progress.interactive ??= performance.now()
    if (scope?.settled === true) progress.drawn ??= performance.now()
    performance.mark(mark)
    performance.clearMarks(mark)
    requestAnimationFrame(tick)
  }
  requestAnimationFrame(tick)
}
