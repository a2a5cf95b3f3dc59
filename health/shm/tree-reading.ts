import type { ExtractionPool } from './extract/extraction-pool.ts'
import type { Extraction } from './imports.ts'
import type { ImportResolver } from './resolve/resolution.ts'
import type { ScanWarning, SourceFile, SourceTree } from './source-tree.ts'

/** How far an assessment is. */
export interface AssessProgress {
  /** `scan`: files are looked for, and nobody knows how many there are. */
  phase: 'scan' | 'read'
  done: number
  /** Null while it is not known. */
  total: number | null
}

/** A file with what it told. */
export interface ReadFile {
  file: SourceFile
  extraction: Extraction
  /** When it was read, or before: what changed within the same tick of a file system's clock cannot be told apart. */
  readMs: number
}

/** What was read of a tree. */
export interface ReadTree {
  /** The files that somebody wrote and that can be read, in the order of the tree's. */
  read: ReadFile[]
  /** Every file that was read, by path; also those that say that a program wrote them. */
  seen: Map<string, ReadFile>
  /** About files that could not be read. */
  warnings: ScanWarning[]
}

export interface TreeReadingOptions {
  pool: ExtractionPool
  /** The folder, absolute. */
  root: string
  /** What was read the last time, by path: what did not change since is not read again. */
  before: ReadonlyMap<string, ReadFile> | null
  /** Whether the calling thread and those of the pool work at the same time. */
  overlaps: boolean
  onProgress?: ((progress: AssessProgress) => void) | undefined
  signal: AbortSignal
}

/** File systems tell times in steps of up to this: a file that changed less before it was read is read again. */
const CLOCK_STEP_MS = 2000

/**
 * Reads the files of a tree while others are still being found, and resolves the imports of some while others are still being
 * read: what one processor does alone another need not wait for. Where that is not to be, one follows the other.
 */
export class TreeReading {
  readonly #options: TreeReadingOptions
  readonly #seen = new Map<string, ReadFile>()
  readonly #extracting: ReturnType<ExtractionPool['begin']>
  /** Files that are to be read, and how many others there are. */
  readonly #unknown: SourceFile[] = []
  #untouched = 0
  /** What was read before all files were found, by its place among the unknown. */
  #early: [file: number, extraction: Extraction][] = []
  #resolve: ((file: number, extraction: Extraction) => void) | null = null
  readonly #readMs = Date.now()

  constructor(options: TreeReadingOptions) {
    this.#options = options
    const { pool, root, onProgress, signal } = options
    this.#extracting = pool.begin(root, {
      onProgress: done => {
        if (this.#resolve !== null) onProgress?.({ phase: 'read', done, total: this.#unknown.length })
      },
      onExtracted: (file, extraction) => {
        if (this.#resolve === null) this.#early.push([file, extraction])
        else this.#resolve(file, extraction)
      },
      signal,
    })
  }

  /** Has files read that were found. */
  found(files: readonly SourceFile[]): void {
    const { before, onProgress } = this.#options
    const unknown: SourceFile[] = []
    for (const file of files) {
      const last = before?.get(file.path)
      if (last === undefined || !isUntouched(last, file)) unknown.push(file)
      else {
        this.#seen.set(file.path, { ...last, file })
        this.#untouched++
      }
    }
    for (const file of unknown) this.#unknown.push(file)
    if (this.#options.overlaps) this.#extracting.add(unknown)
    onProgress?.({ phase: 'scan', done: this.#unknown.length + this.#untouched, total: null })
  }

  /**
   * What was read, once all is.
   *
   * @param tree all files
   * @param places of each path its index in the tree
   * @param resolver is told of files that are read, in no order
   * @throws as `Extracting.end`
   */
  async end(
    tree: SourceTree,
    places: ReadonlyMap<string, number>,
    resolver: ImportResolver,
  ): Promise<ReadTree> {
    const { overlaps } = this.#options
    const resolve = (file: number, extraction: Extraction) => {
      const { path } = this.#unknown[file] as SourceFile
      if (overlaps) resolver.prepare(places.get(path) as number, extraction)
    }
    this.#resolve = resolve
    for (const [file, extraction] of this.#early) resolve(file, extraction)
    this.#early = []
    if (!overlaps) this.#extracting.add(this.#unknown)
    const { extractions, warnings } = await this.#extracting.end()
    const seen = this.#seen
    for (const [i, file] of this.#unknown.entries()) {
      const extraction = extractions[i] ?? null
      if (extraction !== null) seen.set(file.path, { file, extraction, readMs: this.#readMs })
    }
    const read = tree.files.flatMap(({ path }) => {
      const one = seen.get(path)
      return one === undefined || one.extraction.generated ? [] : [one]
    })
    // What a file said that was read is told with it, now and the next time.
    return { read, seen, warnings: warnings.filter(({ path }) => path === null || !seen.has(path)) }
  }

  /** After the signal: what was begun ends, and nobody else hears of it. */
  async givenUp(): Promise<void> {
    await this.#extracting.end().catch(() => {})
  }
}

/** Whether a file is as it was when it was read, as far as the file system tells. */
function isUntouched({ file, readMs }: ReadFile, now: SourceFile): boolean {
  return file.size === now.size && file.changedMs === now.changedMs && readMs - file.changedMs > CLOCK_STEP_MS
}
