import type { Edit, ExportFormat, GenerationDetail, GenerationRecord } from '../store/recording.ts'
import { callServer } from './server-api.ts'

export type { GenerationDetail, GenerationRecord }

/** A list that has not come by then does not come: it is asked for again. */
const PATIENCE_MS = 20_000

/** Which recorded generations are asked for; null: whatever it is. */
export interface RecordsQuestion {
  /** Words to look for. */
  q: string | null
  state: string | null
  model: string | null
}

/** Recorded generations, the newest first, and where the next ones begin; null: there are no more. */
export interface RecordsPage {
  records: GenerationRecord[]
  next: string | null
}

/** A change that came too late: somebody else was faster. */
export class Overtaken extends Error {
  /** How the record is now. */
  readonly current: GenerationRecord

  constructor(message: string, current: GenerationRecord) {
    super(message)
    this.current = current
  }
}

const path = (id: string) => `/scope/v1/generations/${encodeURIComponent(id)}`

/** A page of the recorded generations. Throws an Error whose message is a sentence for a person. */
export async function listRecords(
  question: RecordsQuestion,
  limit: number,
  cursor: string | null,
): Promise<RecordsPage> {
  const query = new URLSearchParams({ limit: String(limit) })
  for (const [name, value] of Object.entries({ ...question, cursor })) {
    if (value !== null) query.set(name, value)
  }
  const { data, metadata } = await callServer<GenerationRecord[]>(
    'GET',
    `/scope/v1/generations?${query}`,
    undefined,
    AbortSignal.timeout(PATIENCE_MS),
  )
  return { records: data, next: metadata?.pagination?.next_cursor ?? null }
}

/** All that is recorded of a generation but its tokens; null where nothing is. Throws as `listRecords` does. */
export async function readRecord(id: string): Promise<GenerationDetail | null> {
  try {
    return (await callServer<GenerationDetail>('GET', path(id))).data
  } catch (error) {
    if ((error as Error).cause === 'NOT_FOUND') return null
    throw error
  }
}

/** What a person writes on a recorded generation; what is left out stays, and null takes it away. */
export type RecordEdit = Omit<Edit, 'version'>

/** Ids of recordings that were taken in, and of those that were there already. */
export interface Imported {
  imported: string[]
  present: string[]
}

/**
 * Changes what is written on a recorded generation; gives it as it is now.
 *
 * @throws Overtaken if it was changed since that version; Error whose message is a sentence for a person
 */
export async function editRecord(id: string, version: number, edit: RecordEdit): Promise<GenerationRecord> {
  try {
    return (await callServer<GenerationRecord>('PATCH', path(id), { version, ...edit })).data
  } catch (error) {
    if (!(error instanceof Error) || error.cause !== 'VERSION_CONFLICT') throw error
    const current = await readRecord(id)
    if (current === null) throw new Error('Its recording was removed meanwhile.', { cause: 'NOT_FOUND' })
    throw new Overtaken(error.message, current)
  }
}

/** Removes what is recorded of a generation. Throws as `listRecords` does. */
export async function removeRecord(id: string): Promise<void> {
  await callServer<unknown>('DELETE', `${path(id)}/record`)
}

/** Plays a recorded generation again and gives the id under which it plays. Throws as `listRecords` does. */
export async function replayRecord(id: string, speed: number | 'unlimited'): Promise<string> {
  const { data } = await callServer<{ generation: string }>('POST', `${path(id)}/replay`, { speed })
  return data.generation
}

/** Takes in recordings from a file of the form `jsonl`. Throws as `listRecords` does. */
export async function importRecords(file: Blob): Promise<Imported> {
  return (await callServer<Imported>('POST', '/scope/v1/generations/import', file)).data
}

/** Where a generation can be had as a file. */
export function exportPath(id: string, format: ExportFormat | 'png'): string {
  return `${path(id)}/export?format=${format}`
}
