/**
 * The import rule: which room may import what. Run directly, it checks the folder that it is given (the
 * repository if none) and prints a line for each violation, or one line when there is none.
 *
 * A room is a top-level folder. What counts is what runs: `import type` crosses rooms freely, except into
 * `events/`, which stands alone, and out of `bench/` and `test/`, which nothing is built on.
 */
import { readFile, stat } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { join, posix, resolve } from 'node:path'
import { type ImportUse, readModule } from './module-reader.ts'
import { sourceFiles } from './source-files.ts'

export interface Violation {
  /** From the root, with `/`. */
  file: string
  line: number
  /** What was imported, as it is written; `process.env` or `process.argv` where those were read. */
  import: string
  /** The rule that was broken, as a sentence. */
  rule: string
}

export interface Inspection {
  files: number
  imports: number
  violations: Violation[]
}

/** What an import leads to; `path` is from the root, with `/`. */
type Target =
  | { kind: 'builtin' | 'package' }
  | { kind: 'file'; path: string }
  | { kind: 'astray'; why: string }

const PACKAGE = /^(@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*(\/.*)?$/i
/** The programs: each puts rooms together and holds no logic. */
const PROGRAMS = new Set(['main.ts', 'demo.ts', 'replay.ts', 'backup.ts', 'restore.ts', 'shm.ts'])
/** What draws has no other dependencies: these run in Node and in browsers alike. */
const DRAWING_PACKAGES = new Set(['get-east-asian-width'])
const FLAG_PARSERS = new Set(['commander', 'yargs', 'minimist', 'mri', 'cac'])

/** Every violation of the import rule under `root`, by file and line. */
export async function checkImportRule(root: string): Promise<Violation[]> {
  return (await inspect(root)).violations
}

/** The violations, and how much was looked at. */
export async function inspect(root: string): Promise<Inspection> {
  const files = await sourceFiles(root, ['.ts', '.tsx'])
  const violations: Violation[] = []
  let imports = 0
  for (const file of files) {
    const module = readModule(file, await readFile(join(root, file), 'utf8'))
    imports += module.imports.length
    const broken = new Map<string, Violation>()
    const report = (line: number, name: string, rule: string | null) => {
      if (rule !== null) broken.set(`${line} ${name} ${rule}`, { file, line, import: name, rule })
    }
    for (const fault of module.faults) report(fault.line, '', `the file does not parse: ${fault.message}`)
    for (const use of module.imports) {
      const rule = (await importRule(root, file, use)) ?? flagRule(file, use)
      report(use.line, use.name ?? 'a computed name', rule)
    }
    for (const mention of module.mentions) report(mention.line, mention.name, environmentRule(file))
    violations.push(...[...broken.values()].sort((a, b) => a.line - b.line))
  }
  return { files: files.length, imports, violations }
}

/** The sentence that `use` breaks in `file`, or null. */
async function importRule(root: string, file: string, use: ImportUse): Promise<string | null> {
  const room = roomOf(file)
  if (use.name === null)
    return isTooling(room) ? null : 'an import names its module in a literal, so that it can be checked'
  const target = await targetOf(root, file, use.name)
  if (target.kind === 'astray') return target.why
  if (room === 'events' && !(target.kind === 'file' && roomOf(target.path) === 'events'))
    return 'events/ imports nothing but itself, types included'
  if (isTooling(room) || file === TEST_CONFIG) return null
  if (target.kind === 'file' && isTooling(roomOf(target.path)))
    return 'nothing but bench/ and test/ imports from bench/ or test/'
  if (use.typeOnly) return null
  if (room === null) return topLevelRule(file, target)
  const part = browserPart(file)
  if (part === 'compositor/draw' && DRAWING_PACKAGES.has(use.name)) return null
  return part === null ? roomRule(room, target) : browserRule(part, target)
}

function topLevelRule(file: string, target: Target): string | null {
  if (PROGRAMS.has(file)) return null
  if (file === 'config.ts') {
    if (target.kind !== 'file' || ['config', 'events'].includes(roomOf(target.path) ?? '')) return null
    return 'config.ts imports values only from config/, events/, packages and Node'
  }
  if (file === 'vitest.config.ts' && target.kind === 'file' && target.path.startsWith('test/house/'))
    return null
  return target.kind === 'package'
    ? null
    : 'a top-level file other than a program and config.ts imports packages only'
}

function browserRule(part: string, target: Target): string | null {
  if (target.kind === 'file') {
    if (roomOf(target.path) === 'events') return null
    const other = browserPart(target.path)
    if (other === part || other === 'broadcast/protocol') return null
    if (part === 'compositor/draw' && other === 'shaders') return null
  }
  return `${part} runs in browsers too: it imports values only from events/, broadcast/protocol and itself`
}

function roomRule(room: string, target: Target): string | null {
  if (target.kind !== 'file') return null
  const other = roomOf(target.path)
  if (other === room || other === 'events') return null
  if (room === 'compositor' && other === 'shaders') return null
  // It is fed what viewers are sent, and asked what they ask.
  if (room === 'compositor' && browserPart(target.path) === 'broadcast/protocol') return null
  // It keeps entries in the form in which they are sent.
  if (room === 'store' && browserPart(target.path) === 'broadcast/protocol') return null
  if (room !== 'web') return `${room}/ imports values only from itself, events/, packages and Node`
  if (other === 'shaders' || browserPart(target.path) !== null) return null
  return 'web/ imports values only from itself, events/, broadcast/protocol, broadcast/client, compositor/draw/, shaders/ and packages'
}

/** Only `config.ts` and its folder parse flags; `process.env` and `process.argv` themselves are found as mentions. */
function flagRule(file: string, use: ImportUse): string | null {
  if (use.name === null || use.typeOnly) return null
  const name = use.name.replace(/^node:/, '')
  const parses =
    FLAG_PARSERS.has(name) ||
    (name === 'util' && use.names.includes('parseArgs')) ||
    (name === 'process' && use.names.some(imported => imported === 'env' || imported === 'argv'))
  return parses ? environmentRule(file) : null
}

function environmentRule(file: string): string | null {
  const room = roomOf(file)
  if (file === 'config.ts' || room === 'config' || isTooling(room)) return null
  return 'only config.ts and config/ read flags and the environment'
}

async function targetOf(root: string, file: string, name: string): Promise<Target> {
  if (isBuiltin(name)) return { kind: 'builtin' }
  if (!name.startsWith('.')) {
    if (PACKAGE.test(name)) return { kind: 'package' }
    return { kind: 'astray', why: 'an import is relative, or names a package or a module of Node' }
  }
  const path = posix.join(posix.dirname(file), name.replace(/[?#].*$/, ''))
  if (path === '..' || path.startsWith('../'))
    return { kind: 'astray', why: 'an import stays inside the repository' }
  const found = await stat(join(root, path)).catch(() => null)
  if (!found?.isFile())
    return { kind: 'astray', why: `there is no file ${path}; an import is written with its extension` }
  return { kind: 'file', path }
}

/** The top-level folder; null for a file that is in none. */
function roomOf(path: string): string | null {
  const slash = path.indexOf('/')
  return slash === -1 ? null : path.slice(0, slash)
}

/** Part of the tests, wherever the runner looks for it. */
const TEST_CONFIG = 'vitest.config.ts'

function isTooling(room: string | null): boolean {
  return room === 'bench' || room === 'test'
}

/** Which of the parts that browsers run, too, a file outside `web/` belongs to. */
function browserPart(path: string): string | null {
  return /^(broadcast\/(?:client|protocol)|compositor\/draw|shaders)(?:\/|\.tsx?$)/.exec(path)?.[1] ?? null
}

function lineOf(violation: Violation): string {
  const { file, line, rule } = violation
  if (violation.import === '') return `${file}:${line}: ${rule}`
  const verb = violation.import.startsWith('process.') ? 'reads' : 'imports'
  return `${file}:${line} ${verb} ${violation.import}: ${rule}`
}

if (import.meta.main) {
  const root = resolve(process.argv[2] ?? join(import.meta.dirname, '../..'))
  const { files, imports, violations } = await inspect(root)
  for (const violation of violations) console.log(lineOf(violation))
  if (violations.length === 0) console.log(`import rule: ${files} files, ${imports} imports, no violation`)
  else process.exitCode = 1
}
