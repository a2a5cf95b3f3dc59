/** What the pictures of the page show: each scene opens pages of a stage and takes one picture of them. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encode } from 'fast-png'
import type { Page } from 'playwright-core'
import { pictureOfPng } from '../support/view-pictures.ts'
import type { PageStage, Question, Theme } from './page-stage.ts'

/** A scene, by the name of its picture. */
export interface Scene {
  name: string
  show(stage: PageStage, folder: string): Promise<void>
}

const WIDE = { width: 1600, height: 900 }
const NARROW = { width: 360, height: 800 }
/** Between the pages of a picture of several, in pixels. */
const GAP = 16

const LIVE: Question = { content: 'How do streams work?', seed: 3, demo: 'tokens=900,rate=60' }

/** What has been answered before the first picture: one broke off, one was asked of a server without logprobs. */
export const BEFORE: readonly Question[] = [
  { content: 'What is an oscilloscope?', seed: 3, demo: 'tokens=220,rate=150' },
  { content: 'Tell me about rivers.', seed: 2, demo: 'tokens=140,rate=120', logprobs: false },
  { content: 'What does a map leave out?', seed: 1, demo: 'tokens=260,rate=160,silence=2500ms@120' },
  { content: 'What is music made of?', seed: 4, demo: 'tokens=180,rate=90,error=60' },
  { content: 'What is probability?', seed: 6, demo: 'tokens=240,rate=110' },
  { content: 'Tell me about rivers.', seed: 11, demo: 'tokens=190,rate=130' },
  { content: 'Tell me about rivers.', seed: 12, demo: 'tokens=210,rate=140' },
]

/** Scenes of a session of a few answers, in the order in which they are shown. */
export const SCENES: readonly Scene[] = [
  { name: 'live', show: wholePage('live', 'dark') },
  { name: 'light', show: wholePage('light', 'light') },
  {
    name: 'reading',
    show: async stage => {
      const token = await stage.doubtfulToken('What is an oscilloscope?')
      const page = await stage.open({
        ...{ ...WIDE, theme: 'dark' },
        fragment: `g=${token.generation}&i=${token.index}&x=${token.x + 0.5}&y=${token.y + 0.5}&z=46`,
      })
      await page.getByTestId('continue').waitFor()
      await stage.rest(page)
      await stage.take(page, 'reading')
    },
  },
  { name: 'flow', show: layoutNear('flow', 'light', '&x=62&y=26&z=9') },
  { name: 'timeline', show: layoutNear('timeline', 'dark', '') },
  {
    name: 'compare',
    show: async stage => {
      const page = await stage.open({ ...WIDE, theme: 'dark' })
      await compareRivers(page)
      await stage.take(page, 'compare')
    },
  },
  {
    name: 'prompt',
    show: async stage => {
      const page = await stage.open({ ...WIDE, theme: 'light' })
      await stage.rest(page)
      await page.getByTestId('prompt').fill('What does a river remember?')
      await page.getByTestId('prompt-settings').click()
      await page.getByLabel('also ask', { exact: true }).selectOption({ index: 1 })
      await page.getByLabel('temperature', { exact: true }).fill('0.8')
      await page.getByLabel('system prompt', { exact: true }).fill('Answer in two sentences.')
      await stage.take(page, 'prompt')
    },
  },
  {
    name: 'past',
    show: async stage => {
      const [answer] = await stage.answersTo('What is probability?')
      const t = (answer?.started_at ?? 0) + 1.2
      const page = await stage.open({ ...WIDE, theme: 'dark', fragment: `t=${t}` })
      await page.getByTestId('time-words').filter({ hasText: 'as it was' }).waitFor()
      await stage.rest(page)
      await stage.take(page, 'past')
    },
  },
  {
    name: 'instruments',
    show: async stage => {
      const page = await stage.open({ ...WIDE, theme: 'dark' })
      await page.getByTestId('open-instruments').click()
      await page.getByTestId('upstreams').waitFor()
      await stage.during({ ...LIVE, seed: 8 }, async () => {
        await landed(page, 260)
        await stage.take(page, 'instruments')
      })
    },
  },
  { name: 'structure', show: structure('structure', 'dark') },
  { name: 'structure-light', show: structure('structure-light', 'light') },
  {
    name: 'rail',
    show: async stage => {
      const page = await stage.open({ ...WIDE, theme: 'light' })
      await page.getByTestId('rail-search').fill('rivers')
      await page.getByTestId('generation-item').first().waitFor()
      await page.getByTestId('rail-state').selectOption('done')
      await page.getByTestId('item-menu').nth(1).click()
      await page.getByTestId('menu').waitFor()
      await stage.rest(page)
      await stage.take(page, 'rail')
    },
  },
  {
    name: 'help',
    show: async stage => {
      const page = await stage.open({ ...WIDE, theme: 'dark' })
      await stage.rest(page)
      await page.keyboard.press('?')
      await page.getByRole('dialog').waitFor()
      await stage.take(page, 'help')
    },
  },
  { name: 'narrow', show: narrow('narrow', 'dark') },
  { name: 'narrow-light', show: narrow('narrow-light', 'light') },
]

/** Scenes of a long session. */
export const FAR_SCENES: readonly Scene[] = [
  { name: 'map-far', show: layoutFar('map', 'dark') },
  { name: 'flow-far', show: layoutFar('flow', 'dark') },
  { name: 'timeline-far', show: layoutFar('timeline', 'light') },
  {
    name: 'wide',
    show: async stage => {
      const page = await stage.open({ width: 2560, height: 1440, theme: 'dark' })
      await chooseFirst(page)
      await page.keyboard.press('0')
      await stage.rest(page)
      await stage.during(LIVE, async () => {
        await landed(page, 160)
        await stage.take(page, 'wide')
      })
    },
  },
]

/** Many answers, as many as a long session has: what is seen from afar. */
export async function fillSession(stage: PageStage, answers: number): Promise<void> {
  const subjects = [...new Set(BEFORE.map(({ content }) => content)), LIVE.content]
  const asked = Array.from({ length: answers }, (_, i) => ({
    content: subjects[i % subjects.length] as string,
    seed: 100 + i,
    demo: `tokens=${300 + ((i * 397) % 900)},rate=max`,
    logprobs: i % 9 !== 4,
  }))
  for (let i = 0; i < asked.length; i += 3) {
    await Promise.all(asked.slice(i, i + 3).map(question => stage.ask(question)))
  }
}

/** The page as it is first: the hint; without the hint; and when nobody answers. */
export const EMPTY_SCENES: readonly Scene[] = [
  {
    name: 'first-run',
    show: async stage => {
      const page = await stage.open({ ...WIDE, theme: 'dark', hinted: true })
      await stage.take(page, 'first-run')
    },
  },
  {
    name: 'empty',
    show: async stage => {
      const page = await stage.open({ ...WIDE, theme: 'light' })
      await stage.take(page, 'empty')
    },
  },
]

/** One that stands in for whatever goes wrong with the upstream: it is asked, and there is nobody. */
export const UPSTREAM_AWAY: Scene = {
  name: 'upstream-away',
  show: async stage => {
    const page = await stage.open({ ...WIDE, theme: 'dark' })
    await page.getByTestId('prompt').fill('What is probability?')
    await page.getByTestId('prompt').press('Enter')
    const failed = page.getByTestId('generation-item').filter({ hasText: 'failed' })
    await failed.locator('.item-body').click()
    await page.getByTestId('inspector').waitFor()
    await stage.rest(page)
    await stage.take(page, 'upstream-away')
  },
}

/** The last one of a stage: its server is stopped under the page. */
export const SERVER_GONE: Scene = {
  name: 'server-gone',
  show: async stage => {
    const page = await stage.open({ ...WIDE, theme: 'dark' })
    await chooseFirst(page)
    await stage.rest(page)
    await stage.scope.stop()
    await page.getByTestId('connection-notice').waitFor()
    await page.locator('.pill[data-state=unknown]').waitFor()
    await stage.take(page, 'server-gone')
  },
}

function wholePage(name: string, theme: Theme) {
  return async (stage: PageStage): Promise<void> => {
    const page = await stage.open({ ...WIDE, theme })
    await stage.during(LIVE, async () => {
      await landed(page, 40)
      await page.getByTestId('generation-item').nth(1).locator('.item-body').click()
      await page.getByTestId('inspector').waitFor()
      await page.keyboard.press('n')
      await landed(page, 110)
      await stage.take(page, name)
    })
  }
}

/** The structure of Tokenscope's own sources, with a cell of the matrix looked at. Where they lie is nobody's business. */
function structure(name: string, theme: Theme) {
  return async (stage: PageStage): Promise<void> => {
    const page = await stage.open({ ...WIDE, theme })
    await page.keyboard.press('s')
    await page.getByTestId('scan-words').filter({ hasText: 'watching' }).waitFor()
    await page.getByTestId('dsm-matrix').hover({ position: { x: 220, y: 290 } })
    await page
      .locator('.structure .place')
      .first()
      .evaluate(root => {
        root.textContent = '/home/you/tokenscope'
      })
    await stage.rest(page)
    await stage.take(page, name)
  }
}

/** Near enough to read, with the answer that is looked at. */
function layoutNear(layout: string, theme: Theme, place: string) {
  return async (stage: PageStage): Promise<void> => {
    const [answer] = await stage.answersTo('What is an oscilloscope?')
    const fragment = `g=${answer?.generation}&layout=${layout}${place}`
    const page = await stage.open({ ...WIDE, theme, fragment })
    await page.getByTestId('inspector').waitFor()
    await stage.rest(page)
    await stage.take(page, layout)
  }
}

function layoutFar(layout: string, theme: Theme) {
  return async (stage: PageStage): Promise<void> => {
    const page = await stage.open({ ...WIDE, theme, settings: { layout } })
    await stage.rest(page)
    await page.keyboard.press('0')
    await stage.rest(page)
    await stage.take(page, `${layout}-far`)
  }
}

function narrow(name: string, theme: Theme) {
  return async (stage: PageStage, folder: string): Promise<void> => {
    const page = await stage.open({ ...NARROW, theme })
    const shots: Uint8Array[] = []
    await stage.during({ ...LIVE, seed: 9 }, async () => {
      await landed(page, 60)
      shots.push(await stage.shot(page))
      await page.locator('.rail-opener').click()
      await page.locator('.rail[data-open=true]').waitFor()
      await page.waitForFunction(() => document.querySelector('.rail')?.getBoundingClientRect().left === 0)
      shots.push(await stage.shot(page))
      await page.getByTestId('generation-item').nth(1).locator('.item-body').click()
      await page.getByTestId('inspector').waitFor()
      await page.keyboard.press('n')
      await page.waitForFunction(
        () => (document.querySelector('.rail')?.getBoundingClientRect().right ?? 1) <= 0,
      )
      shots.push(await stage.shot(page))
      await page.keyboard.press('Escape')
      await page.getByTestId('prompt-settings').click()
      await page.getByTestId('prompt-panel').waitFor()
      shots.push(await stage.shot(page))
    })
    await writeFile(join(folder, `${name}.png`), besideEachOther(shots, theme))
    console.log(`docs/screenshots/${name}.png`)
  }
}

/** Waits until so many tokens more have come. */
async function landed(page: Page, more: number): Promise<void> {
  const before = await page.evaluate(() => window.__scope.tokens)
  await page.waitForFunction(tokens => window.__scope.tokens >= tokens, before + more)
}

async function chooseFirst(page: Page): Promise<void> {
  await page.getByTestId('generation-item').first().locator('.item-body').click()
  await page.getByTestId('inspector').waitFor()
}

/** The two answers to one question, side by side. */
async function compareRivers(page: Page): Promise<void> {
  for (const seed of [0, 1]) {
    const item = page.getByTestId('generation-item').filter({ hasText: 'Tell me about rivers.' }).nth(seed)
    await item.getByTestId('item-menu').click()
    await page.getByRole('menuitem', { name: 'Compare', exact: true }).click()
  }
  await page.getByTestId('compare-scroll').waitFor()
  await page.mouse.move(800, 60)
}

/** Pictures of one height beside each other, in one. */
function besideEachOther(pngs: readonly Uint8Array[], theme: Theme): Uint8Array {
  const pictures = pngs.map(pictureOfPng)
  const { height } = pictures[0] as (typeof pictures)[number]
  const width = pictures.reduce((sum, picture) => sum + picture.width + GAP, -GAP)
  const data = new Uint8Array(width * height * 3).fill(theme === 'dark' ? 60 : 200)
  let left = 0
  for (const picture of pictures) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < picture.width; x++) {
        const from = (y * picture.width + x) * 4
        const to = (y * width + left + x) * 3
        for (let channel = 0; channel < 3; channel++)
          data[to + channel] = picture.data[from + channel] as number
      }
    }
    left += picture.width + GAP
  }
  return encode({ width, height, data, channels: 3 }, { zlib: { level: 9 } })
}
