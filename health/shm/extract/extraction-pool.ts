import { availableParallelism } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import type { Extraction } from '../imports.ts'
import type { ScanWarning, SourceFile } from '../source-tree.ts'
import { extractBatch } from './extract-worker.ts'
import { type PackedExtractions, packFiles, unpackExtractions } from './packed-extractions.ts'

/** What was found in files, in their order, whatever the number of threads. */
export interface ExtractionResult {
  /** Null: the file could not be read. */
  extractions: (Extraction | null)[]
  /** What could not be read, or not as its language; by file. */
  warnings: ScanWarning[]
}

export interface ExtractionOptions {
  /** Told how many files are done, each time some are. */
  onProgress?: (done: number) => void
  /** Aborted: the extraction rejects with its reason. */
  signal?: AbortSignal
}

/**
 * Up to so many files the calling thread is done before threads would have paid: one costs 100 to 200 ms of processor time, for
 * its start and for code that is not optimised yet, a file some 0.2 ms.
 */
const FEW_FILES = 1000
/** Files that a thread is sent at once, at most, and that the calling thread reads before it lets others run. */
const BATCH = 256
const SLICE = 16
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
   * @throws the signal's reason where it aborts; an `AbortError` where the pool is stopped meanwhile
   */
  async extract(
    root: string,
    files: readonly SourceFile[],
    options: ExtractionOptions = {},
  ): Promise<ExtractionResult> {
    const run = new Run(root, files, options)
    const stop = AbortSignal.any([this.#ended.signal, ...(options.signal ? [options.signal] : [])])
    stop.throwIfAborted()
    if (files.length <= FEW_FILES || this.#threads < 1 || this.#unfit) await run.here(0, files.length, stop)
    else await this.#onThreads(run, files.length, stop)
    return run.result()
  }

  /** Ends all threads. What is being extracted is given up. */
  async stop(): Promise<void> {
    this.#ended.abort()
    await this.#pool?.destroy()
  }

  async #onThreads(run: Run, count: number, stop: AbortSignal): Promise<void> {
    const lanes = this.#threads * LANES_PER_THREAD
    const size = Math.min(BATCH, Math.ceil(count / lanes))
    let next = 0
    const lane = async (step: number, work: (start: number, end: number) => Promise<void>) => {
      while (next < count) {
        const start = next
        next = Math.min(start + step, count)
        await work(start, next)
      }
    }
    const onThread = (start: number, end: number) => this.#batch(run, start, end, stop)
    const working = Array.from({ length: lanes }, () => lane(size, onThread))
    if (this.#callerHelps) working.push(lane(SLICE, (start, end) => run.slice(start, end, stop)))
    await Promise.all(working)
  }

  async #batch(run: Run, start: number, end: number, stop: AbortSignal): Promise<void> {
    if ((await this.#try(run, start, end, stop)) === null) return
    for (let i = start; i < end; i++) {
      const error = await this.#try(run, i, i + 1, stop)
      if (error) run.crashed(i, error)
    }
  }

  /** Gives why a thread was lost with these files; null: they are done. */
  async #try(run: Run, start: number, end: number, stop: AbortSignal): Promise<Error | null> {
    if (!this.#unfit) {
      try {
        run.take(start, await this.#start().run(run.packed(start, end), { signal: stop }))
        return null
      } catch (error) {
        stop.throwIfAborted()
        if (!this.#unfit) return error as Error
      }
    }
    await run.here(start, end, stop)
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

/** One extraction, as far as it has come. */
class Run {
  readonly #root: string
  readonly #files: readonly SourceFile[]
  readonly #onProgress: ((done: number) => void) | undefined
  readonly #extractions: (Extraction | null)[]
  readonly #notes: { file: number; code: ScanWarning['code']; message: string }[] = []
  #done = 0

  constructor(root: string, files: readonly SourceFile[], { onProgress }: ExtractionOptions) {
    this.#root = root
    this.#files = files
    this.#onProgress = onProgress
    this.#extractions = new Array<Extraction | null>(files.length).fill(null)
  }

  packed(start: number, end: number) {
    return packFiles(this.#root, this.#files.slice(start, end))
  }

  /** Extracts on this thread. */
  async here(start: number, end: number, stop: AbortSignal): Promise<void> {
    for (let i = start; i < end; i += SLICE) await this.slice(i, Math.min(i + SLICE, end), stop)
  }

  /** Extracts few files on this thread, after what else it has to do. */
  async slice(start: number, end: number, stop: AbortSignal): Promise<void> {
    await setImmediate()
    stop.throwIfAborted()
    this.take(start, extractBatch(this.packed(start, end)))
  }

  take(start: number, packed: PackedExtractions): void {
    const extracted = unpackExtractions(packed)
    for (const [i, { extraction, note }] of extracted.entries()) {
      this.#extractions[start + i] = extraction
      if (note) this.#notes.push({ file: start + i, ...note })
    }
    this.#progress(extracted.length)
  }

  crashed(file: number, { message }: Error): void {
    const said = `Reading it ended the thread that did so, twice (${message}); it counts as none.`
    this.#notes.push({ file, code: 'WORKER_CRASHED', message: said })
    this.#progress(1)
  }

  result(): ExtractionResult {
    const warnings = this.#notes
      .sort((one, other) => one.file - other.file)
      .map(({ file, code, message }) => ({ code, path: this.#files[file]?.path ?? null, message }))
    return { extractions: this.#extractions, warnings }
  }

  #progress(files: number): void {
    this.#done += files
    this.#onProgress?.(this.#done)
  }
}
