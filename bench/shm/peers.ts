/** What madge and dependency-cruiser find in a folder, and how long the whole process takes. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FileGraph, KnownDifference } from './comparison.ts'
import { runNode } from './whole-process.ts'

const INSTALLED = join(import.meta.dirname, '../peers/node_modules')
const MADGE = join(INSTALLED, 'madge/bin/cli.js')
const CRUISER = join(INSTALLED, 'dependency-cruiser/bin/dependency-cruiser.mjs')
const EXTENSIONS = 'ts,tsx,mts,cts,js,jsx,mjs,cjs'
const SOURCE = /\.[cm]?[jt]sx?$/

/** As its own `--init` writes it: the rule that finds cycles, and no work that no rule asks for. */
const CRUISER_CONFIG = {
  forbidden: [{ name: 'no-circular', severity: 'warn', from: {}, to: { circular: true } }],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Imports as they are written: compiled away, those that are used as types only would be missing.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    skipAnalysisNotInRules: true,
    enhancedResolveOptions: {
      extensions: EXTENSIONS.split(',').map(name => `.${name}`),
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}

/** Cycles by madge (`--circular`), each file importing the next one and the last the first. */
export async function madgeCycles(root: string, into: string): Promise<{ ms: number; cycles: string[][] }> {
  const { ms, output } = await madge(root, into, ['--circular'])
  return { ms, cycles: JSON.parse(output) }
}

/** Who imports whom by madge. */
export async function madgeGraph(root: string, into: string): Promise<FileGraph> {
  const { output } = await madge(root, into, [])
  const graph = JSON.parse(output) as Record<string, string[]>
  return new Map(
    Object.entries(graph).map(([from, targets]) => [from, new Set(targets.filter(to => to !== from))]),
  )
}

async function madge(root: string, into: string, flags: readonly string[]) {
  const args = [MADGE, '--extensions', EXTENSIONS, '--ts-config', 'tsconfig.json', '--json', ...flags, '.']
  const ended = await runNode(args, { cwd: root, into })
  // 1 says that there are cycles.
  if (ended.code !== 0 && ended.code !== 1) throw new Error(`madge ended with ${ended.code}: ${ended.errors}`)
  return ended
}

export interface Cruise {
  ms: number
  graph: FileGraph
}

interface CruiserModule {
  source: string
  coreModule?: boolean
  couldNotResolve?: boolean
  dependencies: {
    module: string
    resolved: string
    coreModule: boolean
    couldNotResolve: boolean
    dependencyTypes: string[]
  }[]
}

/** Cycles and who imports whom by dependency-cruiser. */
export async function cruise(root: string, into: string): Promise<Cruise> {
  const config = join(into, 'dependency-cruiser.json')
  writeFileSync(config, JSON.stringify(CRUISER_CONFIG))
  const args = [CRUISER, '--config', config, '--output-type', 'json', '.']
  const { ms, code, output, errors } = await runNode(args, { cwd: root, into })
  if (code !== 0) throw new Error(`dependency-cruiser ended with ${code}: ${errors}`)
  const { modules } = JSON.parse(output) as { modules: CruiserModule[] }
  const graph = new Map<string, Set<string>>()
  for (const { source, coreModule, couldNotResolve, dependencies } of modules) {
    // It also lists what is imported: parts of Node, packages that are not there, JSON.
    if (coreModule || couldNotResolve || !SOURCE.test(source)) continue
    const runTime = dependencies.filter(({ dependencyTypes }) => !isOfTypes(dependencyTypes))
    const targets = runTime
      .filter(to => !to.coreModule && !to.couldNotResolve && SOURCE.test(to.resolved))
      .map(({ resolved }) => resolved)
    graph.set(source, new Set(targets.filter(to => to !== source)))
  }
  return { ms, graph }
}

/** Gone at run time: `import type`, `export type … from`, `import('…').Type`. */
function isOfTypes(types: readonly string[]): boolean {
  return types.includes('type-only') || types.includes('type-import')
}

/** What madge is known to miss in a folder of packages. */
export function madgeMisses(root: string): KnownDifference {
  return {
    // Node, "Packages": https://nodejs.org/api/packages.html#subpath-imports
    name: 'by a #name that the package.json around gives to the file, which madge does not look up',
    isOurs: ({ from, to }) => {
      const folder = from.slice(0, from.indexOf('/'))
      const { imports = {} } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
      const names = Object.keys(imports).filter(name => {
        return JSON.stringify(imports[name]).includes(`"./${to.slice(folder.length + 1)}"`)
      })
      const text = readFileSync(join(root, from), 'utf8')
      return names.some(name => text.includes(`from '${name}'`))
    },
  }
}
