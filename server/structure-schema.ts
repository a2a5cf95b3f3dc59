/** The report on a source tree and how the tree stands, as schemas. */
import Type, { type TSchema } from 'typebox'
import { Count, oneOf, orNull } from './api-schema.ts'

/** A number before or after calibration. */
const Share = orNull(Type.Number({ minimum: 0, maximum: 1 }))
const Score = orNull(
  Type.Number({ minimum: 0, maximum: 1, description: 'Phase Alignment Stability, 1 being best' }),
)
const Status = orNull(oneOf(['healthy', 'warning', 'critical']))
const Line = Type.Integer({ minimum: 1 })
const part = { raw: Share, value: Share }
const Part = Type.Object(part)
const dimension = { ...part, status: Status, weight: Type.Number({ minimum: 0, maximum: 1 }) }
const Dimension = Type.Object(dimension)
const Place = Type.Object({ file: Type.String(), line: Line })
const Dimensions = Type.Object({
  symmetry: Type.Object({ ...dimension, parts: Type.Object({ evenness: Part, acyclicity: Part }) }),
  coupling: Dimension,
  modularity: Dimension,
  consistency: Dimension,
  stability: Dimension,
})
const DimensionName = oneOf(['symmetry', 'coupling', 'modularity', 'consistency', 'stability'])
const Verdict = Type.Object(
  {
    passed: Type.Boolean(),
    failures: Type.Array(
      Type.Object({
        code: oneOf(['NEW_SCC', 'LARGER_SCC', 'LOWER_SCORE']),
        message: Type.String(),
        files: Type.Array(Type.String()),
      }),
    ),
    score: Score,
    before: Score,
    left_out: Type.Array(DimensionName),
  },
  {
    description:
      'What the baseline in the folder says of it; not there without one that it can be compared with',
  },
)

/** A report, as `pnpm shm --json` prints it. */
export const PasReportSchema = Type.Object({
  score: Score,
  status: Status,
  dimensions: Dimensions,
  counts: Type.Object({
    ...{ files: Count, lines: Count, edges: Count, subsystems: Count, files_in_cycles: Count },
    ...{ reachable_pairs: Count, cross: Count, cross_bad: Count },
    ...{ commits: orNull(Count), commits_cross: orNull(Count) },
    ...{ unresolved: Count, external: Count, type_only: Count, dynamic: Count },
  }),
  also: Type.Object({
    nccd: orNull(Type.Number()),
    core_size: orNull(Type.Number()),
    gini: orNull(Type.Number()),
    hill: orNull(Type.Number()),
  }),
  sccs: Type.Array(
    Type.Object({
      size: Count,
      edges: Count,
      files: Type.Array(Type.String()),
      cycle: Type.Array(Place, {
        description: 'Each file imports the next one at this line, the last the first',
      }),
    }),
    { description: 'Files each of which can be reached from each other one; largest first' },
  ),
  subsystems: Type.Array(Type.Object({ name: Type.String(), files: Count, lines: Count })),
  dsm: Type.Array(Type.Array(Count), {
    description: 'Imports from subsystem (row) to subsystem (column); empty above 500 subsystems',
  }),
  worst_edges: Type.Array(
    Type.Object({
      ...{ file: Type.String(), line: Line, to: Type.String() },
      ...{ from_subsystem: Type.String(), to_subsystem: Type.String() },
      ...{ from_instability: Type.Number(), to_instability: Type.Number() },
    }),
  ),
  advice: Type.Array(
    Type.Object({
      what: Type.String(),
      places: Type.Array(Type.Object({ file: Type.String(), line: Line, to: Type.String() })),
      score_then: Type.Number(),
      gain: Type.Number(),
      breaks: Type.Optional(Type.String({ description: 'The first file of the SCC that it breaks' })),
    }),
    { description: 'What to fix first, and what it would bring' },
  ),
  unresolved: Type.Array(Type.Object({ file: Type.String(), line: Line, specifier: Type.String() })),
  policy: Type.Object({
    ...{ type_only: Type.Boolean(), dynamic: Type.Boolean(), tests: Type.Boolean() },
    partition: oneOf(['declared', 'workspaces', 'folders']),
  }),
  ids: Type.Object({
    formula: Type.Literal('pas-1'),
    calibration: Type.Literal('cal-1'),
    partition: Type.String(),
    tree: Type.String(),
  }),
  warnings: Type.Array(
    Type.Object({ code: Type.String(), path: orNull(Type.String()), message: Type.String() }),
  ),
  duration_ms: Type.Number({ minimum: 0 }),
  gate: Type.Optional(Verdict),
})

const Progress = Type.Object({
  phase: oneOf(['scan', 'read']),
  done: Count,
  total: orNull(Count),
})

/** How the tree stands, field by field. */
export const treeStanding = {
  root: orNull(Type.String({ description: 'The folder; null: none is scored' })),
  state: oneOf(['off', 'scanning', 'ready', 'failed'], {
    description: '`failed`: the last scan; `data` is the report before it, if there is one',
  }),
  watching: Type.Boolean({
    description: 'Whether changes are seen by themselves, as they are while somebody watches',
  }),
  progress: orNull(Progress),
  scanned_at: orNull(Type.Number({ description: 'When the report was made' })),
  trouble: orNull(Type.String({ description: 'What keeps the score from being as it should, a sentence' })),
  history: Type.Array(Type.Object({ at: Type.Number(), score: Score }), {
    description: 'Scores over the same partition and when each was first seen; oldest first',
  }),
} satisfies Record<string, TSchema>
