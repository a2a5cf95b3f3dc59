/** Edits of a made-up tree's files whose effect is known. */
import { componentsIn, type FileGraph } from './comparison.ts'
import { relativePath } from './mixed-styles.ts'
import { expectedOf, type MixedTree, type PlannedFile, type PlannedImport } from './mixed-tree.ts'
import type { Edit } from './watch-process.ts'

/** An edit, and what the report has to say after it. */
export interface KnownEdit extends Edit {
  edges: number
  inCycles: number
}

export interface Edits {
  /** Something is written at a file's end: its imports are as before. */
  content: KnownEdit[]
  /** Something is written at its beginning: its imports stand elsewhere. */
  moved: KnownEdit[]
  /** An import comes or goes, in turns: every second pair of them closes a cycle through two packages. */
  imports: KnownEdit[]
}

const FROM = 10
const APART = 37

/** @param pairs of edits of each kind */
export function editsOf(tree: MixedTree, pairs: number): Edits {
  const { graph } = expectedOf(tree)
  const edges = [...graph.values()].reduce((sum, { size }) => sum + size, 0)
  const inCycles = filesInCycles(graph)
  const back = (path: string): KnownEdit => ({ path, edges, inCycles })
  const scripts = tree.files.filter(({ path }) => path.endsWith('.ts'))
  const content: KnownEdit[] = []
  const moved: KnownEdit[] = []
  const imports: KnownEdit[] = []
  const crossings = tree.files.flatMap(file => file.imports.flatMap(found => wayBack(file, found) ?? []))
  for (let i = 0; i < pairs; i++) {
    const at = (FROM + i * APART) % scripts.length
    const file = scripts[at] as PlannedFile
    const was = back(file.path)
    content.push({ ...was, after: `// ${i}: looked at again\n` }, was)
    moved.push({ ...was, before: `// ${i}: looked at again\n` }, was)
    const added = i % 2 === 0 ? notImported(file, graph) : crossings[(FROM + i * APART) % crossings.length]
    if (added === undefined) throw new Error('the tree has nothing to edit')
    const { from, to } = added
    const targets = graph.get(from.path) as Set<string>
    targets.add(to.path)
    const name = from.package === to.package ? relativePath(from, to) : to.package.name
    const closed = filesInCycles(graph)
    imports.push(
      { path: from.path, before: `import '${name}'\n`, edges: edges + 1, inCycles: closed },
      back(from.path),
    )
    targets.delete(to.path)
  }
  return { content, moved, imports }
}

interface Added {
  from: PlannedFile
  to: PlannedFile
}

/** An import of a file that comes before it in its package and that it does not import yet. */
function notImported(file: PlannedFile, graph: FileGraph): Added | undefined {
  const targets = graph.get(file.path)
  const to = file.package.files.find(other => other.place < file.place && !targets?.has(other.path))
  if (to !== undefined) return { from: file, to }
  const { entry } = file.package
  return file === entry ? undefined : notImported(entry, graph)
}

/** Where a package's entry imports a file of another package: the import that leads back. */
function wayBack(file: PlannedFile, { kind, to }: PlannedImport): Added | null {
  if (to === null || kind === 'type' || file !== file.package.entry || to.package === file.package)
    return null
  return file.path.endsWith('.ts') && to.path.endsWith('.ts') ? { from: to, to: file } : null
}

function filesInCycles(graph: FileGraph): number {
  return componentsIn(graph).reduce((sum, { length }) => sum + length, 0)
}
