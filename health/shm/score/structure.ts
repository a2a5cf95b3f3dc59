import type { ImportGraph } from '../graph.ts'
import type { Partition } from '../source-tree.ts'
import { type Change, changesOf } from './changes.ts'
import { type ImportStructure, importStructureOf } from './import-structure.ts'

/**
 * All that a report says which depends on imports and subsystems alone: while these stay the same, so does this,
 * whatever else changes in the files.
 */
export interface Structure extends ImportStructure {
  /** Changes that may help, each with what would be counted then. */
  changes: Change[]
}

/** Looks through the imports between files in subsystems, and tries what might make them better. */
export function structureOf(graph: ImportGraph, partition: Partition): Structure {
  const structure = importStructureOf(graph, partition)
  return { ...structure, changes: changesOf(structure) }
}
