/** The tables of docs/, for tests that hold them against the code. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const DOCS = join(import.meta.dirname, '../../docs')

/** What a cell says that has nothing to say. */
export const NONE = '—'

/** The rows of the table under the heading `title`, as they are written, sorted; without its two head lines. */
export async function rowsUnder(title: string, file = 'reference.md'): Promise<string[]> {
  return (await cellsUnder(title, file)).map(cells => `| ${cells.join(' | ')} |`).sort()
}

/** The cells of the same rows, in the order of the table, without the padding that lines its columns up. */
export async function cellsUnder(title: string, file: string): Promise<string[][]> {
  const text = await readFile(join(DOCS, file), 'utf8')
  const section = text.split(/^## /m).find(part => part.startsWith(`${title}\n`))
  if (section === undefined) throw new Error(`docs/${file} has no heading "## ${title}"`)
  const lines = section.split('\n').filter(line => line.startsWith('|'))
  return lines.slice(2).map(line =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map(cell => cell.trim()),
  )
}

/** A row of a table. */
export function row(...cells: string[]): string {
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

/** Text as code; of an empty one the sign for none. */
export function code(text: string): string {
  return text === '' ? NONE : `\`${text}\``
}
