import { createHash } from 'node:crypto'
import type { PasAdvice, PasPlace, PasReport, PasScc, PasWorstEdge } from '../report.ts'
import type { ScanWarning } from '../source-tree.ts'
import type { Assessment } from './assessment.ts'
import { cycleSteps, outcomeText, placeText, visible } from './plain-text.ts'

const RULES = [
  {
    id: 'import-cycle',
    name: 'ImportCycle',
    shortDescription: { text: 'Files import each other in a circle.' },
    fullDescription: {
      text: 'Each of these files can be reached from each other one through imports, so none of them can be understood, tested or reused without the others (acyclic dependencies principle).',
    },
    help: {
      text: 'Take out one import of the cycle that is shown: move what both files need into a third one, or hand it in as an argument. Imports of types only do not count.',
      markdown:
        'Take out one import of the cycle that is shown: move what both files need into a third one, or hand it in as an argument. Imports of *types* only do not count.',
    },
    defaultConfiguration: { level: 'error' },
    properties: { tags: ['architecture', 'maintainability'], precision: 'very-high' },
  },
  {
    id: 'unstable-import',
    name: 'UnstableImport',
    shortDescription: { text: 'A stable part imports a less stable one.' },
    fullDescription: {
      text: 'Instability is I = Ce/(Ca+Ce), the share of outgoing imports among all that cross the border of a part. An import should lead to a part that is at least as stable (stable dependencies principle): what many rely on should not change because something volatile does.',
    },
    help: {
      text: 'Turn the import round: let the stable part declare what it needs, and the other one hand it in; or move the imported file to the part that uses it.',
      markdown:
        'Turn the import round: let the stable part declare what it needs, and the other one hand it in; or move the imported file to the part that uses it.',
    },
    defaultConfiguration: { level: 'warning' },
    properties: { tags: ['architecture', 'maintainability'], precision: 'high' },
  },
  {
    id: 'unresolved-import',
    name: 'UnresolvedImport',
    shortDescription: { text: 'An import names something of the project that is not there.' },
    fullDescription: {
      text: 'The import leads to no file of the project, though it names a path or a package of it. It is counted, and missing in the graph that is scored.',
    },
    help: {
      text: 'Correct the path. If the file is made by a build, this is to be expected.',
      markdown: 'Correct the path. If the file is made by a build, this is to be expected.',
    },
    defaultConfiguration: { level: 'note' },
    properties: { tags: ['correctness'], precision: 'medium' },
  },
] as const

type RuleId = (typeof RULES)[number]['id']

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json'
const MAX_STEPS = 12

/**
 * What was found as SARIF 2.1.0 (OASIS, 2020): a result for each SCC, with the imports of its shortest cycle, for each of
 * the worst imports and for each unresolved one. What to do about an SCC stands in its result. Paths are relative to the folder that was scored.
 */
export function saySarif({ report, title }: Assessment): string {
  const results = [
    ...report.sccs.map(scc => cycleResult(scc, report.advice)),
    ...report.worst_edges.map(edgeResult),
    ...report.unresolved.map(unresolvedResult),
  ]
  const log = {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'Tokenscope SHM', version: report.ids.formula, rules: RULES } },
        automationDetails: { id: 'shm/' },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { SRCROOT: { description: { text: `The folder ${visible(title)}.` } } },
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: report.warnings.map(notification),
          },
        ],
        results,
        properties: summaryOf(report),
      },
    ],
  }
  return `${JSON.stringify(log, null, 2)}\n`
}

function cycleResult(scc: PasScc, advice: readonly PasAdvice[]): object {
  const { cycle, files, size, edges } = scc
  const ways = advice.filter(({ breaks }) => breaks !== undefined && files.includes(breaks))
  const targets = cycle.map((_, i) => cycle[(i + 1) % cycle.length] as PasPlace)
  const steps = cycle.map((place, i) => ({
    location: { ...located(place), message: { text: `imports ${visible((targets[i] as PasPlace).file)}` } },
  }))
  const first = cycle[0] as PasPlace
  const found = `${size} files import each other in a circle, by ${edges} imports. A shortest cycle: ${cycleSteps(cycle, MAX_STEPS).join(' → ')}.`
  const text = [found, ...ways.map(way => `${visible(way.what)} (${outcomeText(way)})`)].join(' ')
  return {
    ...resultOf('import-cycle', text, first, [...files].sort().join('\n')),
    relatedLocations: steps.map(({ location }, id) => ({ id, ...location })),
    codeFlows: [{ threadFlows: [{ locations: steps }] }],
    properties: { size, edges, files, advice: ways },
  }
}

function edgeResult(edge: PasWorstEdge): object {
  const from = `${visible(edge.from_subsystem)} (I = ${edge.from_instability.toFixed(2)})`
  const to = `${visible(edge.to_subsystem)} (I = ${edge.to_instability.toFixed(2)})`
  const text = `${from} imports the less stable ${to}: ${placeText(edge)} → ${visible(edge.to)}.`
  return resultOf('unstable-import', text, edge, `${edge.file}\n${edge.to}`)
}

function unresolvedResult(one: PasReport['unresolved'][number]): object {
  const text = `No file of the project is found for ${visible(one.specifier)}.`
  return resultOf('unresolved-import', text, one, `${one.file}\n${one.specifier}`)
}

/** @param identity what is the same as long as it is the same finding, whatever line it is on */
function resultOf(rule: RuleId, text: string, place: PasPlace, identity: string): object {
  const index = RULES.findIndex(({ id }) => id === rule)
  return {
    ruleId: rule,
    ruleIndex: index,
    level: RULES[index]?.defaultConfiguration.level,
    message: { text },
    locations: [located(place)],
    partialFingerprints: { 'shm/v1': createHash('sha256').update(`${rule}\n${identity}`).digest('hex') },
  }
}

function located({ file, line }: PasPlace): { physicalLocation: object } {
  return {
    physicalLocation: {
      artifactLocation: artifact(file),
      region: { startLine: line },
    },
  }
}

function artifact(path: string): { uri: string; uriBaseId: string } {
  const uri = path.toWellFormed().split('/').map(encodeURIComponent).join('/')
  return { uri, uriBaseId: 'SRCROOT' }
}

function notification({ code, path, message }: ScanWarning): object {
  return {
    descriptor: { id: code },
    level: 'warning',
    message: { text: visible(message) },
    ...(path === null ? {} : { locations: [{ physicalLocation: { artifactLocation: artifact(path) } }] }),
  }
}

function summaryOf({ score, status, dimensions, ids, policy, counts }: PasReport): object {
  const values = Object.fromEntries(Object.entries(dimensions).map(([name, { value }]) => [name, value]))
  return { score, status, dimensions: values, ids, policy, counts }
}
