/** Whether two tools read the same thing: the files, who imports whom, and what is in cycles. */

/** Who imports whom at run time, by path from the root of the tree: no file itself, each once. */
export type FileGraph = ReadonlyMap<string, ReadonlySet<string>>

export interface FileEdge {
  from: string
  to: string
}

/** A difference that is known and right: its name and what it is about. */
export interface KnownDifference {
  /** Which, and who is right and why. */
  name: string
  /** Whether an edge that only ours has is such a one. */
  isOurs(edge: FileEdge): boolean
}

export interface Agreement {
  files: number
  /** Edges that both have. */
  edges: number
  /** Strongly connected components of more than one file, which both have with the same members. */
  components: number
  /** Files in them. */
  inComponents: number
  /** Edges that only ours has, for a reason that is known: their number by its name. */
  explained: ReadonlyMap<string, number>
}

/** How many of each kind a message lists. */
const LISTED = 8

/**
 * Checks that two graphs of one tree are the same: files, edges, and the members of every strongly connected component.
 * Edges that only ours has and that a known difference explains are set aside first.
 *
 * @param names whose they are: `[ours, theirs]`
 * @throws Error listing what only one of them has
 */
export function checkSame(
  ours: FileGraph,
  theirs: FileGraph,
  names: readonly [string, string],
  known: readonly KnownDifference[] = [],
): Agreement {
  const problems: string[] = []
  const compare = (what: string, one: readonly string[], other: readonly string[]) => {
    for (const [name, mine, yours] of [
      [names[0], one, other],
      [names[1], other, one],
    ] as const) {
      const has = new Set(yours)
      const only = mine.filter(item => !has.has(item))
      if (only.length > 0) problems.push(`${only.length} ${what} only ${name} has: ${listed(only)}`)
    }
  }
  compare('files that', [...ours.keys()], [...theirs.keys()])
  const explained = new Map<string, number>()
  const both = filtered(ours, edge => {
    const reason = theirs.get(edge.from)?.has(edge.to) ? undefined : known.find(one => one.isOurs(edge))
    if (reason === undefined) return true
    explained.set(reason.name, (explained.get(reason.name) ?? 0) + 1)
    return false
  })
  const edges = edgesOf(both)
  compare('imports that', edges, edgesOf(theirs))
  const components = componentsIn(both)
  const inWords = (all: readonly string[][]) =>
    all.map(files => `${files.length} files (${files.join(', ')})`)
  compare('cycles that', inWords(components), inWords(componentsIn(theirs)))
  if (problems.length > 0) throw new Error(problems.join('\n'))
  return {
    files: ours.size,
    edges: edges.length,
    components: components.length,
    inComponents: components.reduce((sum, { length }) => sum + length, 0),
    explained,
  }
}

/** Every import as `a -> b`. */
export function edgesOf(graph: FileGraph): string[] {
  return [...graph].flatMap(([from, targets]) => [...targets].map(to => `${from} -> ${to}`))
}

/** The part of a graph that lies below a folder, with the imports in it. */
export function partOf(graph: FileGraph, isIn: (path: string) => boolean): FileGraph {
  const files = [...graph].filter(([from]) => isIn(from))
  return new Map(files.map(([from, targets]) => [from, new Set([...targets].filter(isIn))]))
}

/**
 * The strongly connected components of more than one file, each sorted, the largest first (Kosaraju and Sharir, by two
 * walks; what is measured uses Tarjan's one walk).
 */
export function componentsIn(graph: FileGraph): string[][] {
  const importers = new Map<string, string[]>()
  for (const [from, targets] of graph) {
    for (const to of targets) {
      const known = importers.get(to)
      if (known === undefined) importers.set(to, [from])
      else known.push(from)
    }
  }
  const seen = new Set<string>()
  const left: string[] = []
  for (const root of graph.keys()) walk(root, file => graph.get(file) ?? [], seen, left)
  const taken = new Set<string>()
  const components: string[][] = []
  for (const root of left.reverse()) {
    const files: string[] = []
    walk(root, file => importers.get(file) ?? [], taken, files)
    if (files.length > 1) components.push(files.sort())
  }
  return components.sort(
    (one, other) => other.length - one.length || (firstOf(one) < firstOf(other) ? -1 : 1),
  )
}

/** Walks from a file to all that were not seen, and notes each when it is left. */
function walk(
  root: string,
  next: (file: string) => Iterable<string>,
  seen: Set<string>,
  left: string[],
): void {
  if (seen.has(root)) return
  seen.add(root)
  const path = [{ file: root, targets: next(root)[Symbol.iterator]() }]
  while (path.length > 0) {
    const { file, targets } = path.at(-1) as (typeof path)[number]
    const { done, value } = targets.next()
    if (done) {
      left.push(file)
      path.pop()
    } else if (!seen.has(value)) {
      seen.add(value)
      path.push({ file: value, targets: next(value)[Symbol.iterator]() })
    }
  }
}

function filtered(graph: FileGraph, keep: (edge: FileEdge) => boolean): FileGraph {
  return new Map(
    [...graph].map(([from, targets]) => [from, new Set([...targets].filter(to => keep({ from, to })))]),
  )
}

function listed(items: readonly string[]): string {
  const more = items.length > LISTED ? `, and ${items.length - LISTED} more` : ''
  return items.slice(0, LISTED).join(', ') + more
}

function firstOf(files: readonly string[]): string {
  return files[0] as string
}
