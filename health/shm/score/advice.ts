import { countText } from '../../../events/quantities.ts'
import type { PasAdvice } from '../report.ts'
import type { Change } from './changes.ts'
import { scoreOf, toNineDigits } from './pas.ts'
import type { ScoreCounts } from './score-counts.ts'
import type { Structure } from './structure.ts'

/** Told at most for what they bring. */
const MOST = 5
/** What brings less is not worth a sentence, but for an SCC's end: in a large tree a small one costs next to nothing, yet fails gates. */
const LEAST_GAIN = 0.0005
/** SCCs of which there is a word in any case. */
const MOST_SCCS = 3

/** What advice is about, beside the structure. */
export interface AdviceInput {
  structure: Structure
  /** What was counted. */
  counts: ScoreCounts
  /** Lines of each file. */
  lines: Uint32Array
  pathOf(file: number): string
}

/**
 * What to do first: the changes that bring most, each scored by itself with all counts as they would be then. Commits
 * stay as they are: what they would have touched cannot be known. Of the ways to deal with the same imports only the
 * best is told, one that leaves a cycle behind never before one that does not. At most five are told for what they bring,
 * and one more for each of up to three SCCs that these say nothing of, whatever it brings.
 */
export function adviceOf(input: AdviceInput): PasAdvice[] {
  const { structure, counts } = input
  const { score } = scoreOf(counts)
  if (score === null) return []
  const best = new Map<string, PasAdvice>()
  const isAboutScc = ({ proposal }: Change) => Number('scc' in proposal)
  for (const change of structure.changes.toSorted((one, other) => isAboutScc(other) - isAboutScc(one))) {
    const key = change.proposal.edges.join(' ')
    const known = best.get(key)
    const scc = sccBroken(input, change, known)
    if (known?.breaks !== undefined && scc === null) continue
    const then = scoreOf(countsAfter(input, change)).score ?? 0
    const gain = toNineDigits(then - score)
    if (known !== undefined ? gain <= known.gain : gain < LEAST_GAIN && scc === null) continue
    best.set(key, {
      what: sentence(input, change),
      places: change.proposal.edges.map(edge => placeOf(input, edge)),
      score_then: then,
      gain,
      ...(scc === null ? {} : { breaks: scc }),
    })
  }
  return chosen(withoutAlternatives([...best.values()].sort(byGain)))
}

/** The first file of the SCC that a change breaks up; of one that is about other things, what is known of the same imports. */
function sccBroken(
  { structure, pathOf }: AdviceInput,
  { proposal, counts }: Change,
  known: PasAdvice | undefined,
): string | null {
  if ('scc' in proposal) return pathOf(proposal.scc.nodes[0] as number)
  return counts.filesInCycles < structure.counts.filesInCycles ? (known?.breaks ?? null) : null
}

/** Without further ways to break the same SCC with as many imports. @param all by gain */
function withoutAlternatives(all: readonly PasAdvice[]): PasAdvice[] {
  const known = new Set<string>()
  return all.filter(({ breaks, places }) => {
    const way = `${places.length} ${breaks}`
    if (breaks === undefined || !known.has(way)) return known.add(way)
    return false
  })
}

/** Those that bring most, and what they leave out of SCCs. @param all by gain */
function chosen(all: readonly PasAdvice[]): PasAdvice[] {
  const told = all.filter(({ gain }) => gain >= LEAST_GAIN).slice(0, MOST)
  const broken = new Set(told.map(({ breaks }) => breaks))
  const more = new Map<string, PasAdvice>()
  for (const one of all) {
    const { breaks } = one
    if (breaks !== undefined && !broken.has(breaks) && !more.has(breaks)) more.set(breaks, one)
  }
  return [...told, ...[...more.values()].slice(0, MOST_SCCS)].sort(byGain)
}

function byGain(one: PasAdvice, other: PasAdvice): number {
  return other.gain - one.gain || one.places.length - other.places.length
}

function countsAfter(
  { structure, counts, lines }: AdviceInput,
  { proposal, counts: then }: Change,
): ScoreCounts {
  if (proposal.kind !== 'move') return { ...counts, ...then }
  const { from, to, file } = proposal
  const moved = lines[file] as number
  const sizes = counts.lines.map((size, part) =>
    part === from ? size - moved : part === to ? size + moved : size,
  )
  const emptied = structure.partition.subsystems[from]?.files.length === 1
  return { ...counts, ...then, lines: emptied ? sizes.toSpliced(from, 1) : sizes }
}

function sentence(input: AdviceInput, { proposal, counts }: Change): string {
  const { structure, pathOf } = input
  const nameOf = (part: number) => `“${structure.partition.subsystems[part]?.name ?? ''}”`
  const { edges } = proposal
  switch (proposal.kind) {
    case 'dissolve': {
      const { nodes } = proposal.scc
      const cycle = `the cycle of ${countText(nodes.length)} files around ${pathOf(nodes[0] as number)}`
      return `Remove ${importsIn(input, edges)}: ${cycle} is gone.`
    }
    case 'loosen': {
      const { nodes } = proposal.scc
      const freed = `${countText(proposal.freed)} of the ${countText(nodes.length)} files`
      const cycle = `in the cycle around ${pathOf(nodes[0] as number)}`
      return `Remove ${importsIn(input, edges)}: ${freed} ${cycle} are on no cycle then.`
    }
    case 'cut': {
      const ways = countText(structure.counts.reachablePairs - counts.reachablePairs)
      return `Remove ${importsIn(input, edges)}: ${ways} ways from file to file lead over it alone.`
    }
    case 'remove':
    case 'turn': {
      const [from, to] = [nameOf(proposal.from), nameOf(proposal.to)]
      const imports =
        edges.length === 1 ? importsIn(input, edges) : `the ${edges.length} imports of ${to} in ${from}`
      const stable = `${from} is more stable than ${to}`
      return proposal.kind === 'remove'
        ? `Remove ${imports}: ${stable}.`
        : `Turn round ${imports}: ${stable}, which should import it instead.`
    }
    case 'move': {
      const way = `from ${nameOf(proposal.from)} to ${nameOf(proposal.to)}`
      const share = `${countText(edges.length)} of the ${countText(proposal.ties)} imports from and to it`
      return `Move ${pathOf(proposal.file)} ${way}: ${share} are there.`
    }
  }
}

/** `the import of b.ts in a.ts`, or how many. */
function importsIn({ structure: { graph, sources }, pathOf }: AdviceInput, edges: readonly number[]): string {
  if (edges.length > 1) return `${edges.length} imports`
  const [edge] = edges as [number]
  return `the import of ${pathOf(graph.targets[edge] as number)} in ${pathOf(sources[edge] as number)}`
}

function placeOf(
  { structure: { graph, sources }, pathOf }: AdviceInput,
  edge: number,
): PasAdvice['places'][0] {
  return {
    file: pathOf(sources[edge] as number),
    line: graph.lines[edge] as number,
    to: pathOf(graph.targets[edge] as number),
  }
}
