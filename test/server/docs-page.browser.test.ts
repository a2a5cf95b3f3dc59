import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OpenApi } from '../../server/openapi.ts'
import { useApi } from '../support/api-stage.ts'
import { launchBrowser, noBrowser } from '../support/browser.ts'

const api = useApi()

test('the page of the API lets in nothing but its own style', async () => {
  const answer = await fetch(`${api.url}/scope/v1/docs`)
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(answer.headers.get('content-security-policy')).toMatch(
    /^default-src 'none';style-src 'sha256-[\w+/]+=*';img-src data:;base-uri 'none';form-action 'none';frame-ancestors 'none'$/,
  )
  expect(await answer.text()).not.toMatch(/<script|javascript:|\son\w+=|\sstyle=/i)
})

describe.skipIf(noBrowser !== null)(`in a browser${noBrowser === null ? '' : `: ${noBrowser}`}`, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser?.close())

  test.each([
    [1280, 'dark', 'rgb(10, 14, 20)'],
    [1280, 'light', 'rgb(247, 245, 240)'],
    [360, 'dark', 'rgb(10, 14, 20)'],
  ] as const)(
    'it is told in %i px and %s without a complaint, and loads nothing else',
    async (width, colorScheme, ground) => {
      const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme })
      const asked: string[] = []
      const complaints: string[] = []
      page.on('request', request => asked.push(request.url()))
      page.on('console', message => complaints.push(message.text()))
      const url = `${api.url}/scope/v1/docs`
      await page.goto(url)
      const document: OpenApi = await (await fetch(`${api.url}/scope/v1/openapi.json`)).json()
      const paths = Object.values(document.paths).flatMap(methods => Object.values(methods))
      expect(await page.locator('details').count()).toBe(paths.length)
      // The links at the side lead to all of it, and open it.
      for (const { operationId } of paths) await page.locator(`nav a[href="#${operationId}"]`).click()
      expect(await page.locator('details[open]').count()).toBe(paths.length)
      expect(await page.locator('#exportGeneration').isVisible()).toBe(true)
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
      expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(ground)
      expect([asked, complaints]).toEqual([[url], []])
      await page.close()
    },
  )
})
