import { type ChildProcess, fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Reply, Request } from './messages.ts'

/** How a part tells what happened to whoever keeps the log. */
export type Say = (level: 'debug' | 'info' | 'warn' | 'error', text: string) => void

/** Answers of the process that somebody may wait for. */
export type Answer = Exclude<Reply, { type: 'failed' }>

/** How a process ended. */
export interface ProcessEnd {
  /** Why, as half a sentence that follows "it". */
  reason: string
  /** Whether the process said so itself. */
  told: boolean
  /** Whether it came to run; if not, the system could not start it. */
  ran: boolean
  /** Whether it was time for it to end: nothing went wrong. */
  due?: boolean
}

export interface ProcessHandleOptions {
  say: Say
  /** Called with each answer. */
  onAnswer: (answer: Answer) => void
  /** How long the process may owe an answer, in ms. */
  answerMs?: number
  /** How long it may take to end in order, in ms. */
  stopMs?: number
  /** After how long it is ended, for another one to begin, in ms. */
  lifeMs?: number
  /** Path of the module that it runs. */
  entry?: string
  /** Flags of Node's that it runs with. */
  execArgv?: string[]
  /** Folder in which Node keeps its modules as it has compiled them: so the next one starts in a quarter of the time. */
  compileCache?: string | null
}

const ENTRY = join(import.meta.dirname, 'process.ts')
const ANSWER_MS = 15_000
const STOP_MS = 2000
/**
 * Two weeks: it counts times in 32 bits, 49.7 days of milliseconds, and begins with up to 30 days that were recorded.
 */
const LIFE_MS = 14 * 86_400_000

/**
 * The parent's side of one compositor process (`process.ts`), from its start to its end. Nothing that the
 * process does or leaves undone throws here: whatever goes wrong with it, it ends, and `ended` says why.
 *
 * The constructor throws if the system cannot start one more process.
 */
export class ProcessHandle {
  /** Resolves when nothing of the process is left; never rejects. */
  readonly ended: Promise<ProcessEnd>
  readonly #child: ChildProcess
  readonly #options: ProcessHandleOptions
  #unanswered = 0
  #patience: NodeJS.Timeout | null = null
  #failure: ProcessEnd | null = null

  constructor(options: ProcessHandleOptions) {
    this.#options = options
    this.#child = fork(options.entry ?? ENTRY, {
      serialization: 'advanced',
      // Flags of this process, a debugger's port among them, are not meant for it.
      execArgv: [...compileCacheFlags(options.compileCache), ...(options.execArgv ?? [])],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      // Dawn prints what it thinks of drivers; a person at the terminal did not ask. There is nothing to read,
      // whatever the types say, where the system had no file descriptor left to start it with.
      if (!output) continue
      createInterface({ input: output }).on('line', line => {
        if (line.trim() !== '') options.say('debug', `compositor process: ${line.trim()}`)
      })
    }
    this.#child.on('message', message => this.#take(message as Reply))
    // A process without its channel is of no use, and would not hear that it should stop. One that ends by
    // itself closes it a moment before.
    this.#child.on('disconnect', () => this.#killIn(this.#stopMs))
    this.ended = new Promise(resolve => {
      const end = (reason: string, ran = true) => {
        this.#expect(0)
        resolve(this.#failure ?? { reason, told: false, ran })
      }
      this.#child.on('close', (code, signal) => {
        end(signal === null ? `ended with code ${code}` : `was ended by ${signal}`)
      })
      this.#child.on('error', error => {
        // It could not be started at all, or a signal or message did not reach it; then its end tells more.
        if (this.#child.pid === undefined) end(`could not be started: ${error.message}`, false)
      })
    })
    const life = setTimeout(() => this.#retire(), options.lifeMs ?? LIFE_MS)
    void this.ended.then(() => clearTimeout(life))
  }

  /** Undefined if it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Sends a request; to a process that has ended it does nothing. */
  send(request: Request): void {
    if (!this.#child.connected) return
    if (request.type !== 'stop') this.#expect(this.#unanswered + 1)
    // What does not reach it shows in its end.
    this.#child.send(request, () => {})
  }

  /** Ends it, in order if it can; resolves when nothing of it is left. */
  async stop(): Promise<void> {
    this.#expect(0)
    this.send({ type: 'stop' })
    this.#killIn(this.#stopMs)
    await this.ended
  }

  get #stopMs(): number {
    return this.#options.stopMs ?? STOP_MS
  }

  #retire(): void {
    this.#failure ??= { reason: 'has had its time', told: false, ran: true, due: true }
    void this.stop()
  }

  #killIn(ms: number): void {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), ms)
    void this.ended.then(() => clearTimeout(timer))
  }

  #take(reply: Reply): void {
    if (reply.type === 'failed') {
      this.#failure = { reason: `failed: ${reply.reason}`, told: true, ran: true }
      // It ends by itself; one that cannot even do that owes no answers any more.
      this.#expect(0)
      this.#killIn(this.#stopMs)
      return
    }
    this.#expect(this.#unanswered - 1)
    this.#options.onAnswer(reply)
  }

  /** Notes how many answers are owed. Time runs anew from each, while there are any. */
  #expect(unanswered: number): void {
    this.#unanswered = unanswered
    if (this.#patience) clearTimeout(this.#patience)
    this.#patience = null
    if (unanswered <= 0) return
    const answerMs = this.#options.answerMs ?? ANSWER_MS
    this.#patience = setTimeout(() => {
      this.#failure ??= { reason: `did not answer for ${answerMs / 1000} s`, told: false, ran: true }
      this.#child.kill('SIGKILL')
    }, answerMs)
  }
}

/** Not one that somebody has deleted: Node would make it again, and who may read it then is anybody's guess. */
function compileCacheFlags(folder: string | null | undefined): string[] {
  if (folder == null || !existsSync(folder)) return []
  // Before any module of the process's own is loaded.
  const code = `import { enableCompileCache } from 'node:module'; enableCompileCache(${JSON.stringify(folder)})`
  return ['--import', `data:text/javascript,${encodeURIComponent(code)}`]
}
