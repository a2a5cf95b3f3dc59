import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { readPlace } from '../../web/map/deep-link.ts'
import type { ScopeHook } from '../../web/test-hook.ts'
import { launchBrowser, noBrowser, picturePath } from '../support/browser.ts'
import { CHAT, Demo } from '../support/demo.ts'
import { startScope } from '../support/scope.ts'

declare global {
  interface Window {
    __scope: ScopeHook
  }
}

const TOKENS = 300

describe.skipIf(noBrowser)(`the map's controls in Chromium${noBrowser ? ` (${noBrowser})` : ''}`, () => {
  let browser: Browser
  let upstream: Demo
  let scope: Tokenscope
  let page: Page
  let troubles: string[]

  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())
  beforeEach(async () => {
    upstream = await new Demo().start()
    scope = await startScope({ upstreams: [upstream.url] })
    troubles = []
    page = await newPage()
  })
  afterEach(async () => {
    await page.context().close()
    await scope.stop()
    await upstream.stop()
    expect(troubles).toEqual([])
  })

  const newPage = async (options: { hasTouch?: boolean; reducedMotion?: 'reduce' } = {}) => {
    const context = await browser.newContext({ viewport: { width: 1600, height: 900 }, ...options })
    const made = await context.newPage()
    made.on('pageerror', error => troubles.push(error.message))
    return made
  }
  const at = (id: string) => page.getByTestId(id)
  const ask = async () => {
    const answer = await fetch(`${scope.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-demo': `tokens=${TOKENS}` },
      body: JSON.stringify({ ...CHAT, logprobs: true }),
    })
    await answer.text()
  }
  /** Opens the page, with what was said before on it. */
  const open = async (fragment = '') => {
    await page.goto(`${scope.url}/${fragment}`)
    await page.waitForFunction(count => window.__scope?.tokens === count, TOKENS)
  }
  /** Where the address leads once it is written anew. */
  const place = async (change: () => Promise<unknown>) => {
    const before = await page.evaluate(() => location.hash)
    await change()
    await page.waitForFunction(hash => location.hash !== hash, before)
    return readPlace(await page.evaluate(() => location.hash))
  }
  const rest = () => page.waitForFunction(() => window.__scope.settled)
  /** Waits until it holds: what moves comes to rest in its own time. */
  const comes = (check: () => Promise<unknown>) => vi.waitFor(check, { timeout: 20_000, interval: 100 })
  const linked = async () => readPlace(await page.evaluate(() => location.hash))
  /** The middle of something on the page, and its size. */
  const boxOf = async (id: string) => {
    const box = await at(id).boundingBox()
    if (box === null) throw new Error(`${id} is not on the page`)
    return { ...box, x: box.x + box.width / 2, y: box.y + box.height / 2 }
  }
  const cellAt = (x: number, y: number) =>
    page.evaluate(([x, y]) => window.__scope.cellToClient(x, y), [x, y] as const)

  test('a layout and a colour are chosen by key and by hand, and remembered; the legend has its units', async () => {
    await ask()
    await open()
    expect(await at('legend').innerText()).toMatch(/confidence\s+0 %\s+100 %\s+not given/)
    for (const [key, layout] of [
      ['3', 'timeline'],
      ['2', 'flow'],
      ['1', 'map'],
    ] as const) {
      await page.keyboard.press(key)
      expect(await at(`layout-${layout}`).getAttribute('aria-pressed')).toBe('true')
    }
    await at('layout-flow').click()

    // By the keyboard alone: opened, gone down by one, closed; the map's own keys are quiet meanwhile.
    await at('colour').focus()
    await page.keyboard.press('Enter')
    await at('colour-sheet').waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Escape')
    await at('colour-sheet').waitFor({ state: 'detached' })
    expect(await at('legend').innerText()).toMatch(/entropy\s+0 nats\s+3\.0 nats\s+not given/)
    expect(await page.evaluate(() => (document.activeElement as HTMLElement).dataset.testid)).toBe('colour')

    const words: [string, RegExp][] = [
      ['interval', /1 ms\s*10 s\s*none before it$/],
      ['kind', /message\s*reasoning\s*tool call$/],
      ['model', new RegExp(`${CHAT.model}\\s*not told$`)],
      ['age', /≥ 1 h\s*1 s$/],
    ]
    await at('colour').click()
    for (const [color, legend] of words) {
      await page.locator(`input[value=${color}]`).check()
      await at('legend').filter({ hasText: legend }).waitFor()
    }
    await page.locator('input[value=viridis]').check()
    await page.screenshot({ path: picturePath('colour-sheet') })
    await page.mouse.click(1300, 200)
    await at('colour-sheet').waitFor({ state: 'detached' })

    await page.reload()
    await page.waitForFunction(() => window.__scope?.applied != null)
    expect(await at('layout-flow').getAttribute('aria-pressed')).toBe('true')
    expect(await at('legend').innerText()).toMatch(/age/)
  })

  test('hands move the map: a wheel and a double click zoom about the pointer, a trackpad and a drag pan', async () => {
    await ask()
    await open()
    // Away from following, so that what moves the map is the hand alone.
    const first = await place(() => page.keyboard.press('0'))
    const spot = await cellAt(4, 4)
    await page.mouse.move(spot.x, spot.y)
    // The legend shows where the token under the pointer stands.
    await at('tooltip').waitFor()
    const told = /([\d.]+) %/.exec(await at('tooltip').innerText())?.[1]
    const needle = await at('legend-needle').evaluate(element => element.style.left)
    expect(Number.parseFloat(needle)).toBeCloseTo(Number(told), 0)
    const nearer = await place(() => page.mouse.wheel(0, -240))
    expect(nearer.pose?.zoom).toBeGreaterThan((first.pose?.zoom ?? 0) * 1.3)
    const after = await cellAt(4, 4)
    expect(after.x).toBeCloseTo(spot.x, 0)
    expect(after.y).toBeCloseTo(spot.y, 0)

    const zoom = nearer.pose?.zoom ?? 0
    const panned = await place(() => page.mouse.wheel(24, 10))
    expect(panned.pose?.zoom).toBe(zoom)
    expect(panned.pose?.x).toBeCloseTo((nearer.pose?.x ?? 0) + 24 / zoom, 1)
    expect(panned.pose?.y).toBeCloseTo((nearer.pose?.y ?? 0) + 10 / zoom, 1)

    const closer = await place(() => page.mouse.dblclick(spot.x, spot.y))
    expect((closer.pose?.zoom ?? 0) / zoom).toBeCloseTo(2, 3)
  })

  test('what is thrown glides on; with reduced motion it stays where it is let go', async () => {
    await ask()
    /** A hand that moves 20 px each 8 ms by the events' own clock. Late ones do not matter. */
    const drag = async () => {
      const hand = await page.context().newCDPSession(page)
      const from = Date.now() / 1000
      const mouse = (type: 'mousePressed' | 'mouseMoved' | 'mouseReleased', step: number) =>
        hand.send('Input.dispatchMouseEvent', {
          type,
          x: 1000 - 20 * Math.min(8, step),
          y: 300,
          button: 'left',
          buttons: type === 'mouseReleased' ? 0 : 1,
          clickCount: 1,
          timestamp: from + 0.008 * step,
        })
      await mouse('mousePressed', 0)
      for (let step = 1; step <= 8; step++) await mouse('mouseMoved', step)
      await mouse('mouseReleased', 9)
    }
    /** How far the map went, in CSS pixels; as far as the address says by now. */
    const thrown = async () => {
      await open()
      const { pose } = await place(() => page.keyboard.press('0'))
      if (pose === null) throw new Error('the address has no place')
      await drag()
      return async () => (((await linked()).pose?.x ?? pose.x) - pose.x) * pose.zoom
    }
    const gliding = await thrown()
    await comes(async () => expect(await gliding()).toBeGreaterThan(250))
    await page.context().close()
    page = await newPage({ reducedMotion: 'reduce' })
    const still = await thrown()
    await comes(async () => expect(await still()).toBeCloseTo(160, 0))
    await rest()
    expect(await still()).toBeCloseTo(160, 0)
  })

  test('two fingers zoom, and the point between them stays under them', async () => {
    await ask()
    await page.context().close()
    page = await newPage({ hasTouch: true })
    await open()
    const from = await place(() => page.keyboard.press('0'))
    const middle = await cellAt(6, 6)
    const touches = await page.context().newCDPSession(page)
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', apart: number | null) =>
      touches.send('Input.dispatchTouchEvent', {
        type,
        touchPoints:
          apart === null
            ? []
            : [
                { x: middle.x - apart, y: middle.y, id: 1 },
                { x: middle.x + apart, y: middle.y, id: 2 },
              ],
      })
    await touch('touchStart', 40)
    for (let apart = 44; apart <= 60; apart += 4) await touch('touchMove', apart)
    await touch('touchEnd', null)
    await comes(async () => {
      expect(((await linked()).pose?.zoom ?? 0) / (from.pose?.zoom ?? 1)).toBeCloseTo(1.5, 1)
    })
    const after = await cellAt(6, 6)
    expect(Math.hypot(after.x - middle.x, after.y - middle.y)).toBeLessThan(3)
    // No tap was meant.
    expect(await at('inspector').count()).toBe(0)
  })

  test('a link leads to the same token, from the same place, in the same colour', async () => {
    await ask()
    await open()
    await at('generation-item').first().click()
    await at('inspector').waitFor()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowRight')
    await at('colour').click()
    await page.locator('input[value=kind]').check()
    await page.keyboard.press('Escape')
    await page.keyboard.press('0')
    await page.keyboard.press('+')
    await page.waitForFunction(() => /i=1.*z=.*color=kind/.test(location.hash))
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.getByRole('button', { name: 'Copy link to this view' }).click()
    const link = await page.evaluate(() => navigator.clipboard.readText())
    const there = readPlace(new URL(link).hash)
    expect(there).toMatchObject({ index: 1, layout: 'map', color: 'kind', t: null })
    expect(there.pose?.zoom).toBeGreaterThan(0)

    await page.context().close()
    page = await newPage()
    await page.goto(link)
    await at('inspector').waitFor()
    expect(await at('inspector').innerText()).toMatch(/^Token\s+2 of 300/)
    expect(await at('legend').innerText()).toMatch(/^kind/)
    // It leads there, and stays what it was.
    await page.waitForFunction(() => (window.__scope?.tokens ?? 0) > 0)
    expect(await at('follow').getAttribute('aria-pressed')).toBe('false')
    expect(await page.evaluate(() => location.hash)).toBe(new URL(link).hash)

    // Another link, typed into the same page, even at the moment when that writes one of its own.
    await page.evaluate(() => {
      location.hash = '#layout=timeline&color=age'
      ;(document.querySelector('[data-testid=layout-flow]') as HTMLElement).click()
    })
    await page.waitForFunction(() =>
      document.querySelector('[data-testid=layout-timeline][aria-pressed=true]'),
    )
    await page.evaluate(() => {
      location.hash = '#g=nobody&layout=map'
    })
    await at('library-trouble').waitFor()
    // Where the list is no part of the page the map says it.
    expect(await at('map-trouble').isVisible()).toBe(false)
    await page.setViewportSize({ width: 800, height: 900 })
    await at('map-trouble').waitFor()
    expect(await at('map-trouble').innerText()).toMatch(/nothing is recorded of it/)
    await at('map-trouble').getByRole('button').click()
    await at('map-trouble').waitFor({ state: 'detached' })
  })

  test('the minimap frames what is seen, and moves the map', async () => {
    await ask()
    await open()
    await page.keyboard.press('0')
    // All there is is seen: there is nothing to tell.
    expect(await at('minimap').count()).toBe(0)
    for (let i = 0; i < 5; i++) await page.keyboard.press('+')
    await at('minimap-seen').waitFor()
    await page.waitForSelector('[data-testid=minimap][data-known=true]')
    await rest()
    await page.screenshot({ path: picturePath('minimap') })
    const whole = await boxOf('minimap')
    const framed = await boxOf('minimap-seen')
    expect(framed.width).toBeLessThan(whole.width - 20)
    // Caught where it is, it goes along; what is pressed elsewhere is what is seen next.
    const by = framed.x < whole.x + whole.width / 2 ? 16 : -16
    await page.mouse.move(framed.x, framed.y)
    await page.mouse.down()
    await page.mouse.move(framed.x + by, framed.y, { steps: 4 })
    await page.mouse.up()
    await comes(async () => {
      const dragged = await boxOf('minimap-seen')
      expect(Math.abs(dragged.x - framed.x - by)).toBeLessThanOrEqual(2)
      expect(Math.abs(dragged.y - framed.y)).toBeLessThanOrEqual(2)
      expect(dragged.width).toBeCloseTo(framed.width, 0)
    })
    const away = (from: number, middle: number) => (from < middle ? 1 : -1)
    const far = {
      x: whole.x + away(framed.x + by, whole.x) * (whole.width / 2 - 24),
      y: whole.y + away(framed.y, whole.y) * (whole.height / 2 - 24),
    }
    await page.mouse.click(far.x, far.y)
    await comes(async () => {
      const jumped = await boxOf('minimap-seen')
      expect(Math.abs(jumped.x - far.x)).toBeLessThanOrEqual(jumped.width / 2)
      expect(Math.abs(jumped.y - far.y)).toBeLessThanOrEqual(jumped.height / 2)
    })
    await page.keyboard.press('m')
    await at('minimap').waitFor({ state: 'detached' })
    expect(await at('minimap-toggle').getAttribute('aria-pressed')).toBe('false')
  })

  test('keys hold the moment, step and come back, and open what lies over the map; not while one types', async () => {
    await ask()
    await open()
    const held = () => page.evaluate(() => /[#&]t=/.test(location.hash))
    await page.keyboard.press('Space')
    await page.waitForFunction(() => /[#&]t=/.test(location.hash))
    const first = await place(() => page.keyboard.press(','))
    const second = await place(() => page.keyboard.press(','))
    expect(second.t).toBeLessThan(first.t as number)
    expect((await place(() => page.keyboard.press('.'))).t).toBe(first.t)
    await page.keyboard.press('l')
    await page.waitForFunction(() => !/[#&]t=/.test(location.hash))

    for (const [key, panel] of [
      ['i', 'instruments'],
      ['c', 'compare'],
    ] as const) {
      await page.keyboard.press(key)
      await at(panel).waitFor()
      await page.keyboard.press('Escape')
      await at(panel).waitFor({ state: 'detached' })
      await page.keyboard.press(key)
      await at(panel).waitFor()
      await page.keyboard.press(key)
      await at(panel).waitFor({ state: 'detached' })
    }

    await page.keyboard.press('/')
    await page.keyboard.type('1 2 3, i, c, m and l')
    expect(await at('prompt').inputValue()).toBe('1 2 3, i, c, m and l')
    expect(await at('layout-map').getAttribute('aria-pressed')).toBe('true')
    expect(await at('minimap-toggle').getAttribute('aria-pressed')).toBe('true')
    expect(await at('instruments').count()).toBe(0)
    expect(await held()).toBe(false)
    // Space presses the button that has the focus, and does nothing else.
    await at('theme').focus()
    const theme = () => page.evaluate(() => document.documentElement.dataset.theme)
    const before = await theme()
    await page.keyboard.press('Space')
    expect(await theme()).not.toBe(before)
    expect(await at('live').getAttribute('aria-pressed')).toBe('true')
  })
})
