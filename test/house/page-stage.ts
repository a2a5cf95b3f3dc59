/** Where the pictures of the page are taken: a server with the demo model, what it was asked, and browsers. */
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import type { Tokenscope } from '../../main.ts'
import { drawnBySoftware, launchBrowser } from '../support/browser.ts'
import { CHAT } from '../support/demo.ts'
import { startScope } from '../support/scope.ts'

/** Its own sources are the tree that it scores. */
const ROOT = join(import.meta.dirname, '../..')

export type Theme = 'dark' | 'light'

/** What is asked of the demo model. */
export interface Question {
  content: string
  seed: number
  /** What its answer is, and what goes wrong with it: docs/demo.md. */
  demo: string
  /** False: asked as of a server that gives none. */
  logprobs?: boolean
}

/** A page to be pictured. */
export interface Look {
  width: number
  height: number
  theme: Theme
  /** Remembered by the browser, as the page names it. */
  settings?: Record<string, string>
  /** What the address says after `#`. */
  fragment?: string
  /** Leaves the hint for newcomers open. */
  hinted?: boolean
}

/** A server and its pages. Each picture has a page of its own, in a browser that remembers nothing. */
export class PageStage {
  scope: Tokenscope
  readonly #browser: Browser
  readonly #folder: string
  readonly #pages = new Set<Page>()

  private constructor(scope: Tokenscope, browser: Browser, folder: string) {
    this.scope = scope
    this.#browser = browser
    this.#folder = folder
  }

  /** Starts a server; the page is drawn by WebGPU. */
  static async start(folder: string, upstream = 'demo'): Promise<PageStage> {
    const scope = await startScope({ upstreams: [upstream], shm: ROOT })
    return new PageStage(scope, await launchBrowser({ webgpu: true }), folder)
  }

  /** Ends all of it. */
  async stop(): Promise<void> {
    await this.#browser.close()
    await this.scope.stop()
  }

  /** Asks, and reads the whole answer. */
  async ask(question: Question): Promise<void> {
    await (await this.begin(question)).text().catch(() => {}) // some are broken off on purpose
  }

  /** Asks; what comes is read, or not, by the caller. */
  begin({ content, seed, demo, logprobs = true }: Question, signal?: AbortSignal): Promise<Response> {
    return fetch(`${this.scope.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-demo': demo },
      signal: signal ?? null,
      body: JSON.stringify({
        ...CHAT,
        ...{ messages: [{ role: 'user', content }], seed, temperature: 1.1, max_tokens: 4000 },
        ...(logprobs ? { logprobs: true, top_logprobs: 5 } : {}),
      }),
    })
  }

  /** Asks, and while it is answered does something with pages. */
  async during(question: Question, act: () => Promise<void>): Promise<void> {
    const gone = new AbortController()
    const answer = await this.begin(question, gone.signal)
    await act()
    gone.abort()
    await answer.text().catch(() => {}) // it was left before its end
  }

  /** What is recorded of the answers to a question, the newest first. */
  async answersTo(content: string): Promise<{ generation: string; started_at: number }[]> {
    const answer = await fetch(`${this.scope.url}/scope/v1/generations?limit=100`)
    const { data } = (await answer.json()) as {
      data: { generation: string; started_at: number; prompt: string | null }[]
    }
    return data.filter(({ prompt }) => prompt === content)
  }

  /** A token of the answer to a question that was hard to choose, and its cell. */
  async doubtfulToken(content: string): Promise<{ generation: string; index: number; x: number; y: number }> {
    const [answer] = await this.answersTo(content)
    if (answer === undefined) throw new Error(`nothing was answered to ${content}`)
    const { generation } = answer
    const read = await fetch(`${this.scope.url}/scope/v1/generations/${generation}/tokens?limit=500`)
    const { data } = (await read.json()) as {
      data: { index: number; confidence: number | null; position: [number, number] | null }[]
    }
    for (const { index, confidence, position } of data.slice(20)) {
      if (confidence === null || position === null || confidence < 0.15 || confidence > 0.4) continue
      return { generation, index, x: position[0], y: position[1] }
    }
    throw new Error('no token was hard to choose')
  }

  /** Opens the page, and waits until it shows what it is to show. */
  async open({ width, height, theme, settings = {}, fragment = '', hinted }: Look): Promise<Page> {
    const page = await this.#browser.newPage({ viewport: { width, height }, colorScheme: theme })
    this.#pages.add(page)
    // A window that lies under another draws no frame, and so comes to no rest.
    await page.bringToFront()
    await page.addInitScript(saved => {
      for (const [name, value] of Object.entries(saved)) localStorage.setItem(`tokenscope.${name}`, value)
    }, settings)
    await page.goto(`${drawnBySoftware(this.scope.url)}${fragment === '' ? '' : `#${fragment}`}`)
    await page.waitForFunction(() => window.__scope?.drawnBy === 'webgpu')
    await page.waitForFunction(() => window.__scope.applied !== null)
    if (hinted !== true) {
      const hint = page.getByTestId('first-run')
      await page.waitForFunction(() => document.querySelector('.pill-name')?.textContent !== 'asking')
      if (await hint.isVisible()) await hint.getByLabel('Close').click()
    }
    return page
  }

  /** Waits until the map of a page is whole and sharp. */
  async rest(page: Page): Promise<void> {
    await page.waitForFunction(() => window.__scope.settled)
  }

  /** Takes the picture of a page. */
  async take(page: Page, name: string): Promise<void> {
    await page.screenshot({ path: join(this.#folder, `${name}.png`) })
    console.log(`docs/screenshots/${name}.png`)
  }

  /** Takes the picture of a page, for a picture of several. */
  shot(page: Page): Promise<Buffer> {
    return page.screenshot()
  }

  /** Closes the pages there are. */
  async clear(): Promise<void> {
    for (const page of this.#pages) await page.close()
    this.#pages.clear()
  }
}
