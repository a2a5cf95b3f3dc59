import type { GateVerdict, PastScore } from '../baseline.ts'
import type { PasReport } from '../report.ts'

/** What changed since a commit, and what that can reach. */
export interface Since {
  rev: string
  /** Files of the project, ascending. */
  changed: string[]
  /** Files that import one of them, themselves or through others, ascending. */
  affected: string[]
}

/** All that there is to say about a tree. */
export interface Assessment {
  /** The folder, as it is called. */
  title: string
  report: PasReport
  /** Scores of the past, oldest first; empty without a baseline. */
  history: readonly PastScore[]
  /** Null: there was nothing to compare with. */
  verdict: GateVerdict | null
  /** Null: everything is told, whatever changed. */
  since: Since | null
}

/** The assessment with only those findings that name a file that changed; counts and score stay those of the whole tree. */
export function narrowedTo(assessment: Assessment, since: Since): Assessment {
  const changed = new Set(since.changed)
  const { report } = assessment
  return {
    ...assessment,
    since,
    report: {
      ...report,
      sccs: report.sccs.filter(({ files }) => files.some(file => changed.has(file))),
      worst_edges: report.worst_edges.filter(({ file, to }) => changed.has(file) || changed.has(to)),
      advice: report.advice.filter(({ places }) =>
        places.some(({ file, to }) => changed.has(file) || changed.has(to)),
      ),
      unresolved: report.unresolved.filter(({ file }) => changed.has(file)),
    },
  }
}
