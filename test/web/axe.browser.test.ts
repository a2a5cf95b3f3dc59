import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { launchBrowser, noWebgpuBrowser } from '../support/browser.ts'
import { Cutter } from '../support/cutter.ts'
import { CHAT, Demo } from '../support/demo.ts'
import { startScope } from '../support/scope.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** What holds for everybody by WCAG 2.2 up to AA, and what its makers know to be good besides. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const WIDE = { width: 1600, height: 900 }
const NARROW = { width: 360, height: 740 }

declare global {
  interface Window {
    axe: typeof import('axe-core')
  }
}

describe.skipIf(noWebgpuBrowser)(`what axe finds in the page ${noWebgpuBrowser ?? ''}`, () => {
  let browser: Browser
  let page: Page
  let upstream: Demo
  let scope: Tokenscope
  let way: Cutter

  beforeAll(async () => {
    browser = await launchBrowser({ headed: true })
    upstream = await new Demo().start()
    scope = await startScope({ upstreams: [upstream.url] })
    way = await Cutter.before(scope.url)
    page = await browser.newPage({ viewport: WIDE, colorScheme: 'dark', reducedMotion: 'reduce' })
    await page.goto(way.url)
    await page.waitForFunction(() => window.__scope?.applied != null)
    await page.evaluate(AXE)
  })
  afterAll(async () => {
    await browser.close()
    await way.close()
    await upstream.stop()
    await scope.stop()
  })
  // One page goes through all of them: each begins at the map.
  beforeEach(async () => {
    await page.setViewportSize(WIDE)
    await page.locator('.map-canvas').focus()
  })

  const at = (id: string) => page.getByTestId(id)
  const items = () => at('generation-item')
  const tokens = (count: number) => page.waitForFunction(count => window.__scope.tokens === count, count)
  const gone = (id: string) => at(id).waitFor({ state: 'detached' })
  const ask = (directives: string) =>
    fetch(`${scope.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-demo': directives },
      body: JSON.stringify({ ...CHAT, logprobs: true, top_logprobs: 5 }),
    })
  const find = async (rules: string[]) => {
    // What is half faded in would have other colours.
    await page.evaluate(() => Promise.all(document.getAnimations().map(one => one.finished.catch(() => {}))))
    const { violations } = (await page.evaluate(
      rules => window.axe.run(document, { runOnly: rules, resultTypes: ['violations'] }),
      rules,
    )) as AxeResults
    return violations.flatMap(({ id, impact, nodes }) =>
      nodes.map(({ target, any }) => `${id} (${impact}): ${target.join(' ')} ${any[0]?.message ?? ''}`),
    )
  }
  /** Nothing is found in this state of the page; between the themes only the colours differ. */
  const sound = async (state: string) => {
    expect.soft(await find(RULES), `${state}, dark`).toEqual([])
    await page.emulateMedia({ colorScheme: 'light' })
    await page.waitForFunction(() => document.documentElement.dataset.theme === 'light')
    expect.soft(await find(['color-contrast']), `${state}, light`).toEqual([])
    await page.emulateMedia({ colorScheme: 'dark' })
  }

  test('nothing on the first run, while one is live, and as it was', async () => {
    await at('first-run').waitFor()
    await sound('first run')
    await (await ask('tokens=40,seed=5')).text()
    await (await ask('tokens=30,seed=6')).text()
    await (await ask('tokens=30,error=12')).text()
    const live = ask('tokens=60,silence=forever@30').then(answer => answer.text())
    live.catch(() => {})
    await tokens(40 + 30 + 12 + 30)
    await sound('the map, with one that is live')
    await page.keyboard.press(',')
    await page.waitForSelector('.time-bar[data-live=false]')
    await sound('as it was')
    await page.keyboard.press('l')
  })

  test('nothing where a token is read, and in how the map and the prompt are set', async () => {
    await items().last().locator('.item-body').click()
    await page.locator('.map-canvas').focus()
    await page.keyboard.press('Home')
    await page.locator('.inspector .bars').waitFor()
    await page.locator('.code-points summary').click()
    await sound('a token, its alternatives and its code points')
    await page.keyboard.press('Escape')
    await gone('inspector')
    await at('prompt-settings').click()
    await at('prompt-panel').waitFor()
    await sound('how it is asked')
    await page.keyboard.press('Escape')
    await at('colour').click()
    await at('colour-sheet').waitFor()
    await sound('colours of the map')
    await page.keyboard.press('Escape')
  })

  test('nothing in what lies over the map', async () => {
    await page.keyboard.press('c')
    const offers = at('compare-picker').getByRole('button')
    await offers.first().waitFor()
    await sound('nothing compared yet')
    await offers.last().click()
    await offers.nth(2).click()
    await at('compare-parting').waitFor()
    await sound('two compared')
    await page.keyboard.press('Escape')
    await gone('compare')
    await page.keyboard.press('i')
    await at('chart-speed').locator('canvas').waitFor()
    await at('upstreams').locator('tbody tr').waitFor()
    await sound('instruments')
    await page.keyboard.press('Escape')
    await gone('instruments')
  })

  test('nothing in the list, its menu and its questions', async () => {
    await items().last().getByTestId('item-menu').click()
    await at('menu').waitFor()
    await sound('a menu of the list')
    await at('menu').getByRole('menuitem', { name: 'Remove' }).click()
    await page.getByRole('alertdialog').waitFor()
    await sound('asked whether it is meant')
    await page.keyboard.press('Escape')
    await items().last().locator('.item-body').focus()
    await page.keyboard.press('F2')
    await at('rename').waitFor()
    await sound('one is named')
    await page.keyboard.press('Escape')
    await at('rail-search').fill('nobody ever said this')
    await at('rail-empty').waitFor()
    await sound('nothing found')
    await at('rail-search').fill('')
    await items().first().waitFor()
  })

  test('nothing where there is little room, or no server', async () => {
    await page.setViewportSize(NARROW)
    await sound('360 px wide')
    await page.locator('.rail-opener').click()
    await page.locator('.rail[data-open=true]').waitFor()
    await sound('360 px wide, the list')
    await items().last().locator('.item-body').click()
    await at('inspector').waitFor()
    await page.keyboard.press('ArrowRight')
    await page.locator('.inspector .bars').waitFor()
    await sound('360 px wide, a token')
    await page.keyboard.press('Escape')
    await gone('inspector')
    way.cut()
    await at('connection-notice').waitFor()
    await sound('360 px wide, the server is gone')
    await page.setViewportSize(WIDE)
    await sound('the server is gone')
  })
})
