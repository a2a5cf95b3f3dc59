import type { Assessment } from './assessment.ts'
import { counted, statusText, valueText, visible } from './plain-text.ts'
import { subsystemGraphOf } from './subsystem-graph.ts'

/**
 * The subsystems and the imports between them as a flowchart of Mermaid: a box each, an arrow for each pair with the number
 * of imports; those that form a cycle are red, their arrows thick.
 */
export function sayMermaid({ report, title }: Assessment): string {
  const { order, cycleOf } = subsystemGraphOf(report)
  const nodes = order.map(i => {
    const { name, files } = report.subsystems[i] as (typeof report.subsystems)[number]
    const mark = cycleOf[i] === -1 ? '' : ':::cycle'
    return `  n${i}["${escaped(visible(name))}<br/>${counted(files, 'file')}"]${mark}`
  })
  const red: number[] = []
  const edges: string[] = []
  for (const i of order) {
    for (const j of order) {
      const imports = report.dsm[i]?.[j] ?? 0
      if (i === j || imports === 0) continue
      const isInCycle = cycleOf[i] !== -1 && cycleOf[i] === cycleOf[j]
      if (isInCycle) red.push(edges.length)
      edges.push(`  n${i} ${isInCycle ? '==>' : '-->'}|${imports}| n${j}`)
    }
  }
  const heading = `${visible(title)}: PAS ${valueText(report.score)}, ${statusText(report.status)}`
  return `${[
    '---',
    `title: ${JSON.stringify(heading)}`,
    '---',
    'flowchart TD',
    ...nodes,
    ...edges,
    ...(report.dsm.length < report.subsystems.length ? ['  %% too many subsystems for a graph'] : []),
    '  classDef cycle stroke:#c4312b,stroke-width:2px',
    ...(red.length === 0 ? [] : [`  linkStyle ${red.join(',')} stroke:#c4312b`]),
  ].join('\n')}\n`
}

/** In a quoted text every character that could mean something to Mermaid, Markdown or HTML is written by its number. */
function escaped(text: string): string {
  return text.replace(/[^\p{L}\p{N} ./_-]/gu, one => `#${one.codePointAt(0)};`)
}
