import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as sqlite from 'node:sqlite'
import { TokenLog } from '../../broadcast/token-log.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import type { LogEntry } from '../../events/generation.ts'
import type { Retention } from '../../events/retention.ts'
import { openRecords } from '../../store/database.ts'
import { type EntryBlock, readBlock } from '../../store/entry-block.ts'
import type { GenerationRow } from '../../store/generation-record.ts'
import { Recorder } from '../../store/writer/recorder.ts'
import { Writer } from '../../store/writer/writer.ts'
import type { RecordMode, WriterNews } from '../../store/writer/writer-messages.ts'

export interface StageOptions {
  mode?: RecordMode
  retention?: Retention
  maxUnwritten?: number
  /** How long entries stay in the log, in ms. */
  maxAgeMs?: number
}

/** A log, and the records that are made of it in a file of their own, without a thread in between. */
export class RecordingStage {
  readonly path: string
  readonly #folder = mkdtempSync(join(tmpdir(), 'tokenscope-records-'))
  readonly #options: StageOptions
  db!: sqlite.DatabaseSync
  writer!: Writer
  recorder!: Recorder
  log!: TokenLog
  news: WriterNews[] = []
  lost = 0

  constructor(options: StageOptions = {}) {
    this.#options = options
    this.path = join(this.#folder, 'records.db')
    this.open()
  }

  /** Begins a run, with an empty log that goes on where the one before ended. */
  open(): void {
    const { mode = 'full', retention = { ageMs: null, bytes: null }, maxAgeMs } = this.#options
    this.db = openRecords(this.path)
    this.writer = new Writer({
      db: this.db,
      mode,
      retention,
      retryMs: 5,
      tell: news => {
        this.news.push(news)
        if (news.type === 'done') this.recorder.done(news.number, news.lost)
        else if (news.type === 'trouble') this.recorder?.stuck(news.reason !== null)
      },
    })
    const { epoch, nextBlock, finished } = this.writer.resumption
    this.log = new TokenLog({
      place: mapPosition,
      epoch,
      nextBlock,
      finished,
      ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
    })
    this.recorder = new Recorder({
      hand: batch => this.writer.take(batch),
      tapes: mode === 'full',
      onLost: entries => {
        this.lost += entries
      },
      ...(this.#options.maxUnwritten === undefined ? {} : { maxUnwritten: this.#options.maxUnwritten }),
    })
    this.recorder.follow(this.log)
  }

  /** Ends the run in order. */
  close(): void {
    this.recorder.close()
    this.writer.close()
  }

  /** Ends it as a crash does: what was not handed over is gone. */
  abandon(): void {
    this.recorder.abandon()
    this.writer.close()
  }

  remove(): void {
    if (this.db.isOpen) this.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  row(generation: string): GenerationRow | undefined {
    return rowOf(this.db, generation)
  }

  entries(generation: string): LogEntry[] {
    return entriesOf(this.db, generation)
  }

  /** What a query gives. */
  all<T = Record<string, unknown>>(sql: string, ...values: (string | number)[]): T[] {
    return this.db.prepare(sql).all(...values) as T[]
  }
}

/** Opens records that somebody else writes, to look at them. */
export function readOnly(path: string): sqlite.DatabaseSync {
  return new sqlite.DatabaseSync(path, { readOnly: true, timeout: 5000 })
}

/** The row of a generation; undefined if nothing is recorded of it. */
export function rowOf(db: sqlite.DatabaseSync, generation: string): GenerationRow | undefined {
  const row = db.prepare('SELECT * FROM generations WHERE generation = ?').get(generation)
  return row as unknown as GenerationRow | undefined
}

/** All entries of a generation as they are recorded, their seqs counted from 1; checks that its blocks follow each other. */
export function entriesOf(db: sqlite.DatabaseSync, generation: string): LogEntry[] {
  const row = rowOf(db, generation)
  if (row === undefined) return []
  const blocks = db.prepare('SELECT * FROM entry_blocks WHERE generation = ? ORDER BY ord').all(row.id)
  const entries: LogEntry[] = []
  for (const block of blocks as unknown as EntryBlock[]) {
    const own = readBlock(block, generation, row.began)
    const tokens = own.filter(entry => entry.type === 'token_activation')
    if (block.ord !== entries.length || block.entries !== own.length || block.tokens !== tokens.length) {
      throw new Error(`block ${block.ord} of ${generation} does not say what is in it`)
    }
    if (tokens[0] !== undefined && block.first_token !== tokens[0].index) {
      throw new Error(`block ${block.ord} of ${generation} begins with token ${tokens[0].index}`)
    }
    entries.push(...own)
  }
  return entries
}
