import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { launchBrowser, noBrowser } from '../support/browser.ts'
import { Demo } from '../support/demo.ts'
import { startScope } from '../support/scope.ts'

describe.skipIf(noBrowser)(`asking in the page${noBrowser ? ` (${noBrowser})` : ''}`, () => {
  let browser: Browser
  let upstream: Demo
  let scope: Tokenscope
  let page: Page
  let faults: string[]

  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())
  beforeEach(async () => {
    upstream = await new Demo({ kind: 'lmstudio' }).start()
    upstream.server.setFaults('tokens=6')
    scope = await startScope({ upstreams: [upstream.url] })
    page = await browser.newPage({ viewport: { width: 1600, height: 900 } })
    faults = []
    page.on('pageerror', error => faults.push(error.message))
    await open()
  })
  afterEach(async () => {
    await page.close()
    await scope.stop()
    await upstream.stop()
    expect(faults).toEqual([])
  })

  const at = (id: string) => page.getByTestId(id)
  const field = (name: string) => at('prompt-panel').getByLabel(name, { exact: true })
  const open = async () => {
    await page.goto(scope.url)
    await page.waitForFunction(() => window.__scope?.applied != null)
    await expect.poll(() => at('prompt-settings').innerText()).toContain('tokenscope-demo')
  }
  const ask = async (prompt: string) => {
    await at('prompt').fill(prompt)
    await at('prompt').press('Enter')
    await expect.poll(() => at('prompt').inputValue()).toBe('')
  }
  const sent = () => upstream.seen.map(({ body }) => JSON.parse(body.toString()))

  test('what is set goes along and is remembered, and what has no name there is said', async () => {
    await at('prompt-settings').focus()
    await page.keyboard.press('Enter')
    await expect.poll(() => field('model').evaluate(element => element === document.activeElement)).toBe(true)
    await field('system prompt').fill('Be brief.')
    await field('temperature').fill('0.5')
    await field('seed').fill('3')
    await field('tokens at most').fill('4')
    await field('reasoning').selectOption('off')
    await page.keyboard.press('Escape')
    await at('prompt-panel').waitFor({ state: 'detached' })
    expect(await at('prompt-settings').evaluate(element => element === document.activeElement)).toBe(true)
    await ask('What turns?')
    await expect.poll(() => upstream.seen.length).toBe(1)
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'What turns?' },
    ]
    expect(sent()[0]).toMatchObject({
      ...{ input: messages, temperature: 0.5, max_output_tokens: 4, reasoning: { effort: 'none' } },
    })
    expect(sent()[0]).not.toHaveProperty('seed')
    await page.getByText('This server takes no seed where it is asked, so it was not told.').waitFor()

    await open()
    const summary = await at('prompt-settings').getAttribute('aria-label')
    expect(summary).toBe(
      'How it is asked: tokenscope-demo, temperature 0.5, seed 3, at most 4 tokens, reasoning off, system prompt',
    )
    await at('prompt-settings').click()
    await page.getByRole('button', { name: 'reset' }).click()
    await page.keyboard.press('Escape')
    await ask('And now?')
    await expect.poll(() => upstream.seen.length).toBe(2)
    expect(sent()[1].input).toEqual([{ role: 'user', content: 'And now?' }])
    expect(sent()[1]).not.toHaveProperty('temperature')
  })

  test('the same prompt goes to two models, and both are compared', async () => {
    await at('prompt-settings').click()
    await field('also ask').selectOption('tokenscope-demo')
    await ask('What turns?')
    await expect.poll(() => upstream.seen.length).toBe(2)
    const [first, second] = sent()
    expect(first).toEqual(second)
    await expect.poll(() => at('generation-item').count()).toBe(2)
    await at('compare').waitFor()
    expect(await at('compare').locator('[data-testid=compare-picker]').count()).toBe(0)
  })

  test('arrows bring back what was asked, and what is refused stays with the reason', async () => {
    await ask('What turns?')
    await ask('And what\nrests?')
    await at('prompt').press('ArrowUp')
    expect(await at('prompt').inputValue()).toBe('And what\nrests?')
    await at('prompt').press('ArrowUp')
    expect(await at('prompt').inputValue()).toBe('What turns?')
    await at('prompt').press('ArrowDown')
    await at('prompt').press('ArrowDown')
    expect(await at('prompt').inputValue()).toBe('')
    await at('prompt-settings').click()
    await field('temperature').fill('9')
    await at('prompt').fill('Too hot?')
    await at('prompt').press('Enter')
    const alert = page.getByRole('alert').filter({ hasText: 'temperature' })
    await expect.poll(() => alert.innerText()).toBe('"temperature" is 9; it must be a number from 0 to 2.')
    expect(await at('prompt').inputValue()).toBe('Too hot?')
    await field('temperature').fill('1')
    await at('prompt').press('Enter')
    await expect.poll(() => at('prompt').inputValue()).toBe('')
    expect(await alert.count()).toBe(0)
  })
})
