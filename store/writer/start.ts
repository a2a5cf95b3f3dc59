import { randomBytes } from 'node:crypto'
import type * as sqlite from 'node:sqlite'
import type { SnapshotGeneration } from '../../broadcast/protocol.ts'
import { reasonOf } from '../../events/errors.ts'
import { passingTrouble } from '../database.ts'
import type { GenerationRow } from '../generation-record.ts'
import { EntryBlocks } from './entry-blocks.ts'
import type { ExchangeTables } from './exchange-tables.ts'
import { Facts } from './facts.ts'
import type { GenerationTables } from './generation-tables.ts'
import type { KeptState } from './kept-state.ts'

/** Finished generations that the log begins with. */
const FINISHED_TOLD = 50

/** Where the log goes on after the run before. */
export interface Resumption {
  epoch: string
  /** Number of the first block of cells that was never given. */
  nextBlock: number
  /** The last 50 that ended, oldest first. */
  finished: SnapshotGeneration[]
}

/**
 * Begins a run: what ran when the one before ended is interrupted, and this run has the next number. In one
 * transaction; nobody else writes yet.
 *
 * @param onDamage told of a generation that cannot be read
 */
export function beginRun(
  db: sqlite.DatabaseSync,
  generations: GenerationTables,
  exchanges: ExchangeTables,
  onDamage: (text: string) => void,
): Resumption {
  const facts = new Facts(db)
  db.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE')
  exchanges.interruptAll()
  generations.interruptAll((generation, fault) => {
    onDamage(`What ran when Tokenscope ended last, ${generation}, is damaged: ${reasonOf(fault)}`)
  })
  const logId = facts.get('log_id') ?? randomBytes(5).toString('hex')
  const run = Number(facts.get('run') ?? 0) + 1
  const nextBlock = Number(facts.get('next_block') ?? 0)
  facts.set('log_id', logId)
  facts.set('run', run)
  facts.set('next_block', nextBlock)
  facts.set('seq', 0)
  db.exec('COMMIT')
  exchanges.commit()
  generations.commit()
  return { epoch: `${logId}.${run}`, nextBlock, finished: lastFinished(db) }
}

/**
 * The blocks of a generation are written anew when it ends: so the order of their rows is that of the ends. What was
 * read from files is of no log.
 */
function lastFinished(db: sqlite.DatabaseSync): SnapshotGeneration[] {
  const blocks = new EntryBlocks(db)
  const find = db.prepare("SELECT * FROM generations WHERE id = ? AND origin <> 'import'")
  const finished = new Map<number, SnapshotGeneration | null>()
  let found = 0
  for (const block of db.prepare('SELECT generation FROM entry_blocks ORDER BY id DESC').iterate()) {
    const id = block.generation as number
    if (finished.has(id)) continue
    const row = find.get(id) as unknown as GenerationRow | undefined
    finished.set(id, row === undefined ? null : snapshotOf(row, blocks))
    if (row !== undefined && ++found === FINISHED_TOLD) break
  }
  return [...finished.values()].filter(generation => generation !== null).reverse()
}

function snapshotOf(
  { id, generation, began, last, tokens }: GenerationRow,
  blocks: EntryBlocks,
): SnapshotGeneration {
  const handle = blocks.last(id)?.handle ?? 1
  let text = ''
  try {
    text = blocks.content(id, { handle, id: generation, began }).text
  } catch (fault) {
    // What is damaged is shown without its text; nothing else is to suffer.
    if (passingTrouble(fault) !== null) throw fault
  }
  return { ...(JSON.parse(last) as KeptState), text, tokens }
}
