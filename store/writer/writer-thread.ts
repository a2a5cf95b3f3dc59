/** The thread that writes the records. */
import { workerData } from 'node:worker_threads'
import { openRecords, recordsRefusal } from '../database.ts'
import type { ImportedRecording } from '../file/import-batch.ts'
import type { Edit } from '../recording.ts'
import { serve } from '../thread-port.ts'
import type { Resumption } from './start.ts'
import { Writer } from './writer.ts'
import type { Batch, WriterData, WriterNews } from './writer-messages.ts'

/** Opens the records when it is asked to, since it may be refused: nothing else is asked before. */
function run({ path, mode, retention }: WriterData): void {
  let writer: Writer | null = null
  const port = serve(
    {
      open: (resumption: Resumption | undefined) => {
        const db = openRecords(path)
        try {
          const tell = (news: WriterNews) => port.post(news)
          writer = new Writer({ db, mode, retention, tell, resumption })
          return writer.resumption
        } catch (error) {
          db.close()
          throw recordsRefusal(path, error)
        }
      },
      edit: (argument: { generation: string; edit: Edit }) => writer?.edit(argument),
      remove: (argument: { generation: string }) => writer?.remove(argument),
      import: (recording: ImportedRecording) => writer?.import(recording),
    },
    batch => writer?.take(batch as Batch),
    () => writer?.close(),
  )
}

run(workerData as WriterData)
