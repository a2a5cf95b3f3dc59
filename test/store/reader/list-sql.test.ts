import { describe, expect, test } from 'vitest'
import { type ListColumn, listSql, searchSql } from '../../../store/reader/list-sql.ts'
import { FilledRecords } from '../../support/filled-records.ts'

describe('a list', () => {
  const filters: [ListColumn[], string][] = [
    [[], 'INTEGER PRIMARY KEY (rowid<?)'],
    [['state'], 'INDEX generations_by_state (state=? AND id<?)'],
    [['model'], 'INDEX generations_by_model (model=? AND id<?)'],
    [['state', 'model'], 'INDEX generations_by_model_state (model=? AND state=? AND id<?)'],
  ]

  test('is read along an index, in its order, whatever it is filtered by', () => {
    using records = new FilledRecords()
    const planOf = (sql: string) =>
      records.database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => detail)
    for (const [columns, index] of filters) {
      expect(planOf(listSql(columns))).toEqual([`SEARCH generations USING ${index}`])
      // 192: the index of words gives them in the order of their ids, from the last one; "<": from a row on.
      expect(planOf(searchSql(columns))).toEqual([
        expect.stringMatching(/^SCAN words VIRTUAL TABLE INDEX 192:M\d+<$/),
        'SEARCH g USING INTEGER PRIMARY KEY (rowid=?)',
      ])
    }
  })
})
