import type { ImportStructure, StructureCounts } from './import-structure.ts'
import { type Proposal, proposals } from './proposals.ts'
import { WhatIf } from './what-if.ts'

/** A change that may help, and what would be counted then. */
export interface Change {
  proposal: Proposal
  counts: StructureCounts
}

/** Steps for all proposals together: about a twentieth of a second. */
const WORK = 6_000_000
/** Tried however large the tree is. */
const LEAST_TRIED = 4

/**
 * Tries changes: the most promising of each kind first, until a fixed amount of work is done. The amount is counted,
 * not timed, so that the same tree gets the same advice on every machine.
 */
export function changesOf(structure: ImportStructure): Change[] {
  const whatIf = new WhatIf(structure)
  const changes: Change[] = []
  for (const proposal of proposals(structure)) {
    if (whatIf.work > WORK && changes.length >= LEAST_TRIED) break
    changes.push({ proposal, counts: countsAfter(whatIf, proposal) })
  }
  return changes
}

function countsAfter(whatIf: WhatIf, proposal: Proposal): StructureCounts {
  switch (proposal.kind) {
    case 'move':
      return whatIf.moved(proposal.file, proposal.to)
    case 'turn':
      return whatIf.turned(proposal.edges)
    default:
      return whatIf.removed(proposal.edges)
  }
}
