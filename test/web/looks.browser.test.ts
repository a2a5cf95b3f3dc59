import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { launchBrowser, noBrowser } from '../support/browser.ts'
import { CHAT, Demo } from '../support/demo.ts'
import { startScope } from '../support/scope.ts'

/** A machine may have much else to do. */
const WAIT = { timeout: 60_000 }

describe.skipIf(noBrowser)(`what lies over the page${noBrowser ? ` (${noBrowser})` : ''}`, () => {
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
    await page.goto(scope.url)
    await page.waitForFunction(() => window.__scope?.applied != null)
  })
  afterEach(async () => {
    await page.close()
    await scope.stop()
    await upstream.stop()
    expect(troubles).toEqual([])
  })

  const at = (id: string) => page.getByTestId(id)
  /** Asks, and gives the id under which it is recorded. */
  const ask = async (directives: string) => {
    const response = await fetch(`${scope.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-demo': directives },
      body: JSON.stringify(CHAT),
    })
    await response.text()
    return (await records())[0]?.generation as string
  }
  const records = async () => {
    const answer = await fetch(`${scope.url}/scope/v1/generations`)
    const { data } = (await answer.json()) as {
      data: { generation: string; version: number; tags: string[]; note: string | null }[]
    }
    return data
  }
  const edit = (id: string, change: object) =>
    fetch(`${scope.url}/scope/v1/generations/${id}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(change),
    })
  const focused = () =>
    page.evaluate(() => document.activeElement?.closest('[data-testid]')?.getAttribute('data-testid'))

  test('the keys are listed over everything; the focus stays in the list and goes back', async () => {
    await at('help').focus()
    await page.keyboard.press('?')
    const sheet = at('help-sheet')
    await sheet.waitFor()
    expect(await sheet.innerText()).toContain('map, flow, timeline')
    // What it lists it does not do while it is open.
    await page.keyboard.press('2')
    expect(await at('layout-map').getAttribute('aria-pressed')).toBe('true')
    for (let i = 0; i < 6; i++) {
      await page.keyboard.press('Tab')
      const outside = await page.evaluate(
        () => document.activeElement !== document.body && document.activeElement?.closest('dialog') === null,
      )
      expect(outside).toBe(false)
    }
    await page.keyboard.press('Escape')
    await sheet.waitFor({ state: 'detached' })
    expect(await focused()).toBe('help')
    // The lines for who points an app here are called back from it.
    await at('first-run').getByLabel('Close').click()
    await at('help').click()
    await at('point-here').click()
    await at('first-run').waitFor()
  })

  test('tags and a note are written, and somebody else’s are not written over unseen', async () => {
    const id = await ask('tokens=5')
    await at('generation-item').locator('.item-body').click()
    await at('edit-notes').click(WAIT)
    const form = at('notes-form')
    await form.getByRole('textbox').first().fill('rivers, #long, rivers')
    await form.getByRole('textbox').last().fill('Look at the end.')
    await page.keyboard.press('Control+Enter')
    await form.waitFor({ state: 'detached' })
    expect(await at('record-notes').innerText()).toContain('#rivers #long')
    const [record] = await records()
    expect(record).toMatchObject({ tags: ['rivers', 'long'], note: 'Look at the end.' })

    await at('edit-notes').click()
    expect((await edit(id, { version: record?.version, note: 'Mine.' })).status).toBe(200)
    await form.getByRole('textbox').first().fill('short')
    await form.getByRole('button', { name: 'save' }).click()
    await form.getByText('Meanwhile it was changed to: #rivers #long; Mine.').waitFor()
    expect((await records())[0]).toMatchObject({ tags: ['rivers', 'long'], note: 'Mine.' })
    await form.getByRole('button', { name: 'save' }).click()
    await form.waitFor({ state: 'detached' })
    expect((await records())[0]).toMatchObject({ tags: ['short'], note: 'Look at the end.' })
  })

  test('a name that is given meanwhile does not stand against tags', async () => {
    const id = await ask('tokens=5')
    await at('generation-item').locator('.item-body').click()
    await at('edit-notes').click(WAIT)
    const [record] = await records()
    expect((await edit(id, { version: record?.version, name: 'Named.' })).status).toBe(200)
    await at('notes-form').getByRole('textbox').first().fill('one')
    await page.keyboard.press('Enter')
    await at('notes-form').waitFor({ state: 'detached' })
    expect((await records())[0]).toMatchObject({ tags: ['one'], name: 'Named.' })
  })

  test('a recording that is dropped onto the page is taken in; what is none is refused with a reason', async () => {
    const id = await ask('tokens=7')
    const file = await (await fetch(`${scope.url}/scope/v1/generations/${id}/export?format=jsonl`)).text()
    await fetch(`${scope.url}/scope/v1/generations/${id}/record`, { method: 'DELETE' })
    await page.reload()
    const drop = (text: string, name: string) =>
      page.evaluate(
        ([content, called]) => {
          const dataTransfer = new DataTransfer()
          dataTransfer.items.add(new File([content as string], called as string))
          const event = (type: string) =>
            new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true })
          document.body.dispatchEvent(event('dragover'))
          document.body.dispatchEvent(event('drop'))
        },
        [text, name],
      )
    await page.waitForFunction(() => window.__scope?.applied != null)
    await drop(file, 'one.jsonl')
    await at('import-notice').getByText('1 recording taken in.').waitFor()
    expect((await records()).map(({ generation }) => generation)).toContain(id)
    await at('import-notice').getByText('show').click()
    await at('inspector').getByText(id, { exact: true }).waitFor()
    await drop(file, 'one.jsonl')
    await at('import-notice').getByText('1 recording was here already.').waitFor()
    await drop('no recording', 'shopping.txt')
    await at('import-notice').getByText('shopping.txt was not taken in.').waitFor()
    expect(await at('import-notice').getAttribute('role')).toBe('alert')
  })

  test('who writes a prompt goes on writing when a comparison opens', async () => {
    await at('prompt-settings').click()
    await page.getByLabel('also ask', { exact: true }).selectOption({ index: 1 })
    await page.keyboard.press('Escape')
    await at('prompt').fill('What turns?')
    await at('prompt').press('Enter')
    await at('compare').waitFor()
    await page.keyboard.type('next')
    expect(await at('prompt').inputValue()).toBe('next')
  })

  test('what is chosen in the list is not pushed out of view', async () => {
    await ask('tokens=3')
    const first = at('generation-item').locator('.item-body')
    await first.click()
    const [{ generation } = { generation: '' }] = await records()
    for (let i = 0; i < 9; i++) await ask('tokens=3')
    await page.waitForFunction(() => window.__scope.generations === 10)
    const inView = () =>
      page.locator(`.item[data-generation="${generation}"]`).evaluate(item => {
        const list = item.closest('.rail-list')?.getBoundingClientRect()
        const { top, bottom } = item.getBoundingClientRect()
        return list !== undefined && top >= list.top - 1 && bottom <= list.bottom + 1
      })
    await expect.poll(inView, WAIT).toBe(true)
  })
})
