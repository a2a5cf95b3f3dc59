import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const ROOT = join(import.meta.dirname, '../..')
/** As the scripts of package.json start a program. */
export const NODE_FLAGS = ['--import', pathToFileURL(join(ROOT, 'config/compile-cache.mjs')).href]

/** The program as a person starts it: a process of its own with its output kept. */
export class Program {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly exited: Promise<number | null>

  /** @param options.program the file of it at the top level, `main.ts` if not given; `node` what Node itself is told */
  constructor(
    args: string[],
    options: { cwd?: string; env?: NodeJS.ProcessEnv; program?: string; node?: string[] } = {},
  ) {
    const { program = 'main.ts', node = [] } = options
    this.child = spawn(process.execPath, [...NODE_FLAGS, ...node, join(ROOT, program), ...args], {
      cwd: options.cwd ?? ROOT,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout?.on('data', data => {
      this.stdout += data
    })
    this.child.stderr?.on('data', data => {
      this.stderr += data
    })
    this.exited = once(this.child, 'close').then(([code]) => code as number | null)
  }

  /** Waits for the banner and gives the page's URL without its slash. */
  async url(): Promise<string> {
    await this.written(/Ctrl-C stops\./)
    return (this.stdout.match(/http:\/\/\S+(?=\/\n)/) as RegExpMatchArray)[0]
  }

  /** Waits until its output has this; throws if it ends before. */
  async written(what: RegExp): Promise<void> {
    const output = this.child.stdout as NodeJS.ReadableStream
    const ended = this.exited.then(code => {
      throw new Error(`ended with ${code} before it wrote ${what}: ${this.stderr}`)
    })
    // Of its end only who still waits is told.
    ended.catch(() => {})
    while (!what.test(this.stdout)) await Promise.race([once(output, 'data'), ended])
  }

  /** Ends it as the system does, whatever it does. */
  async kill(): Promise<void> {
    if (this.child.exitCode === null) this.child.kill('SIGKILL')
    await this.exited
  }
}
