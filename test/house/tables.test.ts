import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CLOSE_CODES } from '../../events/close-codes.ts'
import { CONFIG_KEYS } from '../../events/config-keys.ts'
import { ERROR_CODES } from '../../events/errors.ts'
import { METRICS } from '../../events/metrics.ts'

const REFERENCE = join(import.meta.dirname, '../../docs/reference.md')
const NONE = '—'

/** The rows of the table under the heading `title`, as they are written, sorted; without its two head lines. */
async function rowsUnder(title: string): Promise<string[]> {
  const text = await readFile(REFERENCE, 'utf8')
  const section = text.split(/^## /m).find(part => part.startsWith(`${title}\n`))
  if (section === undefined) throw new Error(`docs/reference.md has no heading "## ${title}"`)
  const lines = section.split('\n').filter(line => line.startsWith('|'))
  return lines.slice(2).map(rowOf).sort()
}

/** A row without the padding that lines its columns up. */
function rowOf(line: string): string {
  const cells = line.split(/(?<!\\)\|/).slice(1, -1)
  return `| ${cells.map(cell => cell.trim()).join(' | ')} |`
}

function row(...cells: string[]): string {
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function code(text: string): string {
  return text === '' ? NONE : `\`${text}\``
}

// Whole rows are compared, in both directions: what one side lacks shows in the difference, ready to be pasted.
describe('docs/reference.md and the tables of events/', () => {
  it('agree on the options', async () => {
    const rows = CONFIG_KEYS.map(({ flag, value, repeatable, fallback, meaning }) =>
      row(code(`--${flag} ${value}`), code(fallback), repeatable ? `${meaning}; repeatable` : meaning),
    )
    expect(await rowsUnder('Options')).toEqual(rows.sort())
  })

  it('agree on the metrics', async () => {
    const rows = Object.entries(METRICS).map(([name, { type, labels }]) =>
      row(code(name), type, labels.map(code).join(', ') || NONE),
    )
    expect(await rowsUnder('Metrics')).toEqual(rows.sort())
  })

  it('agree on the error codes', async () => {
    const rows = Object.entries(ERROR_CODES).map(([name, { status, meaning }]) =>
      row(code(name), String(status), meaning),
    )
    expect(await rowsUnder('Error codes')).toEqual(rows.sort())
  })

  it('agree on the close codes', async () => {
    const rows = Object.values(CLOSE_CODES).map(close =>
      row(String(close.code), close.reason, close.comeBack ? 'yes' : 'no'),
    )
    expect(await rowsUnder('Close codes')).toEqual(rows.sort())
  })
})
