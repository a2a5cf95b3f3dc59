import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { visibleText } from '../../web/invisible.ts'
import { launchBrowser, noBrowser, picturePath } from '../support/browser.ts'
import { readChat } from '../support/chat-answer.ts'
import { CHAT, Demo } from '../support/demo.ts'
import { startScope } from '../support/scope.ts'

/** A machine may have much else to do. */
const WAIT = { timeout: 20_000 }

describe.skipIf(noBrowser)(`reading and comparing${noBrowser ? ` (${noBrowser})` : ''}`, () => {
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
    page = await browser.newPage({ viewport: { width: 1600, height: 900 } })
    troubles = []
    page.on('pageerror', error => troubles.push(error.message))
    page.on('console', message => {
      if (message.type() === 'error') troubles.push(message.text())
    })
    await page.goto(scope.url)
    await page.waitForFunction(() => window.__scope?.applied != null)
  })
  afterEach(async () => {
    await page.close()
    await scope.stop()
    await upstream.stop()
  })

  const at = (id: string) => page.getByTestId(id)
  const item = (text: string) => at('generation-item').filter({ hasText: text })
  /** Asks, and waits until the page has it. */
  const ask = async (directives: string, body: object = {}) => {
    const before = await page.evaluate(() => window.__scope.tokens)
    const response = await fetch(`${scope.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-demo': directives },
      body: JSON.stringify({ ...CHAT, ...body }),
    })
    const [choice] = readChat(Buffer.from(await response.arrayBuffer())).choices
    await page.waitForFunction(count => window.__scope.tokens > count, before)
    return choice as NonNullable<typeof choice>
  }
  const say = (text: string, directives = '') => `say=${encodeURIComponent(text)}${directives}`
  const PROBABILITIES = { logprobs: true, top_logprobs: 5 }
  const place = () => page.locator('.inspector .panel-place').innerText()
  /** Opens a generation from the list, by the keyboard as well. */
  const open = async (text: string) => {
    await item(text).getByRole('button').first().click()
    await at('inspector').waitFor()
    // Home and End are the list's own while it has the focus.
    await page.locator('.map-canvas').focus()
  }

  test('a token is read closely, and the keyboard walks the text', async () => {
    const { text, entries } = await ask('tokens=40,seed=5', PROBABILITIES)
    await open(text.slice(0, 20).trim())
    await page.keyboard.press('ArrowRight')
    await expect.poll(place, WAIT).toBe('1 of 40')
    const sure = entries.map(entry => Math.exp(entry.logprob))
    const shown = async (index: number) => {
      await expect.poll(place, WAIT).toBe(`${index + 1} of 40`)
      const hero = await page.locator('.token-hero').innerText()
      expect(hero).toContain(visibleText(entries[index]?.token as string).trim())
      const known = sure[index] as number
      if (known > 0.001 && known < 0.999)
        expect(await page.locator('.token-view').innerText()).toContain(`${(known * 100).toFixed(1)} %`)
    }
    await shown(0)
    await page.keyboard.press('End')
    await shown(39)
    await page.keyboard.press('Home')
    await shown(0)
    // From one token that was hard to choose to the next, and back.
    await page.keyboard.press('n')
    const least = sure.map((p, i) => [p, i] as const).sort(([a], [b]) => a - b)
    const hard = least.slice(0, 5).flatMap(([p, i]) => (p < 0.9 ? i : []))
    const [next, second] = hard.filter(i => i > 0).sort((a, b) => a - b) as [number, number]
    await shown(next)
    await page.keyboard.press('n')
    await shown(second)
    await page.keyboard.press('p')
    await shown(next)
    // What might have come, and all the rest as one.
    const bars = page.locator('.inspector .bar')
    expect(await bars.last().innerText()).toMatch(/^all others\s+.*%$/s)
    expect(await page.locator('.inspector .bar[data-chosen=true]').count()).toBe(1)
    await page.locator('.code-points summary').click()
    const [{ token }] = entries.slice(next) as [{ token: string }]
    const code = token.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')
    expect(await page.locator('.code-point-list li').first().innerText()).toContain(`U+${code}`)
    await page.keyboard.press('Escape')
    await at('inspector').waitFor({ state: 'detached' })
    expect(troubles).toEqual([])
  })

  test('what is invisible has a sign and a name, and where nothing is known it is said how to ask', async () => {
    await ask(say('A\u200b b', ',batch=100000'))
    await open('A')
    await page.keyboard.press('End')
    const names = await page.locator('.sign-names').innerText()
    expect(names).toMatch(/⟨ZWSP⟩\s*zero width space/)
    expect(names).toMatch(/·\s*space/)
    const note = at('logprobs-note')
    await note.filter({ hasText: 'To ask the demo model, send this to /v1/chat/completions' }).waitFor()
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await note.getByRole('button').click()
    const copied = await page.evaluate(() => navigator.clipboard.readText())
    // Asked for like this it has them.
    await ask(say('And now it has'), JSON.parse(`{${copied}}`))
    await open('And now')
    await page.keyboard.press('Home')
    await page.locator('.inspector .bars').waitFor()
    expect(await note.count()).toBe(0)
    expect(troubles).toEqual([])
  })

  test('an answer goes on from an alternative, and both are compared', async () => {
    const { text } = await ask('tokens=30,seed=5', PROBABILITIES)
    await open(text.slice(0, 20).trim())
    await page.keyboard.press('n')
    await page.locator('.take').first().waitFor()
    const token = Number(/^\d+/.exec(await place())?.[0])
    const taken = (
      await page
        .locator('.bar', { has: page.locator('.take') })
        .first()
        .locator('.bar-text')
        .innerText()
    ).trim()
    await page.locator('.take').first().click()
    await at('compare-both').click()
    await at('compare').waitFor()
    await at('compare-words')
      .filter({ hasText: `They part at token ${token}.` })
      .waitFor()
    const parting = page.locator('.compare-parting-token')
    expect(await parting.nth(1).innerText()).toContain(taken)
    expect(await page.locator('.compare-head').nth(1).innerText()).toContain('goes on from A')
    const column = async (letter: string) =>
      (await page.locator(`[data-testid=compare-${letter}]`).allTextContents()).join('')
    expect(await column('A')).toBe(text)
    // What came before is the same in both, and stands at the same height.
    const tops = await page
      .locator('.compare-row[data-same=true]')
      .first()
      .locator('.compare-cell')
      .evaluateAll(cells => cells.map(cell => cell.getBoundingClientRect().top))
    expect(new Set(tops).size).toBe(1)
    await page.keyboard.press('Escape')
    await page.keyboard.press('Escape')
    await at('compare').waitFor({ state: 'detached' })
    expect(troubles).toEqual([])
  })

  test('two are chosen and laid beside each other; narrow they are stacked', async () => {
    const common = 'Rivers begin small, and every stream that joins makes them wider. '
    await ask(say(`${common}The delta is a fan.`), PROBABILITIES)
    await ask(say(`${common}People live where it ends.`), PROBABILITIES)
    await page.locator('.map-canvas').focus()
    await page.keyboard.press('c')
    const offers = at('compare-picker').getByRole('button')
    await offers.first().click()
    await offers.nth(1).click()
    await at('compare-words')
      .filter({ hasText: /They part at token \d+\. \d+\.\d % of all tokens are common\./ })
      .waitFor()
    expect(await page.locator('.compare-parting').count()).toBe(1)
    // A token that differs is read like any other, and the one beside it is marked.
    const differs = page.locator('[data-testid=compare-A] [data-differs]').first()
    const word = await differs.innerText()
    await differs.click()
    await expect.poll(() => page.locator('.token-hero').innerText(), WAIT).toContain(word.trim())
    expect(await page.locator('[data-testid=compare-B] [data-beside=true]').count()).toBe(1)
    await page.screenshot({ path: picturePath('compare') })
    await page.keyboard.press('Escape')
    await at('inspector').waitFor({ state: 'detached' })
    for (const [width, columns] of [
      [1600, 2],
      [360, 1],
    ] as const) {
      await page.setViewportSize({ width, height: 800 })
      const lefts = await page
        .locator('.compare-row[data-same=false]')
        .first()
        .locator('.compare-cell')
        .evaluateAll(cells => cells.map(cell => cell.getBoundingClientRect().left))
      expect(new Set(lefts).size).toBe(columns)
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      expect(over).toBeLessThanOrEqual(0)
    }
    await page.screenshot({ path: picturePath('compare-narrow') })
    expect(troubles).toEqual([])
  })
})
