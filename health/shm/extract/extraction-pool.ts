import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import type { SourceFile } from '../source-tree.ts'
import { type ExtractionOptions, type ExtractionResult, ExtractionRun } from './extraction-run.ts'
import type { PackedExtractions } from './packed-extractions.ts'

/** An extraction whose files come by and by. */
export interface Extracting {
  /** Has more files read. */
  add(files: readonly SourceFile[]): void
  /**
   * Says that no more come.
   * @returns what was found in all of them, in the order in which they came
   * @throws the signal's reason where it aborts; an `AbortError` where the pool is stopped meanwhile
   */
  end(): Promise<ExtractionResult>
}

/**
 * Up to so many files the calling thread is done before threads would have paid: one costs 100 to 200 ms of processor time, for
 * its start and for code that is not optimised yet, a file some 0.2 ms.
 */
const FEW_FILES = 1000
/** Each thread has its next batch waiting. */
const LANES_PER_THREAD = 2
/** Threads that nobody needs end after this, in milliseconds. */
const IDLE_MS = 10_000
/** A file that takes a thread more memory than this costs the thread, not the process; in MiB. */
const THREAD_MEMORY_MIB = 512
/** Room for what is soon forgotten; with more a thread is no faster and the process a third larger. */
const THREAD_YOUNG_MIB = 16

/**
 * Extracts imports from files, on threads where they are many. A thread that ends (for want of memory, by a defect) costs each file
 * of its batch one more try, alone; a file whose thread ends again gets the warning `WORKER_CRASHED`. Where no thread can be
 * started the calling thread does all. Extractions may overlap.
 */
export class ExtractionPool {
  readonly #threads: number
  readonly #callerHelps: boolean
  readonly #worker: URL
  readonly #ended = new AbortController()
  #pool: Piscina<unknown, PackedExtractions> | null = null
  #unfit = false

  /**
   * @param options.threads how many at most; 0: all is done on the calling thread. As a rule one for each processor.
   * @param options.callerHelps the calling thread is one of them: fastest, for who has nothing else to do; as a rule it only waits
   * @param options.worker the module that the threads run instead of extract-worker.ts, with an `extractBatch` as it has
   */
  constructor({
    threads = availableParallelism(),
    callerHelps = false,
    worker = new URL('./extract-worker.ts', import.meta.url),
  }: { threads?: number; callerHelps?: boolean; worker?: URL } = {}) {
    this.#threads = callerHelps ? threads - 1 : threads
    this.#callerHelps = callerHelps
    this.#worker = worker
  }

  /**
   * Reads files and finds their imports.
   * @param root the folder that the paths begin at, absolute
   * @throws as `Extracting.end`
   */
  async extract(
    root: string,
    files: readonly SourceFile[],
    options: ExtractionOptions = {},
  ): Promise<ExtractionResult> {
    const extracting = this.begin(root, options)
    extracting.add(files)
    return await extracting.end()
  }

  /**
   * The same for files that are still being found: once there are many, threads read them meanwhile. The calling thread helps
   * when all are there.
   */
  begin(root: string, options: ExtractionOptions = {}): Extracting {
    const stop = AbortSignal.any([this.#ended.signal, ...(options.signal ? [options.signal] : [])])
    const run = new ExtractionRun(root, options, stop)
    let onThreads: Promise<unknown> | null = null
    return {
      add: files => {
        run.add(files)
        if (onThreads !== null || run.count <= FEW_FILES || this.#threads < 1 || this.#unfit) return
        onThreads = Promise.all(this.#lanes(run, stop))
        // Who told of the files hears of it at the end.
        onThreads.catch(() => {})
      },
      end: async () => {
        run.complete()
        const helps = onThreads === null || this.#callerHelps
        await Promise.all([onThreads, helps ? run.here() : null])
        stop.throwIfAborted()
        return run.result()
      },
    }
  }

  /** Ends all threads. What is being extracted is given up. */
  async stop(): Promise<void> {
    this.#ended.abort()
    await this.#pool?.destroy()
  }

  #lanes(run: ExtractionRun, stop: AbortSignal): Promise<void>[] {
    const count = this.#threads * LANES_PER_THREAD
    return Array.from({ length: count }, async () => {
      for (;;) {
        const batch = await run.batch(count)
        if (batch === null) return
        await this.#batch(run, ...batch, stop)
      }
    })
  }

  async #batch(run: ExtractionRun, start: number, end: number, stop: AbortSignal): Promise<void> {
    if ((await this.#try(run, start, end, stop)) === null) return
    for (let i = start; i < end; i++) {
      const error = await this.#try(run, i, i + 1, stop)
      if (error) run.crashed(i, error)
    }
  }

  /** Gives why a thread was lost with these files; null: they are done. */
  async #try(run: ExtractionRun, start: number, end: number, stop: AbortSignal): Promise<Error | null> {
    if (!this.#unfit) {
      try {
        run.take(start, await this.#start().run(run.packed(start, end), { signal: stop }))
        return null
      } catch (error) {
        stop.throwIfAborted()
        if (!this.#unfit) return error as Error
      }
    }
    await run.read(start, end)
    return null
  }

  #start(): Piscina<unknown, PackedExtractions> {
    if (this.#pool) return this.#pool
    const pool = new Piscina<unknown, PackedExtractions>({
      filename: fileURLToPath(this.#worker),
      name: 'extractBatch',
      // With none left a batch that waits would wait for ever.
      minThreads: 1,
      maxThreads: this.#threads,
      idleTimeout: IDLE_MS,
      resourceLimits: {
        maxOldGenerationSizeMb: THREAD_MEMORY_MIB,
        maxYoungGenerationSizeMb: THREAD_YOUNG_MIB,
      },
    })
    // So the pool tells that a thread could not be started; what it was sent would wait for ever.
    pool.on('error', () => {
      this.#unfit = true
      void pool.destroy()
    })
    this.#pool = pool
    return pool
  }
}
