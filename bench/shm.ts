/**
 * `pnpm shm`: beside madge and dependency-cruiser on sources that people wrote, on made-up trees of 25,000 and 100,000 files,
 * again and again while files are edited, and on this project. What is compared is the work, too: files, imports and cycles
 * have to be the same.
 */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Helper, removeFolder, temporaryFolder } from './children.ts'
import { type Bench, type Figure, figureOf, percentile } from './figure.ts'
import { installPeers } from './peers.ts'
import { type Agreement, checkSame, componentsIn, type FileGraph, partOf } from './shm/comparison.ts'
import { editsOf, type KnownEdit } from './shm/edits.ts'
import { lexerSpeed } from './shm/lexer-speed.ts'
import { type Expected, expectedOf, type MixedTree, planMixedTree } from './shm/mixed-tree.ts'
import { ownGraph } from './shm/own-graph.ts'
import { cruise, madgeCycles, madgeGraph, madgeMisses } from './shm/peers.ts'
import { copyPackages, copyProject, GROUPS } from './shm/real-trees.ts'
import { tokensMeanwhile } from './shm/tokens-meanwhile.ts'
import { writeTree } from './shm/tree-folder.ts'
import type { Edited } from './shm/watch-process.ts'
import { type Scan, type ScannedReport, scan } from './shm/whole-process.ts'

const ROOT = join(import.meta.dirname, '..')
const PEER_ROUNDS = 3
const SCAN_ROUNDS = 5
const LARGE_ROUNDS = 3
/** Of each kind of edit, there and back again. */
const EDIT_PAIRS = 12
const MANY = 25_000
const LARGE = 100_000
const LEAST_SCRIPTS = 500
const CRUISER = ['pnpm shm', 'dependency-cruiser'] as const
const MS = { unit: 'ms', better: 'lower' } as const
const TIMES = { unit: '×', better: 'higher' } as const

export const shm: Bench = { name: 'shm', title: 'structural health of source trees', run }

/** Folders of one run, gone at its end. */
interface Place {
  folder(): string
  /** For what programs write. */
  output: string
}

async function run(): Promise<Figure[]> {
  using cleanup = new DisposableStack()
  const folder = () => {
    const made = temporaryFolder()
    cleanup.defer(() => removeFolder(made))
    return made
  }
  const place = { folder, output: folder() }
  return [
    ...(await besidePeers(place)),
    ...(await manyFiles(place)),
    ...(await largeTree(place)),
    ...(await thisProject(place)),
  ]
}

/** All three over the same sources, in turns. */
async function besidePeers({ folder, output }: Place): Promise<Figure[]> {
  const absent = await installPeers()
  if (absent !== null) {
    process.stdout.write(`  No madge and no dependency-cruiser: ${absent}\n`)
    return []
  }
  const root = folder()
  copyPackages(root)
  const ours = await ownGraph(root)
  const files = ours.size
  if (files < LEAST_SCRIPTS) throw new Error(`there are ${files} files of TypeScript only`)
  const rounds: { own: number; madge: number; cruiser: number }[] = []
  let cruised: FileGraph = new Map()
  const flags = ['--tests']
  await scan(root, { into: output, flags })
  for (let i = 0; i < PEER_ROUNDS; i++) {
    const own = await scan(root, { into: output, flags })
    checkReport(own.report, ours)
    const madge = await madgeCycles(root, output)
    checkCycles(madge.cycles, ours)
    const cruiser = await cruise(root, output)
    cruised = cruiser.graph
    checkSame(ours, cruised, CRUISER)
    rounds.push({ own: own.ms, madge: madge.ms, cruiser: cruiser.ms })
  }
  const theirs = await madgeGraph(root, output)
  const same = checkSame(ours, theirs, ['pnpm shm', 'madge'], [madgeMisses(root)])
  const of = (side: 'own' | 'madge' | 'cruiser') => rounds.map(round => round[side])
  const over = (side: 'madge' | 'cruiser') => rounds.map(round => round[side] / round.own)
  const note =
    `whole processes over ${files} TypeScript files of openai, ai, @ai-sdk and zod, tests and dynamic imports in, imports of ` +
    'types out; madge --circular --json with skipTypeImports; dependency-cruiser with tsPreCompilationDeps, the rule ' +
    'no-circular, skipAnalysisNotInRules and no cache'
  return [
    figureOf(`${files} TypeScript files`, of('own'), { ...MS, note }),
    figureOf('  madge', of('madge'), MS),
    figureOf('  dependency-cruiser', of('cruiser'), MS),
    figureOf('  times madge', over('madge'), { ...TIMES, target: 10 }),
    figureOf('  times dependency-cruiser', over('cruiser'), { ...TIMES, target: 5 }),
    agreed('the same as madge', same),
    ...Object.entries(GROUPS).map(([name, folders]) => {
      const isIn = (path: string) => folders.includes(path.slice(0, path.indexOf('/')))
      const [one, other] = [partOf(ours, isIn), partOf(cruised, isIn)]
      return agreed(`the same as dependency-cruiser: ${name}`, checkSame(one, other, CRUISER))
    }),
    agreed('  all of them together', checkSame(ours, cruised, CRUISER)),
    agreed('  this project', await projectAgreement({ folder, output })),
  ]
}

async function projectAgreement({ folder, output }: Place): Promise<Agreement> {
  const root = folder()
  copyProject(root)
  const cruised = await cruise(root, output)
  return checkSame(await ownGraph(root), cruised.graph, CRUISER)
}

function agreed(name: string, { files, edges, components, inComponents, explained }: Agreement): Figure {
  const reasons = [...explained].map(([reason, count]) => `; ${count} more: ${reason}`)
  return figureOf(name, [edges], {
    unit: 'imports',
    better: 'higher',
    note: `and ${files} files, ${components} strongly connected components with the same ${inComponents} files${reasons.join('')}`,
  })
}

/** A tree of many languages: whole scans, and a new score after an edit. */
async function manyFiles(place: Place): Promise<Figure[]> {
  const root = place.folder()
  const { tree, expected } = written(MANY, root)
  const into = place.output
  await scanned(root, expected, { into })
  const all: Scan[] = []
  const single: Scan[] = []
  for (let i = 0; i < SCAN_ROUNDS; i++) {
    all.push(await scanned(root, expected, { into }))
    single.push(await scanned(root, expected, { into, flags: ['--threads', '1'] }))
  }
  const threads = availableParallelism()
  const typed = tree.files.map(({ path }) => path).filter(path => path.endsWith('.ts'))
  return [
    figureOf(`${count(MANY)} files`, all.map(msOf), { ...MS, target: 2000, note: treeNote(expected) }),
    figureOf('  by its own clock', all.map(ownMs), MS),
    figureOf('  with one thread', single.map(msOf), MS),
    figureOf(
      '  with one thread, times that',
      all.map(({ ms }, i) => (single[i] as Scan).ms / ms),
      { ...TIMES, note: `${threads} threads by themselves` },
    ),
    figureOf('  es-module-lexer alone, warm', await lexerSpeed(root, typed), {
      ...{ unit: 'MB/s', better: 'higher' },
      note: `the ${count(typed.length)} .ts files of the tree, in memory, on one thread: what this machine is worth`,
    }),
    ...(await edited(tree, root)),
    ...(await tokensMeanwhile(
      root,
      tree.files.map(({ path }) => path),
    )),
  ]
}

async function edited(tree: MixedTree, root: string): Promise<Figure[]> {
  await using cleanup = new AsyncDisposableStack()
  const helper = new Helper('shm/watch-process.ts')
  cleanup.defer(() => helper.end())
  await helper.ask('open', root)
  const { content, moved, imports } = editsOf(tree, EDIT_PAIRS)
  const assess = async (edits: readonly KnownEdit[], how: 'assess' | 'hear') => {
    const took: number[] = []
    for (const { edges, inCycles, ...edit } of edits) {
      const seen = await helper.ask<Edited>(how, edit)
      if (seen.edges !== edges || seen.inCycles !== inCycles)
        throw new Error(
          `after an edit of ${edit.path} there are ${seen.edges} imports and ${seen.inCycles} files in cycles, ` +
            `not ${edges} and ${inCycles}`,
        )
      took.push(seen.ms)
    }
    return took
  }
  // What the first edits need is compiled by the later ones.
  await assess([...content.slice(0, 4), ...imports.slice(0, 4)], 'assess')
  const contentMs = await assess(content, 'assess')
  const movedMs = await assess(moved, 'assess')
  const importMs = await assess(imports, 'assess')
  await helper.ask('watch')
  const heard = await assess([...content.slice(0, 6), ...imports.slice(0, 8)], 'hear')
  await helper.ask('close')
  return [
    figureOf(`one of ${count(MANY)} edited, its imports not`, contentMs, {
      ...MS,
      target: 100,
      note: `from the write to the new report, ${contentMs.length} edits at the ends of files; 95th percentile ${tail(contentMs)}`,
    }),
    figureOf('  but the lines of its imports', movedMs, {
      ...MS,
      target: 100,
      note: `${movedMs.length} edits at the beginnings of files; 95th percentile ${tail(movedMs)}`,
    }),
    figureOf('  one of its imports', importMs, {
      ...MS,
      target: 400,
      note: `${importMs.length} edits: an import comes or goes, half of them close or open a cycle through two packages; 95th percentile ${tail(importMs)}`,
    }),
    figureOf('  seen and told by --watch', heard, {
      ...MS,
      note: `${heard.length} edits of both kinds; it waits 20 ms for more`,
    }),
  ]
}

function tail(took: readonly number[]): string {
  return `${Math.round(percentile(Float64Array.from(took).sort(), 0.95))} ms`
}

/** A large tree: whole scans, and what the process has in memory. */
async function largeTree(place: Place): Promise<Figure[]> {
  const root = place.folder()
  const { expected } = written(LARGE, root)
  const into = place.output
  const rounds: Scan[] = []
  const peaks: Scan[] = []
  peaks.push(await scanned(root, expected, { into, peak: true }))
  for (let i = 0; i < LARGE_ROUNDS; i++) rounds.push(await scanned(root, expected, { into }))
  peaks.push(await scanned(root, expected, { into, peak: true }))
  removeFolder(root)
  return [
    figureOf(`${count(LARGE)} files`, rounds.map(msOf), { ...MS, target: 8000, note: treeNote(expected) }),
    figureOf('  by its own clock', rounds.map(ownMs), MS),
    figureOf(
      '  most memory at once',
      peaks.map(({ peakMib }) => peakMib as number),
      { unit: 'MiB', better: 'lower', target: 600, note: 'of the process with its threads (VmHWM)' },
    ),
  ]
}

async function thisProject({ output }: Place): Promise<Figure[]> {
  await scan(ROOT, { into: output })
  const rounds: Scan[] = []
  for (let i = 0; i < SCAN_ROUNDS; i++) rounds.push(await scan(ROOT, { into: output }))
  const { counts, score } = (rounds[0] as Scan).report
  if (counts.files < LEAST_SCRIPTS || score === null)
    throw new Error(`of this project ${counts.files} files are seen`)
  return [
    figureOf('this project', rounds.map(msOf), {
      ...MS,
      target: 5000,
      note: `${counts.files} files, ${counts.edges} imports, with git's history`,
    }),
    figureOf('  by its own clock', rounds.map(ownMs), MS),
  ]
}

function written(files: number, root: string): { tree: MixedTree; expected: Expected } {
  const tree = planMixedTree(files)
  writeTree(tree, root)
  return { tree, expected: expectedOf(tree) }
}

/** A scan that found what is in the tree. */
async function scanned(root: string, expected: Expected, how: Parameters<typeof scan>[1]): Promise<Scan> {
  const done = await scan(root, how)
  const { counts } = done.report
  checkReport(done.report, expected.graph)
  for (const [what, found, planned] of [
    ['imports of types', counts.type_only, expected.counts.type],
    ['imports that lead nowhere', counts.unresolved, expected.counts.missing],
    ['imports from outside', counts.external, expected.counts.outside],
  ] as const) {
    if (found !== planned) throw new Error(`pnpm shm finds ${found} ${what}, not ${planned}`)
  }
  return done
}

/** @throws Error if a report is not about this graph */
function checkReport({ counts, sccs }: ScannedReport, graph: FileGraph): void {
  const edges = [...graph.values()].reduce((sum, { size }) => sum + size, 0)
  if (counts.files !== graph.size || counts.edges !== edges)
    throw new Error(
      `pnpm shm reports ${counts.files} files and ${counts.edges} imports, not ${graph.size} and ${edges}`,
    )
  const inWords = (all: readonly string[][]) => JSON.stringify(all.map(files => files.join()).sort())
  if (inWords(sccs.map(({ files }) => files)) !== inWords(componentsIn(graph)))
    throw new Error('pnpm shm reports other cycles than there are')
}

/** @throws Error if madge tells no cycles, or one that is none */
function checkCycles(cycles: readonly string[][], graph: FileGraph): void {
  if (cycles.length === 0) throw new Error('madge finds no cycle')
  for (const files of cycles) {
    const isOne = files.every((file, i) => graph.get(file)?.has(files[(i + 1) % files.length] as string))
    // A file that imports itself is no cycle of files.
    if (!isOne && files.length > 1) throw new Error(`madge finds a cycle that is none: ${files.join(' > ')}`)
  }
}

function treeNote({ graph, counts }: Expected): string {
  const edges = [...graph.values()].reduce((sum, { size }) => sum + size, 0)
  return (
    `whole process, made-up files in seven languages: ${count(edges)} imports, ${count(counts.outside)} from outside, ` +
    `${componentsIn(graph).length} cycles, all found; no git`
  )
}

function msOf({ ms }: Scan): number {
  return ms
}

function ownMs({ report }: Scan): number {
  return report.duration_ms
}

function count(value: number): string {
  return value.toLocaleString('en-GB')
}
