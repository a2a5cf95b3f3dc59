import { setImmediate } from 'node:timers/promises'
import type { Extraction } from '../imports.ts'
import { byCodeUnit } from '../scan/order.ts'
import type { ScanWarning, SourceFile } from '../source-tree.ts'
import { extractBatch } from './extract-worker.ts'
import {
  type PackedExtractions,
  type PackedFiles,
  packFiles,
  unpackExtractions,
} from './packed-extractions.ts'

/** What was found in files, in the order in which they were added, whatever the number of threads. */
export interface ExtractionResult {
  /** Null: the file could not be read. */
  extractions: (Extraction | null)[]
  /** What could not be read, or not as its language; by path. */
  warnings: ScanWarning[]
}

export interface ExtractionOptions {
  /** Told how many files are done, each time some are. */
  onProgress?: (done: number) => void
  /** Told what was found in a file that could be read, by its place among those that were added. */
  onExtracted?: (file: number, extraction: Extraction) => void
  /** Aborted: the extraction rejects with its reason. */
  signal?: AbortSignal
}

/** Files that a thread is sent at once, at most, and that the calling thread reads before it lets others run. */
const BATCH = 256
const SLICE = 16

/** One extraction, as far as it has come: its files, which of them nobody has taken yet, and what was found. */
export class ExtractionRun {
  readonly #root: string
  readonly #options: ExtractionOptions
  readonly #stop: AbortSignal
  readonly #files: SourceFile[] = []
  readonly #extractions: (Extraction | null)[] = []
  readonly #notes: Pick<ScanWarning, 'code' | 'path' | 'message'>[] = []
  /** The first file that nobody has taken. */
  #next = 0
  #isComplete = false
  #more = Promise.withResolvers<void>()
  #done = 0

  constructor(root: string, options: ExtractionOptions, stop: AbortSignal) {
    this.#root = root
    this.#options = options
    this.#stop = stop
    stop.addEventListener('abort', () => this.#more.resolve(), { once: true })
  }

  /** Files so far. */
  get count(): number {
    return this.#files.length
  }

  add(files: readonly SourceFile[]): void {
    for (const file of files) {
      this.#files.push(file)
      this.#extractions.push(null)
    }
    if (this.#files.length - this.#next >= BATCH) this.#wake()
  }

  /** No more files come. */
  complete(): void {
    this.#isComplete = true
    this.#wake()
  }

  /**
   * Takes files for a thread, waiting until there are enough: the first and the one behind the last; null: there are no more.
   * The last ones are shared out among so many takers.
   */
  async batch(takers: number): Promise<[start: number, end: number] | null> {
    for (;;) {
      this.#stop.throwIfAborted()
      const left = this.#files.length - this.#next
      if (left >= BATCH || this.#isComplete) return this.#taken(Math.max(SLICE, Math.ceil(left / takers)))
      await this.#more.promise
    }
  }

  /** Reads on this thread what nobody has taken, few at a time, after what else it has to do. */
  async here(): Promise<void> {
    for (let slice = this.#taken(SLICE); slice !== null; slice = this.#taken(SLICE)) await this.read(...slice)
  }

  /** Reads files on this thread. */
  async read(start: number, end: number): Promise<void> {
    for (let from = start; from < end; from += SLICE) {
      await setImmediate()
      this.#stop.throwIfAborted()
      this.take(from, extractBatch(this.packed(from, Math.min(from + SLICE, end))))
    }
  }

  packed(start: number, end: number): PackedFiles {
    return packFiles(this.#root, this.#files.slice(start, end))
  }

  /** What was found in the files from this one on. */
  take(start: number, packed: PackedExtractions): void {
    const extracted = unpackExtractions(packed)
    for (const [i, { extraction, note }] of extracted.entries()) {
      this.#extractions[start + i] = extraction
      if (note) this.#notes.push({ ...note, path: this.#pathOf(start + i) })
      if (extraction) this.#options.onExtracted?.(start + i, extraction)
    }
    this.#progress(extracted.length)
  }

  crashed(file: number, { message }: Error): void {
    const said = `Reading it ended the thread that did so, twice (${message}); it counts as none.`
    this.#notes.push({ path: this.#pathOf(file), code: 'WORKER_CRASHED', message: said })
    this.#progress(1)
  }

  result(): ExtractionResult {
    const warnings = this.#notes.sort((one, other) => byCodeUnit(one.path ?? '', other.path ?? ''))
    return { extractions: this.#extractions, warnings }
  }

  #taken(most: number): [start: number, end: number] | null {
    const start = this.#next
    if (start === this.#files.length) return null
    this.#next = Math.min(start + Math.min(most, BATCH), this.#files.length)
    return [start, this.#next]
  }

  #wake(): void {
    this.#more.resolve()
    this.#more = Promise.withResolvers()
  }

  #pathOf(file: number): string {
    return (this.#files[file] as SourceFile).path
  }

  #progress(files: number): void {
    this.#done += files
    this.#options.onProgress?.(this.#done)
  }
}
