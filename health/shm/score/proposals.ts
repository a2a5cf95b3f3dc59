import { closureOf } from '../graph/closure.ts'
import { componentsOf, nodesInCycles } from '../graph/components.ts'
import { withoutEdges } from '../graph/edge-change.ts'
import { feedbackSet } from '../graph/feedback-set.ts'
import { transposed, transposedComponents } from '../graph/transposed-graph.ts'
import type { FoundScc, ImportStructure } from './import-structure.ts'
import { couplingsOf, instability, isAgainst } from './score-counts.ts'

/** A change that may help. `edges` are places in the graph. */
export type Proposal =
  /** Remove all these: the SCC falls apart. */
  | { kind: 'dissolve'; edges: number[]; scc: FoundScc }
  /** Remove this one: so many files are on no cycle any more. */
  | { kind: 'loosen'; edges: number[]; scc: FoundScc; freed: number }
  /** Remove or turn round all imports from one subsystem to another, which go against stability. */
  | { kind: 'remove' | 'turn'; edges: number[]; from: number; to: number }
  /** Remove this one, behind and before which much lies. */
  | { kind: 'cut'; edges: number[] }
  /** Put a file into another subsystem; the edges are those between it and files there, of `ties` in all. */
  | { kind: 'move'; edges: number[]; file: number; from: number; to: number; ties: number }

/** What somebody may be asked to do in one go. */
const MOST_EDGES = 25
const MOST_SCCS = 8
const MOST_BUNDLES = 8
const MOST_MOVES = 8
const MOST_CUTS = 4
/** Edges looked at to find the import of an SCC that matters most. */
const LOOSEN_WORK = 1_000_000
const LEAST_LOOSEN_TRIES = 4
/** Above this the ways to each file are not counted only to find what might be cut. */
const CUT_WORK = 20_000_000

/**
 * Changes worth trying: the most promising one of each kind, then the second of each kind, and so on; none twice, and
 * what ends a cycle as that.
 */
export function proposals(structure: ImportStructure): Proposal[] {
  const kinds = [...cycleProposals(structure), bundles(structure), moves(structure), cuts(structure)]
  const longest = Math.max(...kinds.map(({ length }) => length))
  const found = new Map<string, Proposal>()
  for (let i = 0; i < longest; i++) {
    for (const proposal of kinds.flatMap(kind => kind[i] ?? [])) {
      const deed = proposal.kind === 'move' || proposal.kind === 'turn' ? proposal.kind : 'remove'
      const what = proposal.kind === 'move' ? `${proposal.file} ${proposal.to}` : proposal.edges.join(' ')
      const key = `${deed} ${what}`
      if (!found.has(key) || 'scc' in proposal) found.set(key, proposal)
    }
  }
  return [...found.values()]
}

/**
 * For each of the largest SCCs a set of imports that holds it together, and the one import that holds most of it. Of two
 * files that import each other either import may go: which one the score has to tell.
 */
function cycleProposals({ sccs }: ImportStructure): [dissolve: Proposal[], loosen: Proposal[]] {
  const dissolve: Proposal[] = []
  const loosen: Proposal[] = []
  for (const scc of sccs.slice(0, MOST_SCCS)) {
    if (scc.nodes.length === 2) {
      for (const edge of scc.edges) dissolve.push({ kind: 'dissolve', edges: [edge], scc })
      continue
    }
    const edges = feedbackSet(scc)
    const best = edges.length === 1 ? null : mostFreeing(scc, edges)
    // Where no one import frees a file there is nothing less to be asked for.
    if (edges.length <= MOST_EDGES || best === null) dissolve.push({ kind: 'dissolve', edges, scc })
    if (best !== null) loosen.push({ kind: 'loosen', edges: [best.edge], scc, freed: best.freed })
  }
  return [dissolve, loosen]
}

/**
 * The edge of the shortest cycle, or of those that hold an SCC together, without which the most of its files lie on no
 * cycle; null: no one edge frees a file.
 */
function mostFreeing(scc: FoundScc, holding: readonly number[]): { edge: number; freed: number } | null {
  const graph = {
    count: scc.nodes.length,
    offsets: scc.offsets,
    targets: Uint32Array.from(scc.targets),
    lines: scc.edges,
  }
  const tries = Math.max(LEAST_LOOSEN_TRIES, Math.floor(LOOSEN_WORK / scc.edges.length))
  const edges = new Set([...scc.cycle.slice(0, tries / 2), ...holding.slice(0, tries / 2)])
  let best: { edge: number; freed: number } | null = null
  for (const edge of edges) {
    const without = withoutEdges(graph, [scc.edges.indexOf(edge)])
    const freed = graph.count - nodesInCycles(componentsOf(without))
    if (freed > (best?.freed ?? 0)) best = { edge, freed }
  }
  return best
}

/** Imports from one subsystem to another that go against stability: by the gap of instability times their number. */
function bundles({ graph, sources, partition }: ImportStructure): Proposal[] {
  const { of, subsystems } = partition
  const couplings = couplingsOf(graph.targets, sources, of, subsystems.length)
  const found = new Map<number, { from: number; to: number; edges: number[] }>()
  for (let edge = 0; edge < sources.length; edge++) {
    const from = of[sources[edge] as number] as number
    const to = of[graph.targets[edge] as number] as number
    if (from === to || !isAgainst(couplings, from, to)) continue
    const key = from * subsystems.length + to
    const bundle = found.get(key)
    if (bundle) bundle.edges.push(edge)
    else found.set(key, { from, to, edges: [edge] })
  }
  return [...found.values()]
    .filter(({ edges }) => edges.length <= MOST_EDGES)
    .map(bundle => ({
      ...bundle,
      harm: bundle.edges.length * (instability(couplings, bundle.to) - instability(couplings, bundle.from)),
    }))
    .sort((one, other) => other.harm - one.harm || (one.edges[0] as number) - (other.edges[0] as number))
    .slice(0, MOST_BUNDLES)
    .flatMap(({ from, to, edges }): Proposal[] => [
      { kind: 'remove', edges, from, to },
      { kind: 'turn', edges, from, to },
    ])
}

/** Files that are tied to another subsystem more than to their own, by how much more. */
function moves(structure: ImportStructure): Proposal[] {
  const { graph, sources, partition } = structure
  const { of, subsystems } = partition
  const directions = [graph, transposed(graph)]
  const tiesTo = new Uint32Array(subsystems.length)
  const candidates: { file: number; to: number; surplus: number }[] = []
  for (let file = 0; file < graph.count; file++) {
    const home = of[file] as number
    let to = home
    for (const { offsets, targets } of directions) {
      for (let edge = offsets[file] as number; edge < (offsets[file + 1] as number); edge++) {
        const part = of[targets[edge] as number] as number
        tiesTo[part] = (tiesTo[part] as number) + 1
      }
    }
    for (const { offsets, targets } of directions) {
      for (let edge = offsets[file] as number; edge < (offsets[file + 1] as number); edge++) {
        const part = of[targets[edge] as number] as number
        const more = (tiesTo[part] as number) - (tiesTo[to] as number)
        if (more > 0 || (more === 0 && to !== home && part < to)) to = part
      }
    }
    if (to !== home) {
      candidates.push({ file, to, surplus: (tiesTo[to] as number) - (tiesTo[home] as number) })
    }
    for (const { offsets, targets } of directions) {
      for (let edge = offsets[file] as number; edge < (offsets[file + 1] as number); edge++)
        tiesTo[of[targets[edge] as number] as number] = 0
    }
  }
  const best = candidates
    .sort((one, other) => other.surplus - one.surplus || one.file - other.file)
    .slice(0, MOST_MOVES)
  const ties = tiesOf(
    best.map(({ file }) => file),
    structure,
  )
  return best.map(({ file, to }, i) => {
    const tied = ties[i] as number[]
    const edges = tied.filter(edge => {
      const [source, target] = [sources[edge] as number, graph.targets[edge] as number]
      return of[source === file ? target : source] === to
    })
    return { kind: 'move', edges, file, from: of[file] as number, to, ties: tied.length }
  })
}

/** The edges from and to each of these files. */
function tiesOf(files: readonly number[], { graph: { targets }, sources }: ImportStructure): number[][] {
  const ties = files.map((): number[] => [])
  const wanted = new Map(files.map((file, i) => [file, ties[i] as number[]]))
  for (let edge = 0; edge < targets.length; edge++) {
    wanted.get(targets[edge] as number)?.push(edge)
    wanted.get(sources[edge] as number)?.push(edge)
  }
  return ties
}

/**
 * Imports that lie on no cycle, by how many ways between files may lead over them: those to it times those from it.
 */
function cuts({ graph, sources, components, closure }: ImportStructure): Proposal[] {
  if (closure.work > CUT_WORK) return []
  const { of, sizes } = components
  const back = closureOf(transposed(graph), transposedComponents(components))
  const ways = (edge: number) => {
    const [from, to] = [of[sources[edge] as number] as number, of[graph.targets[edge] as number] as number]
    return (back.reach[sizes.length - 1 - from] as number) * (closure.reach[to] as number)
  }
  const best: { edge: number; ways: number }[] = []
  for (let edge = 0; edge < sources.length; edge++) {
    if (of[sources[edge] as number] === of[graph.targets[edge] as number]) continue
    const candidate = { edge, ways: ways(edge) }
    const place = best.findIndex(other => other.ways < candidate.ways)
    if (place >= 0) best.splice(place, 0, candidate)
    else if (best.length < MOST_CUTS) best.push(candidate)
    if (best.length > MOST_CUTS) best.pop()
  }
  return best.map(({ edge }) => ({ kind: 'cut', edges: [edge] }))
}
