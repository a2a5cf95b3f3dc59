import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { countText } from '../../../events/quantities.ts'
import type { PasAdvice, PasDimension, PasPlace, PasScc } from '../report.ts'
import type { Assessment } from './assessment.ts'
import { comparedWithout, DIMENSION_WORDS, dimensionsOf } from './dimension-words.ts'
import { dsmList, dsmPicture } from './html-dsm.ts'
import { historyPicture } from './html-history.ts'
import { treemapPicture } from './html-treemap.ts'
import {
  changeText,
  counted,
  cycleSteps,
  escapeMarkup,
  gainText,
  outcomeText,
  placeText,
  statusText,
  valueText,
  visible,
} from './plain-text.ts'

const STYLES = ['report.css', 'report-pictures.css']
/** So much of each list is shown; what `--json` prints is whole. */
const MAX_CYCLES = 50
const MAX_CYCLE_STEPS = 40
const MAX_CYCLE_FILES = 200
const MAX_PLACES = 200
const MAX_OPEN_PLACES = 3
const MAX_ROWS = 200

/** The report as one HTML file that loads nothing, runs no script, and is dark or light as its reader is. */
export function sayHtml(assessment: Assessment): string {
  const style = STYLES.map(name => readFileSync(join(import.meta.dirname, name), 'utf8')).join('')
  const hash = createHash('sha256').update(style).digest('base64')
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`
  const { report, title } = assessment
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeMarkup(policy)}">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="dark light">
<meta name="referrer" content="no-referrer">
<title>${text(title)}: PAS ${valueText(report.score)}, ${statusText(report.status)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main>
${header(assessment)}
${verdict(assessment)}${since(assessment)}<div class="columns">
${dimensions(assessment)}
${advice(assessment)}
</div>
${history(assessment)}${parts(assessment)}${cycles(assessment)}${worstEdges(assessment)}${unresolved(assessment)}${warnings(assessment)}</main>
${footer(assessment)}
</body>
</html>
`
}

function header({ report, title, verdict }: Assessment): string {
  const { counts, score, status } = report
  const facts = [
    counted(counts.files, 'file'),
    counted(counts.lines, 'line'),
    counted(counts.edges, 'import'),
    counted(counts.subsystems, 'part'),
    `scored in ${(report.duration_ms / 1000).toFixed(2)} s`,
  ]
  const change =
    verdict?.score == null || verdict.before === null || verdict.left_out.length > 0
      ? ''
      : `<span class="soft">${changeText(verdict.score - verdict.before)} from the baseline’s ${valueText(verdict.before)}</span>`
  return `<header>
<p class="wordmark">tokenscope <span>structural health</span></p>
<h1>${text(title)}</h1>
<p class="score ${status ?? 'none'}"><span class="big">${valueText(score)}</span><span class="status">${statusText(status)}</span>${change}</p>
<p class="soft">${facts.join(' · ')}</p>
</header>`
}

function verdict(assessment: Assessment): string {
  const { verdict } = assessment
  if (verdict === null) return ''
  const reason = comparedWithout(assessment)
  const without = reason === null ? '' : ` ${reason}`
  if (verdict.passed) return `<p class="verdict healthy">No worse than the baseline.${without}</p>\n`
  const failures = verdict.failures.map(({ message }) => `<li>${text(message)}</li>`)
  return `<section class="verdict critical"><h2>Worse than the baseline</h2><ul>${failures.join('')}</ul><p class="soft">${without}</p></section>\n`
}

function since({ since }: Assessment): string {
  if (since === null) return ''
  const what = `${counted(since.changed.length, 'file')} changed since ${text(since.rev)}; ${counted(since.affected.length, 'other')} can reach ${since.changed.length === 1 ? 'it' : 'them'} through imports.`
  return `<p class="verdict">${what} Only findings that name one that changed are listed. Score and counts are those of the whole tree.</p>\n`
}

function dimensions({ report }: Assessment): string {
  const { evenness, acyclicity } = report.dimensions.symmetry.parts
  const rows = dimensionsOf(report).map(([name, dimension]) => {
    const inside =
      name === 'symmetry' && dimension.value !== null
        ? `<p class="soft">evenness ${valueText(evenness.raw)} → ${valueText(evenness.value)}, acyclicity ${valueText(acyclicity.value)}</p>`
        : ''
    const { long, undefinedWhy } = DIMENSION_WORDS[name]
    const words = dimension.value === null ? `Not defined: ${undefinedWhy}.` : long
    return `<tr><th scope="row">${name}<small>weight ${dimension.weight.toFixed(2)}</small></th><td class="number soft">${valueText(dimension.raw)}</td><td class="number">${valueText(dimension.value)}</td><td>${bar(dimension)}<p class="soft">${words}</p>${inside}</td></tr>`
  })
  return `<section><h2>Dimensions</h2>
<table class="dimensions"><thead><tr><th></th><th class="number">raw</th><th class="number">value</th><th></th></tr></thead><tbody>
${rows.join('\n')}
</tbody></table></section>`
}

function bar({ value, status }: PasDimension): string {
  const width = Math.round((value ?? 0) * 1000) / 10
  return `<svg class="bar ${status ?? 'none'}" aria-hidden="true" viewBox="0 0 100 8" preserveAspectRatio="none"><rect class="track" width="100" height="8"/><rect class="fill" width="${width}" height="8"/><path class="border" d="M75 0V8M90 0V8"/></svg>`
}

function advice({ report }: Assessment): string {
  const rows = report.advice.map(oneAdvice)
  const none =
    report.score === null
      ? 'There is nothing to score.'
      : 'No single step was found that would raise the score.'
  const list = rows.length === 0 ? `<p class="soft">${none}</p>` : `<ol class="advice">${rows.join('')}</ol>`
  return `<section><h2>What to fix first</h2>${list}</section>`
}

function oneAdvice(advice: PasAdvice): string {
  const { what, places, gain } = advice
  const shown = places.slice(0, MAX_PLACES).map(place => `<li>${edgeText(place, place.to)}</li>`)
  const more = places.length - shown.length
  if (more > 0) shown.push(`<li class="soft">and ${counted(more, 'more import')}</li>`)
  const list = `<ul class="places">${shown.join('')}</ul>`
  const folded =
    places.length > MAX_OPEN_PLACES
      ? `<details><summary>${counted(places.length, 'import')}</summary>${list}</details>`
      : list
  return `<li><p><b>${escapeMarkup(gainText(gain))}</b> ${text(what)} <span class="soft">(${outcomeText(advice)})</span></p>${folded}</li>`
}

function history({ history, report }: Assessment): string {
  const picture = historyPicture(history, report)
  return picture === '' ? '' : `<section><h2>History</h2><div class="wide">${picture}</div></section>\n`
}

function parts({ report }: Assessment): string {
  if (report.subsystems.length === 0) return ''
  return `<section><h2>Parts by lines</h2>
${treemapPicture(report)}</section>
<section><h2>Imports between parts</h2>
<p class="soft">A row imports a column; the stronger the colour, the more. What imports stands above what it imports: below the diagonal is only what closes a cycle. Parts that form one stand in a red square.</p>
<div class="beside"><div class="wide">${dsmPicture(report)}</div><div>${dsmList(report)}</div></div></section>
`
}

function cycles({ report, since }: Assessment): string {
  const { sccs } = report
  if (report.counts.files === 0) return ''
  if (sccs.length === 0) {
    const none = since === null ? 'No import cycles.' : 'No import cycle has a file that changed.'
    return `<section><h2>Cycles</h2><p class="healthy">${none}</p></section>\n`
  }
  const files = sccs.reduce((all, { size }) => all + size, 0)
  const left = sccs.length - MAX_CYCLES
  const more = left > 0 ? `<p class="soft">and ${counted(left, 'smaller group')}</p>` : ''
  const heading = `${counted(files, 'file')} in ${counted(sccs.length, 'group')}. Each file of a group can be reached from each other one; a shortest cycle of each is shown.`
  return `<section><h2>Cycles</h2><p class="soft">${heading}</p>${sccs.slice(0, MAX_CYCLES).map(oneCycle).join('\n')}${more}</section>\n`
}

function oneCycle({ size, edges, files, cycle }: PasScc): string {
  const steps = cycleSteps(cycle, MAX_CYCLE_STEPS).map(step => `<li><code>${code(step)}</code></li>`)
  const shown = files.slice(0, MAX_CYCLE_FILES).map(file => `<li><code>${code(visible(file))}</code></li>`)
  if (files.length > MAX_CYCLE_FILES)
    shown.push(`<li class="soft">and ${countText(files.length - MAX_CYCLE_FILES)} more</li>`)
  const all =
    size === cycle.length
      ? ''
      : `<details><summary>all ${countText(size)} files</summary><ul class="places">${shown.join('')}</ul></details>`
  return `<article class="cycle"><h3>${counted(size, 'file')}, ${counted(edges, 'import')} between them</h3><ol class="steps">${steps.join('')}</ol>${all}</article>`
}

function worstEdges({ report }: Assessment): string {
  if (report.worst_edges.length === 0) return ''
  const rows = report.worst_edges.map(
    edge =>
      `<tr><td>${edgeText(edge, edge.to)}</td><td><code>${code(visible(edge.from_subsystem))}</code> ${edge.from_instability.toFixed(2)} → <code>${code(visible(edge.to_subsystem))}</code> ${edge.to_instability.toFixed(2)}</td></tr>`,
  )
  return `<section><h2>Imports against stability</h2><p class="soft">From a part that others rely on to one that relies on others more: I = Ce/(Ca+Ce) rises.</p>
<table><thead><tr><th>import</th><th>parts, and the I of each</th></tr></thead><tbody>${rows.join('')}</tbody></table></section>
`
}

function unresolved({ report }: Assessment): string {
  if (report.unresolved.length === 0) return ''
  const rows = report.unresolved
    .slice(0, MAX_ROWS)
    .map(
      one =>
        `<tr><td><code>${code(placeText(one))}</code></td><td><code>${code(visible(one.specifier))}</code></td></tr>`,
    )
  return `<section><h2>Imports that lead to no file</h2><details><summary>${counted(report.counts.unresolved, 'import')}</summary><table><thead><tr><th>file</th><th>what it imports</th></tr></thead><tbody>${rows.join('')}</tbody></table></details></section>
`
}

function warnings({ report }: Assessment): string {
  if (report.warnings.length === 0) return ''
  const rows = report.warnings
    .slice(0, MAX_ROWS)
    .map(
      ({ code: id, path, message }) =>
        `<tr><td class="warning">${id}</td><td>${path === null ? '' : `<code>${code(visible(path))}</code>`}</td><td>${text(message)}</td></tr>`,
    )
  return `<section><h2>Warnings</h2><table><thead><tr><th>code</th><th>about</th><th>what happened</th></tr></thead><tbody>${rows.join('')}</tbody></table></section>
`
}

function footer({ report }: Assessment): string {
  const { policy, ids, also, counts } = report
  const isIn = (is: boolean) => (is ? 'in' : 'out')
  const facts: [string, string][] = [
    [
      'parts',
      {
        declared: 'declared in pas.config.json',
        workspaces: 'packages of the workspace',
        folders: 'folders of the source root',
      }[policy.partition],
    ],
    [
      'imports',
      `type-only ${isIn(policy.type_only)} (${countText(counts.type_only)}), dynamic ${isIn(policy.dynamic)} (${countText(counts.dynamic)}), of other packages ${countText(counts.external)}`,
    ],
    ['tests', isIn(policy.tests)],
    ['NCCD', valueText(also.nccd)],
    ['core size', valueText(also.core_size)],
    ['Gini of lines', valueText(also.gini)],
    ['formula', `${ids.formula}, ${ids.calibration}`],
    ['partition', ids.partition.slice(0, 16)],
    ['tree', ids.tree.slice(0, 16)],
  ]
  const rows = facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${text(value)}</dd></div>`)
  return `<footer><dl>${rows.join('')}</dl><p>Healthy is 0.90 and above, critical below 0.75. Scores of different parts, formulas or policies are not to be compared.</p></footer>`
}

function edgeText(place: PasPlace, to: string): string {
  return `<code>${code(placeText(place))}</code> → <code>${code(visible(to))}</code>`
}

function text(words: string): string {
  return escapeMarkup(visible(words))
}

/** A path that is visible already, which may break behind its slashes. */
function code(path: string): string {
  return escapeMarkup(path).replaceAll('/', '/<wbr>')
}
