import type * as sqlite from 'node:sqlite'
import { reasonOf } from '../../events/errors.ts'
import { isFinal } from '../../events/generation.ts'
import type { Retention } from '../../events/retention.ts'
import { passingTrouble, recordsBytes } from '../database.ts'
import type { ImportedRecording } from '../file/import-batch.ts'
import type { Edit, GenerationRecord } from '../recording.ts'
import { readBatchItems } from './batch-items.ts'
import { ExchangeTables } from './exchange-tables.ts'
import { Facts } from './facts.ts'
import { GenerationTables } from './generation-tables.ts'
import { RecordChanges } from './record-changes.ts'
import { RetentionSweep } from './retention-sweep.ts'
import { beginRun, type Resumption } from './start.ts'
import { type Stretch, StretchReader } from './stretches.ts'
import { lossOf, nextOf, partsOf, type Work } from './work.ts'
import type { Batch, RecordMode, WriterNews } from './writer-messages.ts'

/** How long after a failure it is tried again. */
const RETRY_MS = 1000
const SWEEP_MS = 60_000
/** The size is told when it changed by so much. */
const SIZE_TOLD_BYTES = 64 * 1024

export interface WriterOptions {
  db: sqlite.DatabaseSync
  mode: RecordMode
  retention: Retention
  tell: (news: WriterNews) => void
  retryMs?: number
  /** Of the run that goes on, where the writer before this one is gone; absent: a run begins. */
  resumption?: Resumption | undefined
}

/**
 * Writes batches into the tables, one after the other and each all or nothing. What cannot be written is kept and
 * tried again; in between it removes what is not to be kept any longer.
 */
export class Writer {
  readonly resumption: Resumption
  readonly changes: RecordChanges
  readonly #db: sqlite.DatabaseSync
  readonly #tell: (news: WriterNews) => void
  readonly #retryMs: number
  readonly #facts: Facts
  readonly #stretches = new StretchReader()
  readonly #generations: GenerationTables
  readonly #exchanges: ExchangeTables
  readonly #sweep: RetentionSweep
  readonly #queue: Work[] = []
  #retry: NodeJS.Timeout | null = null
  /** Set while batches wait for those that came with them. */
  #taking: NodeJS.Immediate | null = null
  #sweepTimer: NodeJS.Timeout
  #sweeping: NodeJS.Immediate | null = null
  #toldBytes = 0
  /** Whether all entries so far are in the tables as they came. */
  #isWhole: boolean

  constructor(options: WriterOptions) {
    const { db, mode, retention } = options
    this.#db = db
    this.#tell = options.tell
    this.#retryMs = options.retryMs ?? RETRY_MS
    this.#isWhole = mode === 'full'
    this.#facts = new Facts(db)
    this.#generations = new GenerationTables(db, mode)
    this.#exchanges = new ExchangeTables(db, this.#generations)
    this.#sweep = new RetentionSweep(db, retention)
    this.changes = new RecordChanges(db, this.#generations)
    this.resumption = options.resumption ?? this.#beginRun()
    if (options.resumption !== undefined) this.#goOn()
    this.#sweepTimer = setInterval(() => this.#startSweep(), SWEEP_MS)
    this.#startSweep()
    this.#measure()
  }

  /** Writes a batch, with all others that are there by now. */
  take(batch: Batch): void {
    this.#queue.push(this.#read(batch))
    this.#taking ??= setImmediate(() => this.#writeTaken())
  }

  /** @throws TokenscopeError NOT_FOUND, VERSION_CONFLICT */
  edit({ generation, edit }: { generation: string; edit: Edit }): GenerationRecord {
    return this.changes.edit(generation, edit)
  }

  /** @throws TokenscopeError NOT_FOUND, STILL_RUNNING */
  remove({ generation }: { generation: string }): void {
    this.changes.remove(generation)
    this.#sweep.removed()
    this.#startSweep()
  }

  /** @throws TokenscopeError ALREADY_RECORDED */
  import(recording: ImportedRecording): void {
    this.changes.import(recording)
    this.#measure()
  }

  /** Writes what it can of what is left, and closes the database. */
  close(): void {
    clearInterval(this.#sweepTimer)
    if (this.#sweeping !== null) clearImmediate(this.#sweeping)
    if (this.#taking !== null) clearImmediate(this.#taking)
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#retry = null
    this.#writeAll()
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#db.close()
  }

  #beginRun(): Resumption {
    const onDamage = (text: string) => this.#tell({ type: 'note', level: 'error', text })
    return beginRun(this.#db, this.#generations, this.#exchanges, onDamage)
  }

  /** What runs still does; of the requests that were being written nothing more can be. */
  #goOn(): void {
    this.#isWhole = false
    this.#transaction(true, () => this.#exchanges.interruptAll())
  }

  /** What can be read of a batch; the rest is left out. */
  #read({ number, bytes, entries, upto, nextBlock }: Batch): Work {
    const faults: unknown[] = []
    const { messages, lost, tapes } = readBatchItems(bytes, fault => faults.push(fault))
    const stretches = messages.flatMap(message => this.#stretches.read(message, fault => faults.push(fault)))
    const state = { number, lost: 0 }
    if (faults.length > 0) {
      state.lost = entries - stretches.reduce((sum, stretch) => sum + stretch.entries, 0)
      this.#leaveOut(`${state.lost} entries that cannot be read`, faults[0])
    }
    const reached = { upto, nextBlock }
    return { batch: state, bytes: bytes.length, stretches, lost, tapes, reached, part: null }
  }

  /** What was taken is written, unless that has to wait for the next try. */
  #writeTaken(): void {
    this.#taking = null
    if (this.#retry === null && this.#queue.length > 0) this.#writeAll()
  }

  /** Writes what waits, in its order, until something cannot be written. */
  #writeAll(): void {
    // Of several that failed together each is tried alone, and part by part: so only what is wrong is left out.
    for (let alone = 0; this.#queue.length > 0; ) {
      const works = alone > 0 ? this.#queue.slice(0, 1) : nextOf(this.#queue)
      const start = performance.now()
      try {
        this.#write(works)
      } catch (error) {
        const passing = passingTrouble(error)
        if (passing !== null) {
          this.#tell({ type: 'trouble', reason: `${passing} (${reasonOf(error)})` })
          this.#retry = setTimeout(() => this.#tryAgain(), this.#retryMs)
          return
        }
        const [work] = works as [Work]
        const instead = works.length > 1 ? works : this.#insteadOf(work, error)
        alone = Math.max(alone, works.length) - works.length + instead.length
        this.#queue.splice(0, works.length, ...instead)
        continue
      }
      let seconds: number | null = (performance.now() - start) / 1000
      for (const { batch, reached } of works) {
        if (reached === null) continue
        this.#tell({ type: 'done', ...batch, seconds })
        seconds = null
      }
      this.#queue.splice(0, works.length)
      alone = Math.max(0, alone - 1)
    }
    this.#measure()
  }

  #tryAgain(): void {
    this.#retry = null
    this.#writeAll()
    if (this.#retry === null) this.#tell({ type: 'trouble', reason: null })
  }

  /** One transaction. What ended in it is on the disk afterwards, whatever happens to the machine. */
  #write(works: Work[]): void {
    const [stretches, lost, tapes] = [
      works.flatMap(work => work.stretches),
      works.flatMap(work => work.lost),
      works.flatMap(work => work.tapes),
    ]
    const reached = works.findLast(work => work.reached !== null)?.reached
    const durable = tapes.some(item => item.type === 'end') || hasEnd(stretches) || lost.length > 0
    this.#transaction(durable, () => {
      this.#exchanges.begin(tapes)
      this.#generations.lose(lost)
      this.#generations.append(stretches)
      this.#exchanges.end(tapes)
      if (!reached) return
      if (this.#isWhole && works.every(({ batch }) => batch.lost === 0)) this.#facts.set('seq', reached.upto)
      this.#facts.set('next_block', reached.nextBlock)
    })
  }

  #transaction(durable: boolean, write: () => void): void {
    this.#db.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`)
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      write()
      this.#db.exec('COMMIT')
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      this.#generations.rollback()
      this.#exchanges.rollback()
      throw error
    }
    this.#generations.commit()
    this.#exchanges.commit()
  }

  /**
   * What is to be written instead of what can never be, so that nothing else is lost with it: the parts of a batch;
   * of entries what can be said of them; of what is less than that, nothing.
   */
  #insteadOf(work: Work, error: unknown): Work[] {
    if (work.part === null) return partsOf(work)
    const { batch, stretches, lost, reached, part } = work
    const entries = stretches.reduce((sum, stretch) => sum + stretch.entries, 0)
    batch.lost += entries
    this.#leaveOut(entries === 0 ? part : `${entries} ${part}`, error)
    if (entries > 0)
      return [{ ...work, stretches: [], lost: lossOf(stretches), part: `that ${part} are missing` }]
    // Its blocks are damaged: it is at least not to be taken for whole, nor for one that runs.
    try {
      this.#transaction(true, () => this.#generations.damage(lost))
    } catch (fault) {
      this.#leaveOut(`what ${part}`, fault)
    }
    if (reached !== null) this.#tell({ type: 'done', ...batch, seconds: null })
    return []
  }

  #leaveOut(what: string, error: unknown): void {
    this.#isWhole = false
    this.#tell({ type: 'left-out', what, reason: reasonOf(error) })
  }

  /** Tells how much there is, and has the oldest removed if it is too much. */
  #measure(): void {
    const bytes = recordsBytes(this.#db)
    if (Math.abs(bytes - this.#toldBytes) >= SIZE_TOLD_BYTES) {
      this.#toldBytes = bytes
      this.#tell({ type: 'size', bytes })
    }
    if (this.#sweep.isOver(bytes)) this.#startSweep()
  }

  /** Sweeps slice by slice; what comes to be written in between is. */
  #startSweep(): void {
    if (this.#sweeping !== null) return
    this.#sweeping = setImmediate(() => {
      this.#sweeping = null
      let more = false
      try {
        more = this.#sweep.step()
      } catch (error) {
        // What cannot be removed now is tried again with the next sweep.
        this.#tell({
          type: 'note',
          level: 'warn',
          text: `Old recordings could not be removed: ${reasonOf(error)}`,
        })
      }
      if (more) this.#startSweep()
      else this.#tellSize()
    })
  }

  #tellSize(): void {
    const bytes = recordsBytes(this.#db)
    if (bytes === this.#toldBytes) return
    this.#toldBytes = bytes
    this.#tell({ type: 'size', bytes })
  }
}

function hasEnd(stretches: Stretch[]): boolean {
  return stretches.some(({ state }) => state !== null && isFinal(state.state))
}
