/**
 * What recording costs, and what can be done with records: in processes of their own, on real files in the
 * system's folder for temporary ones.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ListQuestion } from '../store/recording.ts'
import { NODE_FLAGS } from '../test/support/program.ts'
import { Helper, removeFolder, startTokenscope, type TokenscopeProcess, temporaryFolder } from './children.ts'
import { type Bench, type Figure, figureOf, type Quantiles, quantilesOf } from './figure.ts'
import { readStreams, type StreamLoad, StreamViewer } from './stamped-streams.ts'
import { COMMON_WORD, ONLY_WORD, RARE_MODEL, RARE_WORD } from './store/library.ts'
import type { Paced } from './store/recording-process.ts'

const ROUNDS = 3
/** Hundredths of a millisecond are looked for among tenths. */
const RECORDING_ROUNDS = 7
const PER_SECOND = 1000
const PACED_SECONDS = 10
const BULK_TOKENS = 300_000
const GENERATIONS = 1_000_000
const GIGABYTE = 1_000_000_000
const ASKED = 100
const STARTS = 5
/** What is made up for it has no age. */
const KEEP_ALL = ['--retention', 'off']
/** 1,000 tokens a second, and time for a backup beside them. */
const THOUSAND: StreamLoad = { streams: 50, perSecond: 20, seconds: 5 }
const BESIDE_BACKUP: StreamLoad = { streams: 5, perSecond: 40, seconds: 8 }
const MS = { unit: 'ms', better: 'lower' } as const

export const store: Bench = { name: 'store', title: 'recording, finding, backups', run }

async function run(): Promise<Figure[]> {
  return [...(await recording()), ...(await throughTokenscope()), ...(await million()), ...(await gigabyte())]
}

/** The log alone, with and without records, in turns. */
async function recording(): Promise<Figure[]> {
  await using cleanup = new AsyncDisposableStack()
  const folder = temporaryFolder()
  cleanup.defer(() => removeFolder(folder))
  const helper = new Helper('store/recording-process.ts')
  cleanup.defer(() => helper.end())
  const pace = { perSecond: PER_SECOND, seconds: PACED_SECONDS }
  const round = async (record: 'off' | 'full', seconds = PACED_SECONDS): Promise<Paced> => {
    await helper.ask('open', { folder, record })
    return helper.ask<Paced>('pace', { ...pace, seconds })
  }
  await round('full', 2)
  const off: Paced[] = []
  const full: Paced[] = []
  for (let i = 0; i < RECORDING_ROUNDS; i++) {
    off.push(await round('off'))
    full.push(await round('full'))
  }
  await helper.ask('open', { folder, record: 'full' })
  await helper.ask('bulk', BULK_TOKENS / 3)
  const bulk: number[] = []
  for (let i = 0; i < ROUNDS; i++) bulk.push(await helper.ask<number>('bulk', BULK_TOKENS))
  await helper.ask('close')
  const added = (of: (paced: Paced) => number) =>
    full.map((paced, i) => (of(paced) - of(off[i] as Paced)) / 1000)
  return [
    figureOf(
      'added to a token, p99',
      added(({ delay }) => delay.p99),
      {
        ...MS,
        target: 0.05,
        note: `${PER_SECOND} tokens/s with 5 alternatives and their bytes for ${PACED_SECONDS} s, records on less records off`,
      },
    ),
    figureOf(
      '  p50',
      added(({ delay }) => delay.p50),
      MS,
    ),
    figureOf(
      '  the calls alone, p99',
      added(({ call }) => call.p99),
      MS,
    ),
    figureOf('in bulk', bulk, {
      unit: 'tokens/s',
      better: 'higher',
      target: 100_000,
      note: 'until all of it is committed, generations of 400 tokens and their answers of 220 KB packed',
    }),
  ]
}

/** The whole program, with and without records. */
async function throughTokenscope(): Promise<Figure[]> {
  await using cleanup = new AsyncDisposableStack()
  const upstream = new Helper('upstream-process.ts')
  cleanup.defer(() => upstream.end())
  const direct = `${await upstream.ask<string>('listen')},max=${THOUSAND.streams}`
  const start = async (record: string) => {
    const tokenscope = await startTokenscope(direct, ['--record', record])
    cleanup.defer(() => tokenscope.end())
    const viewer = await StreamViewer.watch(tokenscope.url)
    cleanup.defer(() => viewer.close())
    return { tokenscope, viewer }
  }
  const off = await start('off')
  const full = await start('full')
  const rounds: Record<'off' | 'full', Passed[]> = { off: [], full: [] }
  for (const one of [off, full]) await pass(one.tokenscope, one.viewer, { ...THOUSAND, seconds: 2 })
  for (let i = 0; i < ROUNDS; i++) {
    rounds.off.push(await pass(off.tokenscope, off.viewer, THOUSAND))
    rounds.full.push(await pass(full.tokenscope, full.viewer, THOUSAND))
  }
  const added = (of: (passed: Passed) => number) =>
    rounds.full.map((one, i) => of(one) - of(rounds.off[i] as Passed))
  const note = `${THOUSAND.streams} streams of ${THOUSAND.perSecond} tokens/s through Tokenscope, one viewer`
  return [
    figureOf(
      'CPU for records at 1,000 tokens/s',
      added(({ cpu }) => cpu * 100),
      {
        unit: '% core',
        better: 'lower',
        target: 5,
        note: `${note}; that of the same without records taken off`,
      },
    ),
    figureOf(
      '  added to the app, p99',
      added(({ app }) => app.p99),
      MS,
    ),
    figureOf(
      '  added to the viewer, p99',
      added(({ viewer }) => viewer.p99),
      MS,
    ),
  ]
}

interface Passed {
  app: Quantiles
  viewer: Quantiles
  /** Share of a core. */
  cpu: number
}

async function pass(tokenscope: TokenscopeProcess, viewer: StreamViewer, load: StreamLoad): Promise<Passed> {
  viewer.begin()
  const cpuBefore = await tokenscope.cpuSeconds()
  const begun = performance.now()
  const latencies = await readStreams(tokenscope.url, load)
  const seconds = (performance.now() - begun) / 1000
  const cpu = ((await tokenscope.cpuSeconds()) - cpuBefore) / seconds
  await viewer.until(load.streams * load.perSecond * load.seconds)
  return { app: quantilesOf(latencies), viewer: quantilesOf(viewer.latencies), cpu }
}

/** Finding something among a million generations. */
async function million(): Promise<Figure[]> {
  await using cleanup = new AsyncDisposableStack()
  const folder = temporaryFolder()
  cleanup.defer(() => removeFolder(folder))
  const helper = new Helper('store/library-process.ts')
  cleanup.defer(() => helper.end())
  await helper.ask('fill', { folder, generations: GENERATIONS, bytes: 0 })
  await helper.ask('open', folder)
  const none: ListQuestion = { limit: 50, cursor: null, state: null, model: null, q: null }
  const questions: [string, Partial<ListQuestion>, number | null][] = [
    ['first page of a million generations, p99', {}, 20],
    [`  of one model in a thousand, p99`, { model: RARE_MODEL }, 20],
    ['  of one state, p99', { state: 'interrupted' }, 20],
    ['  a search for a common word, p99', { q: COMMON_WORD }, 20],
    ['  for a rare word, p99', { q: RARE_WORD }, 20],
    ['  for the only one, p99', { q: ONLY_WORD }, 20],
    ['  for a common word of a rare model, p99', { q: COMMON_WORD, model: RARE_MODEL }, 20],
    ['  for two words, p99', { q: `${COMMON_WORD} ${RARE_WORD}` }, 20],
  ]
  const figures: Figure[] = []
  for (const [name, part, target] of questions) {
    await helper.ask('ask', { question: { ...none, ...part }, times: 3 })
    const { ms, items } = await helper.ask<{ ms: Quantiles; items: number }>('ask', {
      question: { ...none, ...part },
      times: ASKED,
    })
    const note = `${items} answered of each of ${ASKED}; p50 ${ms.p50.toFixed(2)} ms`
    figures.push(figureOf(name, [ms.p99], { ...MS, ...(target === null ? {} : { target }), note }))
  }
  return figures
}

/** A gigabyte of records: to start with, and to copy beside what goes on. */
async function gigabyte(): Promise<Figure[]> {
  await using cleanup = new AsyncDisposableStack()
  const folder = temporaryFolder()
  cleanup.defer(() => removeFolder(folder))
  const helper = new Helper('store/library-process.ts')
  cleanup.defer(() => helper.end())
  await helper.ask('fill', { folder, generations: 1000, bytes: GIGABYTE })
  const opened: number[] = []
  for (let i = 0; i < STARTS; i++) {
    opened.push(await helper.ask<number>('open', folder))
    await helper.ask('close')
  }
  const upstream = new Helper('upstream-process.ts')
  cleanup.defer(() => upstream.end())
  const direct = `${await upstream.ask<string>('listen')},max=${BESIDE_BACKUP.streams}`
  const full: number[] = []
  const empty: number[] = []
  for (let i = 0; i < STARTS; i++) {
    full.push(await startMs(direct, folder))
    empty.push(await startMs(direct, null))
  }
  const tokenscope = await startTokenscope(direct, KEEP_ALL, folder)
  cleanup.defer(() => tokenscope.end())
  const viewer = await StreamViewer.watch(tokenscope.url)
  cleanup.defer(() => viewer.close())
  const kept = temporaryFolder()
  cleanup.defer(() => removeFolder(kept))
  const beside: Passed[] = []
  const alone: Passed[] = []
  const backups: number[] = []
  await pass(tokenscope, viewer, { ...BESIDE_BACKUP, seconds: 2 })
  for (let i = 0; i < ROUNDS; i++) {
    alone.push(await pass(tokenscope, viewer, BESIDE_BACKUP))
    const file = join(kept, `${i}.db`)
    const [passed, seconds] = await Promise.all([
      pass(tokenscope, viewer, BESIDE_BACKUP),
      backUp(folder, file),
    ])
    beside.push(passed)
    backups.push(seconds)
    if (statSync(file).size < GIGABYTE) throw new Error(`a backup has ${statSync(file).size} bytes only`)
    // Not beside the streams: it holds up this process, which reads them.
    rmSync(file)
  }
  const added = (of: (passed: Passed) => number) => beside.map((one, i) => of(one) - of(alone[i] as Passed))
  const load = `${BESIDE_BACKUP.streams} streams of ${BESIDE_BACKUP.perSecond} tokens/s, while \`pnpm backup\` copies and checks 1 GB`
  return [
    figureOf('start with 1 GB of records, to the banner', full, {
      ...MS,
      target: 1000,
      note: 'the whole program',
    }),
    figureOf('  with none', empty, MS),
    figureOf('  the records alone', opened, MS),
    figureOf(
      'added by a backup of 1 GB to the app, p99',
      added(({ app }) => app.p99),
      {
        ...MS,
        target: 10,
        note: load,
      },
    ),
    figureOf(
      '  to the viewer, p99',
      added(({ viewer: seen }) => seen.p99),
      { ...MS, target: 10 },
    ),
    figureOf('  how long it takes', backups, {
      unit: 's',
      better: 'lower',
      note: 'checked, beside those streams',
    }),
  ]
}

/** Milliseconds from the start of the program to its banner. */
async function startMs(upstream: string, folder: string | null): Promise<number> {
  const begun = performance.now()
  const tokenscope = await startTokenscope(upstream, KEEP_ALL, folder)
  const took = performance.now() - begun
  await tokenscope.end()
  return took
}

/** Seconds that a backup takes, as a person makes it. */
async function backUp(folder: string, file: string): Promise<number> {
  const begun = performance.now()
  const program = join(import.meta.dirname, '..', 'backup.ts')
  const child = spawn(process.execPath, [...NODE_FLAGS, program, file, '--data', folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`the backup ended with ${code}`)
  return (performance.now() - begun) / 1000
}
