import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { launchBrowser, noBrowser, picturePath } from '../support/browser.ts'
import { CHAT, Demo } from '../support/demo.ts'
import { startScope } from '../support/scope.ts'

describe.skipIf(noBrowser)(`time and instruments${noBrowser ? ` (${noBrowser})` : ''}`, () => {
  let browser: Browser
  let upstream: Demo
  let scope: Tokenscope
  let page: Page
  let troubles: string[]
  let scripts: string[]

  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())
  beforeEach(async () => {
    upstream = await new Demo().start()
    scope = await startScope({ upstreams: [upstream.url] })
    page = await browser.newPage({ viewport: { width: 1600, height: 900 } })
    troubles = []
    scripts = []
    page.on('pageerror', error => troubles.push(error.message))
    page.on('console', message => {
      if (message.type() === 'error') troubles.push(message.text())
    })
    page.on('request', request => {
      const url = request.url()
      if (!url.startsWith(scope.url) && !/^(data|blob):/.test(url)) troubles.push(`a request to ${url}`)
      if (request.resourceType() === 'script') scripts.push(url)
    })
  })
  afterEach(async () => {
    await page.close()
    await scope.stop()
    await upstream.stop()
  })

  const at = (id: string) => page.getByTestId(id)
  const ask = async (directives: string) => {
    const answer = await fetch(`${scope.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-demo': directives },
      body: JSON.stringify(CHAT),
    })
    await answer.text()
  }
  const open = async (tokens: number) => {
    await page.goto(scope.url)
    await page.waitForFunction(count => window.__scope?.tokens === count, tokens)
  }
  const moment = () => at('playhead').getAttribute('aria-valuetext')
  /** What the strip shows and which moment, in whole Unix seconds. */
  const head = async () => {
    const [from, to, shown] = await Promise.all(
      ['min', 'max', 'now'].map(name => at('playhead').getAttribute(`aria-value${name}`)),
    )
    return { from: Number(from), to: Number(to), at: Number(shown) }
  }

  test('a moment is chosen, stepped from token to token, played to now, and left for now', async () => {
    await ask('tokens=12,rate=20')
    await open(12)
    expect(await at('time-words').innerText()).toMatch(/^live · (session of|last) /)
    expect(await moment()).toBe('now, live')

    // Held, and from token to token: all twelve, and no further.
    await at('playhead').focus()
    for (let i = 0; i < 15; i++) await page.keyboard.press('ArrowLeft')
    expect(await at('time-words').innerText()).toMatch(/^as it was at \d\d:\d\d:\d\d\.\d$/)
    expect(await at('tok-rate').innerText()).toMatch(/^0\.5$/)
    await page.keyboard.press('End')
    expect(await moment()).toBe('now, live')

    // By hand: a press shows its moment, play goes on from there.
    const strip = await at('time-strip').boundingBox()
    if (strip === null) throw new Error('there is no strip')
    await page.mouse.click(strip.x + strip.width / 2, strip.y + 24)
    const { from, to, at: pressed } = await head()
    expect(Math.abs(pressed - (from + to) / 2)).toBeLessThan(2)
    await at('speed').selectOption('×64')
    await at('play').click()
    await page.waitForSelector('.time-bar[data-live=true]')
    expect(await moment()).toBe('now, live')

    await at('play').click()
    await page.waitForSelector('.time-bar[data-live=false]')
    await at('live').click()
    await page.waitForSelector('.time-bar[data-live=true]')
    await page.screenshot({ path: picturePath('time-bar') })
    expect(troubles).toEqual([])
  })

  test('a press on a lane chooses its generation', async () => {
    await ask('tokens=30,rate=30')
    await open(30)
    await at('playhead').waitFor()
    const strip = await at('time-strip').boundingBox()
    if (strip === null) throw new Error('there is no strip')
    const list = await fetch(`${scope.url}/scope/v1/generations`).then(answer => answer.json())
    const { started_at, ended_at } = list.data[0]
    const { from, to } = await head()
    const x = strip.x + (strip.width * ((started_at + ended_at) / 2 - from)) / (to - from)
    // What is told is whole seconds, and now moves on meanwhile.
    for (let by = -60; by <= 60 && (await at('inspector').count()) === 0; by += 6) {
      await page.mouse.click(x + by, strip.y + strip.height - 35)
    }
    await at('inspector').waitFor()
    expect(await page.locator('[data-testid=generation-item][data-chosen=true]').count()).toBe(1)
    expect(troubles).toEqual([])
  })

  test('the instruments come when they are opened, say what was measured, and narrow what is seen', async () => {
    await ask('tokens=40,rate=40')
    await open(40)
    const before = scripts.length
    await at('open-instruments').click()
    await at('chart-speed').locator('canvas').waitFor()
    expect(scripts.length).toBeGreaterThan(before)
    await at('upstreams').locator('tbody tr').waitFor()
    const report = await fetch(`${scope.url}/scope/v1/upstreams`).then(answer => answer.json())
    const [instance] = report.data
    const row = await at('upstreams').locator('tbody tr').innerText()
    expect(row).toContain(instance.name)
    expect(row).toContain('closed')
    expect(row).toContain('0 of 1')
    expect(await at('viewers').locator('tbody tr').count()).toBe(1)
    expect(await at('chart-viewers').innerText()).toMatch(/Viewers\s*1\s/)
    const list = await fetch(`${scope.url}/scope/v1/generations`).then(answer => answer.json())
    const ttft = list.data[0].ttft_ms as number
    const shown = await at('chart-ttft').locator('.chart-value').innerText()
    const [amount = '', unit] = shown.split(' ')
    const unitMs = unit === 'ms' ? 1 : 1000
    // However slow the machine: no further off than the last digit that is shown.
    const lastDigitMs = unitMs / 10 ** (amount.split('.')[1]?.length ?? 0)
    expect(Math.abs(Number(amount) * unitMs - ttft)).toBeLessThan(lastDigitMs / 2 + 0.01)

    const over = await at('chart-speed').locator('.u-over').boundingBox()
    if (over === null) throw new Error('there is no chart')
    await page.mouse.move(over.x + over.width / 2, over.y + 30)
    // The pointer of one is that of all.
    const time = await at('chart-speed').locator('.chart-window').innerText()
    expect(time).toMatch(/^\d\d:\d\d:\d\d$/)
    expect(await at('chart-lag').locator('.chart-window').innerText()).toBe(time)
    await page.mouse.down()
    await page.mouse.move(over.x + over.width * 0.8, over.y + 30, { steps: 4 })
    await page.mouse.up()
    await at('time-marked').waitFor()
    expect(await at('time-marked').innerText()).toMatch(/^only \d\d:\d\d:\d\d – \d\d:\d\d:\d\d · 1[789] s$/)
    await page.screenshot({ path: picturePath('instruments') })
    await at('time-marked').getByRole('button').click()
    expect(await at('time-marked').count()).toBe(0)

    await at('theme').click()
    await page.keyboard.press('Tab')
    await at('instruments').focus()
    await page.keyboard.press('Escape')
    await at('instruments').waitFor({ state: 'detached' })
    expect(troubles).toEqual([])
  })
})
