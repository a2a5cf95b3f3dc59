import { spawnSync } from 'node:child_process'
import { cpus, freemem, loadavg, totalmem } from 'node:os'

/** What a run depends on besides the code. */
export interface Conditions {
  /** ISO date and time of the start. */
  date: string
  cpu: string
  cpus: number
  node: string
  platform: string
  memoryGiB: number
  freeGiB: number
  /** Over 1, 5 and 15 minutes, at the start. */
  load: number[]
  /** As `c4bfb71`, with `+` where the tree is not that commit; null without git. */
  commit: string | null
}

export function readConditions(root: string): Conditions {
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpus: cpus().length,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    memoryGiB: gib(totalmem()),
    freeGiB: gib(freemem()),
    load: loadavg().map(load => Math.round(load * 100) / 100),
    commit: commitOf(root),
  }
}

/** Two lines for a person. */
export function conditionsText(conditions: Conditions): string[] {
  const { date, cpu, cpus, node, platform, memoryGiB, freeGiB, load, commit } = conditions
  return [
    `${date.slice(0, 16).replace('T', ' ')} UTC   ${cpu} × ${cpus}   Node ${node.slice(1)}, ${platform}`,
    `load ${load.map(one => one.toFixed(2)).join(' ')}   ${freeGiB} of ${memoryGiB} GiB free   commit ${commit ?? 'unknown'}`,
  ]
}

/** Starts watching all processors; gives the share of their time that was used since, in percent. */
export function watchBusy(): () => number {
  const read = () =>
    cpus().reduce(
      (sum, { times }) => ({
        idle: sum.idle + times.idle,
        all: sum.all + times.idle + times.user + times.sys + times.nice + times.irq,
      }),
      { idle: 0, all: 0 },
    )
  const before = read()
  return () => {
    const after = read()
    return Math.round(100 * (1 - (after.idle - before.idle) / (after.all - before.all)))
  }
}

/** What makes two runs hard to compare, in words; null if nothing does. */
export function differenceOf(before: Conditions, now: Conditions): string | null {
  const kinds = [
    ['processor', `${before.cpu} × ${before.cpus}`, `${now.cpu} × ${now.cpus}`],
    ['Node', before.node, now.node],
    ['system', before.platform, now.platform],
  ] as const
  const different = kinds.filter(([, then, here]) => then !== here)
  if (different.length === 0) return null
  return different.map(([kind, then]) => `${kind} ${then}`).join(', ')
}

function commitOf(root: string): string | null {
  const git = (...args: string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  const head = git('rev-parse', '--short', 'HEAD')
  if (head.status !== 0) return null
  return head.stdout.trim() + (git('status', '--porcelain').stdout.trim() === '' ? '' : '+')
}

function gib(bytes: number): number {
  return Math.round((bytes / 1024 ** 3) * 10) / 10
}
