import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** The program as a person starts it: a process of its own with its output kept. */
export class Program {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly exited: Promise<number | null>

  constructor(args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
    this.child = spawn(process.execPath, [join(ROOT, 'main.ts'), ...args], {
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
    const output = this.child.stdout as NodeJS.ReadableStream
    while (!this.stdout.includes('Ctrl-C stops.')) {
      const ended = this.exited.then(code => {
        throw new Error(`ended with ${code} before its banner: ${this.stderr}`)
      })
      await Promise.race([once(output, 'data'), ended])
    }
    return (this.stdout.match(/http:\/\/\S+(?=\/\n)/) as RegExpMatchArray)[0]
  }

  /** Ends it as the system does, whatever it does. */
  async kill(): Promise<void> {
    if (this.child.exitCode === null) this.child.kill('SIGKILL')
    await this.exited
  }
}
