import { type Transferable, Worker } from 'node:worker_threads'
import { type ErrorCode, TokenscopeError } from '../events/errors.ts'

/** What a thread is sent. */
export type ToThread =
  | { type: 'call'; id: number; name: string; argument: unknown }
  | { type: 'post'; message: unknown }
  | { type: 'stop' }

/** What a thread sends. */
export type FromThread =
  | { type: 'answer'; id: number; value: unknown }
  | { type: 'refusal'; id: number; error: CarriedError }
  | { type: 'post'; message: unknown }

/** A TokenscopeError as it crosses threads. */
export interface CarriedError {
  code: ErrorCode
  message: string
  param: string | null
  details: Readonly<Record<string, unknown>> | null
}

interface Waiting {
  resolve: (value: unknown) => void
  reject: (error: TokenscopeError) => void
}

/** A thread that answers calls, as the main thread holds it. What it runs is `serve` of thread-port.ts. */
export class ThreadHandle {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  readonly #ended: Promise<void>
  #calls = 0
  #gone = false
  #stopping = false

  /**
   * @param options.entry the module that the thread runs; `data` is its `workerData`
   * @param options.onPost told each message that is no answer
   * @param options.onEnd told once that the thread is gone: with null after `stop`, else with why
   */
  constructor(options: {
    entry: URL
    data: unknown
    onPost?: (message: unknown) => void
    onEnd: (error: Error | null) => void
  }) {
    this.#worker = new Worker(options.entry, { workerData: options.data })
    let failure: Error | null = null
    this.#worker.on('error', error => {
      failure = error instanceof Error ? error : new Error(String(error))
    })
    this.#worker.on('message', (message: FromThread) => {
      if (message.type === 'post') options.onPost?.(message.message)
      else this.#settle(message)
    })
    this.#ended = new Promise(resolve => {
      this.#worker.once('exit', code => {
        this.#gone = true
        for (const { reject } of this.#waiting.values()) reject(unavailable())
        this.#waiting.clear()
        resolve()
        options.onEnd(this.#stopping ? failure : (failure ?? new Error(`the thread ended with code ${code}`)))
      })
    })
  }

  /**
   * Calls a handler of the thread. Calls are taken up in the order in which they were made.
   *
   * @throws TokenscopeError that the handler threw; RECORDS_UNAVAILABLE if the thread is gone before it answers
   */
  call<T>(name: string, argument?: unknown, transfer: Transferable[] = []): Promise<T> {
    if (this.#gone) return Promise.reject(unavailable())
    const id = ++this.#calls
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#send({ type: 'call', id, name, argument }, transfer)
    })
  }

  /** Sends what no answer is given to; nothing if the thread is gone. */
  post(message: unknown, transfer: Transferable[] = []): void {
    this.#send({ type: 'post', message }, transfer)
  }

  /** Has it end in order, after what it was sent before, and waits for that. */
  async stop(): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true
      this.#send({ type: 'stop' }, [])
    }
    await this.#ended
  }

  #send(message: ToThread, transfer: Transferable[]): void {
    if (!this.#gone) this.#worker.postMessage(message, transfer)
  }

  #settle(message: Exclude<FromThread, { type: 'post' }>): void {
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.type === 'answer') waiting?.resolve(message.value)
    else waiting?.reject(receivedError(message.error))
  }
}

/** For who asks after the end. */
export const NO_THREAD: Pick<ThreadHandle, 'call'> = { call: () => Promise.reject(unavailable()) }

function receivedError({ code, message, param, details }: CarriedError): TokenscopeError {
  return new TokenscopeError(code, message, {
    ...(param === null ? {} : { param }),
    ...(details === null ? {} : { details }),
  })
}

function unavailable(): TokenscopeError {
  return new TokenscopeError('RECORDS_UNAVAILABLE', 'The records are not open. Restart Tokenscope.')
}
