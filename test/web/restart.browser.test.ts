import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { drawnBySoftware, launchBrowser, noWebgpuBrowser, picturePath } from '../support/browser.ts'
import { CHAT, Demo } from '../support/demo.ts'
import { Program } from '../support/program.ts'
import { rounds } from '../support/rounds.ts'
import { Spectator } from '../support/spectator.ts'

/** Tokens that are there when the server is killed, of so many. */
const HALF = 30
const WHOLE = 60
const LAYOUTS = ['map', 'flow', 'timeline'] as const
const SERVER_ENDS =
  /ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING|SOCKET_NOT_CONNECTED)|WebSocket connection/

describe.skipIf(noWebgpuBrowser)(`a page whose server ends ${noWebgpuBrowser ?? ''}`, () => {
  let browser: Browser
  let page: Page
  let upstream: Demo
  let program: Program
  let data: string
  let url: string
  const troubles: string[] = []

  const start = async (port: string) => {
    program = new Program(
      ['--port', port, '--data', data, '--upstream', upstream.url, '--gpu', 'cpu', '--log-level', 'warn'],
      {},
    )
    url = await program.url()
  }
  beforeAll(async () => {
    data = mkdtempSync(join(tmpdir(), 'tokenscope-restart-'))
    upstream = await new Demo().start()
    await start('0')
    browser = await launchBrowser({ webgpu: true })
    page = await browser.newPage({ viewport: { width: 1600, height: 900 } })
    page.on('pageerror', error => troubles.push(error.message))
    page.on('console', message => {
      // While it is away the browser itself says so, for each request.
      if (message.type() === 'error' && !SERVER_ENDS.test(message.text())) troubles.push(message.text())
    })
    await page.goto(drawnBySoftware(url))
    await page.waitForFunction(() => window.__scope?.drawnBy === 'webgpu')
  })
  afterAll(async () => {
    await browser.close()
    await program.kill()
    await upstream.stop()
    rmSync(data, { recursive: true, force: true })
  })

  const at = (id: string) => page.getByTestId(id)
  const ask = (directives: string) =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-demo': directives },
      body: JSON.stringify({ ...CHAT, logprobs: true }),
    })
  const tokens = (count: number) => page.waitForFunction(count => window.__scope.tokens === count, count)
  const settled = () => page.waitForFunction(() => window.__scope.settled)
  const idsIn = (state: string) =>
    page
      .locator(`[data-testid=generation-item][data-state=${state}]`)
      .evaluateAll(items => items.map(item => (item as HTMLElement).dataset.generation as string))
  /** What the server has of a generation: the texts of its tokens. */
  const recorded = async (id: string): Promise<string[]> => {
    const answer = await fetch(`${url}/scope/v1/generations/${id}/tokens?limit=1000`)
    const { data = [] } = (await answer.json()) as { data?: { index: number; token_text: string }[] }
    expect(data.map(({ index }) => index)).toEqual(data.map((_, i) => i))
    return data.map(({ token_text }) => token_text)
  }
  /** What the page reads of it: the texts of its tokens, each in its place. */
  const shown = async (id: string): Promise<string[]> => {
    await page.locator(`[data-generation="${id}"] .item-body`).click()
    await page.locator('.inspector .id', { hasText: id }).waitFor()
    const read = await page
      .locator('.inspector .flow-token')
      .evaluateAll(spans => spans.map(one => [Number((one as HTMLElement).dataset.index), one.textContent]))
    expect(read.map(([index]) => index)).toEqual(read.map((_, i) => i))
    expect(await page.locator('.inspector .flow-gap').count()).toBe(0)
    await page.keyboard.press('Escape')
    await at('inspector').waitFor({ state: 'detached' })
    return read.map(([, text]) => text as string)
  }

  const heldNow = () => page.evaluate(() => window.__scope.tokens)
  // Each as long as the others: all of them where there is the time.
  test.each(LAYOUTS.slice(0, rounds(LAYOUTS.length, LAYOUTS.length)))(
    'killed in the middle of an answer and started again: %s',
    async layout => {
      await at(`layout-${layout}`).click()
      let held = await heldNow()
      const broken = ask(`tokens=${WHOLE},silence=forever@${HALF}`).then(answer => answer.text())
      broken.catch(() => {})
      await tokens(held + HALF)
      await page.waitForSelector('[data-testid=generation-item][data-state=generating]')
      const [id] = (await idsIn('generating')) as [string]
      // What is not written down by then nobody has.
      await vi.waitFor(async () => expect((await recorded(id)).length).toBe(HALF), { timeout: 20_000 })

      await program.kill()
      await at('connection-notice').waitFor()
      expect(await at('connection').getAttribute('data-state')).not.toBe('open')
      // What is live is only the last that was heard of it.
      await page.locator(`[data-generation="${id}"]`, { hasText: 'was generating' }).waitFor()
      await expect(broken).rejects.toThrow()
      await start(new URL(url).port)

      // It comes back by itself; the answer that broke off has ended, with what was recorded of it.
      await page.waitForSelector('[data-testid=connection][data-state=open]', { state: 'attached' })
      await at('connection-notice').waitFor({ state: 'detached' })
      await page.waitForSelector(`[data-generation="${id}"][data-state=interrupted]`)
      const half = await recorded(id)
      expect(half.length).toBe(HALF)
      const before = held
      held += half.length
      await tokens(held)
      expect(await shown(id)).toEqual(half)
      await settled()

      // The next one is followed live, into a page that has all of those before.
      const next = ask(`tokens=${WHOLE},silence=forever@${HALF}`)
      await tokens(held + HALF)
      const [live] = (await idsIn('generating')) as [string]
      upstream.server.goOn()
      await (await next).text()
      await page.waitForSelector(`[data-generation="${live}"][data-state=done]`)
      held += WHOLE
      await tokens(held)
      expect(held).toBe(before + half.length + WHOLE)
      for (const one of [...(await idsIn('interrupted')), ...(await idsIn('done'))])
        expect(await shown(one)).toEqual(await recorded(one))
      expect((await shown(live)).length).toBe(WHOLE)
      expect(await at(`layout-${layout}`).getAttribute('aria-pressed')).toBe('true')
      await settled()
      await page.screenshot({ path: picturePath(`restart-${layout}`) })
      expect(troubles).toEqual([])
    },
  )

  test('a tab that slept in the middle of an answer wakes without a hole', async () => {
    await at('layout-map').click()
    const held = await heldNow()
    const viewer = await Spectator.watch(url)
    const answer = ask(`tokens=${10 * WHOLE},silence=forever@${HALF}`)
    await tokens(held + HALF)
    const [id] = (await idsIn('generating')) as [string]
    const tab = await page.context().newCDPSession(page)
    // A tab that is looked at is never frozen by the browser itself, so that it is stopped where it is.
    const asleep = new Promise<string>(resolve => {
      tab.once('Debugger.paused', ({ callFrames: [frame] }) => resolve(frame?.callFrameId as string))
    })
    await tab.send('Debugger.enable')
    await tab.send('Debugger.pause')
    const callFrameId = await asleep
    upstream.server.goOn()
    await (await answer).text()
    await viewer.end()
    const expression = 'window.__scope.tokens'
    const dreamt = await tab.send('Debugger.evaluateOnCallFrame', { callFrameId, expression })
    expect(dreamt.result.value).toBe(held + HALF)
    await tab.send('Debugger.disable')
    await page.waitForSelector(`[data-generation="${id}"][data-state=done]`)
    await tokens(held + 10 * WHOLE)
    const said = viewer.tokens.filter(token => token.generation === id).map(token => token.token_text)
    viewer.close()
    expect(said.length).toBe(10 * WHOLE)
    expect(await shown(id)).toEqual(said)
    await settled()
    expect(troubles).toEqual([])
  })
})
