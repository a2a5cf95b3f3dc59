import type { PasWorstEdge } from '../report.ts'
import type { ImportStructure } from './import-structure.ts'
import { toNineDigits } from './pas.ts'
import { couplingsOf, instability, isAgainst } from './score-counts.ts'

/** Told at most. */
const MOST = 20

/**
 * The imports between subsystems that point from the more stable one to the less stable one: the widest gap of
 * instability first, with the same gap by file and line; at most 20.
 */
export function worstEdgesOf(
  { graph, sources, partition }: ImportStructure,
  pathOf: (file: number) => string,
): PasWorstEdge[] {
  const { of, subsystems } = partition
  const couplings = couplingsOf(graph.targets, sources, of, subsystems.length)
  const against: { edge: number; from: number; to: number; gap: number }[] = []
  for (let edge = 0; edge < sources.length; edge++) {
    const from = of[sources[edge] as number] as number
    const to = of[graph.targets[edge] as number] as number
    if (from === to || !isAgainst(couplings, from, to)) continue
    against.push({ edge, from, to, gap: instability(couplings, to) - instability(couplings, from) })
  }
  const line = (edge: number) => graph.lines[edge] as number
  return against
    .sort(
      (one, other) =>
        other.gap - one.gap ||
        (sources[one.edge] as number) - (sources[other.edge] as number) ||
        line(one.edge) - line(other.edge) ||
        one.edge - other.edge,
    )
    .slice(0, MOST)
    .map(({ edge, from, to }) => ({
      file: pathOf(sources[edge] as number),
      line: line(edge),
      to: pathOf(graph.targets[edge] as number),
      from_subsystem: subsystems[from]?.name ?? '',
      to_subsystem: subsystems[to]?.name ?? '',
      from_instability: toNineDigits(instability(couplings, from)),
      to_instability: toNineDigits(instability(couplings, to)),
    }))
}
