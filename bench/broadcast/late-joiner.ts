import { Helper } from '../children.ts'
import { type Figure, figureOf } from '../figure.ts'
import type { Joining } from '../joiner-process.ts'
import { numberedText } from './load.ts'

const TOKENS = 100_000
const PER_SECOND = 100
const WARM_UP = 2
const JOININGS = 9
/** Between two: a snapshot may be shared for a moment, and each joiner is to pay for its own. */
const PAUSE_MS = 500

/** How long it takes to join a generation of 100,000 tokens while it runs. */
export async function lateJoiner(): Promise<Figure[]> {
  await using cleanup = new AsyncDisposableStack()
  const hub = new Helper('hub-process.ts')
  cleanup.defer(() => hub.end())
  const joiner = new Helper('joiner-process.ts')
  cleanup.defer(() => joiner.end())
  const url = await hub.ask<string>('listen', { atOnce: 1 })
  let next = await hub.ask<number>('fill', TOKENS)
  const running = setInterval(() => hub.input.write(`${numberedText(next++)}\n`), 1000 / PER_SECOND)
  cleanup.defer(() => clearInterval(running))

  const joinings: Joining[] = []
  for (let i = 0; i < WARM_UP + JOININGS; i++) {
    await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
    const joining = await joiner.ask<Joining>('join', url)
    if (i >= WARM_UP) joinings.push(joining)
  }
  const of = (value: (joining: Joining) => number) => joinings.map(value)
  return [
    figureOf(
      'joining at 100,000 tokens',
      of(({ ms }) => ms),
      {
        unit: 'ms',
        better: 'lower',
        target: 50,
        note: 'from the question to the whole text, read and parsed, then checked; the generation runs on',
      },
    ),
    figureOf(
      '  parts of the snapshot',
      of(({ parts }) => parts),
      { unit: '', better: 'higher', target: 1 },
    ),
    figureOf(
      '  size of it',
      of(({ bytes }) => bytes / 1024),
      { unit: 'KiB', better: 'lower' },
    ),
  ]
}
