import type { PasReport } from '../report.ts'
import type { Assessment } from './assessment.ts'
import { dimensionsOf } from './dimension-words.ts'
import { padded, visible } from './plain-text.ts'

/** Columns of the names. */
const NAME = 14

/**
 * The counts behind every number, and the formulas with them filled in: what is calculated here is calculated from the
 * counts again, and not taken from the scores.
 */
export function sayDebug({ report, title }: Assessment): string {
  const sections = [
    [`PAS of ${visible(title)}`, ...scoreLines(report)],
    ['symmetry = 0.7·J + 0.3·A', ...evennessLines(report), ...acyclicityLines(report)],
    ['coupling = 1 − PC', ...couplingLines(report)],
    ['modularity = max(0, (Tr e − Σ aₖbₖ)/(1 − Σ aₖbₖ))', ...modularityLines(report)],
    ['consistency = 1 − bad/(cross + 10)', ...consistencyLines(report)],
    ['stability = 1 − x/(t + 20)', ...stabilityLines(report)],
    ['told, not scored', ...alsoLines(report)],
    [
      'counts',
      ...Object.entries(report.counts).map(([name, value]) => named(name, value ?? 'not defined', 17)),
    ],
    ['policy', ...Object.entries(report.policy).map(([name, value]) => named(name, String(value), 17))],
    ['ids', ...Object.entries(report.ids).map(([name, value]) => named(name, value, 17))],
  ]
  return `${sections.map(([heading, ...lines]) => [heading, ...lines.map(line => `  ${line}`)].join('\n')).join('\n\n')}\n`
}

function scoreLines(report: PasReport): string[] {
  const defined = dimensionsOf(report).filter(([, { value }]) => value !== null)
  if (defined.length === 0) return ['no dimension is defined: there is nothing to score']
  const weights = sum(defined.map(([, { weight }]) => weight))
  const factors = defined.map(([, { value, weight }]) => {
    const base = Math.max(value as number, 0.01)
    return { base, power: weight / weights }
  })
  const product = factors.reduce((all, { base, power }) => all * base ** power, 1)
  return [
    'Π max(d, 0.01)^w over what is defined, w its weight (.35, .25, .15, .15, .10) as a share of theirs',
    `= ${factors.map(({ base, power }) => `${base.toFixed(6)}^${power.toFixed(4)}`).join(' · ')}`,
    `= ${product.toFixed(9)}   reported ${fixed(report.score)}, ${report.status ?? 'no status'}`,
    ...dimensionsOf(report).map(([name, { raw, value, weight, status }]) =>
      named(
        name,
        `weight ${weight.toFixed(4)}  raw ${fixed(raw)}  calibrated ${fixed(value)}  ${status ?? 'not defined'}`,
      ),
    ),
  ]
}

function evennessLines({ subsystems, counts, dimensions }: PasReport): string[] {
  const { evenness } = dimensions.symmetry.parts
  const heading = 'J = −Σ pᵢ ln pᵢ / ln K, pᵢ a part’s share of lines'
  if (evenness.raw === null) return [heading, `not defined: K = ${subsystems.length}, ${counts.lines} lines`]
  const shares = subsystems.map(({ lines }) => lines).sort((one, other) => other - one)
  const entropy = -sum(
    shares.map(lines => (lines === 0 ? 0 : (lines / counts.lines) * Math.log(lines / counts.lines))),
  )
  const names = Math.max(...subsystems.map(({ name }) => visible(name).length))
  return [
    heading,
    ...subsystems.map(({ name, lines, files }) => {
      const share = counts.lines === 0 ? 0 : lines / counts.lines
      return `  ${padded(visible(name), names)}  p = ${lines}/${counts.lines} = ${share.toFixed(6)}, ${files} files`
    }),
    `= ${entropy.toFixed(9)} / ln ${subsystems.length} = ${(entropy / Math.log(subsystems.length)).toFixed(9)}   reported ${both(evenness)}`,
  ]
}

function acyclicityLines({ counts, sccs, dimensions }: PasReport): string[] {
  const { acyclicity } = dimensions.symmetry.parts
  if (acyclicity.raw === null) return ['A = 1 − (files in SCCs of size > 1)/n', 'not defined: n = 0']
  const sizes = sccs.length === 0 ? 'none' : sccs.map(({ size }) => size).join(' + ')
  return [
    `A = 1 − (files in SCCs of size > 1)/n; SCCs: ${sizes}`,
    `= 1 − ${counts.files_in_cycles}/${counts.files} = ${(1 - counts.files_in_cycles / counts.files).toFixed(9)}   reported ${both(acyclicity)}`,
  ]
}

function couplingLines({ counts, dimensions: { coupling } }: PasReport): string[] {
  const { files: n, reachable_pairs: pairs } = counts
  if (coupling.raw === null) return [`not defined: n = ${n}`]
  const pc = pairs / n ** 2
  return [
    'PC = reachable ordered pairs, each file with itself among them, / n²',
    `= ${pairs}/${n}² = ${pc.toFixed(9)}`,
    `1 − PC = ${(1 - pc).toFixed(9)}   reported ${both(coupling)}`,
    `calibrated by (PC·n − 1)/(n − 1) = ${((pc * n - 1) / (n - 1)).toFixed(9)}, without self-reach`,
  ]
}

function modularityLines({ dsm, counts, dimensions: { modularity } }: PasReport): string[] {
  const m = counts.edges
  if (m === 0) return ['not defined: no file imports another']
  if (dsm.length === 0)
    return [`e is too large to be told: ${counts.subsystems} parts`, `reported ${both(modularity)}`]
  const trace = sum(dsm.map((row, i) => (row[i] as number) / m))
  const outward = dsm.map(row => sum(row) / m)
  const inward = dsm.map((_, i) => sum(dsm.map(row => row[i] as number)) / m)
  const expected = sum(outward.map((a, i) => a * (inward[i] as number)))
  const shares = [
    `e: the shares of the ${m} imports between the ${dsm.length} parts; a, b: its marginals`,
    `Tr e = ${trace.toFixed(9)}, Σ aₖbₖ = ${expected.toFixed(9)}`,
  ]
  if (modularity.raw === null) return [...shares, 'not defined: Σ aₖbₖ = 1']
  const value = Math.max(0, (trace - expected) / (1 - expected))
  return [...shares, `= ${value.toFixed(9)}   reported ${both(modularity)}`]
}

function consistencyLines({ counts, dimensions: { consistency } }: PasReport): string[] {
  const { cross, cross_bad: bad } = counts
  if (consistency.raw === null) return [`not defined: cross = ${cross}`]
  const value = 1 - bad / (cross + 10)
  return [
    'cross: imports between parts; bad: those from I(from) < I(to), I = Ce/(Ca + Ce)',
    `= 1 − ${bad}/(${cross} + 10) = ${value.toFixed(9)}   reported ${both(consistency)}`,
  ]
}

function stabilityLines({ counts, dimensions: { stability } }: PasReport): string[] {
  const { commits: t, commits_cross: x } = counts
  if (stability.raw === null || t === null || x === null)
    return ['not defined: no git, a shallow clone, or no commit that touches 1 to 30 of these files']
  const value = 1 - x / (t + 20)
  return [
    't: commits of the 90 days to HEAD’s that touch 1 to 30 of these files, merges left out; x: those that touch ≥ 2 parts',
    `= 1 − ${x}/(${t} + 20) = ${value.toFixed(9)}   reported ${both(stability)}`,
  ]
}

function alsoLines({ also }: PasReport): string[] {
  return [
    named('NCCD', fixed(also.nccd)),
    named('core size', fixed(also.core_size)),
    named('Gini', fixed(also.gini)),
    named('Hill number', fixed(also.hill)),
  ]
}

function both({ raw, value }: { raw: number | null; value: number | null }): string {
  return `${fixed(raw)}, calibrated ${fixed(value)}`
}

function named(name: string, value: string | number, columns = NAME): string {
  return `${name.padEnd(columns)}${value}`
}

function fixed(value: number | null): string {
  return value === null ? '–' : value.toFixed(9)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0)
}
