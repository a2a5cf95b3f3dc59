/** How the files of a tree are put into parts. */
import { createHash } from 'node:crypto'
import type { Partition, ScanWarning, SourceTree } from '../source-tree.ts'
import { globOf } from './glob.ts'
import { byCodeUnit } from './order.ts'
import type { PasConfig } from './pas-config.ts'

/** The part of files that no other part takes. */
const REST = '.'

/**
 * The parts of a tree, the first of these that says something:
 * - those that the config declares: a file is in the first one of whose globs one means it;
 * - the packages that its workspaces name, if at least two of them below the root hold files; a file is in the innermost one,
 *   and the part has the name of its folder;
 * - the folders right in the source root, which is the deepest folder that holds all files.
 *
 * Files that none takes are the part `.`. No part is empty.
 */
export function partitionOf(tree: SourceTree, config: PasConfig | null): Partition {
  const declared = Object.entries(config?.subsystems ?? {})
  if (declared.length > 0) return partitionBy('declared', tree, declaredPart(declared))
  const members = new Set(tree.packages.filter(({ member }) => member).map(({ folder }) => folder))
  members.delete('')
  if (members.size > 1) {
    const partition = partitionBy('workspaces', tree, memberPart(members))
    if (partition.subsystems.filter(({ name }) => name !== REST).length > 1) return partition
  }
  return partitionBy('folders', tree, folderPart(tree))
}

/** What is odd about a partition: parts that the config declares and no file is in. */
export function partitionWarnings(partition: Partition, config: PasConfig | null): ScanWarning[] {
  if (partition.by !== 'declared') return []
  const names = new Set(partition.subsystems.map(({ name }) => name))
  return Object.keys(config?.subsystems ?? {})
    .filter(name => !names.has(name))
    .sort(byCodeUnit)
    .map(name => ({
      code: 'EMPTY_SUBSYSTEM',
      path: null,
      message: `No file is in the subsystem ${name}: its globs mean none, or earlier subsystems take them all.`,
    }))
}

/**
 * SHA-256, hex, of how the parts came about and of their names (`{"by":…,"subsystems":[…]}`, by name). Scores compare where it
 * is equal: that files come, go and move from one part to the other does not change it, a part that comes or goes does.
 */
export function partitionHash(partition: Partition): string {
  const subsystems = partition.subsystems.map(({ name }) => name)
  return createHash('sha256')
    .update(JSON.stringify({ by: partition.by, subsystems }))
    .digest('hex')
}

function partitionBy(by: Partition['by'], tree: SourceTree, partOf: (path: string) => string): Partition {
  const parts = new Map<string, number[]>()
  for (const [file, { path }] of tree.files.entries()) {
    const name = partOf(path)
    const files = parts.get(name)
    if (files === undefined) parts.set(name, [file])
    else files.push(file)
  }
  const subsystems = [...parts]
    .map(([name, files]) => ({ name, files }))
    .sort((a, b) => byCodeUnit(a.name, b.name))
  const of = new Int32Array(tree.files.length)
  for (const [part, { files }] of subsystems.entries()) for (const file of files) of[file] = part
  return { by, subsystems, of }
}

function declaredPart(declared: readonly (readonly [string, readonly string[]])[]): (path: string) => string {
  const parts = declared.map(([name, globs]) => ({ name, tests: globs.map(globOf) }))
  return path => parts.find(({ tests }) => tests.some(test => test(path)))?.name ?? REST
}

function memberPart(members: ReadonlySet<string>): (path: string) => string {
  const known = new Map<string, string>()
  return path => {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    const before = known.get(folder)
    if (before !== undefined) return before
    let at = folder
    while (at !== '' && !members.has(at)) at = at.slice(0, Math.max(0, at.lastIndexOf('/')))
    const part = at === '' ? REST : at
    known.set(folder, part)
    return part
  }
}

/** Files are sorted: what the first and the last path have in common all have. */
function folderPart({ files }: SourceTree): (path: string) => string {
  const first = files.at(0)?.path ?? ''
  const last = files.at(-1)?.path ?? ''
  let root = 0
  for (let at = 0; at < first.length && first[at] === last[at]; at++) if (first[at] === '/') root = at + 1
  return path => {
    const end = path.indexOf('/', root)
    return end === -1 ? REST : path.slice(root, end)
  }
}
