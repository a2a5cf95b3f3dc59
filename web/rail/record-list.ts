import { type Signal, signal } from '@preact/signals'
import type { GenerationRecord, RecordsPage, RecordsQuestion } from '../records-api.ts'

/** Records of one page. */
const PAGE = 100

export interface RecordListOptions {
  /** Reads a page of the recorded generations, the newest first. */
  list(question: RecordsQuestion, limit: number, cursor: string | null): Promise<RecordsPage>
  /** Is told of every record that was read. */
  onRecord(record: GenerationRecord): void
}

/**
 * The recorded generations that a question asks for, as far as they were read: page by page, the newest first. One
 * question is under way at a time; the answer to one that was overtaken is thrown away.
 */
export class RecordList {
  readonly records: Signal<readonly GenerationRecord[]> = signal([])
  /** A page is under way. */
  readonly reading = signal(false)
  /** All that there is was read. */
  readonly complete = signal(false)
  /** Why the last page could not be read, as a sentence. */
  readonly trouble: Signal<string | null> = signal(null)
  readonly #options: RecordListOptions
  #question: RecordsQuestion | null = null
  /** What is shown was the answer to another question. */
  #stale = false
  #next: string | null = null
  /** Counts what makes an answer under way worthless. */
  #turn = 0
  #refreshing = false
  /** Ids that an answer under way may still have. */
  readonly #removed = new Set<string>()

  constructor(options: RecordListOptions) {
    this.#options = options
  }

  /** Begins anew with another question. What was there stays until the answer comes. */
  async ask(question: RecordsQuestion): Promise<void> {
    this.#turn++
    this.#question = question
    this.#next = null
    this.#stale = true
    this.complete.value = false
    this.reading.value = false
    await this.more()
  }

  /** Reads the next page, unless one is under way or there is none. What failed is tried again. */
  async more(): Promise<void> {
    if (this.#question === null || this.reading.peek() || this.complete.peek()) return
    const turn = this.#turn
    this.reading.value = true
    try {
      const page = await this.#options.list(this.#question, PAGE, this.#next)
      if (turn !== this.#turn) return
      const before = this.#stale ? [] : this.records.peek()
      const known = new Set(before.map(({ generation }) => generation))
      const fresh = this.#take(page.records).filter(({ generation }) => !known.has(generation))
      this.records.value = [...before, ...fresh]
      this.#stale = false
      this.#next = page.next
      this.complete.value = page.next === null
      this.trouble.value = null
    } catch (error) {
      if (turn !== this.#turn) return
      if (this.#stale) this.records.value = []
      this.trouble.value = (error as Error).message
    } finally {
      if (turn === this.#turn) this.reading.value = false
    }
  }

  /** Reads the newest anew: what began meanwhile comes in, what was changed or removed is so here too. */
  async refresh(): Promise<void> {
    if (this.#question === null || this.#refreshing) return
    // The first page is under way, or could not be read.
    if (this.#stale) return this.more()
    const turn = this.#turn
    this.#refreshing = true
    try {
      const page = await this.#options.list(this.#question, PAGE, null)
      if (turn !== this.#turn) return
      this.#join({ records: this.#take(page.records), next: page.next })
      this.trouble.value = null
    } catch (error) {
      if (turn === this.#turn) this.trouble.value = (error as Error).message
    } finally {
      this.#refreshing = false
    }
  }

  /** Takes over how a record is now. */
  replace(record: GenerationRecord): void {
    const [taken = record] = this.#take([record])
    const { generation } = record
    this.records.value = this.records.peek().map(old => (old.generation === generation ? taken : old))
  }

  /** Takes a record out that was removed. */
  remove(id: string): void {
    this.#removed.add(id)
    this.records.value = this.records.peek().filter(({ generation }) => generation !== id)
  }

  /** Puts a new first page before what follows it. */
  #join({ records, next }: RecordsPage): void {
    const last = records.at(-1)
    const old = this.records.peek()
    const end = old.findIndex(({ generation }) => generation === last?.generation)
    if (end !== -1 && next !== null) {
      this.records.value = [...records, ...old.slice(end + 1)]
      return
    }
    // All of it, or so much that is new that what was read before is further down.
    this.#turn++
    this.records.value = records
    this.#next = next
    this.complete.value = next === null
    this.reading.value = false
  }

  /** As they are: an answer may have been under way while one of them was named or removed. */
  #take(records: readonly GenerationRecord[]): GenerationRecord[] {
    const known = new Map(this.records.peek().map(record => [record.generation, record]))
    const there = records.filter(({ generation }) => !this.#removed.has(generation))
    const taken = there.map(record => {
      const before = known.get(record.generation)
      if (before === undefined || before.version <= record.version) return record
      const { name, tags, note, version } = before
      return { ...record, name, tags, note, version }
    })
    for (const record of taken) this.#options.onRecord(record)
    return taken
  }
}
