import type { TokenEntry } from '../../events/generation.ts'
import type { Lane } from '../../web/time/lane.ts'
import { TokenTimes } from '../../web/time/token-times.ts'
import { TokenColumns } from '../../web/token-columns.ts'

/** A token of no meaning, that came then. */
export function entry(index: number, timestamp: number): TokenEntry {
  return {
    type: 'token_activation',
    seq: index + 2,
    generation: 'g_1',
    index,
    token_id: null,
    token_text: ' w',
    kind: 'message',
    timestamp,
    position: [index, 0],
    logprob: null,
    confidence: null,
    entropy: null,
    top: [],
  }
}

/** Tokens that came at these times, by their index. */
export function columnsOf(times: readonly number[]): TokenColumns {
  const columns = new TokenColumns()
  times.forEach((time, i) => {
    columns.put(entry(i, time))
  })
  return columns
}

/** A lane of tokens that came at these times. */
export function laneOfTimes(times: readonly number[], more: Partial<Lane> = {}): Lane {
  const followed = new TokenTimes()
  followed.follow(columnsOf(times))
  const first = times[0] ?? 0
  return {
    id: 'g_1',
    model: null,
    state: 'done',
    tone: 'quiet',
    began: first,
    firstToken: times.length > 0 ? first : null,
    ended: times.at(-1) ?? first,
    times: followed,
    uncounted: null,
    ...more,
  }
}

/** A lane of which only this is known. */
export function laneOfCount(tokens: number, from: number, to: number): Lane {
  return laneOfTimes([], {
    began: from,
    firstToken: from,
    ended: to,
    times: null,
    uncounted: { tokens, from, to },
  })
}
