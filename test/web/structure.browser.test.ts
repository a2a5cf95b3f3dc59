import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { PasReport } from '../../health/shm/report.ts'
import type { Tokenscope } from '../../main.ts'
import { launchBrowser, noBrowser, picturePath } from '../support/browser.ts'
import { Demo } from '../support/demo.ts'
import { pasReport, pasScc } from '../support/pas-report.ts'
import { rounds } from '../support/rounds.ts'
import { startScope } from '../support/scope.ts'
import { SmallTree, StructureAnswers } from '../support/structure-answers.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const IMAGE = '<img src=x onerror="window.__pwned=1">'

describe.skipIf(noBrowser)(`the structure of a tree ${noBrowser ?? ''}`, () => {
  let browser: Browser
  let context: BrowserContext
  let upstream: Demo
  let scope: Tokenscope
  let page: Page
  let tangled: PasReport
  let troubles: string[]
  let scripts: string[]

  beforeAll(async () => {
    using tree = new SmallTree()
    tangled = await tree.report()
    browser = await launchBrowser()
    upstream = await new Demo().start()
    scope = await startScope({ upstreams: [upstream.url] })
  })
  afterAll(async () => {
    await browser.close()
    await scope.stop()
    await upstream.stop()
  })
  beforeEach(async () => {
    troubles = []
    scripts = []
    context = await browser.newContext({
      ...{ viewport: { width: 1600, height: 900 }, colorScheme: 'dark', reducedMotion: 'reduce' },
    })
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    page = await context.newPage()
    page.on('pageerror', error => troubles.push(error.message))
    page.on('console', message => {
      const isLost = message.text().includes('ERR_CONNECTION_REFUSED')
      if (message.type() === 'error' && !isLost) troubles.push(message.text())
    })
    page.on('request', request => {
      if (request.resourceType() === 'script') scripts.push(request.url())
    })
  })
  afterEach(async () => {
    await context.close()
    expect(troubles).toEqual([])
  })

  const at = (id: string) => page.getByTestId(id)
  const open = async (answers: StructureAnswers | null, url = scope.url) => {
    await answers?.answer(page)
    await page.goto(url)
    await page.waitForFunction(() => window.__scope?.applied != null)
    await page.keyboard.press('s')
  }
  const words = (id: string) => at(id).innerText()
  /** Nothing is found by axe, nothing reaches beyond the window, and nothing ran that was a name. */
  const sound = async (state: string) => {
    await page.evaluate(AXE)
    // Wide in the dark and narrow in the light, unless all of it is asked for.
    const isNarrow = (page.viewportSize()?.width ?? 0) < 900
    const schemes = isNarrow ? (['light', 'dark'] as const) : (['dark', 'light'] as const)
    for (const colorScheme of schemes.slice(0, rounds(2, 2))) {
      await page.emulateMedia({ colorScheme })
      await page.waitForFunction(theme => document.documentElement.dataset.theme === theme, colorScheme)
      const { violations } = (await page.evaluate(
        rules => window.axe.run('.instruments', { runOnly: rules, resultTypes: ['violations'] }),
        RULES,
      )) as AxeResults
      const found = violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target }) => `${id}: ${target.join(' ')}`),
      )
      expect.soft(found, `${state}, ${colorScheme}`).toEqual([])
    }
    const shape = await page.evaluate(() => {
      const body = document.querySelector('.instruments-body') as Element
      return {
        ran: window.__pwned ?? null,
        made: document.querySelectorAll('.instruments img, .instruments script').length,
        over: Math.max(0, (document.scrollingElement as Element).scrollWidth - innerWidth),
        wide: Math.max(0, body.scrollWidth - body.clientWidth),
      }
    })
    expect.soft(shape, state).toEqual({ ran: null, made: 0, over: 0, wide: 0 })
  }

  test('its parts are tabs: by key, by the arrows, loaded when they are asked for, and remembered', async () => {
    await open(new StructureAnswers(tangled))
    await at('structure').waitFor()
    expect(scripts.some(url => url.includes('structure-body'))).toBe(true)
    expect(scripts.some(url => url.includes('instruments-body'))).toBe(false)
    await at('part-structure').focus()
    await page.keyboard.press('ArrowRight')
    await at('upstreams').waitFor()
    expect(await at('part-tokens').getAttribute('aria-selected')).toBe('true')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('part-tokens')
    await page.keyboard.press('ArrowLeft')
    await at('structure').waitFor()
    await page.keyboard.press('Escape')
    await at('instruments').waitFor({ state: 'detached' })
    await page.reload()
    await page.waitForFunction(() => window.__scope?.applied != null)
    await page.keyboard.press('i')
    await at('structure').waitFor()
    await page.keyboard.press('s')
    await at('instruments').waitFor({ state: 'detached' })
  })

  test('it is asked while it is seen, and not while something else is', async () => {
    const answers = new StructureAnswers(tangled)
    await open(answers)
    await at('structure').waitFor()
    await expect.poll(() => answers.asked).toBeGreaterThan(2)
    await at('part-tokens').click()
    await at('upstreams').waitFor()
    const before = answers.asked
    for (let i = 0; i < 2; i++) await page.waitForResponse(`${scope.url}/scope/v1/upstreams`)
    expect(answers.asked).toBe(before)
  })

  test('a tree that is read: the score and what it is made of, cycles by place, imports by cell', async () => {
    await open(new StructureAnswers(tangled))
    await at('structure').waitFor()
    expect(await words('structure-score')).toBe((Math.floor((tangled.score ?? 0) * 1000) / 1000).toFixed(3))
    expect(await words('structure-status')).toBe(tangled.status)
    expect(await words('scan-words')).toMatch(/^scanned \d+ s ago · watching$/)
    const rows = await at('dimensions').locator('tbody tr').allInnerTexts()
    expect(rows.map(row => row.split(/\s/)[0])).toEqual(Object.keys(tangled.dimensions))
    expect(rows.at(-1)).toContain('not scored: there is no git history')
    expect(rows[0]).toContain(tangled.dimensions.symmetry.status)

    expect(await words('cycles')).toContain('3 of 5 files')
    const places = (tangled.sccs[0] as PasReport['sccs'][0]).cycle.map(({ file, line }) => `${file}:${line}`)
    expect((await at('cycles').locator('.place').allInnerTexts()).slice(0, 3)).toEqual(places)
    await at('cycles').getByRole('button', { name: 'Copy places' }).click()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(places.join('\n'))

    const { advice } = tangled
    expect(await at('advice').locator('.advice').count()).toBe(Math.min(5, advice.length))
    expect(await words('advice')).toContain(advice[0]?.what)
    expect(await at('subsystems').locator('tbody tr').count()).toBe(3)
    await at('structure-details').getByText('Imports that lead nowhere').click()
    expect(await words('structure-details')).toContain('tools/print.ts:2 → ./gone.ts')

    const names = tangled.subsystems.map(({ name }) => name)
    const matrix = at('dsm-matrix')
    await matrix.scrollIntoViewIfNeeded()
    const box = (await matrix.boundingBox()) as { x: number; y: number }
    // Names take 112 pixels, numbers 16, a cell 24.
    await page.mouse.move(box.x + 112 + 24 * 1.5, box.y + 16 + 24 * 0.5)
    expect(await words('dsm-words')).toBe(`${names[0]} → ${names[1]}: 1 import, 1 back`)
    await page.mouse.move(box.x + 112 + 24 * 0.5, box.y + 16 + 24 * 0.5)
    expect(await words('dsm-words')).toBe(`${names[0]}: 1 import inside`)
    await page.mouse.move(box.x, box.y - 200)
    expect(await words('dsm-words')).toMatch(/^rows import columns · \d below the diagonal, \d above$/)
    await matrix.focus()
    for (const key of ['Home', 'ArrowDown', 'ArrowDown', 'ArrowRight']) await page.keyboard.press(key)
    expect(await words('dsm-words')).toBe(`${names[2]} → ${names[1]}: 1 import, 0 back`)
    await sound('a tree that is read')
    await page.screenshot({ path: picturePath('structure') })
  })

  test('the matrix is as sharp as the screen, and drawn anew in another theme', async () => {
    await open(new StructureAnswers(tangled))
    const matrix = at('dsm-matrix')
    await matrix.waitFor()
    const pixels = () =>
      matrix.evaluate((canvas: HTMLCanvasElement) => ({
        isSharp: canvas.width === Math.round(canvas.clientWidth * devicePixelRatio),
        picture: canvas.toDataURL(),
      }))
    await expect.poll(async () => (await pixels()).isSharp).toBe(true)
    const { picture } = await pixels()
    await at('theme').click()
    await expect.poll(async () => (await pixels()).picture).not.toBe(picture)
    await page.setViewportSize({ width: 1000, height: 900 })
    await expect.poll(async () => (await pixels()).isSharp).toBe(true)
  })

  test('nothing moves while it is scanned; without the server old figures stay', async () => {
    const answers = new StructureAnswers(tangled)
    await open(answers)
    await at('structure').waitFor()
    const placesOf = async () => ({
      chart: await at('chart-score').boundingBox(),
      dimensions: await at('dimensions').boundingBox(),
    })
    const before = await placesOf()
    answers.standing = {
      ...answers.standing,
      progress: { phase: 'read', done: 2, total: 5 },
      state: 'scanning',
    }
    await page.getByRole('button', { name: 'Scan again' }).click()
    await page.getByRole('progressbar', { name: 'Scan' }).waitFor()
    expect(answers.scans).toBe(1)
    expect(await words('scan-words')).toBe('2 of 5 files read')
    expect(await page.getByRole('button', { name: 'Scan again' }).isDisabled()).toBe(true)
    expect(await placesOf()).toEqual(before)
    answers.isGone = true
    await page.getByText('Tokenscope is not answering. Is it still running?').waitFor()
    expect(await words('structure-score')).toMatch(/^0\.\d{3}$/)
    answers.isGone = false
    answers.standing = { ...answers.standing, progress: null, state: 'ready' }
    await page.getByText('is not answering').waitFor({ state: 'detached' })
    expect(await placesOf()).toEqual(before)
  })

  test.each([
    ['no tree', { state: 'off', root: null }, 'structure-off', 'No source tree is scored'],
    [
      'a first scan',
      { state: 'scanning', progress: { phase: 'read', done: 9, total: 40 } },
      'structure',
      '9 of 40 files',
    ],
    [
      'one that failed',
      { state: 'failed', trouble: 'There is no folder /gone.' },
      'structure',
      'no folder /gone.',
    ],
  ] as const)('%s says so, and what to do', async (state, standing, id, said) => {
    await open(new StructureAnswers(null, { scanned_at: null, history: [], ...standing }))
    await at(id).getByText(said).waitFor()
    if (state === 'no tree') {
      await page.getByRole('button', { name: 'Copy the command' }).click()
      expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('pnpm start --shm DIR')
    } else {
      const again = page.getByRole('button', { name: 'Scan again' })
      expect(await again.isEnabled()).toBe(state === 'one that failed')
    }
    await sound(state)
    await page.setViewportSize({ width: 360, height: 740 })
    await sound(`${state}, 360 px wide`)
  })

  test.each([60, 31, 500].slice(0, rounds(3, 3)))(
    '%d parts have a matrix, and the first of them a row',
    async parts => {
      const subsystems = Array.from({ length: parts }, (_, i) => ({
        name: `part-${i}`,
        files: 1,
        lines: parts - i,
      }))
      const dsm = subsystems.map((_, row) => subsystems.map((_, column) => (row * 7 + column) % 11))
      await open(new StructureAnswers(pasReport({ subsystems, dsm })))
      await at('dsm-matrix').focus()
      await page.keyboard.press('Home')
      await page.keyboard.press('End')
      expect(await words('dsm-words')).toMatch(`part-0 → part-${parts - 1}: `)
      const rows = at('subsystems').locator('tbody tr')
      expect(await rows.count()).toBe(13)
      await at('subsystems')
        .getByRole('button', { name: `${parts - 12} more` })
        .click()
      expect(await rows.count()).toBe(parts > 212 ? 213 : parts)
      await sound(`${parts} parts`)
      await page.setViewportSize({ width: 360, height: 740 })
      await sound(`${parts} parts, 360 px wide`)
    },
  )

  test('more parts than a matrix has, many cycles, and a good tree', async () => {
    const sccs = Array.from({ length: 45 }, (_, i) =>
      pasScc(Array.from({ length: i === 0 ? 30 : 2 }, (_, k) => `${i}/${k}.ts`)),
    )
    const answers = new StructureAnswers(pasReport({ dsm: [], sccs }))
    await open(answers)
    await at('dsm').getByText('There are too many parts for a matrix.').waitFor()
    expect(await at('cycles').locator('.cycle').count()).toBe(20)
    expect(await at('cycles').locator('.cycle').first().innerText()).toContain('18 files more →')
    await at('cycles').getByRole('button', { name: '25 more' }).click()
    expect(await at('cycles').locator('.cycle').count()).toBe(45)
    answers.report = pasReport({ sccs: [], advice: [], ids: { ...pasReport().ids, tree: 'good' } })
    await at('cycles').getByText('No import cycles').waitFor()
    expect(await words('advice')).toContain('No single change is known that would raise the score.')
  })

  test('names that mean harm are names', async () => {
    const names = [
      `${IMAGE}\u202e.ts`,
      'x'.repeat(100_000),
      `\u0000\u001b[31m\n`,
      'e\u0301'.repeat(50_000),
      'שלום/قطة.ts',
    ]
    const place = (file: string) => ({ file, line: 1, to: file })
    const report = pasReport({
      subsystems: names.map((name, i) => ({ name, files: 1, lines: 10 - i })),
      dsm: names.map(() => names.map(() => 1)),
      sccs: [pasScc(names)],
      advice: names.map(name => ({
        what: `Remove ${name}.`,
        places: [place(name)],
        score_then: 0.9,
        gain: 0.01,
      })),
      unresolved: names.map(name => ({ ...place(name), specifier: name })),
      warnings: names.map(name => ({ code: 'SYNTAX_ERROR', path: name, message: name })),
    })
    await open(
      new StructureAnswers(report, { root: `/${IMAGE}\u202e`, trouble: `${IMAGE}${'y'.repeat(100_000)}` }),
    )
    await at('structure').waitFor()
    for (const summary of await at('structure-details').locator('summary').all()) await summary.click()
    expect(await at('subsystems').locator('.place').first().innerText()).toBe(`${IMAGE}⟨U+202E⟩.ts`)
    const text = await at('structure').innerText()
    expect(['\u202e', '\u0000', '\u001b'].filter(one => text.includes(one))).toEqual([])
    await at('dsm-matrix').focus()
    await page.keyboard.press('Home')
    await page.keyboard.press('End')
    await sound('names that mean harm')
    await page.setViewportSize({ width: 360, height: 740 })
    await sound('names that mean harm, 360 px wide')
    await page.screenshot({ path: picturePath('structure-hostile') })
  })

  test('a file that changes on the disk changes what is shown, by itself', async () => {
    using tree = new SmallTree()
    const watching = await startScope({ upstreams: [upstream.url], shm: tree.root })
    try {
      await open(null, watching.url)
      await at('cycles').getByText('3 files', { exact: false }).first().waitFor()
      await expect.poll(() => words('scan-words')).toMatch(/· watching$/)
      const before = await words('structure-score')
      tree.write('core/table.ts', 'export const table: unknown = 1\n')
      await at('cycles').getByText('No import cycles').waitFor()
      await expect.poll(() => words('structure-score')).not.toBe(before)
      await page.getByRole('button', { name: 'Scan again' }).click()
      await expect.poll(() => words('scan-words')).toMatch(/^scanned \d s ago/)
    } finally {
      await page.goto('about:blank')
      await watching.stop()
    }
  })
})
