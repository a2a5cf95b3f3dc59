import type { Schema } from './openapi.ts'

const INDENT = '  '

/** What a schema admits, as HTML: in the notation of TypeScript, with limits and what fields mean beside them. */
export function schemaText(schema: Schema, indent = ''): string {
  const { $ref, anyOf, items } = schema
  if ($ref !== undefined) {
    const name = $ref.slice($ref.lastIndexOf('/') + 1)
    return `<a href="#${escapeHtml(name)}">${escapeHtml(name)}</a>`
  }
  if (schema.const !== undefined) return escapeHtml(JSON.stringify(schema.const))
  if (schema.enum !== undefined) return schema.enum.map(one => escapeHtml(JSON.stringify(one))).join(' | ')
  if (anyOf !== undefined) return anyOf.map(one => schemaText(one, indent)).join(' | ')
  if (items !== undefined) {
    const item = schemaText(items, indent)
    const most = schema.maxItems === undefined ? '' : ` <i>at most ${number(schema.maxItems)}</i>`
    return `${item.includes(' | ') ? `(${item})` : item}[]${most}`
  }
  if (schema.type === 'object') return objectText(schema, indent)
  if (schema.format === 'binary') return 'bytes'
  return `${schema.type ?? 'any'}${limits(schema)}`
}

/** Text as HTML that shows it. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, at => `&#${at.charCodeAt(0)};`)
}

function objectText({ properties = {}, patternProperties, required = [] }: Schema, indent: string): string {
  const [values] = Object.values(patternProperties ?? {})
  if (values !== undefined) return `{ [name]: ${schemaText(values, indent)} }`
  const inner = indent + INDENT
  const rows = Object.entries(properties).map(([name, schema]) => {
    const mark = required.includes(name) ? '' : '?'
    const words = meaningOf(schema)
    const remark = words === null ? '' : `  <i>${escapeHtml(words.replaceAll('`', ''))}</i>`
    return `${inner}<b>${escapeHtml(name)}</b>${mark}: ${schemaText(schema, inner)}${remark}\n`
  })
  return rows.length === 0 ? '{ }' : `{\n${rows.join('')}${indent}}`
}

/** A schema or null has what the schema has. */
function meaningOf({ description, anyOf }: Schema): string | null {
  return description ?? anyOf?.find(one => one.description !== undefined)?.description ?? null
}

function limits({ type, minimum, maximum, minLength = 0, maxLength }: Schema): string {
  if (type === 'string') {
    if (maxLength !== undefined) return ` <i>${minLength} to ${number(maxLength)} characters</i>`
    return minLength > 0 ? ' <i>not empty</i>' : ''
  }
  if (minimum === undefined) return ''
  return ` <i>${maximum === undefined ? `from ${number(minimum)}` : `${number(minimum)} to ${number(maximum)}`}</i>`
}

function number(value: number): string {
  return value < 1 && value > 0 ? String(value) : value.toLocaleString('en')
}
