import { memoryOf } from '../file/import-batch.ts'
import type { ImportStep } from '../file/recording-import.ts'
import type {
  Edit,
  ExportFormat,
  GenerationDetail,
  GenerationRecord,
  ListQuestion,
  Page,
  RecordedToken,
  Records,
} from '../recording.ts'
import type { ThreadHandle } from '../thread-handle.ts'

export interface ThreadedRecordsOptions {
  /** Takes edits, removals and imports. */
  writer: Pick<ThreadHandle, 'call'>
  /** The thread that reads (`reader-thread.ts`), started with the first call, and anew after it ended. */
  reader: () => Pick<ThreadHandle, 'call'>
  /** Resolves once all that was appended so far is in the tables, or cannot be. */
  flush: () => Promise<void>
}

/** The records as they are by now: one thread reads them, another one writes. */
export class ThreadedRecords implements Records {
  readonly #options: ThreadedRecordsOptions

  constructor(options: ThreadedRecordsOptions) {
    this.#options = options
  }

  list(question: ListQuestion): Promise<Page<GenerationRecord>> {
    return this.#read('list', question)
  }

  record(generation: string): Promise<GenerationRecord> {
    return this.#read('record', generation)
  }

  get(generation: string): Promise<GenerationDetail> {
    return this.#read('get', generation)
  }

  tokens(generation: string, limit: number, cursor: string | null): Promise<Page<RecordedToken>> {
    return this.#read('tokens', { generation, limit, cursor })
  }

  edit(generation: string, edit: Edit): Promise<GenerationRecord> {
    return this.#write('edit', { generation, edit })
  }

  remove(generation: string): Promise<void> {
    return this.#write('remove', { generation })
  }

  async *export(generation: string, format: ExportFormat): AsyncGenerator<Uint8Array, void> {
    await this.#options.flush()
    const reader = this.#options.reader()
    const id = await reader.call<number>('exportOpen', { generation, format })
    try {
      for (;;) {
        const piece = await reader.call<Uint8Array | null>('exportNext', id)
        if (piece === null) return
        yield piece
      }
    } finally {
      // A thread that is gone has closed it.
      reader.call('exportClose', id).catch(() => {})
    }
  }

  async import(bytes: AsyncIterable<Uint8Array>): Promise<{ imported: string[]; present: string[] }> {
    await this.#options.flush()
    const reader = this.#options.reader()
    const id = await reader.call<number>('importOpen')
    const imported: string[] = []
    const present: string[] = []
    const take = async (piece: Uint8Array | null) => {
      let step = await reader.call<ImportStep>('importStep', { id, bytes: piece })
      for (; step.type !== 'more'; step = await reader.call<ImportStep>('importStep', { id })) {
        if (step.type === 'present') present.push(step.generation)
        else {
          await this.#options.writer.call('import', step.recording, memoryOf(step.recording))
          imported.push(step.recording.generation)
        }
      }
    }
    try {
      for await (const piece of bytes) await take(piece)
      await take(null)
      return { imported, present }
    } finally {
      reader.call('importClose', id).catch(() => {})
    }
  }

  /** What is asked is answered as it is by now. */
  async #read<T>(name: string, question: unknown): Promise<T> {
    await this.#options.flush()
    return this.#options.reader().call<T>(name, question)
  }

  /** So is what is changed: a generation that has just ended is at its end. */
  async #write<T>(name: string, change: unknown): Promise<T> {
    await this.#options.flush()
    return this.#options.writer.call<T>(name, change)
  }
}
