/**
 * `pnpm bench [NAME…]`: runs the benches, shows their figures beside the kept baseline, and keeps the
 * result.
 */
import { join, relative } from 'node:path'
import { parseArgs, styleText } from 'node:util'
import { bridge } from './bridge.ts'
import { broadcast } from './broadcast.ts'
import { endChildrenWithThis } from './children.ts'
import { compositor } from './compositor.ts'
import { conditionsText, differenceOf, readConditions, watchBusy } from './conditions.ts'
import { writeMeasured } from './document.ts'
import type { Bench, BenchGpu, BenchOptions } from './figure.ts'
import { keepBaseline, type Results, readBaseline, writeResults } from './kept.ts'
import { latency } from './latency.ts'
import { memory } from './memory.ts'
import { page } from './page.ts'
import { proxy } from './proxy.ts'
import { shm } from './shm.ts'
import { store } from './store.ts'
import { tableText } from './table.ts'

const ROOT = join(import.meta.dirname, '..')
const BENCHES: readonly Bench[] = [bridge, proxy, latency, memory, broadcast, compositor, store, shm, page]
const NAMES = BENCHES.map(({ name }) => name).join(', ')

const HELP = `pnpm bench [NAME…] [--gpu cpu|webgpu] [--keep]

  NAME     ${NAMES}; all of them if none is given
  --gpu    what the compositor is measured on; the CPU, and the GPU if there is an adapter, if not given
  --keep   makes this run the baseline that later ones are compared with
`

interface Question extends BenchOptions {
  chosen: readonly Bench[]
  keep: boolean
}

/** The benches asked for, or what is wrong with the question. */
function readArguments(): Question | { help: true } | { wrong: string } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        keep: { type: 'boolean', default: false },
        gpu: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) return { help: true }
    if (values.gpu !== undefined && !isGpu(values.gpu))
      return { wrong: `--gpu is cpu or webgpu, not "${values.gpu}"` }
    const unknown = positionals.find(name => !BENCHES.some(bench => bench.name === name))
    if (unknown !== undefined) return { wrong: `there is no bench "${unknown}"; there are ${NAMES}` }
    const chosen = BENCHES.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
    return { chosen, keep: values.keep, gpu: values.gpu ?? null }
  } catch (error) {
    return { wrong: (error as Error).message.split('\n')[0] as string }
  }
}

function isGpu(word: string): word is NonNullable<BenchGpu> {
  return word === 'cpu' || word === 'webgpu'
}

/** Runs and shows each bench; whether none failed. */
async function run({ chosen, keep, gpu }: Question): Promise<boolean> {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    styleText(style, text, { stream: process.stdout })
  const say = (line = '') => process.stdout.write(line === '' ? '\n' : `  ${line}\n`)
  const baseline = readBaseline()
  const conditions = readConditions(ROOT)
  const results: Results = {}
  let failed = 0

  say()
  for (const line of conditionsText(conditions)) say(line)
  for (const bench of chosen) {
    say()
    const before = baseline[bench.name]
    const begun = performance.now()
    const busyOf = watchBusy()
    try {
      const figures = await bench.run({ gpu })
      const seconds = Math.round((performance.now() - begun) / 100) / 10
      const busy = busyOf()
      results[bench.name] = { conditions, seconds, busy, figures }
      say(
        `${paint('bold', bench.name)}  ${bench.title}${paint('dim', `  ${seconds} s, machine ${busy} % busy`)}`,
      )
      for (const line of tableText(figures, before?.figures ?? [], process.stdout)) say(line)
      const difference = before === undefined ? null : differenceOf(before.conditions, conditions)
      if (difference !== null) say(paint('yellow', `The baseline is from elsewhere: ${difference}.`))
    } catch (error) {
      failed++
      say(`${paint('bold', bench.name)}  ${paint('red', 'failed')}: ${reason(error)}`)
    }
  }
  say()
  say('Medians of several rounds; ~ where the rounds of now and of the baseline overlap.')
  if (Object.keys(results).length > 0) {
    say(`Written to ${relative(ROOT, writeResults(results, conditions.date))}.`)
    if (keep) {
      keepBaseline(results)
      writeMeasured(join(ROOT, 'docs/benchmarks.md'), readBaseline())
      say(`Kept as the baseline of ${Object.keys(results).join(', ')}.`)
    }
  }
  say()
  return failed === 0
}

function reason(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

const question = readArguments()
if ('help' in question) process.stdout.write(HELP)
else if ('wrong' in question) {
  process.stderr.write(`bench: ${question.wrong}\n`)
  process.exitCode = 2
} else {
  endChildrenWithThis()
  const ok = await run(question)
  // Metrics of the parts that were measured keep timers of their own.
  process.exit(ok ? 0 : 1)
}
