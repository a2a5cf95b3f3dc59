import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import type { DrawnBy } from '../../web/map/cell-layer.ts'
import type { ScopeHook } from '../../web/test-hook.ts'
import { launchBrowser, noBrowser, noWebgpuBrowser, picturePath } from '../support/browser.ts'
import { Cutter } from '../support/cutter.ts'
import { startScope } from '../support/scope.ts'
import { chunk, DONE, ScriptedUpstream } from '../support/scripted-upstream.ts'

declare global {
  interface Window {
    __scope: ScopeHook
  }
}

const SSE = { 'content-type': 'text/event-stream' }

// Chromium as it comes, headless, has no WebGPU: the page is to be whole in both.
for (const way of ['canvas2d', 'webgpu'] as const) {
  const missing = way === 'webgpu' ? noWebgpuBrowser : noBrowser
  const name = `the page in Chromium, drawn by ${way}${missing ? ` (${missing})` : ''}`
  describe.skipIf(missing)(name, () => pageSuite(way))
}

function pageSuite(way: DrawnBy): void {
  let browser: Browser
  let upstream: ScriptedUpstream
  let scope: Tokenscope
  let page: Page
  let troubles: string[]

  beforeAll(async () => {
    browser = await launchBrowser({ webgpu: way === 'webgpu' })
  })
  afterAll(() => browser.close())
  beforeEach(async () => {
    upstream = await new ScriptedUpstream().start()
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
    await upstream.kill()
  })

  const at = (id: string) => page.getByTestId(id)
  const tokens = () => page.evaluate(() => window.__scope.tokens)
  const open = async () => {
    await page.goto(scope.url)
    await page.waitForFunction(by => window.__scope?.applied != null && window.__scope.drawnBy === by, way)
  }
  const ask = (content = 'hi') =>
    fetch(`${scope.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'test-model', stream: true, messages: [{ role: 'user', content }] }),
    })
  const logprobs = (token: string, logprob: number, other: string) => ({
    content: [
      {
        token,
        logprob,
        bytes: null,
        top_logprobs: [
          { token, logprob, bytes: null },
          { token: other, logprob: Math.log(1 - Math.exp(logprob)), bytes: null },
        ],
      },
    ],
  })

  test('a prompt is typed, tokens land, and hovering one shows what it nearly was', async () => {
    upstream.script = async (_request, response) => {
      response.writeHead(200, SSE)
      response.write(chunk({ content: 'Yes' }, { logprobs: logprobs('Yes', Math.log(0.25), 'No') }))
      response.write(
        chunk({ content: ', certainly' }, { logprobs: logprobs(', certainly', Math.log(0.99), '!') }),
      )
      response.end(chunk({}, { finish_reason: 'stop' }) + DONE)
    }
    await open()
    await at('prompt').fill('Is the tea ready?')
    await at('prompt').press('Enter')
    await page.waitForFunction(() => window.__scope.tokens === 2)
    await page.waitForSelector('[data-testid=generation-item][data-state=done]')
    expect(await at('generation-text').first().textContent()).toContain('Yes, certainly')
    const sent = JSON.parse(upstream.seen[0]?.body.toString() ?? '')
    expect(sent.messages).toEqual([{ role: 'user', content: 'Is the tea ready?' }])
    expect(await at('prompt').inputValue()).toBe('')

    const cell = await page.evaluate(() => window.__scope.cellToClient(0, 0))
    await page.mouse.move(cell.x, cell.y, { steps: 3 })
    await at('tooltip').waitFor()
    const tooltip = await at('tooltip').innerText()
    expect(tooltip).toContain('Yes')
    expect(tooltip).toContain('No')
    expect(tooltip).toMatch(/25(\.0)?\s*%/)
    expect(tooltip).toMatch(/75(\.0)?\s*%/)
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
    let release = () => {}
    upstream.script = (_request, response) => {
      response.writeHead(200, SSE)
      response.write(chunk({ content: 'First ' }))
      release = () => response.end(chunk({ content: 'last' }) + chunk({}, { finish_reason: 'stop' }) + DONE)
    }
    await open()
    const answer = await ask()
    await page.waitForSelector('[data-testid=generation-item][data-state=generating]')
    await page.waitForFunction(() => window.__scope.tokens === 1)
    release()
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
    upstream.script = (_request, response) => {
      response.writeHead(200, SSE)
      response.write(chunk({ content: evil }))
      response.write(chunk({ content: `e${'\u0301'.repeat(5000)}` }))
      response.write(chunk({ content: '\u202e\u0000\u200b' }))
      response.end(chunk({}, { finish_reason: 'stop' }) + DONE)
    }
    await open()
    await (await ask()).text()
    await page.waitForFunction(() => window.__scope.tokens === 3)
    await page.locator('[data-testid=generation-item]').first().click()
    await at('inspector').waitFor()
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false)
    expect(await page.locator('[data-testid=inspector] img').count()).toBe(0)
    expect(troubles).toEqual([])
  })

  test.each([
    [360, 740],
    [800, 900],
    [1600, 900],
  ])('at %d × %d nothing is cut off and nothing scrolls sideways', async (width, height) => {
    upstream.script = (_request, response) => {
      response.writeHead(200, SSE)
      response.end(chunk({ content: 'a few words' }) + chunk({}, { finish_reason: 'stop' }) + DONE)
    }
    await page.setViewportSize({ width, height })
    await open()
    await (await ask()).text()
    await page.waitForFunction(() => window.__scope.tokens === 1)
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
    await page.goto(demo.url)
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
    upstream.script = (_request, response) => {
      response.writeHead(200, SSE)
      response.write(chunk({ content: 'half an answer' }))
    }
    await open()
    const answer = await ask()
    await page.waitForFunction(() => window.__scope.tokens === 1)
    await upstream.kill()
    await answer.text().catch(() => {})
    const item = page.locator('[data-testid=generation-item][data-state=interrupted]')
    await item.waitFor()
    expect(await item.innerText()).toMatch(/interrupted/i)
    expect(await item.innerText()).toContain('half an answer')
    await page.waitForSelector('[data-testid=upstream-pill][data-state=down]')
    await page.screenshot({ path: picturePath(`interrupted-${way}`) })

    await upstream.start()
    upstream.script = (_request, response) => {
      response.writeHead(200, SSE)
      response.end(chunk({ content: 'and back' }, { finish_reason: 'stop' }) + DONE)
    }
    await (await ask()).text()
    await page.waitForSelector('[data-testid=generation-item][data-state=done]')
    expect(troubles).toEqual([])
  })

  test('a page that loses its server comes back by itself and resumes without a hole', async () => {
    let write = (_text: string) => {}
    upstream.script = (_request, response) => {
      response.writeHead(200, SSE)
      write = text => {
        response.write(chunk({ content: text }))
      }
      write('0 ')
    }
    const way = await Cutter.before(scope.url)
    await page.goto(way.url)
    await page.waitForFunction(() => window.__scope?.applied !== null)
    const answer = await ask()
    await page.waitForFunction(() => window.__scope.tokens === 1)
    // The way to the server is lost; what comes meanwhile is in its log.
    way.cut()
    for (let i = 1; i <= 20; i++) write(`${i} `)
    await page.waitForSelector('[data-testid=connection]:not([data-state=open])')
    expect(await tokens()).toBe(1)
    way.mend()
    write('21 ')
    await page.waitForFunction(() => window.__scope.tokens === 22)
    const expected = Array.from({ length: 22 }, (_, i) => `${i} `).join('')
    await page.locator('[data-testid=generation-item]').first().click()
    expect(await at('inspector').innerText()).toContain(expected.slice(0, 20))
    await upstream.kill()
    await answer.text().catch(() => {})
    await way.close()
  })

  test('a late page sees the tokens that came before it', async () => {
    upstream.script = (_request, response) => {
      response.writeHead(200, SSE)
      for (let i = 0; i < 300; i++) response.write(chunk({ content: `w${i} ` }))
      response.end(chunk({}, { finish_reason: 'stop' }) + DONE)
    }
    await (await ask()).text()
    await page.goto(scope.url)
    await page.waitForFunction(() => window.__scope?.tokens === 300)
    expect(troubles).toEqual([])
  })

  test('the stop button stops an app: its connection breaks, the page says cancelled', async () => {
    upstream.script = (_request, response) => {
      response.writeHead(200, SSE)
      response.write(chunk({ content: 'on and on' }))
    }
    await open()
    const answer = await ask()
    await page.waitForFunction(() => window.__scope.tokens === 1)
    await at('stop').first().click()
    await expect(answer.text()).rejects.toThrow()
    await page.waitForSelector('[data-testid=generation-item][data-state=cancelled]')
  })
}
