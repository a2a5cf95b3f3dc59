import { join } from 'node:path'
import type { Tapes } from '../bridge/tape.ts'
import type { TokenLog } from '../broadcast/token-log.ts'
import type { Past } from '../compositor/past.ts'
import type { ComponentReport } from '../events/components.ts'
import { reasonOf } from '../events/errors.ts'
import type { Meter } from '../events/metrics.ts'
import type { Retention } from '../events/retention.ts'
import { RecordedPast } from './reader/past.ts'
import { ThreadedRecords } from './reader/records.ts'
import type { Records } from './recording.ts'
import { NO_THREAD, ThreadHandle } from './thread-handle.ts'
import { Recorder } from './writer/recorder.ts'
import type { Resumption } from './writer/start.ts'
import type { Batch, WriterData, WriterNews } from './writer/writer-messages.ts'

export type { Resumption } from './writer/start.ts'

/** How a part tells what happened to whoever keeps the log. */
export type Say = (level: 'debug' | 'info' | 'warn' | 'error', text: string) => void

export interface StoreOptions {
  /** The data folder; it has to be there. */
  folder: string
  /** `meta` leaves out all text, `off` records nothing more; what is there can be read. */
  record: 'off' | 'meta' | 'full'
  retention: Retention
  meter: Meter
  say: Say
  /** Bytes that may wait to be written; what comes beyond them is not recorded. */
  maxUnwritten?: number
}

/** Name of the records in the data folder. */
const RECORDS_FILE = 'records.db'
const WRITER = new URL('./writer/writer-thread.ts', import.meta.url)
const READER = new URL('./reader/reader-thread.ts', import.meta.url)
/** Threads that write and end by themselves, before it is taken to be no chance. */
const MAX_ENDS = 3
const BYTES_PER_MB = 1e6

/** The records of a data folder: one thread writes them, another reads them. */
export class Store {
  /** Where the log goes on. */
  readonly resumption: Resumption
  readonly records: Records
  readonly past: Past
  readonly #options: StoreOptions
  readonly #path: string
  #writer: ThreadHandle
  readonly #recorder: Recorder
  #reader: ThreadHandle | null = null
  readonly #entries = new Map<number, number>()
  #bytes = 0
  /** Entries that were not recorded, in all and since it was last said that it is written again. */
  #lost = 0
  #lostNow = 0
  /** Why nothing can be written; null if it can. */
  #trouble: string | null = null
  /** What can never be recorded, and why, as it was said first; null if there is no such thing. */
  #leftOut: string | null = null
  /** How often the thread that writes ended by itself. */
  #ends = 0
  /** What is to be handed to the thread that is being started; null while there is one. */
  #held: Batch[] | null = null
  #resuming: Promise<void> = Promise.resolve()
  #stopping = false

  /**
   * Opens the records: what ran when they were written last is interrupted.
   *
   * @throws TokenscopeError RECORDS where they cannot be used: damaged, of a newer version, not ours, not to be written
   */
  static async open(options: StoreOptions): Promise<Store> {
    const path = join(options.folder, RECORDS_FILE)
    const news: WriterNews[] = []
    const link: WriterLink = { take: message => news.push(message), end: () => {} }
    const writer = writerOf(options, path, link)
    try {
      const store = new Store(options, path, writer, await writer.call<Resumption>('open'))
      store.#listen(link)
      // What was told before the store was there.
      for (const message of news) store.#take(message)
      return store
    } catch (error) {
      await writer.stop()
      throw error
    }
  }

  private constructor(options: StoreOptions, path: string, writer: ThreadHandle, resumption: Resumption) {
    this.#options = options
    this.#path = path
    this.#writer = writer
    this.resumption = resumption
    this.#recorder = new Recorder({
      hand: batch => this.#hand(batch),
      tapes: options.record === 'full',
      onLost: entries => this.#lose(entries),
      ...(options.maxUnwritten === undefined ? {} : { maxUnwritten: options.maxUnwritten }),
    })
    const reader = () => this.#read()
    const flush = () => this.#recorder.flush()
    const calls: Pick<ThreadHandle, 'call'> = { call: (...call) => this.#writer.call(...call) }
    this.records = new ThreadedRecords({ writer: calls, reader, flush })
    this.past = new RecordedPast({ reader, flush })
  }

  /** Records what the bridge tells of requests and answers. */
  get tapes(): Tapes {
    return this.#recorder
  }

  /** Begins to record; before anything is appended. */
  follow(log: TokenLog): void {
    if (this.#options.record !== 'off') this.#recorder.follow(log)
  }

  /** Resolves when all that was appended by now is committed, or cannot be. */
  flush(): Promise<void> {
    return this.#recorder.flush()
  }

  /** How it is; `degraded` while nothing can be written. */
  report(): ComponentReport {
    const { record } = this.#options
    const facts = { record, bytes: this.#bytes, lost_entries: this.#lost }
    if (this.#trouble !== null) {
      const lost =
        this.#lostNow === 0 ? 'nothing was lost so far' : `${this.#lostNow} entries were not recorded`
      const detail = `recording stopped: ${this.#trouble}; ${lost}; streaming goes on`
      return { name: 'records', status: 'degraded', detail, facts }
    }
    if (this.#leftOut !== null) {
      const detail = `recording, but for ${this.#lost} entries that could not be: ${this.#leftOut}`
      return { name: 'records', status: 'degraded', detail, facts }
    }
    const size = `${(this.#bytes / BYTES_PER_MB).toFixed(1)} MB`
    const told = { off: 'nothing is recorded', meta: 'recording without text', full: 'recording' }[record]
    return { name: 'records', status: 'ok', detail: `${told}; ${size} in ${this.#path}`, facts }
  }

  /** Ends it: everything handed over is written if it can be, and nothing of it runs any more. */
  async stop(): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    await this.#resuming
    this.#recorder.close()
    // First, so that whoever closes the database last writes its WAL back.
    await this.#reader?.stop()
    await this.#writer.stop()
    const entries = this.#unwritten()
    if (entries > 0) this.#lose(entries)
    if (this.#trouble === null || this.#lostNow === 0) return
    this.#options.say('error', `${this.#lostNow} entries were not recorded: ${this.#trouble}.`)
  }

  #read(): Pick<ThreadHandle, 'call'> {
    // Nobody would end one that is started now.
    if (this.#stopping && this.#reader === null) return NO_THREAD
    this.#reader ??= new ThreadHandle({
      entry: READER,
      data: { path: this.#path },
      onEnd: error => {
        this.#reader = null
        if (error !== null) this.#options.say('error', `The records' reader ended: ${error.message}`)
      },
    })
    return this.#reader
  }

  #hand(batch: Batch): void {
    this.#entries.set(batch.number, batch.entries)
    if (this.#held !== null) this.#held.push(batch)
    else this.#writer.post(batch, [batch.bytes.buffer])
  }

  #take(news: WriterNews): void {
    const { say, meter } = this.#options
    if (news.type === 'done') this.#done(news)
    else if (news.type === 'note') say(news.level, news.text)
    else if (news.type === 'trouble') this.#setTrouble(news.reason)
    else if (news.type === 'left-out') this.#leaveOut(`${news.what} could not be recorded: ${news.reason}`)
    else {
      this.#bytes = news.bytes
      meter.set('tokenscope_records_bytes', {}, news.bytes)
    }
  }

  #done({ number, lost, seconds }: WriterNews & { type: 'done' }): void {
    const { meter } = this.#options
    const written = (this.#entries.get(number) ?? 0) - lost
    this.#entries.delete(number)
    if (written > 0) meter.count('tokenscope_records_entries_total', {}, written)
    if (seconds !== null) meter.observe('tokenscope_records_commit_seconds', {}, seconds)
    if (lost > 0) this.#lose(lost)
    this.#recorder.done(number, lost)
  }

  /** What nobody expects: it is said each time, and until Tokenscope starts anew. */
  #leaveOut(what: string): void {
    this.#leftOut ??= what
    this.#options.say('error', `${what}.`)
  }

  #lose(entries: number): void {
    this.#lost += entries
    this.#lostNow += entries
    this.#options.meter.count('tokenscope_records_lost_entries_total', {}, entries)
  }

  /** Said once, however often it is tried again. */
  #setTrouble(reason: string | null): void {
    const before = this.#trouble
    this.#trouble = reason
    this.#recorder.stuck(reason !== null)
    const { say } = this.#options
    if (before === null && reason !== null) {
      say('error', `Recording stopped: ${reason}. It is tried again each second; streaming goes on.`)
    } else if (before !== null && reason === null) {
      const lost = this.#lostNow === 0 ? 'nothing was lost' : `${this.#lostNow} entries were not recorded`
      say('warn', `Recording works again; ${lost}.`)
      this.#lostNow = 0
    }
  }

  #listen(link: WriterLink): void {
    link.take = message => this.#take(message)
    link.end = error => this.#end(error)
  }

  /** The thread that writes is gone, and what it had not written: another one goes on, unless that happens often. */
  #end(error: Error | null): void {
    if (this.#stopping) return
    const reason = `its thread ended (${error?.message ?? 'by itself'})`
    const entries = this.#unwritten()
    this.#entries.clear()
    this.#lose(entries)
    this.#leaveOut(`${entries} entries could not be recorded: ${reason}`)
    if (this.#held !== null || ++this.#ends > MAX_ENDS) {
      this.#recorder.abandon()
      this.#setTrouble(`${reason}; restart Tokenscope`)
      return
    }
    this.#held = []
    this.#setTrouble(`${reason} and is started again`)
    this.#recorder.lost()
    const link: WriterLink = { take: () => {}, end: () => {} }
    this.#listen(link)
    this.#writer = writerOf(this.#options, this.#path, link)
    this.#resuming = this.#resume()
  }

  async #resume(): Promise<void> {
    try {
      await this.#writer.call('open', this.resumption)
    } catch (error) {
      this.#recorder.abandon()
      this.#setTrouble(`its thread could not be started again (${reasonOf(error)}); restart Tokenscope`)
      return
    }
    const held = this.#held ?? []
    this.#held = null
    for (const batch of held) this.#writer.post(batch, [batch.bytes.buffer])
    this.#setTrouble(null)
  }

  /** Entries that were handed over and are not written. */
  #unwritten(): number {
    return [...this.#entries.values()].reduce((sum, n) => sum + n, 0)
  }
}

/** What a thread that writes tells, and to whom. */
interface WriterLink {
  take: (news: WriterNews) => void
  end: (error: Error | null) => void
}

function writerOf({ record, retention }: StoreOptions, path: string, link: WriterLink): ThreadHandle {
  const data: WriterData = { path, mode: record === 'full' ? 'full' : 'meta', retention }
  return new ThreadHandle({
    entry: WRITER,
    data,
    onPost: message => link.take(message as WriterNews),
    onEnd: error => link.end(error),
  })
}
