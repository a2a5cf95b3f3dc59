/**
 * The processes and folders of a bench. Whatever happens to the bench (an error, Ctrl-C), they end with it.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { Program } from '../test/support/program.ts'

const children = new Set<ChildProcess>()
const folders = new Set<string>()

/** Ties what is started here to the life of this process. */
export function endChildrenWithThis(): void {
  process.on('exit', () => {
    for (const child of children) child.kill('SIGKILL')
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => process.exit(code))
  }
}

/** The module of a bench in a process of its own, which is asked by name (see `answer`). */
export class Helper {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  #asked = 0

  constructor(module: string) {
    this.#child = fork(join(import.meta.dirname, module), {
      execArgv: ['--expose-gc'],
      stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
    })
    tie(this.#child)
    this.#child.on('message', (reply: { id: number; value?: never; error?: string }) => {
      const { resolve, reject } = this.#waiting.get(reply.id) ?? {}
      this.#waiting.delete(reply.id)
      if (reply.error === undefined) resolve?.(reply.value as never)
      else reject?.(new Error(`${module}: ${reply.error}`))
    })
    this.#child.on('close', code => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${module} ended with ${code}`))
    })
  }

  /** Its standard input. */
  get input(): Writable {
    return this.#child.stdin as Writable
  }

  /** Calls the answer of that name in the process. */
  ask<T>(name: string, argument: unknown = null): Promise<T> {
    const id = ++this.#asked
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#child.send({ id, name, argument }, error => {
        if (error) reject(error)
      })
    })
  }

  async end(): Promise<void> {
    await kill(this.#child)
  }
}

/** The answers of a helper process, by name; what they return must be JSON. */
export function answer(answers: Record<string, (argument: never) => unknown>): void {
  process.on('message', async ({ id, name, argument }: { id: number; name: string; argument: never }) => {
    try {
      process.send?.({ id, value: await answers[name]?.(argument) })
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? error.stack : String(error) })
    }
  })
  process.on('disconnect', () => process.exit())
  // Ctrl-C reaches the whole group; who started this one decides.
  process.on('SIGINT', () => {})
}

/** A new folder that goes with this process, if it is not removed before. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokenscope-bench-'))
  folders.add(folder)
  return folder
}

/** Removes it. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  folders.delete(folder)
}

/** Tokenscope as a person starts it, on a free port. */
export interface TokenscopeProcess {
  url: string
  /** The processor time that it has used. */
  cpuSeconds: () => Promise<number>
  /** Kills it, and removes its data folder if it has one of its own. */
  end: () => Promise<void>
}

/**
 * Starts Tokenscope, on a free port.
 *
 * @param flags more of them
 * @param folder its data folder; one of its own if not given
 */
export async function startTokenscope(
  upstream: string,
  flags: readonly string[] = [],
  folder: string | null = null,
): Promise<TokenscopeProcess> {
  const data = folder ?? temporaryFolder()
  const usual = ['--upstream', upstream, '--port', '0', '--data', data, '--drain-seconds', '0']
  const program = new Program([...usual, ...flags])
  tie(program.child)
  const url = await program.url()
  return {
    url,
    async cpuSeconds() {
      const metrics = await (await fetch(`${url}/metrics`)).text()
      return Number(metrics.match(/^process_cpu_seconds_total (\S+)/m)?.[1])
    },
    async end() {
      await kill(program.child)
      if (folder === null) removeFolder(data)
    },
  }
}

/** Ends a process with this one. */
export function tie(child: ChildProcess): void {
  children.add(child)
  child.on('close', () => children.delete(child))
}

async function kill(child: ChildProcess): Promise<void> {
  if (!children.has(child)) return
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
}
