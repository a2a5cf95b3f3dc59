/** What is to be written, in the order in which it came, and how it is taken apart where it cannot be. */
import type { Stretch } from './stretches.ts'
import type { LostEntries, TapeItem } from './writer-messages.ts'

/** Batches that wait are written in one transaction, up to so many bytes: each costs a wait for the disk. */
const TRANSACTION_BYTES = 4 * 1024 * 1024

/** A batch that was read, or a part of one. */
export interface Work {
  batch: BatchState
  /** Bytes it came in. */
  bytes: number
  stretches: Stretch[]
  lost: LostEntries[]
  tapes: TapeItem[]
  /** What is known once it is written; null where more of its batch comes behind it. */
  reached: { upto: number; nextBlock: number } | null
  /** Which part of a batch it is, as it is called where it cannot be written either; null for a whole batch. */
  part: string | null
}

/** A batch, over all its parts. */
export interface BatchState {
  number: number
  /** Entries of it that could not be written. */
  lost: number
}

/** Those at the head of a queue that one transaction takes. What tells of losses begins one: it follows what it tells of. */
export function nextOf(queue: Work[]): Work[] {
  let bytes = 0
  let count = 0
  for (const work of queue) {
    bytes += work.bytes
    if (count > 0 && (bytes > TRANSACTION_BYTES || work.lost.length > 0)) break
    count++
  }
  return queue.slice(0, count)
}

/** A batch that cannot be written, request by request and generation by generation, in their order. */
export function partsOf(work: Work): Work[] {
  const { batch, reached } = work
  const part = (part: string, own: Partial<Work>): Work => ({
    batch,
    bytes: 0,
    stretches: [],
    lost: [],
    tapes: [],
    reached: null,
    ...own,
    part,
  })
  const requests = Map.groupBy(work.tapes, ({ tape }) => tape)
  const parts: Work[] = []
  for (const items of requests.values()) {
    parts.push(part('a request', { tapes: items.filter(({ type }) => type !== 'end') }))
  }
  for (const lost of work.lost) parts.push(part(`losses of ${lost.generation}`, { lost: [lost] }))
  for (const [generation, stretches] of Map.groupBy(work.stretches, ({ key }) => key.id)) {
    parts.push(part(`entries of ${generation}`, { stretches }))
  }
  for (const items of requests.values()) {
    const tapes = items.filter(({ type }) => type === 'end')
    if (tapes.length > 0) parts.push(part('the end of a request', { tapes }))
  }
  parts.push(part('where the log stands', { reached }))
  return parts
}

/** What is left to tell of entries that cannot be written: which tokens are missing, and the last state. */
export function lossOf(stretches: Stretch[]): LostEntries[] {
  return [...Map.groupBy(stretches, ({ key }) => key.id)].map(([generation, own]) => {
    const tokens = own.flatMap(stretch => stretch.tokens)
    const state = own.findLast(stretch => stretch.state !== null)?.state ?? null
    return {
      generation,
      nextToken: tokens.length === 0 ? null : tokens.reduce((a, b) => Math.max(a, b)) + 1,
      state: state === null ? null : { type: 'neural_state', ...state },
    }
  })
}
