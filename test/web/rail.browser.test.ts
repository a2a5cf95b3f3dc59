import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import type { GenerationRecord } from '../../store/recording.ts'
import { launchBrowser, noBrowser, picturePath } from '../support/browser.ts'
import { CHAT, Demo } from '../support/demo.ts'
import { FilledRecords } from '../support/filled-records.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { startScope } from '../support/scope.ts'

declare global {
  interface Window {
    recordsAway: boolean
  }
}

const MANY = 640
const FIRST_AT = 1_760_000_000

/** A data folder with many recordings, a minute apart; every seventh failed, the last word of each is its number. */
function fillRecords(folder: string): void {
  using records = new FilledRecords()
  for (let i = 0; i < MANY; i++) {
    const id = `g_many${String(i).padStart(5, '0')}`
    const failed = i % 7 === 0
    const error = {
      kind: 'unknown' as const,
      code: null,
      message: 'The model ran out of memory.',
      retryable: true,
    }
    const texts = ['Rivers', ' carry', ` number${i}`]
    records.put({
      events: [
        stateEvent(id, 'generating', { model: i % 2 ? 'oak' : 'elm' }),
        ...texts.map((text, k) => ({ ...tokenEvent(id, k, text), timestamp: FIRST_AT + 60 * i + k / 10 })),
        stateEvent(id, failed ? 'failed' : 'done', {
          ...{ model: i % 2 ? 'oak' : 'elm', tokens_processed: 3, elapsed_ms: 300, ttft_ms: 100 },
          ...(failed ? { error } : {}),
        }),
      ],
      ...{ startedAt: FIRST_AT + 60 * i, prompt: `Question ${i}`, position: k => [k, i] },
    })
  }
  records.database.exec(`VACUUM INTO '${join(folder, 'records.db')}'`)
}

describe.skipIf(noBrowser)(`the list of generations${noBrowser ? ` (${noBrowser})` : ''}`, () => {
  let browser: Browser
  let context: BrowserContext
  let upstream: Demo
  let scope: Tokenscope
  let page: Page
  let data: string
  let troubles: string[]

  beforeAll(async () => {
    browser = await launchBrowser()
    upstream = await new Demo().start()
  })
  afterAll(async () => {
    await browser.close()
    await upstream.stop()
  })
  beforeEach(async () => {
    data = mkdtempSync(join(tmpdir(), 'tokenscope-rail-'))
    context = await browser.newContext({ viewport: { width: 1600, height: 900 } })
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    page = await context.newPage()
    troubles = []
    page.on('pageerror', error => troubles.push(error.message))
  })
  afterEach(async () => {
    await context.close()
    await scope.stop()
    rmSync(data, { recursive: true, force: true })
  })

  const at = (id: string) => page.getByTestId(id)
  const items = () => at('generation-item')
  const open = async () => {
    scope = await startScope({ upstreams: [upstream.url], data })
    await page.goto(scope.url)
    await page.waitForFunction(() => window.__scope?.applied != null)
  }
  const ask = (text: string) =>
    fetch(`${scope.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-demo': `say=${encodeURIComponent(text)}` },
      body: JSON.stringify(CHAT),
    })
  const say = async (text: string) => {
    await (await ask(text)).text()
    await items().filter({ hasText: text }).and(page.locator('[data-state=done]')).first().waitFor()
  }
  const recordOf = async (id: string): Promise<GenerationRecord> =>
    (await (await fetch(`${scope.url}/scope/v1/generations/${id}`)).json()).data
  /** The id of the item that has this text. */
  const idOf = async (text: string) =>
    (await items().filter({ hasText: text }).first().getAttribute('data-generation')) as string
  const itemOf = (id: string) => page.locator(`[data-testid=generation-item][data-generation="${id}"]`)
  const choose = async (id: string, words: string) => {
    await itemOf(id).getByTestId('item-menu').click()
    await at('menu').getByRole('menuitem', { name: words }).click()
  }

  /** For a failure: what has the focus, and what the list says of itself. */
  const whereItIs = () =>
    page.evaluate(() => {
      const { activeElement } = document
      const foot = document.querySelector('.rail-foot')?.textContent
      return `${activeElement?.className} ${activeElement?.textContent?.slice(0, 40)} | ${foot}`
    })

  test('of hundreds few are in the page, all are reached by keys, and one is read from the records', async () => {
    fillRecords(data)
    await open()
    await items()
      .filter({ hasText: `Question ${MANY - 1}` })
      .waitFor()
    await page.keyboard.press('Control+k')
    await page.keyboard.press('ArrowDown')
    const oldest = page.locator('.item-body:focus', { hasText: 'Question 0' })
    // Each time to the end of what was read by then.
    await expect
      .poll(
        async () => {
          await page.keyboard.press('End')
          return (await oldest.count()) === 1 ? 'there' : `at ${await whereItIs()}`
        },
        { timeout: 90_000 },
      )
      .toBe('there')
    expect(await at('rail-extent').innerText()).toBe(`${MANY} in all`)
    expect(await items().count()).toBeLessThan(40)
    const heights = await page.evaluate(() =>
      [...document.querySelectorAll('.item-body')].map(body => body.scrollHeight - body.clientHeight),
    )
    expect(Math.max(...heights)).toBeLessThanOrEqual(0)
    await page.keyboard.press('Enter')
    await at('inspector').filter({ hasText: 'Rivers carry number0' }).waitFor()
    await page.screenshot({ path: picturePath('rail-many') })
    // What begins comes in far above, and moves nothing that is looked at.
    const before = await items().filter({ hasText: 'Question 0' }).boundingBox()
    await (await ask('something new')).text()
    await at('rail-extent')
      .filter({ hasText: `${MANY + 1} in all` })
      .waitFor()
    expect(await items().filter({ hasText: 'Question 0' }).boundingBox()).toEqual(before)
    expect(troubles).toEqual([])
  })

  test('it is narrowed by words, state and model, and says where nothing is like that', async () => {
    fillRecords(data)
    await open()
    await page.keyboard.press('Control+k')
    await page.keyboard.type('rivers number77')
    await items().filter({ hasText: 'number77' }).waitFor()
    expect(await at('rail-extent').innerText()).toBe('1 in all')
    await page.keyboard.press('Enter')
    await at('inspector').filter({ hasText: 'Rivers carry number77' }).waitFor()
    await at('rail-model').selectOption('elm')
    await at('rail-empty').filter({ hasText: 'Nothing here is like that' }).waitFor()
    await at('rail-empty').getByRole('button').click()
    await at('rail-state').selectOption('failed')
    await at('rail-model').selectOption('oak')
    await page.waitForFunction(() => {
      const shown = [...document.querySelectorAll<HTMLElement>('.item')]
      const model = (item: HTMLElement) => item.querySelector('.item-model')?.textContent
      return shown.length > 2 && shown.every(item => item.dataset.state === 'failed' && model(item) === 'oak')
    })
    expect(await items().first().innerText()).toContain('The model ran out of memory.')
    expect(troubles).toEqual([])
  })

  test('one is named where it stands; if somebody else was faster both names are told', async () => {
    await open()
    await say('a cup of tea')
    const id = await idOf('a cup of tea')
    await itemOf(id).locator('.item-body').focus()
    await page.keyboard.press('F2')
    await page.keyboard.type('my own name')
    await page.keyboard.press('Enter')
    await itemOf(id).filter({ hasText: 'my own name' }).waitFor()
    expect(await recordOf(id)).toMatchObject({ name: 'my own name', version: 2 })
    await page.locator('.item-body:focus').waitFor()

    await choose(id, 'Name it')
    await fetch(`${scope.url}/scope/v1/generations/${id}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ version: 2, name: 'theirs' }),
    })
    await at('rename').fill('mine all the same')
    await page.keyboard.press('Enter')
    const alert = itemOf(id).getByRole('alert')
    await alert.filter({ hasText: 'Meanwhile it was named “theirs”' }).waitFor()
    await page.screenshot({ path: picturePath('rail-overtaken') })
    await page.keyboard.press('Enter')
    await itemOf(id).filter({ hasText: 'mine all the same' }).waitFor()
    expect((await recordOf(id)).name).toBe('mine all the same')
    expect(troubles).toEqual([])
  })

  test('its menu copies, saves, plays again, compares and removes', async () => {
    await open()
    await say('first answer here')
    await say('second answer here')
    const [first, second] = [await idOf('first answer here'), await idOf('second answer here')]
    await choose(first, 'Copy text')
    await at('rail-said').filter({ hasText: 'Text copied.' }).waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('first answer here')
    await choose(first, 'Copy link')
    await at('rail-said').filter({ hasText: 'Link copied.' }).waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`${scope.url}/#g=${first}`)

    const download = page.waitForEvent('download')
    await choose(first, 'Save as txt')
    const file = await download
    expect(file.suggestedFilename()).toMatch(/\.txt$/)
    expect(readFileSync(await file.path(), 'utf8')).toContain('first answer here')

    await choose(second, 'Play again at once')
    await items().filter({ hasText: 'replay ×max' }).and(page.locator('[data-chosen=true]')).waitFor()

    await choose(first, 'Compare')
    await choose(second, 'Compare')
    await expect.poll(() => page.locator('.item', { hasText: 'compared' }).count()).toBe(2)
    await choose(first, 'Compare it no more')
    await choose(second, 'Compare it no more')

    await itemOf(first).locator('.item-body').focus()
    await page.keyboard.press('Delete')
    await page.getByRole('alertdialog').filter({ hasText: 'cannot be had back' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('alertdialog').waitFor({ state: 'detached' })
    expect((await recordOf(first)).generation).toBe(first)
    await choose(first, 'Remove recording')
    await page.screenshot({ path: picturePath('rail-remove') })
    await at('remove').click()
    await itemOf(first).waitFor({ state: 'detached' })
    expect((await fetch(`${scope.url}/scope/v1/generations/${first}`)).status).toBe(404)
    expect(troubles).toEqual([])
  })

  test('records that cannot be read: it says so, shows what it has, and tries again by itself and when asked to', async () => {
    const error = 'The records cannot be read right now. Try again in a moment.'
    await page.addInitScript(error => {
      const real = window.fetch
      const body = JSON.stringify({ success: false, error, error_code: 'RECORDS_UNAVAILABLE' })
      const refused = () => Promise.resolve(new Response(body, { status: 503 }))
      window.recordsAway = true
      window.fetch = (path, init) =>
        window.recordsAway && String(path).startsWith('/scope/v1/generations?') ? refused() : real(path, init)
    }, error)
    await open()
    await say('still here')
    await at('rail-trouble').filter({ hasText: error }).waitFor()
    // In one step, since it also looks by itself whenever something ends.
    await page.getByRole('button', { name: 'try again' }).evaluate(button => {
      window.recordsAway = false
      ;(button as HTMLButtonElement).click()
    })
    await at('rail-extent').filter({ hasText: '1 in all' }).waitFor()
    await items().filter({ hasText: 'Tell me about rivers' }).waitFor()
    await page.evaluate(() => {
      window.recordsAway = true
    })
    await say('and here')
    await at('rail-trouble').waitFor()
    await page.evaluate(() => {
      window.recordsAway = false
    })
    await at('rail-extent').filter({ hasText: '2 in all' }).waitFor()
    expect(troubles).toEqual([])
  })

  test('loading a model shows how far it is, and can be stopped', async () => {
    await open()
    const answer = fetch(`${scope.url}/api/v1/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-demo': 'slow-load=10s' },
      body: JSON.stringify({ model: CHAT.model, stream: true, input: 'Tell me about rivers' }),
    }).then(answer => answer.text())
    answer.catch(() => {})
    const bar = page.locator('.item[data-state=loading_model] [role=progressbar]')
    await bar.waitFor()
    await page.waitForFunction(() => {
      const bar = document.querySelector('.item[data-state=loading_model] [role=progressbar]')
      return Number(bar?.getAttribute('aria-valuenow')) > 0
    })
    expect(await items().first().innerText()).toMatch(/loading model \d+ %/)
    await page.screenshot({ path: picturePath('rail-loading') })
    await at('stop').click()
    await page.waitForSelector('.item[data-state=cancelled]')
    expect(troubles).toEqual([])
  })
})
