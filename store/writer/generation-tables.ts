import type * as sqlite from 'node:sqlite'
import { ByteReader, ByteWriter } from '../../broadcast/protocol/byte-codec.ts'
import { type GenerationKey, readEntry, ticksOf, writeState, writeToken } from '../../broadcast/protocol.ts'
import { isFinal } from '../../events/generation.ts'
import { passingTrouble, prepareWrite } from '../database.ts'
import { BlockBuilder, type EntryBlock, readBlock } from '../entry-block.ts'
import type { GenerationRow } from '../generation-record.ts'
import { beginningOf, storedText } from '../stored-text.ts'
import { EntryBlocks } from './entry-blocks.ts'
import { ExchangeFacts } from './exchange-facts.ts'
import { interrupted, type KeptState, unknownState, withoutType } from './kept-state.ts'
import { RowIds } from './row-ids.ts'
import type { Stretch } from './stretches.ts'
import { TransactionalMap } from './transactional-map.ts'
import { Words } from './words.ts'
import type { LostEntries, RecordMode } from './writer-messages.ts'

/** UTF-16 units of `preview` and `prompt`. */
export const PREVIEW_UNITS = 200
const TICKS_PER_SECOND = 10_000

/** A generation that entries are added to. */
interface OpenRow {
  id: number
  /** What its entries carry, from its first to its last. */
  key: GenerationKey
  entries: number
  tokens: number
  /** Index of the token that is to come next. */
  next: number
  missing: number
  bytes: number
  /** Its last state. */
  state: KeptState
  exchange: number | null
}

/** A generation that entries were added to. */
interface Added {
  row: OpenRow
  /** Whether it had no entries before. */
  isNew: boolean
  /** The entries; not in the tables yet if it has ended. */
  blocks: EntryBlock[]
}

/**
 * Writes what comes of generations into their tables, each call within a transaction that somebody else begins and
 * ends: `commit` and `rollback` say how. Afterwards what it remembers is as the tables are.
 */
export class GenerationTables {
  readonly #db: sqlite.DatabaseSync
  readonly #mode: RecordMode
  readonly #ids: RowIds
  readonly #blocks: EntryBlocks
  readonly #words: Words
  readonly #exchanges: ExchangeFacts
  /** Those that run. */
  readonly #open = new TransactionalMap<string, OpenRow>()
  /** Exchanges of generations that nothing is recorded of yet. */
  readonly #links = new TransactionalMap<string, number>()
  readonly #find: sqlite.StatementSync
  readonly #running: sqlite.StatementSync
  readonly #insert: sqlite.StatementSync
  readonly #progress: sqlite.StatementSync
  readonly #turn: sqlite.StatementSync
  readonly #finish: sqlite.StatementSync
  readonly #link: sqlite.StatementSync
  readonly #size: sqlite.StatementSync

  constructor(db: sqlite.DatabaseSync, mode: RecordMode) {
    this.#db = db
    this.#mode = mode
    this.#ids = new RowIds(db, 'generations')
    this.#blocks = new EntryBlocks(db)
    this.#words = new Words(db)
    this.#exchanges = new ExchangeFacts(db)
    this.#find = db.prepare('SELECT * FROM generations WHERE generation = ?')
    this.#running = db.prepare(
      "SELECT generation FROM generations WHERE state IN ('queued', 'loading_model', 'processing_prompt', " +
        "'generating', 'cancelling') ORDER BY id",
    )
    this.#insert = prepareWrite(
      db,
      `INSERT INTO generations (id, generation, origin, exchange, state, model, last, began, entries, tokens, prompt,
         recorded_at, run)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, (SELECT value FROM facts WHERE name = 'run'))`,
    )
    this.#progress = prepareWrite(
      db,
      'UPDATE generations SET last = ?, entries = ?, tokens = ?, missing = ?, bytes = ? WHERE id = ?',
    )
    // Apart, since it costs changes of three indexes.
    this.#turn = prepareWrite(
      db,
      `UPDATE generations SET state = ?, model = ?, origin = ?, ended_at = NULL, mean_logprob = NULL, preview = ''
       WHERE id = ?`,
    )
    this.#finish = prepareWrite(
      db,
      'UPDATE generations SET ended_at = ?, mean_logprob = ?, preview = ?, bytes = ? WHERE id = ?',
    )
    this.#link = prepareWrite(db, 'UPDATE generations SET exchange = ?, prompt = ? WHERE id = ?')
    this.#size = prepareWrite(db, 'UPDATE generations SET bytes = ? WHERE id = ?')
  }

  /** Adds entries to their generations, and ends those that have ended, in the order in which they did. */
  append(stretches: Stretch[]): void {
    const ended: { added: Added; at: number }[] = []
    for (const [generation, own] of Map.groupBy(stretches, stretch => stretch.key.id)) {
      const first = own[0] as Stretch
      const added = this.#add(this.#load(generation) ?? this.#create(first.key, own), own)
      const at = Math.max(...own.map(({ stateAt }) => stateAt))
      if (isFinal(added.row.state.state)) ended.push({ added, at })
    }
    ended.sort((a, b) => a.at - b.at)
    for (const { added } of ended) this.#end(added)
  }

  /** Notes what entries were lost, and adds the last states among them. */
  lose(lost: LostEntries[]): void {
    for (const { generation, nextToken, state } of lost) {
      const kept = state === null ? null : withoutType(state)
      const key = { handle: 1, id: generation, began: beganOf(kept) }
      const row = this.#load(generation) ?? (kept === null ? null : this.#create(key, []))
      // Nothing of it is recorded: the index of its next token will tell what is missing.
      if (row === null) continue
      const missing = Math.max(0, (nextToken ?? 0) - row.next)
      const known = { ...row, missing: row.missing + missing, next: row.next + missing }
      const added = this.#add(known, kept === null ? [] : [stretchOf(kept, row.key)])
      if (isFinal(added.row.state.state)) this.#end(added)
    }
  }

  /** Says of which request a generation is. */
  link(generation: string, exchange: number): void {
    const row = this.#load(generation)
    if (row === null) {
      this.#links.set(generation, exchange)
      return
    }
    if (row.exchange !== null) return
    this.#link.run(exchange, promptBeginning(this.#exchanges.prompt(exchange)), row.id)
    if (isFinal(row.state.state)) this.rewrite(generation)
    else this.#open.set(generation, { ...row, exchange })
  }

  /** The request has ended: nothing more of it is to come. */
  unlink(generation: string): void {
    this.#links.delete(generation)
  }

  /** Counts the bytes anew that a generation takes. */
  measure(row: { id: number; exchange: number | null }): number {
    const share = row.exchange === null ? 0 : this.#exchanges.share(row.exchange)
    const bytes = this.#blocks.bytes(row.id) + share
    this.#size.run(bytes, row.id)
    return bytes
  }

  /** Writes the words anew by which a generation that has ended is found. */
  rewrite(generation: string): void {
    const row = this.#find.get(storedText(generation)) as unknown as GenerationRow | undefined
    const handle = row && this.#blocks.last(row.id)?.handle
    if (row === undefined || handle === undefined) return
    const { text } = this.#blocks.content(row.id, { handle, id: generation, began: row.began })
    this.#words.put(row, this.#promptOf(row), text)
  }

  /**
   * Notes that entries were lost where nothing can be added to what is there, since that is damaged. Nothing but the
   * rows is read or written.
   */
  damage(lost: LostEntries[]): void {
    for (const { generation, nextToken, state } of lost) {
      const row = this.#find.get(storedText(generation)) as unknown as GenerationRow | undefined
      if (row === undefined) continue
      const kept = state === null ? (JSON.parse(row.last) as KeptState) : withoutType(state)
      const { origin, model, last } = columnsOf(kept)
      const missing = Math.max(1, (nextToken ?? 0) - row.tokens - row.missing)
      this.#progress.run(last, row.entries, row.tokens, row.missing + missing, row.bytes, row.id)
      this.#turn.run(kept.state, model, origin, row.id)
      this.#open.delete(generation)
      if (isFinal(kept.state)) this.#finish.run(endOf(row.began, kept), null, '', row.bytes, row.id)
    }
  }

  /**
   * Ends what runs by the tables: Tokenscope ended before it did.
   *
   * @param onFault told of what is damaged: all that is left to say of it is that it ended
   */
  interruptAll(onFault: (generation: string, fault: unknown) => void): void {
    for (const { generation } of this.#running.all() as { generation: string }[]) {
      this.#db.exec('SAVEPOINT one')
      try {
        const row = this.#load(generation)
        if (row !== null) this.#end(this.#add(row, [stretchOf(this.#interrupted(row), row.key)]))
      } catch (fault) {
        if (passingTrouble(fault) !== null) throw fault
        this.#db.exec('ROLLBACK TO one')
        onFault(generation, fault)
        const { last } = this.#find.get(generation) as unknown as GenerationRow
        const state = interrupted(JSON.parse(last) as KeptState)
        this.damage([{ generation, nextToken: null, state: { type: 'neural_state', ...state } }])
      }
      this.#db.exec('RELEASE one')
    }
  }

  commit(): void {
    this.#open.commit()
    this.#links.commit()
  }

  rollback(): void {
    this.#open.rollback()
    this.#links.rollback()
  }

  /** A generation as it is by now; null if nothing is recorded of it. */
  #load(generation: string): OpenRow | null {
    const known = this.#open.get(generation)
    if (known !== undefined) return known
    const row = this.#find.get(storedText(generation)) as unknown as GenerationRow | undefined
    if (row === undefined) return null
    const { id, began, entries, tokens, missing, bytes, exchange } = row
    const last = this.#blocks.last(id)
    const key = { handle: last?.handle ?? 1, id: generation, began }
    const state = JSON.parse(row.last) as KeptState
    const next = last === undefined ? 0 : nextTokenAfter(readBlock(last, generation, began), last.first_token)
    return { id, key, entries, tokens, next, missing, bytes, state, exchange }
  }

  /** Makes the row of a generation. */
  #create(key: GenerationKey, stretches: Stretch[]): OpenRow {
    const state = stretches.find(stretch => stretch.state !== null)?.state ?? unknownState(key.id)
    const exchange = this.#links.get(key.id) ?? null
    this.#links.delete(key.id)
    const prompt = exchange === null ? null : promptBeginning(this.#exchanges.prompt(exchange))
    const id = this.#ids.next((key.began / TICKS_PER_SECOND) * 1000)
    const { origin, model, last } = columnsOf(state)
    const facts = [origin, exchange, state.state, model, last, key.began, prompt, Date.now()]
    this.#insert.run(id, storedText(key.id), ...facts)
    return { id, key, entries: 0, tokens: 0, next: 0, missing: 0, bytes: 0, state, exchange }
  }

  /**
   * Adds entries of one generation to it; gives it as it is then. One that has ended is still to be ended here, and
   * what is added now is written only then: it would be replaced at once.
   */
  #add(before: OpenRow, stretches: Stretch[]): Added {
    const row = { ...before }
    const builder = new BlockBuilder(row.key, { ord: row.entries, nextToken: row.next, compressed: false })
    for (const stretch of stretches) {
      const bytes = this.#bytesFor(row.key, stretch)
      for (const index of stretch.tokens) {
        row.missing += Math.max(0, index - row.next)
        row.next = Math.max(row.next, index + 1)
      }
      const { entries, tokens } = stretch
      builder.encoded(bytes, entries, tokens[0] ?? null, tokens.length, row.next)
      row.entries += entries
      row.tokens += tokens.length
      if (stretch.state !== null) row.state = stretch.state
    }
    const blocks = builder.blocks()
    if (!isFinal(row.state.state)) row.bytes += this.#blocks.add(row.id, blocks)
    this.#update(row, before)
    this.#open.set(row.key.id, row)
    return { row, isNew: before.entries === 0, blocks }
  }

  #update(row: OpenRow, before: OpenRow): void {
    const { origin, model, last } = columnsOf(row.state)
    this.#progress.run(last, row.entries, row.tokens, row.missing, row.bytes, row.id)
    if (row.state.state !== before.state.state || row.state.model !== before.state.model) {
      this.#turn.run(row.state.state, model, origin, row.id)
    }
    // It goes on after its end.
    if (isFinal(before.state.state) && before.entries > 0) this.#words.remove(row.id)
  }

  /** Puts its blocks together, and writes what is known only once it has ended. */
  #end({ row, isNew, blocks }: Added): void {
    this.#open.delete(row.key.id)
    const { text, meanLogprob, lastTokenAt } = this.#blocks.compact(row.id, row.key, { isNew, blocks })
    const endedAt = Math.max(endOf(row.key.began, row.state), lastTokenAt ?? 0)
    const preview = storedText(beginningOf(text, PREVIEW_UNITS))
    this.#finish.run(endedAt, meanLogprob, preview, row.bytes, row.id)
    this.measure(row)
    const written = this.#find.get(storedText(row.key.id)) as unknown as GenerationRow
    this.#words.put(written, this.#promptOf(written), text)
  }

  /** All of the prompt where the request is there, else what is kept of it. */
  #promptOf({ exchange, prompt }: GenerationRow): string | null {
    return (exchange === null ? null : this.#exchanges.prompt(exchange)) ?? prompt
  }

  /** The bytes of entries as they are kept: all of a generation carry the same, and in `meta` no text. */
  #bytesFor(key: GenerationKey, stretch: Stretch): Uint8Array {
    const same = stretch.key.handle === key.handle && stretch.key.began === key.began
    if (same && (this.#mode === 'full' || stretch.tokens.length === 0)) return stretch.bytes.written
    const input = new ByteReader(stretch.bytes.written)
    const keys = new Map([[stretch.key.handle, stretch.key]])
    const out = new ByteWriter(input.end)
    while (input.at < input.end) {
      const entry = readEntry(input, 1, keys)
      if (entry === null) continue
      if (entry.type === 'neural_state') {
        const { seq: _seq, ...state } = entry
        writeState(out, state, key)
      } else writeToken(out, this.#mode === 'full' ? entry : withoutText(entry), entry.position, key, false)
    }
    return out.written
  }

  #interrupted(row: OpenRow): KeptState {
    const { lastTokenAt } = this.#blocks.content(row.id, row.key)
    const seenMs = lastTokenAt === null ? 0 : lastTokenAt * 1000 - row.key.began / 10
    const { tokens_processed, elapsed_ms } = row.state
    return {
      ...interrupted(row.state),
      tokens_processed: Math.max(tokens_processed, row.tokens),
      elapsed_ms: Math.max(elapsed_ms, Math.round(seenMs * 10) / 10),
    }
  }
}

/** When a generation ended by its last state, in Unix seconds. */
function endOf(began: number, state: KeptState): number {
  return began / TICKS_PER_SECOND + state.elapsed_ms / 1000
}

/** A state alone, as a stretch. */
function stretchOf(state: KeptState, key: GenerationKey): Stretch {
  const bytes = new ByteWriter()
  writeState(bytes, { type: 'neural_state', ...state }, key)
  return { key, bytes, entries: 1, tokens: [], state, stateAt: 0 }
}

function withoutText<T extends { token_text: string; token_id: number | null; top: unknown[] }>(token: T): T {
  return { ...token, token_text: '', token_id: null, top: [] }
}

/** When it began, as far as a state alone tells, in ticks. */
function beganOf(state: KeptState | null): number {
  return ticksOf((Date.now() - (state?.elapsed_ms ?? 0)) / 1000)
}

function columnsOf(state: KeptState): { origin: string; model: string | null; last: string } {
  return {
    origin: state.replay === undefined ? 'live' : 'replay',
    model: state.model === null ? null : storedText(state.model),
    last: JSON.stringify(state),
  }
}

function promptBeginning(prompt: string | null): string | null {
  return prompt === null ? null : storedText(beginningOf(prompt, PREVIEW_UNITS))
}

function nextTokenAfter(entries: { type: string; index?: number }[], first: number): number {
  return entries.reduce((next, { index }) => (index === undefined ? next : Math.max(next, index + 1)), first)
}
