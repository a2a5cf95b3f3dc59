import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { launchBrowser, noWebgpuBrowser, picturePath } from '../support/browser.ts'
import { CHAT, Demo } from '../support/demo.ts'
import { startScope } from '../support/scope.ts'

declare global {
  interface Window {
    /** The first stop of the keyboard. */
    __stopped?: Element | null
  }
}

/** A frame of the page's clock, and as many of them as a glow or a change of layout takes, and a few more. */
const FRAME_MS = 16
const FRAMES = 30
/** All stops of the keyboard are fewer than this. */
const MOST_STOPS = 150

describe.skipIf(noWebgpuBrowser)(`the page for everybody ${noWebgpuBrowser ?? ''}`, () => {
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let upstream: Demo
  let scope: Tokenscope

  beforeAll(async () => {
    browser = await launchBrowser({ headed: true })
    upstream = await new Demo().start()
    scope = await startScope({ upstreams: [upstream.url] })
  })
  afterAll(async () => {
    await browser.close()
    await upstream.stop()
    await scope.stop()
  })
  afterEach(() => context.close())

  const at = (id: string) => page.getByTestId(id)
  const held = () => page.evaluate(() => window.__scope.tokens)
  const ask = (directives: string) =>
    fetch(`${scope.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-demo': directives },
      body: JSON.stringify({ ...CHAT, logprobs: true, top_logprobs: 5 }),
    })
  const open = async (options: BrowserContextOptions, clock = false) => {
    context = await browser.newContext({ viewport: { width: 1600, height: 900 }, ...options })
    page = await context.newPage()
    if (clock) await page.clock.install()
    await page.goto(scope.url)
    await page.waitForFunction(() => window.__scope?.applied != null && window.__scope.settled)
  }

  test.each(['no-preference', 'reduce'] as const)('motion: %s', async reducedMotion => {
    const answer = await ask('tokens=8,silence=forever@1')
    await open({ reducedMotion }, true)
    /** Frames that the map draws while the page's clock goes on by so many, however long that takes. */
    const drawn = async (change: () => Promise<unknown>) => {
      await page.waitForFunction(() => window.__scope.settled)
      await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 1000)
      const before = await page.evaluate(() => window.__scope.frames)
      await change()
      for (let i = 0; i < FRAMES; i++) {
        await page.waitForFunction(() => window.__scope.ready)
        await page.clock.runFor(FRAME_MS)
      }
      const frames = (await page.evaluate(() => window.__scope.frames)) - before
      await page.clock.resume()
      return frames
    }
    const tokens = await held()
    const glow = await drawn(async () => {
      upstream.server.goOn(1)
      await vi.waitFor(async () => {
        await page.clock.runFor(FRAME_MS)
        expect(await held()).toBe(tokens + 1)
      })
    })
    upstream.server.goOn()
    await answer.text()
    await page.waitForSelector('[data-testid=generation-item][data-state=done]')
    // Each was looked at before: what is drawn is the change from one to the other.
    for (const key of ['2', '1']) {
      await page.keyboard.press(key)
      await page.waitForFunction(() => window.__scope.settled)
    }
    const change = await drawn(() => page.keyboard.press('2'))
    const moves = reducedMotion === 'no-preference'
    for (const [of, frames] of Object.entries({ glow, change }))
      expect([of, frames, frames >= FRAMES / 2]).toEqual([of, frames, moves])
  })

  test('one finger moves the map by as much as it goes', async () => {
    await (await ask('tokens=40')).text()
    await open({ hasTouch: true, reducedMotion: 'reduce' })
    await page.keyboard.press('0')
    await page.waitForFunction(() => window.__scope.settled)
    const cell = () => page.evaluate(() => window.__scope.cellToClient(3, 1))
    const before = await cell()
    const finger = await context.newCDPSession(page)
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', x = 0, y = 0) =>
      finger.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: type === 'touchEnd' ? [] : [{ x, y, id: 1 }],
      })
    await touch('touchStart', 900, 300)
    for (let step = 1; step <= 10; step++) await touch('touchMove', 900 + 12 * step, 300 + 4 * step)
    await touch('touchEnd')
    await page.waitForFunction(() => window.__scope.settled)
    const after = await cell()
    // The browser itself takes the first few pixels to know that it is no tap.
    expect(Math.abs(after.x - before.x - 120)).toBeLessThan(20)
    expect(Math.abs(after.y - before.y - 40)).toBeLessThan(20)
    expect(await at('inspector').count()).toBe(0)
  })

  test('everything is reached by the keyboard alone, and one sees where one is', async () => {
    await (await ask('tokens=30,seed=5')).text()
    await open({ reducedMotion: 'reduce' })
    /** What has the focus, and whether one sees it: by a line around it, or around the field that it is the text of. */
    const here = () =>
      page.evaluate(() => {
        const one = document.activeElement as HTMLElement
        const isRinged = (of: Element | null) => {
          const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(of ?? document.body)
          const isOutlined = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0
          return isOutlined || (of !== one && boxShadow.includes('inset'))
        }
        const name = one.dataset.testid ?? one.getAttribute('aria-label') ?? one.className
        return {
          // What is no stop was given the focus, to be read from there.
          name: one.tabIndex < 0 ? '' : `${one.localName} ${name}`,
          seen: isRinged(one) || (one.matches('input, textarea') && isRinged(one.parentElement)),
          again: window.__stopped === one,
        }
      })
    const seen: Record<string, boolean> = {}
    const step = async () => {
      await page.keyboard.press('Tab')
      const stop = await here()
      if (stop.name !== '') seen[stop.name] = stop.seen
      return stop
    }
    /** Goes on by Tab until this is reached. */
    const tabTo = async (name: RegExp) => {
      for (let i = 0; i < MOST_STOPS; i++) if (name.test((await step()).name)) return
      throw new Error(`${name} is not reached`)
    }
    // Once round.
    const stops = [(await step()).name]
    await page.evaluate(() => {
      window.__stopped = document.activeElement
    })
    for (let stop = await step(); !stop.again && stops.length < MOST_STOPS; stop = await step())
      stops.push(stop.name)
    for (const name of [
      'theme',
      'rail-search',
      'item-body',
      'item-menu',
      'map',
      'layout-flow',
      'colour',
      'follow',
    ])
      expect.soft(stops).toContainEqual(expect.stringMatching(` ${name}$`))
    for (const name of [
      'minimap-toggle',
      'open-instruments',
      'playhead',
      'play',
      'prompt',
      'prompt-settings',
    ])
      expect.soft(stops).toContainEqual(expect.stringMatching(` ${name}$`))

    // A generation, a token of it, and what it might have said instead.
    await tabTo(/item-body/)
    await page.keyboard.press('Enter')
    await at('inspector').waitFor()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('n')
    await page.locator('.inspector .take').first().waitFor()
    await tabTo(/take|Continue with/)
    await page.keyboard.press('Enter')
    await at('compare-both').waitFor()
    await tabTo(/compare-both/)
    await page.keyboard.press('Enter')
    await at('compare-parting').waitFor()
    await page.locator('.compare:focus').waitFor()
    await tabTo(/Close/)
    await page.screenshot({ path: picturePath('keyboard-compare') })
    await page.keyboard.press('Escape')
    await page.keyboard.press('Escape')
    await at('compare').waitFor({ state: 'detached' })
    await at('inspector').waitFor({ state: 'detached' })

    // What was when, what is measured, and a question.
    await tabTo(/open-instruments/)
    await page.keyboard.press('Enter')
    await at('instruments').waitFor()
    await page.keyboard.press('Escape')
    await at('instruments').waitFor({ state: 'detached' })
    await tabTo(/playhead/)
    await page.keyboard.press('ArrowLeft')
    await page.waitForSelector('.time-bar[data-live=false]')
    await page.keyboard.press('End')
    await page.waitForSelector('.time-bar[data-live=true]')
    await tabTo(/textarea prompt/)
    const asked = upstream.seen.length
    await page.keyboard.type('Is the tea ready?')
    await page.keyboard.press('Enter')
    await vi.waitFor(() => expect(upstream.seen.length).toBe(asked + 1))
    expect(Object.keys(seen).filter(name => !seen[name])).toEqual([])
  })
})
