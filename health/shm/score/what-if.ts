import { type Closure, closureOf } from '../graph/closure.ts'
import { type Components, componentsOf, nodesInCycles } from '../graph/components.ts'
import { edgeSources, reachedFrom, turnedEdges, withoutEdges } from '../graph/edge-change.ts'
import type { ImportGraph } from '../graph.ts'
import type { ImportStructure, StructureCounts } from './import-structure.ts'
import { countImports } from './score-counts.ts'

/** Where less than this share of the files can be concerned, only the ways to those are counted again. */
const FEW = 1 / 3

/** Counts a structure again as it would be after a change: exactly, and no more of it than the change can concern. */
export class WhatIf {
  readonly #structure: ImportStructure
  #work = 0

  constructor(structure: ImportStructure) {
    this.#structure = structure
  }

  /** Steps taken so far, some nanoseconds each; the same on every machine. */
  get work(): number {
    return this.#work
  }

  /** The counts without these edges. */
  removed(edges: readonly number[]): StructureCounts {
    const { graph, sources, components } = this.#structure
    const { of } = components
    const changed = withoutEdges(graph, edges)
    const inside = edges.some(edge => of[sources[edge] as number] === of[graph.targets[edge] as number])
    const ends = edges.map(edge => graph.targets[edge] as number)
    this.#work += 10 * (graph.count + graph.targets.length)
    return this.#counted(changed, inside ? componentsOf(changed) : components, reachedFrom(graph, ends))
  }

  /** The counts with these edges the other way round. */
  turned(edges: readonly number[]): StructureCounts {
    const { graph, sources } = this.#structure
    const changed = turnedEdges(graph, edges, sources)
    const ends = edges.flatMap(edge => [sources[edge] as number, graph.targets[edge] as number])
    const before = reachedFrom(graph, ends)
    const concerned = reachedFrom(changed, ends).map((mark, node) => mark | (before[node] as number))
    this.#work += 14 * (graph.count + graph.targets.length)
    return this.#counted(changed, componentsOf(changed), concerned)
  }

  /** The counts with a file in another subsystem. */
  moved(file: number, to: number): StructureCounts {
    const { graph, sources, partition, counts } = this.#structure
    const of = partition.of.slice()
    of[file] = to
    this.#work += 3 * (graph.count + graph.targets.length)
    return { ...counts, imports: countImports(graph, sources, of, partition.subsystems.length) }
  }

  /** @param concerned the files to which there may be other ways than before, marked 1. */
  #counted(changed: ImportGraph, components: Components, concerned: Uint8Array): StructureCounts {
    const { graph, partition, components: old, counts } = this.#structure
    let files = 0
    for (const mark of concerned) files += mark
    const few = files < graph.count * FEW
    const reachablePairs = few
      ? counts.reachablePairs -
        this.#pairs(closureOf(graph, old, concerned)) +
        this.#pairs(closureOf(changed, components, concerned))
      : this.#pairs(closureOf(changed, components))
    return {
      filesInCycles: nodesInCycles(components),
      reachablePairs,
      imports: countImports(changed, edgeSources(changed), partition.of, partition.subsystems.length),
    }
  }

  #pairs({ pairs, work }: Closure): number {
    this.#work += work
    return pairs
  }
}
