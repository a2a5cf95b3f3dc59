import type { TokenscopeError } from '../../events/errors.ts'
import { RecordingImport } from '../../store/file/recording-import.ts'
import { Reader } from '../../store/reader/reader.ts'
import type { ExportFormat } from '../../store/recording.ts'
import { FilledRecords, type PutExchange, type PutRecording } from './filled-records.ts'

/** A file of records with a reader of it, both in this thread. */
export class RecordsShelf {
  readonly file = new FilledRecords()
  readonly reader = new Reader(this.file.path);

  [Symbol.dispose](): void {
    this.reader.close()
    this.file[Symbol.dispose]()
  }

  put({ exchange, recordings }: { exchange: PutExchange | null; recordings: PutRecording[] }): void {
    const row = exchange && this.file.putExchange(exchange)
    for (const recording of recordings) this.file.put({ ...recording, exchange: row })
  }

  /** Removes all. */
  clear(): void {
    this.file.database.exec(
      'DELETE FROM generations; DELETE FROM entry_blocks; DELETE FROM exchanges; DELETE FROM exchange_parts; DELETE FROM words',
    )
  }

  export(generation: string, format: ExportFormat = 'jsonl'): Buffer {
    return Buffer.concat([...this.reader.export(generation, format)])
  }

  /** Takes a file in, in pieces of so many bytes; gives what it did up to its end or the error. */
  import(bytes: Uint8Array, pieceBytes = 1000) {
    const found = new RecordingImport(this.reader)
    const imported: string[] = []
    const present: string[] = []
    const take = (piece: Uint8Array | null) => {
      found.take(piece)
      for (let step = found.step(); step.type !== 'more'; step = found.step()) {
        if (step.type === 'present') present.push(step.generation)
        else {
          this.file.import(step.recording)
          imported.push(step.recording.generation)
        }
      }
    }
    let error: TokenscopeError | null = null
    try {
      for (let at = 0; at < bytes.length; at += pieceBytes) take(bytes.subarray(at, at + pieceBytes))
      take(null)
    } catch (thrown) {
      error = thrown as TokenscopeError
    }
    return { imported, present, error }
  }
}
