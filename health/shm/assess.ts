/** The score of a folder, again and again as it changes. */
import { lstatSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ExtractionPool } from './extract/extraction-pool.ts'
import { reachedFrom } from './graph/edge-change.ts'
import { transposed } from './graph/transposed-graph.ts'
import { graphOf, hasSameEdges } from './graph.ts'
import type { Extraction } from './imports.ts'
import type { PasReport } from './report.ts'
import { ImportResolver, type Resolution } from './resolve/resolution.ts'
import { type Churn, readChurn } from './scan/churn.ts'
import { partitionHash, partitionOf, partitionWarnings } from './scan/partition.ts'
import { type PasConfig, readPasConfig } from './scan/pas-config.ts'
import { policyOf } from './scan/policy.ts'
import { scanTree } from './scan/scan-tree.ts'
import { reportOf } from './score/report.ts'
import { type Structure, structureOf } from './score/structure.ts'
import type { Partition, ScanWarning, SourceFile, SourceTree } from './source-tree.ts'
import { type AssessProgress, type ReadFile, TreeReading } from './tree-reading.ts'

export interface AssessorOptions {
  /** Whether tests are scored, too; `pas.config.json` may say so as well. */
  tests?: boolean
  /** Threads that read files; one for each processor if not given. */
  threads?: number
  /**
   * Whether the calling thread is one of them, and works while they do, as for who has nothing else to do; as a rule it only
   * waits for them, so that no more processors are taken.
   */
  callerHelps?: boolean
}

export type { AssessProgress } from './tree-reading.ts'

export interface AssessOptions {
  /**
   * Paths of files that may have changed since the last time, from the root: only these are read. Whatever else changed is
   * not seen, and commits are not looked at again. Not given: everything is looked at.
   */
  changed?: readonly string[]
  onProgress?: ((progress: AssessProgress) => void) | undefined
  signal?: AbortSignal | undefined
}

/** All that is known of the tree as it was last assessed. Lists by file are in the order of `tree.files`. */
interface Known {
  config: PasConfig | null
  tree: SourceTree
  folders: ReadonlySet<string>
  read: ReadFile[]
  /** Every file that was read, by path; also those that say that a program wrote them, which are in no other list. */
  seen: Map<string, ReadFile>
  places: ReadonlyMap<string, number>
  partition: Partition
  churn: Churn
  resolver: ImportResolver
  resolution: Resolution
  structure: Structure
  /** About files that could not be read. */
  warnings: ScanWarning[]
}

/**
 * Assesses a folder. What it read it keeps, so that the next assessment reads only what changed. Assessments that are asked
 * for while one runs follow it one by one.
 */
export class Assessor {
  readonly #root: string
  readonly #tests: boolean
  readonly #callerHelps: boolean
  readonly #pool: ExtractionPool
  #known: Known | null = null
  #hasFailed = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(root: string, { tests = false, threads, callerHelps = false }: AssessorOptions = {}) {
    this.#root = resolve(root)
    this.#tests = tests
    this.#callerHelps = callerHelps
    this.#pool = new ExtractionPool({ callerHelps, ...(threads === undefined ? {} : { threads }) })
  }

  /**
   * The report of the folder as it is now. If it fails, the next one looks at everything.
   *
   * @throws TokenscopeError CONFIG if the folder cannot be scored, or `pas.config.json` is wrong; what `signal` was aborted with
   */
  assess(options: AssessOptions = {}): Promise<PasReport> {
    const next = this.#last.then(() => this.#assess(options))
    this.#last = next.catch(() => {})
    return next
  }

  /** The folders that were looked through the last time, from the root. */
  get folders(): ReadonlySet<string> {
    return this.#known?.folders ?? NO_FOLDERS
  }

  /** Whether a path from the root is one of a file that was read the last time. */
  has(path: string): boolean {
    return this.#known?.seen.has(path) ?? false
  }

  /**
   * Which of these paths are files that were scored, and which other files import one of them, themselves or through
   * others: both ascending.
   */
  reachOf(paths: readonly string[]): { changed: string[]; affected: string[] } {
    if (this.#known === null) return { changed: [], affected: [] }
    const { places, structure, tree } = this.#known
    const changed = new Set(paths.flatMap(path => places.get(path) ?? []))
    const reached = reachedFrom(transposed(structure.graph), changed)
    const pathOf = (file: number) => (tree.files[file] as SourceFile).path
    const affected = tree.files.flatMap(({ path }, i) => (reached[i] === 1 && !changed.has(i) ? [path] : []))
    return { changed: [...changed].sort((one, other) => one - other).map(pathOf), affected }
  }

  /** Ends its threads; what runs then fails. */
  async stop(): Promise<void> {
    await this.#pool.stop()
  }

  async #assess({ changed, onProgress, signal }: AssessOptions): Promise<PasReport> {
    signal?.throwIfAborted()
    const begun = performance.now()
    const before = this.#known
    const isWhole = this.#hasFailed || before === null || changed === undefined
    // What is known stays until there is more: who watches asks for it meanwhile.
    this.#hasFailed = true
    const edited = isWhole ? null : await this.#edited(before, changed)
    const known = edited ?? (await this.#readAll(before, onProgress, signal))
    signal?.throwIfAborted()
    this.#known = known
    this.#hasFailed = false
    return reportIn(known, this.#tests, performance.now() - begun)
  }

  /** What is known once these files are read again; null: more than their content changed. */
  async #edited(known: Known, changed: readonly string[]): Promise<Known | null> {
    const files: { place: number; file: SourceFile }[] = []
    for (const path of new Set(changed)) {
      const place = known.places.get(path)
      if (place === undefined) return null
      const stats = lstatSync(join(this.#root, path), { throwIfNoEntry: false })
      if (!stats?.isFile()) return null
      const file = known.tree.files[place] as SourceFile
      files.push({ place, file: { ...file, size: stats.size, changedMs: stats.mtimeMs } })
    }
    const readMs = Date.now()
    const { extractions } = await this.#pool.extract(
      this.#root,
      files.map(({ file }) => file),
    )
    const read = [...known.read]
    const tree = { ...known.tree, files: [...known.tree.files] }
    let isOtherwise = false
    for (const [i, { place, file }] of files.entries()) {
      const found = extractions[i] ?? null
      if (found === null || found.generated) return null
      isOtherwise ||= !saysTheSame((known.read[place] as ReadFile).extraction, found)
      const one = { file, extraction: found, readMs }
      read[place] = one
      tree.files[place] = file
      known.seen.set(file.path, one)
    }
    const next = { ...known, tree, read }
    return isOtherwise ? { ...next, ...resolved(next, known.resolver, known.structure) } : next
  }

  /** Scans the tree and reads what is not known. */
  async #readAll(
    before: Known | null,
    onProgress: AssessOptions['onProgress'],
    signal: AbortSignal | undefined,
  ): Promise<Known> {
    const config = await readPasConfig(this.#root)
    const folders = new Set<string>()
    const { reading, scanned } = await this.#scan(before, config, folders, onProgress, signal)
    const includeDirs = config?.include_dirs ?? []
    const allPlaces = placesOf(scanned)
    const allResolver = new ImportResolver(scanned, { includeDirs })
    // git works while files are read. Most trees have no file that reading leaves out, so its answer will do, and so will
    // what was resolved meanwhile.
    const early = churnOf(scanned, partitionOf(scanned, config), signal)
    const [{ read, seen, warnings }, churnThen] = await settled(
      reading.end(scanned, allPlaces, allResolver),
      early,
    )
    const isWhole = read.length === scanned.files.length
    const tree = isWhole ? scanned : { ...scanned, files: read.map(({ file }) => file) }
    if (tree.files.length === 0 && !isWhole) warnings.push(NOTHING_LEFT)
    const partition = partitionOf(tree, config)
    const churn = isWhole ? churnThen : await churnOf(tree, partition, signal)
    const places = isWhole ? allPlaces : placesOf(tree)
    const resolver = isWhole ? allResolver : new ImportResolver(tree, { includeDirs })
    const known = { config, tree, folders, read, seen, places, partition, churn, resolver, warnings }
    return { ...known, ...resolved(known, resolver) }
  }

  /** Looks for files, which are read meanwhile. */
  async #scan(
    before: Known | null,
    config: PasConfig | null,
    folders: Set<string>,
    onProgress: AssessOptions['onProgress'],
    signal: AbortSignal | undefined,
  ): Promise<{ reading: TreeReading; scanned: SourceTree }> {
    const failed = new AbortController()
    const reading = new TreeReading({
      pool: this.#pool,
      root: this.#root,
      before: before?.seen ?? null,
      overlaps: this.#callerHelps,
      onProgress,
      signal: AbortSignal.any([failed.signal, ...(signal ? [signal] : [])]),
    })
    try {
      const scanned = await scanTree(this.#root, {
        tests: this.#tests,
        config,
        onFolder: folder => folders.add(folder),
        onFound: files => reading.found(files),
      })
      signal?.throwIfAborted()
      return { reading, scanned }
    } catch (error) {
      failed.abort(error)
      await reading.givenUp()
      throw error
    }
  }
}

function placesOf({ files }: SourceTree): Map<string, number> {
  return new Map(files.map(({ path }, i) => [path, i]))
}

const NO_FOLDERS: ReadonlySet<string> = new Set()
const NOTHING_LEFT: ScanWarning = {
  code: 'NO_SOURCES',
  path: null,
  message: 'There is no source file that somebody wrote and that can be read.',
}

/**
 * Resolves the imports of a tree, and looks through what they make up.
 *
 * @param before what an earlier graph over the same partition made up: where only lines differ it is so still
 */
function resolved(
  { tree, read, partition }: Pick<Known, 'tree' | 'read' | 'partition'>,
  resolver: ImportResolver,
  before: Structure | null = null,
): { resolver: ImportResolver; resolution: Resolution; structure: Structure } {
  const resolution = resolver.resolve(read.map(({ extraction }) => extraction))
  const graph = graphOf(tree.files.length, resolution.edges)
  const isSame = before !== null && hasSameEdges(graph, before.graph)
  return { resolver, resolution, structure: isSame ? { ...before, graph } : structureOf(graph, partition) }
}

function reportIn(known: Known, tests: boolean, durationMs: number): PasReport {
  const { config, tree, read, partition, churn, resolution, structure } = known
  return reportOf({
    tree,
    lines: Uint32Array.from(read, ({ extraction }) => extraction.lines),
    hashes: read.map(({ extraction }) => extraction.hash),
    graph: structure.graph,
    partition,
    partitionId: partitionHash(partition),
    churn,
    resolution,
    policy: policyOf({ tests, config }),
    warnings: [...known.warnings, ...read.flatMap(troubleOf), ...partitionWarnings(partition, config)],
    durationMs: Math.round(durationMs),
    structure,
  })
}

function troubleOf({ file: { path }, extraction: { trouble } }: ReadFile): ScanWarning[] {
  return trouble === null ? [] : [{ code: trouble.code, path, message: trouble.message }]
}

function churnOf(tree: SourceTree, partition: Partition, signal: AbortSignal | undefined): Promise<Churn> {
  return readChurn(
    tree.root,
    tree.files.map(({ path }) => path),
    partition,
    signal,
  )
}

/** Both results. If one fails the other is waited for all the same, so that nothing goes on behind who asked. */
async function settled<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other])
  return [await one, await other]
}

/** Whether the edges of a file, their lines and what others see of it are as before. */
function saysTheSame(one: Extraction, other: Extraction): boolean {
  return (
    one.imports.length === other.imports.length &&
    one.imports.every((found, i) => {
      const now = other.imports[i]
      return now?.specifier === found.specifier && now.line === found.line && now.kind === found.kind
    }) &&
    one.declares.length === other.declares.length &&
    one.declares.every((name, i) => name === other.declares[i])
  )
}
