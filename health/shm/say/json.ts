import type { PasDimension, PasPart, PasReport } from '../report.ts'
import type { Assessment } from './assessment.ts'

const REPORT = [
  'score',
  'status',
  'dimensions',
  'counts',
  'also',
  'sccs',
  'subsystems',
  'dsm',
  'worst_edges',
  'advice',
  'unresolved',
  'policy',
  'ids',
  'warnings',
  'duration_ms',
] as const satisfies readonly (keyof PasReport)[]
const DIMENSIONS = [
  'symmetry',
  'coupling',
  'modularity',
  'consistency',
  'stability',
] as const satisfies readonly (keyof PasReport['dimensions'])[]
const COUNTS = [
  'files',
  'lines',
  'edges',
  'subsystems',
  'files_in_cycles',
  'reachable_pairs',
  'cross',
  'cross_bad',
  'commits',
  'commits_cross',
  'unresolved',
  'external',
  'type_only',
  'dynamic',
] as const satisfies readonly (keyof PasReport['counts'])[]

/**
 * The report as one line of JSON with a line feed at its end. Keys stand in one order, whoever made the report, so
 * that equal reports are equal bytes. `gate` and `since` are there if they were asked for.
 */
export function sayJson({ report, verdict, since }: Assessment): string {
  const { symmetry } = report.dimensions
  const value = {
    ...inOrder(report, REPORT),
    dimensions: {
      ...inOrder(report.dimensions, DIMENSIONS),
      ...Object.fromEntries(DIMENSIONS.map(name => [name, dimension(report.dimensions[name])])),
      symmetry: {
        ...dimension(symmetry),
        parts: {
          evenness: part(symmetry.parts.evenness),
          acyclicity: part(symmetry.parts.acyclicity),
        },
      },
    },
    counts: inOrder(report.counts, COUNTS),
    also: inOrder(report.also, ['nccd', 'core_size', 'gini', 'hill']),
    sccs: report.sccs.map(scc => ({
      ...inOrder(scc, ['size', 'edges', 'files', 'cycle']),
      cycle: scc.cycle.map(place => inOrder(place, ['file', 'line'])),
    })),
    subsystems: report.subsystems.map(one => inOrder(one, ['name', 'files', 'lines'])),
    worst_edges: report.worst_edges.map(edge =>
      inOrder(edge, [
        'file',
        'line',
        'to',
        'from_subsystem',
        'to_subsystem',
        'from_instability',
        'to_instability',
      ]),
    ),
    advice: report.advice.map(one => ({
      ...inOrder(one, ['what', 'places', 'score_then', 'gain']), // and `breaks`, where there is one
      places: one.places.map(place => inOrder(place, ['file', 'line', 'to'])),
    })),
    unresolved: report.unresolved.map(one => inOrder(one, ['file', 'line', 'specifier'])),
    policy: inOrder(report.policy, ['type_only', 'dynamic', 'tests', 'partition']),
    ids: inOrder(report.ids, ['formula', 'calibration', 'partition', 'tree']),
    warnings: report.warnings.map(one => inOrder(one, ['code', 'path', 'message'])),
    ...(verdict === null ? {} : { gate: verdict }),
    ...(since === null ? {} : { since }),
  }
  return `${JSON.stringify(value)}\n`
}

function dimension(one: PasDimension): PasDimension {
  return inOrder(one, ['raw', 'value', 'status', 'weight'])
}

function part(one: PasPart): PasPart {
  return inOrder(one, ['raw', 'value'])
}

/** The same object with these keys first, and those that are not named behind them, by name. */
function inOrder<T extends object>(value: T, keys: readonly (keyof T & string)[]): T {
  const named = new Set<string>(keys)
  const others = Object.keys(value)
    .filter(key => !named.has(key))
    .sort()
  return Object.fromEntries([...keys, ...others].map(key => [key, value[key as keyof T]])) as T
}
