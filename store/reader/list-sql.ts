/** How lists of generations are read: newest first, before a row, with no row sorted and few looked at in vain. */

/** Columns that a list can be filtered by. */
export type ListColumn = 'state' | 'model'

/** Those with these values, by the index that begins with their columns. Bound are the row, the values, and a limit. */
export function listSql(columns: readonly ListColumn[]): string {
  const filters = columns.map(column => ` AND ${column} = ?`).join('')
  return `SELECT * FROM generations WHERE id < ?${filters} ORDER BY id DESC LIMIT ?`
}

/**
 * Those that match an expression, too, which is bound first. The index of words holds state and model itself, and
 * gives rows in the order of their ids; the join only makes sure.
 */
export function searchSql(columns: readonly ListColumn[]): string {
  const filters = columns.map(column => ` AND g.${column} = ?`).join('')
  return `SELECT g.* FROM words CROSS JOIN generations AS g ON g.id = words.rowid
    WHERE words MATCH ? AND words.rowid < ?${filters} ORDER BY words.rowid DESC LIMIT ?`
}
