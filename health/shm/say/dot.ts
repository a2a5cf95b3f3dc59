import type { Assessment } from './assessment.ts'
import { counted, statusText, valueText, visible } from './plain-text.ts'
import { subsystemGraphOf } from './subsystem-graph.ts'

/** Line widths of the weakest and the strongest import. */
const PEN_WIDTH = [1, 4] as const

/**
 * The subsystems and the imports between them as a graph for Graphviz: a box each, an arrow for each pair with the number
 * of imports, red and in a cluster of their own those that form a cycle.
 */
export function sayDot({ report, title }: Assessment): string {
  const { order, cycles, cycleOf } = subsystemGraphOf(report)
  const most = Math.max(...report.dsm.flatMap((row, i) => row.filter((_, j) => i !== j)), 1)
  const node = (i: number) => {
    const { name, files, lines } = report.subsystems[i] as (typeof report.subsystems)[number]
    const label = `${escaped(visible(name))}\\n${counted(files, 'file')}, ${counted(lines, 'line')}`
    const mark = cycleOf[i] === -1 ? '' : ', color="#c4312b", fontcolor="#c4312b"'
    return `n${i} [label="${label}"${mark}]`
  }
  const clusters = cycles.flatMap((parts, i) => [
    `  subgraph cluster_cycle_${i} {`,
    `    label="cycle of ${parts.length} parts"; color="#c4312b"; fontcolor="#c4312b"; style=dashed`,
    ...parts.map(part => `    ${node(part)}`),
    '  }',
  ])
  const edges = order.flatMap(i =>
    order.flatMap(j => {
      const imports = report.dsm[i]?.[j] ?? 0
      if (i === j || imports === 0) return []
      const width = PEN_WIDTH[0] + ((PEN_WIDTH[1] - PEN_WIDTH[0]) * Math.log(imports)) / Math.log(most + 1)
      const isInCycle = cycleOf[i] !== -1 && cycleOf[i] === cycleOf[j]
      const mark = isInCycle ? ', color="#c4312b", fontcolor="#c4312b"' : ''
      return [`  n${i} -> n${j} [label="${imports}", penwidth=${width.toFixed(2)}${mark}]`]
    }),
  )
  const label = `${escaped(visible(title))}: PAS ${valueText(report.score)}, ${statusText(report.status)}`
  return `${[
    'digraph subsystems {',
    `  label="${label}"; labelloc=t; rankdir=TB; fontname="sans-serif"`,
    '  node [shape=box, style=rounded, fontname="sans-serif"]',
    '  edge [fontname="sans-serif", fontsize=10, color="#5a626d"]',
    ...clusters,
    ...order.filter(i => cycleOf[i] === -1).map(i => `  ${node(i)}`),
    ...edges,
    ...(report.dsm.length < report.subsystems.length ? ['  // too many subsystems for a graph'] : []),
    '}',
  ].join('\n')}\n`
}

/** Inside a quoted string of DOT a backslash begins an escape of a label, and a quote ends it. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')
}
