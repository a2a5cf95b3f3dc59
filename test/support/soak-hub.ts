import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { GenerationEvent } from '../../events/generation.ts'

/** What the process of a hub holds, after a garbage collection. */
export interface SoakHoldings {
  viewers: number
  /** TCP connections. */
  sockets: number
  /** The most viewers there were at once since it was last asked. */
  most: number
  /** Bytes. */
  heapUsed: number
  external: number
  /** Handles and requests that keep the process alive, by kind. */
  resources: Record<string, number>
}

/** A hub in a process of its own, which can be asked what it holds. */
export class SoakHub {
  readonly url: string
  readonly #child: ChildProcess
  readonly #ask: <T>(name: string, argument?: number) => Promise<T>

  private constructor(child: ChildProcess, ask: SoakHub['ask'], url: string) {
    this.#child = child
    this.#ask = ask
    this.url = url
  }

  static async start(): Promise<SoakHub> {
    const child = fork(join(import.meta.dirname, 'soak-hub-process.ts'), { execArgv: ['--expose-gc'] })
    const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
    child.on('message', ({ id, value, error }: { id: number; value: never; error?: string }) => {
      const question = waiting.get(id)
      waiting.delete(id)
      if (error === undefined) question?.resolve(value)
      else question?.reject(new Error(error))
    })
    child.on('close', code => {
      for (const { reject } of waiting.values()) reject(new Error(`the hub's process ended with ${code}`))
    })
    let asked = 0
    const ask = <T>(name: string, argument = 0) =>
      new Promise<T>((resolve, reject) => {
        const id = ++asked
        waiting.set(id, { resolve, reject })
        child.send({ id, name, argument })
      })
    return new SoakHub(child, ask, await ask<string>('listen'))
  }

  get ask(): <T>(name: string, argument?: number) => Promise<T> {
    return this.#ask
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const closed = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await closed
  }
}

/** What is compared of an entry by digest, in both processes. */
export function entryLine(entry: GenerationEvent & { seq: number }): string {
  const { seq, generation } = entry
  return entry.type === 'neural_state'
    ? `${seq} ${generation} ${entry.state}\n`
    : `${seq} ${generation} ${entry.index} ${entry.token_text}\n`
}
