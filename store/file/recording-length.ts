import { ReplayedGeneration } from '../replay/replayed-generation.ts'
import { RecordingReader } from './recording-reader.ts'

/** How long a file of recordings is, played one after the other at the speed at which they were made. */
export interface RecordingLength {
  recordings: number
  ms: number
}

/**
 * Reads all of a file of recordings, form `jsonl`, and says how long it takes to play it.
 *
 * @throws TokenscopeError BAD_RECORDING naming the line; and what the source throws
 */
export async function lengthOf(bytes: AsyncIterable<Uint8Array>): Promise<RecordingLength> {
  const reader = new RecordingReader()
  const length = { recordings: 0, ms: 0 }
  let playing: ReplayedGeneration | null = null
  let due = 0
  const take = (items: ReturnType<RecordingReader['read']>) => {
    for (const item of items) {
      if (item.type === 'recording') {
        const { generation, model, upstream, started_at } = item.head
        const replay = { of: generation, speed: 1 }
        playing = new ReplayedGeneration({
          replay,
          model,
          upstream,
          heardAt: started_at * 1000,
          startedAt: 0,
        })
        due = 0
      } else if (item.type === 'request') playing?.startedAt(item.request.started_at * 1000)
      else if (item.type === 'entry' && playing !== null) {
        due = playing.dueAt(item.entry) ?? 0
        playing.retell(item.entry, due)
      } else if (item.type === 'end') {
        length.recordings++
        length.ms += due
      }
    }
  }
  for await (const piece of bytes) take(reader.read(piece))
  take(reader.end())
  return length
}
