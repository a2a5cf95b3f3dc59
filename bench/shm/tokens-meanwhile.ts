/** What it costs the tokens that pass through a running server when it reads a source tree meanwhile. */
import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TreeStanding } from '../../health/shm/tree-standing.ts'
import { Helper, startTokenscope } from '../children.ts'
import { type Figure, figureOf, type Quantiles, quantilesOf } from '../figure.ts'
import { readStreams } from '../stamped-streams.ts'

const ROUNDS = 5
const LOAD = { streams: 1, perSecond: 200, seconds: 3 }
const MS = { unit: 'ms', better: 'lower' } as const

interface Round {
  quiet: Quantiles
  scanning: Quantiles
  /** How long the scan took, in milliseconds. */
  scanMs: number
}

/**
 * Latency of a stream's tokens from the upstream's write to the app, by turns while nothing else happens and while all files of a
 * tree are read anew.
 *
 * @param paths of its files, from the root
 */
export async function tokensMeanwhile(root: string, paths: readonly string[]): Promise<Figure[]> {
  await using cleanup = new AsyncDisposableStack()
  const upstream = new Helper('upstream-process.ts')
  cleanup.defer(() => upstream.end())
  const tokenscope = await startTokenscope(await upstream.ask<string>('listen'), ['--shm', root])
  cleanup.defer(() => tokenscope.end())
  const { url } = tokenscope
  await scanned(url)
  await readStreams(url, LOAD)

  const rounds: Round[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const quiet = quantilesOf(await readStreams(url, LOAD))
    // A file that is older than the last scan and has another time is read again.
    const changed = new Date(Date.now() - 60_000 - i * 1000)
    for (const path of paths) utimesSync(join(root, path), changed, changed)
    const begun = performance.now()
    const { status } = await fetch(`${url}/scope/v1/shm/scan`, { method: 'POST' })
    if (status !== 202) throw new Error(`a scan was answered with ${status}`)
    const over = scanned(url).then(() => performance.now() - begun)
    const scanning = quantilesOf(await readStreams(url, LOAD))
    rounds.push({ quiet, scanning, scanMs: await over })
  }
  const of = (label: string, value: (round: Round) => number, note?: string) =>
    figureOf(label, rounds.map(value), note === undefined ? MS : { ...MS, note })
  return [
    of(
      'a token through a server that reads them all, p50',
      ({ scanning }) => scanning.p50,
      `one stream of ${LOAD.perSecond} tokens a second for ${LOAD.seconds} s, from the upstream's write to the app, while --shm reads every file anew`,
    ),
    of('  while it does not, p50', ({ quiet }) => quiet.p50),
    of('  while it does, p99', ({ scanning }) => scanning.p99),
    of('  while it does not, p99', ({ quiet }) => quiet.p99),
    of('  the scan', ({ scanMs }) => scanMs),
  ]
}

interface Component {
  name: string
  detail: string
  facts?: { state: TreeStanding['state'] }
}

/** Waits until no scan runs. @throws Error if it failed */
async function scanned(url: string): Promise<void> {
  for (;;) {
    await sleep(100)
    const answer = await fetch(`${url}/readyz`, { headers: { accept: 'application/json' } })
    const { data } = (await answer.json()) as { data: { components: Component[] } }
    const tree = data.components.find(({ name }) => name === 'structure')
    if (tree?.facts?.state === 'ready') return
    if (tree?.facts?.state !== 'scanning') throw new Error(`the scan failed: ${tree?.detail}`)
  }
}
