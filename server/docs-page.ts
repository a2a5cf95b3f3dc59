import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Content, OpenApi, Operation, Parameter } from './openapi.ts'
import { escapeHtml, schemaText } from './schema-text.ts'

interface Described extends Operation {
  method: string
  path: string
}

/** By status. */
type Answers = Operation['responses']

/**
 * The document as a page: one file without a script, that loads nothing.
 *
 * @returns the page, and the policy that lets in what it has and no more
 */
export function docsPage(document: OpenApi): { html: string; policy: string } {
  const style = readFileSync(join(import.meta.dirname, 'docs.css'), 'utf8')
  const hash = createHash('sha256').update(style).digest('base64')
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${hash}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join(';')
  return { html: pageOf(document, style), policy }
}

function pageOf(document: OpenApi, style: string): string {
  const operations = operationsOf(document)
  const common = commonAnswers(operations)
  const groups = document.tags.map(tag => ({
    ...tag,
    operations: operations.filter(({ tags }) => tags.includes(tag.name)),
  }))
  const { title, version, description } = document.info
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="dark light">
<title>${escapeHtml(title)} API</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header><a class="wordmark" href="/">tokenscope</a> <span>API ${escapeHtml(version)}</span> <a href="openapi.json">openapi.json</a></header>
<nav aria-label="Paths">${groups.map(navGroup).join('')}</nav>
<main>
<h1>${escapeHtml(title)} API</h1>
${description.split('\n\n').map(paragraph).join('\n')}
<h2 id="failures">Failures of any path</h2>
${answersOf(common)}
${groups
  .map(
    group =>
      `<h2 id="${group.name}">${escapeHtml(group.name)}</h2>${paragraph(group.description)}${group.operations
        .map(operation => operationOf(operation, common))
        .join('')}`,
  )
  .join('\n')}
<h2 id="schemas">schemas</h2>
${Object.entries(document.components.schemas)
  .map(([name, schema]) => `<h3 id="${name}">${escapeHtml(name)}</h3><pre>${schemaText(schema)}</pre>`)
  .join('\n')}
</main>
</body>
</html>
`
}

function operationsOf({ paths }: OpenApi): Described[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      path,
      method: method.toUpperCase(),
    })),
  )
}

/** What every operation can answer with: told once. */
function commonAnswers(operations: Described[]): Answers {
  const [first, ...others] = operations
  return Object.fromEntries(
    Object.entries(first?.responses ?? {}).filter(
      ([status, { description }]) =>
        Number(status) >= 400 &&
        others.every(({ responses }) => responses[status]?.description === description),
    ),
  )
}

function navGroup({ name, operations }: { name: string; operations: Described[] }): string {
  const rows = operations.map(
    ({ operationId, method, path }) =>
      `<li><a href="#${operationId}"><span>${method}</span> ${breakable(path)}</a></li>`,
  )
  return `<h2><a href="#${name}">${escapeHtml(name)}</a></h2><ul>${rows.join('')}</ul>`
}

function operationOf(operation: Described, common: Answers): string {
  const { operationId, method, path, summary, description, parameters = [], requestBody } = operation
  const own = Object.entries(operation.responses).filter(([status]) => !(status in common))
  return `<details><summary><span class="method">${method}</span> <code>${breakable(path)}</code> <span class="what">${escapeHtml(summary)}</span></summary>
<div class="operation" id="${operationId}">
${description === undefined ? '' : paragraph(description)}
${parameters.length === 0 ? '' : parametersOf(parameters)}
${requestBody === undefined ? '' : `<h4>Body${requestBody.required ? '' : ', if any'}</h4>${contentOf(requestBody.content)}`}
<h4>Answers</h4>${answersOf(Object.fromEntries(own))}
</div></details>
`
}

function parametersOf(parameters: Parameter[]): string {
  const rows = parameters.map(({ name, in: where, required = false, description = '', schema }) => {
    const fallback =
      schema.default === undefined ? '' : `<i>; ${escapeHtml(String(schema.default))} if not given</i>`
    const mark = required ? '<i>; needed</i>' : ''
    return `<tr><th scope="row"><code>${escapeHtml(name)}</code><small>${where}</small></th><td><code>${schemaText(schema)}</code>${fallback}${mark}${description === '' ? '' : paragraph(description)}</td></tr>`
  })
  return `<h4>Parameters</h4><table>${rows.join('')}</table>`
}

/** A good answer with its form; a failure in a line, since all have one form. */
function answersOf(answers: Answers): string {
  const rows = Object.entries(answers).map(([status, { description, content = {} }]) => {
    const form = Number(status) < 400 || !description.startsWith('`') ? contentOf(content) : ''
    return `<tr><th scope="row"><code>${status}</code></th><td>${paragraph(description)}${form}</td></tr>`
  })
  return `<table>${rows.join('')}</table>`
}

/** Media types of one form stand together. */
function contentOf(content: Content): string {
  const forms = Map.groupBy(Object.entries(content), ([, { schema }]) => schemaText(schema))
  return [...forms]
    .map(
      ([form, types]) =>
        `<p class="type">${types.map(([type]) => `<code>${escapeHtml(type)}</code>`).join(', ')}</p><pre>${form}</pre>`,
    )
    .join('')
}

/** Of Markdown it knows code. */
function paragraph(text: string): string {
  return `<p>${escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>')}</p>`
}

/** A path may be broken before its slashes. */
function breakable(path: string): string {
  return escapeHtml(path).replace(/(?<=.)\//g, '<wbr>/')
}
