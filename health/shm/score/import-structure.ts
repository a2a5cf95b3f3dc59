import { type Closure, closureOf } from '../graph/closure.ts'
import { type Components, componentsOf, nodesInCycles } from '../graph/components.ts'
import { edgeSources } from '../graph/edge-change.ts'
import { shortestCycle } from '../graph/shortest-cycle.ts'
import { type StrongSubgraph, strongSubgraphs } from '../graph/strong-subgraph.ts'
import type { ImportGraph } from '../graph.ts'
import type { Partition } from '../source-tree.ts'
import { countImports, type ImportCounts } from './score-counts.ts'

/** What a score takes from the imports and the subsystems, and nothing of what is in the files. */
export interface StructureCounts {
  filesInCycles: number
  reachablePairs: number
  imports: ImportCounts
}

/** A cycle of files, as large as it gets. */
export interface FoundScc extends StrongSubgraph {
  /** A shortest cycle in it: edges of the whole graph. */
  cycle: number[]
}

/** What the imports between files in subsystems amount to. */
export interface ImportStructure {
  graph: ImportGraph
  partition: Partition
  /** Of each edge the file that it comes from. */
  sources: Uint32Array
  components: Components
  closure: Closure
  counts: StructureCounts
  /** Largest first. */
  sccs: FoundScc[]
}

/** Looks through the imports between files in subsystems. */
export function importStructureOf(graph: ImportGraph, partition: Partition): ImportStructure {
  const sources = edgeSources(graph)
  const components = componentsOf(graph)
  const closure = closureOf(graph, components)
  const counts: StructureCounts = {
    filesInCycles: nodesInCycles(components),
    reachablePairs: closure.pairs,
    imports: countImports(graph, sources, partition.of, partition.subsystems.length),
  }
  const sccs = strongSubgraphs(graph, components).map(scc => ({ ...scc, cycle: shortestCycle(scc) }))
  return { graph, partition, sources, components, closure, counts, sccs }
}
