import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CLOSE_CODES } from '../../events/close-codes.ts'
import type { Tokenscope } from '../../main.ts'
import type { ScopeHook } from '../../web/test-hook.ts'
import type { DrawnBy } from '../../web/view/picture-layer.ts'
import {
  drawnBySoftware,
  launchBrowser,
  noBrowser,
  noWebgpuBrowser,
  picturePath,
} from '../support/browser.ts'
import { readChat } from '../support/chat-answer.ts'
import { Cutter } from '../support/cutter.ts'
import { CHAT, Demo } from '../support/demo.ts'
import { rounds } from '../support/rounds.ts'
import { startScope } from '../support/scope.ts'
import { Spectator } from '../support/spectator.ts'

declare global {
  interface Window {
    __scope: ScopeHook
  }
}

// Chromium as it comes, headless, has no WebGPU: the page is to be whole in both.
/** That both draw the same is for other tests; whether a person can do the same is asked of both where there is the time. */
const WAYS = (['canvas2d', 'webgpu'] as const).slice(0, rounds(2, 2))

for (const way of WAYS) {
  const missing = way === 'webgpu' ? noWebgpuBrowser : noBrowser
  const name = `the page in Chromium, drawn by ${way}${missing ? ` (${missing})` : ''}`
  describe.skipIf(missing)(name, () => pageSuite(way))
}

function pageSuite(way: DrawnBy): void {
  let browser: Browser
  let upstream: Demo
  let scope: Tokenscope
  let page: Page
  let troubles: string[]

  beforeAll(async () => {
    browser = await launchBrowser({ webgpu: way === 'webgpu' })
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
    page.on('request', request => {
      if (!request.url().startsWith(scope.url) && !/^(data|blob):/.test(request.url())) {
        troubles.push(`a request to ${request.url()}`)
      }
    })
  })
  afterEach(async () => {
    await page.close()
    await scope.stop()
    await upstream.stop()
  })

  const at = (id: string) => page.getByTestId(id)
  const tokens = () => page.evaluate(() => window.__scope.tokens)
  const open = async () => {
    await page.goto(drawnBySoftware(scope.url))
    await page.waitForFunction(by => window.__scope?.applied != null && window.__scope.drawnBy === by, way)
  }
  const ask = (directives: string, body: object = {}) =>
    fetch(`${scope.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-demo': directives },
      body: JSON.stringify({ ...CHAT, ...body }),
    })
  /** What the page shows of a probability that is neither next to none nor next to certain. */
  const percent = (logprob: number) => {
    const p = Math.exp(logprob)
    expect(p).toBeGreaterThan(0.001)
    expect(p).toBeLessThan(0.999)
    return `${(p * 100).toFixed(1)} %`
  }

  test('after a restart the map has what it had, each token in its place', async () => {
    const data = mkdtempSync(join(tmpdir(), 'tokenscope-page-'))
    const begin = () => startScope({ upstreams: [upstream.url], data })
    try {
      const before = await begin()
      const viewer = await Spectator.watch(before.url)
      await fetch(`${before.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Demo': 'tokens=40' },
        body: JSON.stringify(CHAT),
      }).then(answer => answer.text())
      await viewer.end()
      const places = viewer.tokens.map(({ position }) => position)
      viewer.close()
      await before.stop()
      await scope.stop()
      scope = await begin()
      await open()
      await page.waitForFunction(count => window.__scope.tokens === count, places.length)
      expect(await at('generation-item').count()).toBe(1)
      const [x, y] = places[7] as [number, number]
      const cell = await page.evaluate(([x, y]) => window.__scope.cellToClient(x, y), [x, y] as const)
      await page.mouse.click(cell.x, cell.y)
      await at('inspector').waitFor()
      expect(troubles).toEqual([])
    } finally {
      await scope.stop()
      rmSync(data, { recursive: true, force: true })
    }
  })

  test('a prompt is typed, tokens land, and hovering one shows what it nearly was', async () => {
    upstream.server.setFaults('seed=5,tokens=9')
    await open()
    await at('prompt').fill('Is the tea ready?')
    await at('prompt').press('Enter')
    await page.waitForFunction(() => window.__scope.tokens === 9)
    await page.waitForSelector('[data-testid=generation-item][data-state=done]')
    const sent = JSON.parse(upstream.seen[0]?.body.toString() ?? '')
    // The same seed gives the same answer to whoever asks.
    const again = await upstream.post('/v1/chat/completions', sent)
    const [choice] = readChat(Buffer.from(await again.arrayBuffer())).choices
    expect(choice?.text.length).toBeGreaterThan(10)
    expect(await at('generation-text').first().textContent()).toContain(choice?.text.trim())
    expect(sent.messages).toEqual([{ role: 'user', content: 'Is the tea ready?' }])
    expect(await at('prompt').inputValue()).toBe('')

    const cell = await page.evaluate(() => window.__scope.cellToClient(0, 0))
    await page.mouse.move(cell.x, cell.y, { steps: 3 })
    await at('tooltip').waitFor()
    const tooltip = await at('tooltip').innerText()
    const [first] = choice?.entries ?? []
    expect(tooltip).toContain(first.token)
    expect(tooltip).toContain(percent(first.logprob))
    expect(first.top_logprobs.length).toBe(5)
    for (const { token, logprob } of first.top_logprobs.slice(0, 4)) {
      expect(tooltip).toContain(token)
      expect(tooltip).toContain(percent(logprob))
    }
    await page.mouse.click(cell.x, cell.y)
    await at('inspector').waitFor()
    expect(await at('inspector').innerText()).toMatch(/over the alternatives given/i)
    // What draws the map is said where it is not what it could be, and nowhere else.
    const note = /^Drawn with Canvas 2D: this browser offers no GPU for WebGPU\.$/
    if (way === 'webgpu') expect(await at('draw-note').count()).toBe(0)
    else expect(await at('draw-note').innerText()).toMatch(note)
    await page.screenshot({ path: picturePath(`inspector-${way}`) })
    expect(troubles).toEqual([])
  })

  test('another program’s answer is shown live; without logprobs nothing is made up', async () => {
    await open()
    const answer = await ask('silence=forever@1,say=First%20and%20last')
    await page.waitForSelector('[data-testid=generation-item][data-state=generating]')
    await page.waitForFunction(() => window.__scope.tokens === 1)
    upstream.server.goOn()
    await answer.text()
    await page.waitForSelector('[data-testid=generation-item][data-state=done]')
    const cell = await page.evaluate(() => window.__scope.cellToClient(0, 0))
    await page.mouse.move(cell.x, cell.y, { steps: 3 })
    await at('tooltip').waitFor()
    expect(await at('tooltip').innerText()).toMatch(/not given/i)
    expect(await at('ttft').innerText()).toMatch(/\d.*s/)
    await page.screenshot({ path: picturePath(`unknown-${way}`) })
    expect(troubles).toEqual([])
  })

  test('token text is text, whatever it holds', async () => {
    const evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
    await open()
    // After its first token each comes as one, since nothing lists its tokens.
    for (const text of [evil, `e${'\u0301'.repeat(5000)}`, '\u202e\u0000\u200b']) {
      upstream.server.setFaults(`batch=100000,say=${encodeURIComponent(`A ${text}`)}`)
      expect(readChat(Buffer.from(await (await ask('')).arrayBuffer())).choices[0]?.text).toBe(`A ${text}`)
    }
    await page.waitForFunction(() => window.__scope.tokens === 6)
    for (let i = 0; i < 3; i++) {
      await page.locator('[data-testid=generation-item]').nth(i).click()
      await at('inspector').waitFor()
      expect(await page.evaluate(() => 'hacked' in window)).toBe(false)
      expect(await page.locator('[data-testid=inspector] img').count()).toBe(0)
    }
    expect(troubles).toEqual([])
  })

  test.each([
    [360, 740],
    [800, 900],
    [1600, 900],
  ])('at %d × %d nothing is cut off and nothing scrolls sideways', async (width, height) => {
    await page.setViewportSize({ width, height })
    await open()
    await (await ask('tokens=3', { logprobs: true })).text()
    await page.waitForFunction(() => window.__scope.tokens === 3)
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    expect(overflow).toBeLessThanOrEqual(0)
    const note = way === 'canvas2d' ? ['draw-note'] : []
    for (const id of ['prompt', 'map', 'tok-rate', ...note]) {
      const box = await at(id).first().boundingBox()
      expect([
        id,
        box !== null && box.x >= 0 && box.x + box.width <= width && box.y + box.height <= height,
      ]).toEqual([id, true])
    }
    await page.screenshot({ path: picturePath(`width-${width}-${way}`) })
  })

  test('while the demo model talks the page says so', async () => {
    const data = mkdtempSync(join(tmpdir(), 'tokenscope-demo-'))
    const demo = await startScope({ data, upstreams: ['demo'] })
    await page.goto(drawnBySoftware(demo.url))
    await at('demo-label').first().waitFor()
    expect(await at('demo-label').first().innerText()).toMatch(/demo model/i)
    // It says something by itself, so that the first thing seen is no empty map.
    await page.waitForFunction(() => window.__scope.tokens > 20)
    await page.screenshot({ path: picturePath(`demo-${way}`) })
    await demo.stop()
    rmSync(data, { recursive: true, force: true })
  })

  if (way === 'webgpu') return // what follows is about connections, whatever draws

  test('the upstream is killed mid-answer: the page says so and keeps the text', async () => {
    await open()
    const said = upstream.countOf('half an answer')
    const answer = await ask(`silence=forever@${said},say=half%20an%20answer%20and%20the%20rest`)
    await page.waitForFunction(count => window.__scope.tokens === count, said)
    await upstream.stop()
    await answer.text().catch(() => {})
    const item = page.locator('[data-testid=generation-item][data-state=interrupted]')
    await item.waitFor()
    expect(await item.innerText()).toMatch(/interrupted/i)
    expect(await item.innerText()).toContain('half an answer')
    await page.waitForSelector('[data-testid=upstream-pill][data-state=down]')
    await page.screenshot({ path: picturePath(`interrupted-${way}`) })

    await upstream.start()
    await (await ask('say=and%20back')).text()
    await page.waitForSelector('[data-testid=generation-item][data-state=done]')
    expect(troubles).toEqual([])
  })

  test('a continuation says so, and so does an answer from the cache', async () => {
    await open()
    await (await ask('say=one%20two%20three%20four,drop=1200')).text().catch(() => {})
    await page.waitForSelector('[data-testid=generation-item][data-state=interrupted]')
    const parent = await page.getAttribute('[data-testid=generation-item]', 'data-generation')
    await fetch(`${scope.url}/scope/v1/generations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ parent }),
    })
    const child = page.locator(`[data-testid=generation-item]:not([data-generation="${parent}"])`)
    await child.filter({ hasText: 'goes on from another' }).waitFor()
    for (let i = 0; i < 2; i++) {
      const headers = { 'x-tokenscope-cache': 'on', 'content-type': 'application/json' }
      const body = JSON.stringify({ ...CHAT, max_tokens: 3 })
      await (await fetch(`${scope.url}/v1/chat/completions`, { method: 'POST', headers, body })).text()
    }
    const cached = page.locator('[data-testid=generation-item]', { hasText: 'from the cache' })
    await cached.waitFor()
    expect(await cached.count()).toBe(1)
    expect(troubles).toEqual([])
  })

  test('a page that loses its server comes back by itself and resumes without a hole', async () => {
    const viewer = await Spectator.watch(scope.url)
    const way = await Cutter.before(scope.url)
    await page.goto(way.url)
    await page.waitForFunction(() => window.__scope?.applied !== null)
    const answer = await ask('tokens=30,silence=forever@1', { logprobs: true })
    await page.waitForFunction(() => window.__scope.tokens === 1)
    // The way to the server is lost; what comes meanwhile is in its log.
    way.cut()
    upstream.server.goOn(20)
    await viewer.until(() => viewer.tokens.length === 21)
    await page.waitForSelector('[data-testid=connection]:not([data-state=open])')
    expect(await tokens()).toBe(1)
    way.mend()
    upstream.server.goOn(1)
    await page.waitForFunction(() => window.__scope.tokens === 22)
    await viewer.until(() => viewer.tokens.length === 22)
    const expected = viewer.textOf(viewer.generations[0] as string)
    expect(expected.length).toBeGreaterThan(40)
    await page.locator('[data-testid=generation-item]').first().click()
    expect(await at('inspector').innerText()).toContain(expected.slice(0, 20).trim())
    await upstream.stop()
    await answer.text().catch(() => {})
    viewer.close()
    await way.close()
  })

  test('a page that finds no room says so, and comes in once there is some', async () => {
    const small = await startScope({ upstreams: [upstream.url], maxClients: 1 })
    const first = await Spectator.watch(small.url)
    await page.goto(small.url)
    const notice = at('connection-notice')
    await notice.filter({ hasText: /^Too many viewers for now\. Trying again in \d+ s\./ }).waitFor()
    expect(await at('connection').innerText()).toBe('no room yet')
    await page.screenshot({ path: picturePath(`no-room-${way}`) })
    first.close()
    await first.closed
    await page.waitForFunction(() => window.__scope?.applied != null)
    await notice.waitFor({ state: 'hidden' })
    await small.stop()
  })

  test.each([
    [CLOSE_CODES.UNAUTHORIZED, /asks for a token/],
    [CLOSE_CODES.PROTOCOL_ABUSE, /did not understand this page/],
  ])('a page that was sent away for good says why: $code', async ({ code, reason }, words) => {
    await page.routeWebSocket(/\/scope\/v1\/stream$/, socket => socket.close({ code, reason }))
    await page.goto(scope.url)
    const notice = at('connection-notice')
    await notice.filter({ hasText: words }).waitFor()
    expect(await notice.getByRole('button').innerText()).toBe('reload')
    expect(await at('connection').innerText()).toBe('closed')
    await page.screenshot({ path: picturePath(`closed-${code}-${way}`) })
  })

  test('a late page sees the tokens that came before it', async () => {
    await (await ask('tokens=300', { logprobs: true })).text()
    await page.goto(scope.url)
    await page.waitForFunction(() => window.__scope?.tokens === 300)
    expect(troubles).toEqual([])
  })

  test('the stop button stops an app: its connection breaks, the page says cancelled', async () => {
    await open()
    const answer = await ask('silence=forever@1')
    await page.waitForFunction(() => window.__scope.tokens === 1)
    await at('stop').first().click()
    await expect(answer.text()).rejects.toThrow()
    await page.waitForSelector('[data-testid=generation-item][data-state=cancelled]')
  })
}
