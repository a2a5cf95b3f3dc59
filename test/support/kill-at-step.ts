/**
 * Preloaded, it counts the steps that a program takes with files and databases, and sends it the signal
 * `STEP_SIGNAL` (SIGKILL) before the one whose number or name is in `AT_STEP`. What it counted stands in the file that
 * `STEPS_FILE` names.
 */
import fs from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'

const { writeFileSync } = fs
const sqlite = createRequire(import.meta.url)('node:sqlite') as typeof import('node:sqlite')
const { AT_STEP: at, STEP_SIGNAL: signal = 'SIGKILL', STEPS_FILE: stepsFile } = process.env
const steps: string[] = []

function step(name: string): void {
  if (name === at || String(steps.length) === at) process.kill(process.pid, signal)
  steps.push(name)
}

/** Has each call of a method be a step. */
function counted(owner: object, name: string): void {
  const methods = owner as Record<string, (...args: unknown[]) => unknown>
  const method = methods[name] as (...args: unknown[]) => unknown
  methods[name] = function (this: unknown, ...args: unknown[]) {
    step(`${name} ${typeof args[0] === 'string' ? args[0] : ''}`)
    return method.apply(this, args)
  }
}

for (const name of [
  'linkSync',
  'renameSync',
  'rmSync',
  'fsyncSync',
  'openSync',
  'mkdirSync',
  'copyFileSync',
]) {
  counted(fs, name)
}
for (const name of ['exec', 'prepare', 'close']) counted(sqlite.DatabaseSync.prototype, name)

const { backup } = sqlite
let parts = 0
Object.assign(sqlite, {
  backup: (source: never, path: never, options: { progress: (state: never) => void }) =>
    backup(source, path, {
      ...options,
      progress(state: unknown) {
        step(`progress ${++parts}`)
        options.progress(state as never)
      },
    }),
})
syncBuiltinESMExports()

process.on('exit', () => {
  if (stepsFile !== undefined) writeFileSync(stepsFile, JSON.stringify(steps))
})
