import type { ServerResponse } from 'node:http'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { launchBrowser, noWebgpuBrowser, picturePath } from '../support/browser.ts'
import { RawUpstream } from '../support/raw-upstream.ts'
import { rounds } from '../support/rounds.ts'
import { startScope } from '../support/scope.ts'

declare global {
  interface Window {
    __pwned?: number
  }
}

const IMAGE = '<img src=x onerror="window.__pwned=1">'
const SCRIPT = '</script><script>window.__pwned=1</script>'
const LINK = '<a href="javascript:window.__pwned=1">javascript:window.__pwned=1</a>'
const MARKS = `e${'\u0301'.repeat(100_000)}`
const MODEL = `${IMAGE}${SCRIPT}\u202e${'m'.repeat(300)}`
const NAME = `"><svg onload="window.__pwned=1">${SCRIPT}\u202e`
const ERROR = `${IMAGE} ${LINK} \u202eerror`

const HUGE = rounds(1_000_000, 10)

/** What an app asks for, by the words of its prompt, and the tokens that it gets. */
const ANSWERS = {
  markup: [IMAGE, SCRIPT, LINK, '&lt;b&gt;', "');window.__pwned=1;//"],
  marks: ['A', MARKS, MARKS, 'Z'],
  hidden: [
    '\u202e\u202dright to left',
    '\u2066\u2067',
    '\u0000\u0000',
    '\u200b\ufeff',
    '\ud800',
    '\u0007\u001b[31m',
  ],
  // As much of one as an event of a stream may hold; every character of the second has a sign of its own.
  huge: ['W'.repeat(HUGE), '\u202e'.repeat(HUGE), '\n'.repeat(HUGE / 2), 'end'],
} as const
/** More than an event of a stream may hold, and an answer that ends with an error. */
const OTHERS = { over: ['so ', 'V'.repeat(2_000_000), 'end'], broken: ['so '] } as const
type Name = keyof typeof ANSWERS
type AnyName = Name | keyof typeof OTHERS

describe.skipIf(noWebgpuBrowser)(`the page, shown what means harm ${noWebgpuBrowser ?? ''}`, () => {
  let browser: Browser
  let context: BrowserContext
  let upstream: RawUpstream
  let scope: Tokenscope
  let page: Page
  let troubles: string[]

  beforeAll(async () => {
    upstream = new RawUpstream((_request, response, body) => answer(response, body))
    upstream.models = [MODEL, 'other']
    await upstream.start()
    scope = await startScope({ upstreams: [upstream.url] })
    browser = await launchBrowser({ headed: true })
  })
  afterAll(async () => {
    await browser.close()
    await scope.stop()
    await upstream.stop()
  })
  beforeEach(async () => {
    troubles = []
    context = await browser.newContext({ viewport: { width: 1600, height: 900 }, reducedMotion: 'reduce' })
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    page = await context.newPage()
    page.on('pageerror', error => troubles.push(error.message))
    page.on('dialog', dialog => {
      troubles.push(`a dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('console', message => {
      if (message.type() === 'error') troubles.push(message.text())
    })
    page.on('request', request => {
      const url = request.url()
      if (!url.startsWith(scope.url) && !/^(data|blob):/.test(url)) troubles.push(`a request to ${url}`)
    })
  })
  afterEach(async () => {
    await context.close()
    expect(troubles).toEqual([])
  })

  const at = (id: string) => page.getByTestId(id)
  const ask = async (name: AnyName) => {
    const response = await fetch(`${scope.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: MODEL,
        stream: true,
        logprobs: true,
        messages: [{ role: 'user', content: `${name} ${IMAGE}` }],
      }),
    })
    await response.text()
  }
  const open = async (tokens: number) => {
    await page.goto(scope.url)
    await page.waitForFunction(count => window.__scope?.tokens >= count, tokens)
  }
  const item = (name: AnyName) => at('generation-item').filter({ hasText: `${name} <img` })
  const choose = async (name: AnyName) => {
    await item(name).locator('.item-body').click()
    await at('inspector').waitFor()
    await page.locator('.map-canvas').focus()
  }
  /** The cells of the newest generation's tokens. */
  const places = async (): Promise<[number, number][]> => {
    const read = async (path: string) =>
      (await (await fetch(`${scope.url}/scope/v1/generations${path}`)).json()).data
    const [{ generation }] = await read('?limit=1')
    return (await read(`/${generation}/tokens`)).map(
      (token: { position: [number, number] }) => token.position,
    )
  }
  /** Nothing ran or was made of it, and nothing reaches beyond the window. */
  const harmless = async (where: string) => {
    const found = await page.evaluate(() => ({
      ran: window.__pwned ?? null,
      made: document.querySelectorAll(
        '#page img:not(.minimap img), #page script, #page iframe, #page [onerror], #page [onload]',
      ).length,
      led: [...document.querySelectorAll('a')].filter(a => !a.href.startsWith(location.origin)).length,
      over: Math.max(0, (document.scrollingElement as Element).scrollWidth - innerWidth),
      low: Math.max(0, (document.scrollingElement as Element).scrollHeight - innerHeight),
    }))
    expect.soft(found, where).toEqual({ ran: null, made: 0, led: 0, over: 0, low: 0 })
  }
  /** … and it takes a key. */
  const answers = async (where: string) => {
    await harmless(where)
    const theme = () => page.evaluate(() => document.documentElement.dataset.theme)
    const before = await theme()
    await at('theme').press('Enter')
    expect(await theme()).not.toBe(before)
    await page.locator('.map-canvas').focus()
  }
  /** All that shows tokens, one after the other. */
  const walk = async (name: Name) => {
    const tokens = ANSWERS[name].length
    await choose(name)
    await answers(`${name}: as a whole`)
    for (let i = 0; i < tokens; i++) {
      await page.keyboard.press('ArrowRight')
      await page.locator('.panel-place', { hasText: `${i + 1} of ${tokens}` }).waitFor()
      await page.locator('.code-points summary').click()
      await harmless(`${name}: token ${i}`)
    }
    await page.keyboard.press('Escape')
    await at('inspector').waitFor({ state: 'detached' })
  }

  test.each(Object.keys(ANSWERS) as Name[])(
    '%s: read token by token, near and far, in every layout',
    async name => {
      await ask(name)
      await open(ANSWERS[name].length)
      await answers(`${name}: opened`)
      await walk(name)
      // Near, so that its text is drawn, and under the pointer.
      for (const layout of ['flow', 'timeline', 'map']) {
        await at(`layout-${layout}`).click()
        await page.keyboard.press('0')
        await page.waitForFunction(() => window.__scope.settled)
        await answers(`${name}: ${layout}`)
      }
      for (const [i, place] of (await places()).entries()) {
        const cell = await page.evaluate(([x, y]) => window.__scope.cellToClient(x, y), place)
        await page.mouse.move(cell.x, cell.y, { steps: 2 })
        await at('tooltip').waitFor()
        await harmless(`${name}: under the pointer, token ${i}`)
        await page.mouse.move(cell.x, 5)
      }
      await page.screenshot({ path: picturePath(`hostile-${name}`) })
    },
  )

  test('it is listed, found, named, copied, compared and measured', async () => {
    for (const name of ['markup', 'marks', 'huge', 'over', 'broken'] as const) await ask(name)
    const list = await fetch(`${scope.url}/scope/v1/generations`).then(answer => answer.json())
    const newest = list.data[0] as { generation: string; version: number }
    const patched = await fetch(`${scope.url}/scope/v1/generations/${newest.generation}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ version: newest.version, name: NAME, tags: [IMAGE] }),
    })
    expect(await patched.json()).toMatchObject({ success: true })
    await open(1)
    const named = at('generation-item').filter({ hasText: '"><svg onload' })
    await named.and(page.locator('[data-state=failed], [data-state=interrupted]')).waitFor()
    expect(await named.locator('.item-error').innerText()).toContain(IMAGE)
    await answers('the list')
    await named.locator('.item-body').click()
    await page.locator('.inspector .error-words').waitFor()
    await harmless('an error')
    await page.keyboard.press('Escape')

    await at('rail-search').fill('onerror')
    await at('rail-extent').filter({ hasText: 'in all' }).waitFor()
    await harmless('found')
    await at('rail-search').fill('')
    await at('rail-model').selectOption(MODEL)
    await item('markup').first().waitFor()
    await named.locator('.item-body').focus()
    await page.keyboard.press('F2')
    await at('rename').fill(`${IMAGE} again`)
    await page.keyboard.press('Enter')
    await at('generation-item')
      .filter({ hasText: `${IMAGE} again` })
      .waitFor()
    await harmless('named anew')

    // Its text was too much to be looked into; that there was more is not hidden.
    await item('over').locator('.item-body').click()
    await at('inspector').waitFor()
    await harmless('more than an event holds')
    await page.keyboard.press('Escape')

    await item('marks').first().getByTestId('item-menu').click()
    await at('menu').getByRole('menuitem', { name: 'Copy text' }).click()
    await at('rail-said').filter({ hasText: 'Text copied.' }).waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(ANSWERS.marks.join(''))

    for (const name of ['markup', 'marks', 'huge'] as const) {
      await item(name).first().getByTestId('item-menu').click()
      await at('menu').getByRole('menuitem', { name: 'Compare' }).click()
    }
    await page.locator('.compare-head').nth(2).waitFor()
    await at('compare-parting').waitFor()
    await answers('compared')
    await page.keyboard.press('c')
    await at('compare').waitFor({ state: 'detached' })
    await page.keyboard.press('i')
    await at('upstreams').locator('tbody tr').waitFor()
    await answers('instruments')
    await page.keyboard.press('i')
    await at('prompt-settings').click()
    await at('prompt-panel').getByLabel('model', { exact: true }).selectOption(MODEL)
    await harmless('how it is asked')
    await at('prompt').fill(`markup ${SCRIPT}`)
    await at('prompt').press('Enter')
    await page.waitForFunction(() => (document.querySelector('#prompt') as HTMLTextAreaElement).value === '')
    await at('colour').click()
    await page.locator('input[value=model]').check()
    await page.keyboard.press('Escape')
    await harmless('models by colour')
    await page.keyboard.press(',')
    await page.waitForSelector('.time-bar[data-live=false]')
    await answers('as it was')
    await page.setViewportSize({ width: 360, height: 740 })
    await answers('360 px wide')
    await page.screenshot({ path: picturePath('hostile-narrow') })
  })
})

/** Answers as an OpenAI-compatible server does; what the prompt begins with says what. */
function answer(response: ServerResponse, body: Buffer): void {
  const { messages } = JSON.parse(body.toString()) as { messages: { content: string }[] }
  const name = messages.at(-1)?.content.split(' ')[0] as AnyName
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (data: object) => response.write(`data: ${JSON.stringify(data)}\n\n`)
  const other = (token: string) => ({ token, logprob: -2, bytes: null })
  for (const token of { ...ANSWERS, ...OTHERS }[name]) {
    // Of what is large there is not room for it twice in one event.
    const isLarge = token.length > 1000
    const entry = {
      ...other(token),
      logprob: -0.5,
      top_logprobs: [other(token), other(IMAGE), other('\u202e')],
    }
    send({
      id: IMAGE,
      object: 'chat.completion.chunk',
      model: MODEL,
      choices: [
        {
          ...{ index: 0, delta: { content: token }, finish_reason: null },
          logprobs: isLarge ? null : { content: [entry] },
        },
      ],
    })
  }
  if (name === 'broken') send({ error: { message: ERROR, type: SCRIPT, code: NAME } })
  else send({ id: IMAGE, model: MODEL, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
  response.end('data: [DONE]\n\n')
}
