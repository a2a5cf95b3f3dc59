/**
 * Takes the pictures of docs/screenshots from a running server with the demo model, so that they show what there
 * is. Those of the page need Chromium and Xvfb; where they are missing it says so, and leaves them as they were.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { reasonOf } from '../../events/errors.ts'
import { drawnBySoftware, launchBrowser } from '../support/browser.ts'
import { startScope } from '../support/scope.ts'
import { takeViews } from './view-shots.ts'

const FOLDER = join(import.meta.dirname, '../../docs/screenshots')

/** What has been answered before the first picture, one by a server that gives no logprobs. */
const BEFORE: Question[] = [
  { content: 'What is an oscilloscope?', seed: 3 },
  { content: 'Tell me about rivers.', seed: 2, tokens: 110, logprobs: false },
  { content: 'What does a map leave out?', seed: 1 },
]

interface Question {
  content: string
  seed: number
  /** Where the answer is cut off, unless it ends before. */
  tokens?: number
  logprobs?: boolean
}

interface Shot {
  name: string
  width: number
  height: number
  theme: 'dark' | 'light'
  /** Drawn by WebGPU, or by the Canvas 2D of a browser without it. */
  webgpu: boolean
  /** What is being answered, and how many tokens of that answer are there. */
  live: Question
  moment: number
  /** What is done with the page once the live answer is under way. */
  act?(page: Page): Promise<void>
}

const WIDE = { width: 1600, height: 900 }
const SHOTS: Shot[] = [
  {
    name: 'live',
    ...WIDE,
    theme: 'dark',
    webgpu: true,
    live: { content: 'How do streams work?', seed: 3 },
    moment: 150,
    act: chooseToken,
  },
  {
    name: 'canvas2d',
    ...WIDE,
    theme: 'dark',
    webgpu: false,
    live: { content: 'What is probability?', seed: 2 },
    moment: 120,
  },
  {
    name: 'light',
    ...WIDE,
    theme: 'light',
    webgpu: true,
    live: { content: 'What is music made of?', seed: 1 },
    moment: 90,
    act: readTokens,
  },
  {
    name: 'narrow',
    width: 390,
    height: 844,
    theme: 'dark',
    webgpu: true,
    live: { content: 'How do streams work?', seed: 1 },
    moment: 150,
  },
]

await mkdir(FOLDER, { recursive: true })
for (const take of [() => takeViews(FOLDER), takePage]) {
  try {
    await take()
  } catch (error) {
    console.error(`Not all pictures were taken: ${reasonOf(error)}`)
    process.exitCode = 1
  }
}

async function takePage(): Promise<void> {
  const browsers = new Map<boolean, Browser>()
  const scope = await startScope()
  try {
    for (const webgpu of [true, false]) browsers.set(webgpu, await launchBrowser({ webgpu }))
    const answers: Response[] = []
    // Side by side, but each begun after the one before: so each has its place on the map.
    for (const question of BEFORE) answers.push(await ask(scope.url, question))
    for (const answer of answers) await answer.text()
    for (const shot of SHOTS) {
      await take(browsers.get(shot.webgpu) as Browser, scope.url, shot)
      console.log(`docs/screenshots/${shot.name}.png`)
    }
  } finally {
    for (const browser of browsers.values()) await browser.close()
    await scope.stop()
  }
}

async function take(browser: Browser, url: string, shot: Shot): Promise<void> {
  const { name, width, height, theme, webgpu, live, moment, act } = shot
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: theme })
  await page.goto(drawnBySoftware(url))
  await page.waitForFunction(
    by => window.__scope?.drawnBy === by && window.__scope.tokens > 300,
    webgpu ? 'webgpu' : 'canvas2d',
  )
  await page.getByTestId('draw-note').waitFor({ state: webgpu ? 'hidden' : 'visible' })
  await page.keyboard.press('Escape') // closes the hint for newcomers
  const before = await page.evaluate(() => window.__scope.tokens)
  const gone = new AbortController()
  const answer = await ask(url, live, gone.signal)
  await page.waitForFunction(tokens => window.__scope.tokens >= tokens, before + moment / 2)
  await act?.(page)
  await page.waitForFunction(tokens => window.__scope.tokens >= tokens, before + moment)
  await page.screenshot({ path: join(FOLDER, `${name}.png`) })
  gone.abort()
  await answer.text().catch(() => {}) // it was left before its end
  await page.close()
}

/** Looks at one token, so that the inspector is open. */
async function chooseToken(page: Page): Promise<void> {
  const { x, y } = await page.evaluate(() => window.__scope.cellToClient(5, 14))
  await page.mouse.click(x, y)
  await page.getByTestId('inspector').waitFor()
  await page.mouse.move(8, 8)
}

/** Goes near, so that the tokens can be read, and points at one. */
async function readTokens(page: Page): Promise<void> {
  const cell = () => page.evaluate(() => window.__scope.cellToClient(6, 5))
  for (let notch = 0; notch < 4; notch++) {
    const { x, y } = await cell()
    await page.mouse.move(x, y)
    await page.mouse.wheel(0, -200)
  }
  const { x, y } = await cell()
  await page.mouse.move(x, y, { steps: 3 })
  await page.getByTestId('tooltip').waitFor()
}

function ask(url: string, question: Question, signal: AbortSignal | null = null): Promise<Response> {
  const { content, seed, tokens = 256, logprobs = true } = question
  const probabilities = logprobs ? { logprobs: true, top_logprobs: 5 } : {}
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    signal,
    body: JSON.stringify({
      model: 'tokenscope-demo',
      messages: [{ role: 'user', content }],
      stream: true,
      seed,
      temperature: 1.1,
      max_tokens: tokens,
      ...probabilities,
    }),
  })
}
