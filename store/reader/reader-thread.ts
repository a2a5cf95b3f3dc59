/** The thread that reads the records. What takes long is asked for in pieces, so that others have their turn. */
import { workerData } from 'node:worker_threads'
import { memoryOf } from '../file/import-batch.ts'
import { RecordingImport } from '../file/recording-import.ts'
import type { ListQuestion } from '../recording.ts'
import { Handover, serve } from '../thread-port.ts'
import { OpenReadings } from './open-readings.ts'
import { PastSnapshot } from './past-snapshot.ts'
import { Reader } from './reader.ts'
import type {
  ExportQuestion,
  ImportPiece,
  OpenedPast,
  ReaderData,
  TokensQuestion,
} from './reader-messages.ts'

const { path } = workerData as ReaderData
const reader = new Reader(path)
const exports = new OpenReadings<Iterator<Uint8Array, void>>()
const imports = new OpenReadings<RecordingImport>()
const pasts = new OpenReadings<PastSnapshot>(past => past.close())

serve(
  {
    list: (question: ListQuestion) => reader.list(question),
    record: (generation: string) => reader.record(generation),
    get: (generation: string) => reader.get(generation),
    tokens: ({ generation, limit, cursor }: TokensQuestion) => reader.tokens(generation, limit, cursor),
    exportOpen: ({ generation, format }: ExportQuestion) => exports.add(reader.export(generation, format)),
    exportNext: (id: number): Uint8Array | null => exports.get(id).next().value ?? null,
    exportClose: (id: number) => exports.close(id),
    importOpen: () => imports.add(new RecordingImport(reader)),
    importStep: ({ id, bytes }: ImportPiece): Handover => {
      const open = imports.get(id)
      if (bytes !== undefined) open.take(bytes)
      const step = open.step()
      return new Handover(step, step.type === 'recording' ? memoryOf(step.recording) : [])
    },
    importClose: (id: number) => imports.close(id),
    pastOpen: (maxTokens: number): OpenedPast => {
      const past = new PastSnapshot(path, maxTokens)
      return { id: pasts.add(past), seq: past.seq, tokens: past.tokens }
    },
    pastNext: (id: number) => pasts.get(id).next(),
    pastClose: (id: number) => pasts.close(id),
  },
  () => {},
  () => {
    pasts.closeAll()
    reader.close()
  },
)
