import type { PasReport } from '../report.ts'

/** The subsystems of a report and the imports between them. */
export interface SubsystemGraph {
  /**
   * Indices into `subsystems`: what imports stands before what it imports, and the parts of a cycle side by side. So in
   * a matrix in this order imports lie above the diagonal, and below it only some that close a cycle.
   */
  order: number[]
  /** Groups of parts that import each other in a circle, in this order; parts in none are in no group. */
  cycles: number[][]
  /** Of each subsystem its group, -1 for none. */
  cycleOf: number[]
  /** I = Ce/(Ca+Ce) of each; null where no import crosses its border. */
  instability: (number | null)[]
}

/**
 * Reads a report's DSM as a graph, an empty one where the report has so many subsystems that it tells none. K subsystems take
 * about K² steps for each group.
 */
export function subsystemGraphOf({ dsm }: PasReport): SubsystemGraph {
  const count = dsm.length
  const targets = dsm.map((row, i) => row.flatMap((imports, j) => (imports > 0 && i !== j ? [j] : [])))
  const groupOf = groupsOf(targets)
  const members = Map.groupBy(groupOf.keys(), i => groupOf[i] as number)
  // Kahn 1962 over the groups: of those that nothing left imports, the one whose first part is first by name.
  const importers = new Map([...members.keys()].map(group => [group, new Set<number>()]))
  targets.forEach((row, i) => {
    const from = groupOf[i] as number
    for (const j of row) if (groupOf[j] !== from) importers.get(groupOf[j] as number)?.add(from)
  })
  const order: number[] = []
  const cycles: number[][] = []
  const cycleOf = new Array<number>(count).fill(-1)
  while (importers.size > 0) {
    const free = [...importers].find(([, left]) => left.size === 0)
    if (free === undefined) throw new Error('groups of a condensation cannot form a cycle')
    const [group] = free
    importers.delete(group)
    for (const left of importers.values()) left.delete(group)
    const parts = members.get(group) as number[]
    if (parts.length > 1) {
      for (const part of parts) cycleOf[part] = cycles.length
      cycles.push(parts)
    }
    order.push(...parts)
  }
  return { order, cycles, cycleOf, instability: instabilityOf(dsm) }
}

/** Of each node the least node that it can reach and be reached from, itself if there is no other. */
function groupsOf(targets: readonly number[][]): number[] {
  const sources: number[][] = targets.map(() => [])
  targets.forEach((row, i) => {
    for (const j of row) sources[j]?.push(i)
  })
  const groupOf = new Array<number>(targets.length).fill(-1)
  for (let i = 0; i < targets.length; i++) {
    if (groupOf[i] !== -1) continue
    const ahead = reachedFrom(i, targets)
    const behind = reachedFrom(i, sources)
    for (const j of ahead) if (behind.has(j)) groupOf[j] = i
  }
  return groupOf
}

function reachedFrom(start: number, targets: readonly number[][]): Set<number> {
  const reached = new Set([start])
  // A set is gone through in the order in which it grows.
  for (const i of reached) for (const j of targets[i] as number[]) reached.add(j)
  return reached
}

function instabilityOf(dsm: readonly number[][]): (number | null)[] {
  const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0)
  return dsm.map((row, i) => {
    const inside = row[i] as number
    const outward = sum(row) - inside
    const inward = sum(dsm.map(other => other[i] as number)) - inside
    return outward + inward === 0 ? null : outward / (outward + inward)
  })
}
