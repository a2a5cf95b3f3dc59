/**
 * The page, in a real Chromium with a screen: how soon it is there, what its frames take while a million tokens
 * are behind it and five hundred more come each second, and what it holds after ten minutes of that.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import { buildPage } from '../server/page-build.ts'
import { drawnBySoftware, launchBrowser } from '../test/support/browser.ts'
import type { DrawnBy } from '../web/view/picture-layer.ts'
import { Helper, startTokenscope } from './children.ts'
import { type Bench, type Figure, figureOf, median } from './figure.ts'
import { fill, LiveLoad } from './page/load.ts'
import { type Frame, frameTime } from './page/trace.ts'
import { type Doing, type Opening, PageViewer } from './page/viewer.ts'

const ROOT = join(import.meta.dirname, '..')
const MILLION = 1_000_000
const LIVE = { streams: 10, perSecond: 500 }
const OPENINGS = 7
const ROUNDS = 5
const SECONDS = 4
const MINUTES = 10
const KIB = 1024
const MIB = 1024 * KIB

const DOINGS: readonly Doing[] = ['watching', 'panning', 'zooming', 'changing the layout']

export const page: Bench = { name: 'page', title: 'the page in a browser', run }

async function run(): Promise<Figure[]> {
  await using cleanup = new AsyncDisposableStack()
  const model = new Helper('page/model-process.ts')
  cleanup.defer(() => model.end())
  const tokenscope = await startTokenscope(await model.ask<string>('listen'))
  cleanup.defer(() => tokenscope.end())
  // Each as a machine has it: where there is no GPU a browser composes its pages without one, too.
  const browser = await launchBrowser({ headed: true })
  cleanup.defer(() => browser.close())
  const withWebgpu = await launchBrowser({ webgpu: true })
  cleanup.defer(() => withWebgpu.close())

  const figures = [await bundleFigure()]
  await fill(tokenscope.url, MILLION)
  figures.push(...(await openingFigures(browser, tokenscope.url)))
  const adapter = await adapterOf(withWebgpu, tokenscope.url)
  const load = new LiveLoad(tokenscope.url, LIVE.streams, LIVE.perSecond)
  figures.push(
    ...(await frameFigures(browser, { by: 'canvas2d', name: 'Canvas 2D', url: tokenscope.url })),
    ...(await frameFigures(withWebgpu, {
      by: 'webgpu',
      name: adapter,
      url: drawnBySoftware(tokenscope.url),
    })),
    ...(await heapFigures(browser, tokenscope.url)),
  )
  await load.end()
  return figures
}

/** All that a browser may load of the built page, fonts apart. */
async function bundleFigure(): Promise<Figure> {
  const folder = await buildPage(ROOT)
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const bytes = files
    .filter(name => /\.(js|css|html)$/.test(name))
    .reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0)
  return figureOf('bundle, gzip', [bytes / KIB], {
    unit: 'KiB',
    better: 'lower',
    target: 150,
    note: 'scripts, styles and markup of all parts, those too that are loaded when they are asked for',
  })
}

async function openingFigures(browser: Browser, url: string): Promise<Figure[]> {
  const rounds: Opening[] = []
  for (let i = 0; i <= OPENINGS; i++) {
    const viewer = await PageViewer.open(browser, url)
    // The first one also starts what the browser has not needed before.
    if (i > 0) rounds.push(await viewer.opening())
    await viewer.close()
  }
  const of = (name: string, side: keyof Opening, target?: number) =>
    figureOf(
      name,
      rounds.map(round => round[side]),
      { unit: 'ms', better: 'lower', ...(target === undefined ? {} : { target }) },
    )
  return [
    of('opened before 1M tokens: first paint', 'paint', 500),
    of('  interactive', 'interactive', 1000),
    of('  map drawn, whole and sharp', 'drawn'),
  ]
}

interface Drawn {
  by: DrawnBy
  name: string
  url: string
}

async function frameFigures(browser: Browser, { by, name, url }: Drawn): Promise<Figure[]> {
  const viewer = await PageViewer.open(browser, url)
  await viewer.drawnBy(by)
  const figures: Figure[] = []
  for (const doing of DOINGS) {
    const rounds: Frame[][] = []
    for (let i = 0; i < ROUNDS; i++) rounds.push(await viewer.frames(doing, SECONDS))
    const count = rounds.reduce((sum, frames) => sum + frames.length, 0)
    const of = (label: string, side: keyof Frame, p: number, target?: number) =>
      figureOf(
        label,
        rounds.map(frames => frameTime(frames, side, p)),
        { unit: 'ms', better: 'lower', ...(target === undefined ? {} : { target }) },
      )
    const main = of(`${name}, ${doing}: main thread p95`, 'work', 0.95, 4)
    figures.push(
      { ...main, note: `${count} frames in ${ROUNDS} rounds` },
      of('  p50', 'work', 0.5),
      of('  p99', 'work', 0.99),
      of('  by the clock on the wall p95', 'wall', 0.95),
      of('  frame p50', 'interval', 0.5),
      of('  frame p95', 'interval', 0.95),
    )
  }
  await viewer.close()
  return figures
}

async function heapFigures(browser: Browser, url: string): Promise<Figure[]> {
  const viewer = await PageViewer.open(browser, url)
  const [found, held]: [number[], number[]] = [[], []]
  for (let minute = 0; minute <= MINUTES; minute++) {
    if (minute > 0) await sleep(60_000)
    const heap = await viewer.heap()
    found.push(heap.found / MIB)
    held.push(heap.held / MIB)
  }
  await viewer.close()
  const mib = { unit: 'MiB', better: 'lower' } as const
  const trend = (values: readonly number[]) => values.map(value => value.toFixed(1)).join(' ')
  return [
    figureOf(`JS heap in ${MINUTES} minutes, at most`, [Math.max(...found)], {
      ...mib,
      target: 150,
      note: `at every minute: ${trend(found)}`,
    }),
    figureOf('  after a garbage collection', [median(held)], {
      ...mib,
      note: `at every minute: ${trend(held)}`,
    }),
  ]
}

/** What WebGPU draws with here, by the name that the browser has for it. */
async function adapterOf(browser: Browser, url: string): Promise<string> {
  const tab = await browser.newPage()
  await tab.goto(url)
  const name = await tab.evaluate(async () => {
    const adapter = await navigator.gpu?.requestAdapter()
    if (!adapter) return 'no adapter'
    const { vendor, architecture, device, description } = adapter.info
    return description || device || [vendor, architecture].filter(word => word !== '').join(' ')
  })
  await tab.close()
  return `WebGPU (${name})`
}
