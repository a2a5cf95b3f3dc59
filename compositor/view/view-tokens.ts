/** What is told of a token where it can be read. */
import type { ViewToken } from '../../broadcast/protocol/view.ts'
import { type FlowLayout, LINE_UNITS } from '../layout/flow-layout.ts'
import { wrapsOf } from '../layout/flow-runs.ts'
import { PIECE_NEWLINES, PIECE_SPACES, PIECE_TABS, TICKS_PER_MS } from '../tokens/record.ts'
import { TextShaper } from '../tokens/shape.ts'
import type { GenerationRow, TokenStore } from '../tokens/token-store.ts'
import type { WatchedLayout } from './watched-layout.ts'

const TICKS_PER_SECOND = 1000 * TICKS_PER_MS

/** A token as a layout has it, at this place. */
export function viewToken(
  store: TokenStore,
  flow: FlowLayout,
  { layout, index }: WatchedLayout,
  n: number,
  x: number,
  y: number,
): ViewToken {
  const row = store.generations[store.slotOf(n)] as GenerationRow
  const interval = store.intervalOf(n)
  const origin = Math.round((store.origin ?? 0) * TICKS_PER_SECOND)
  const token: ViewToken = {
    id: `${row.id}:${store.indexOf(n)}`,
    text: store.textOf(n),
    x,
    y,
    w: index.widthOf(n),
    kind: store.kindOf(n),
    model: row.model < 0 ? null : row.model,
    confidence: store.confidenceOf(n),
    entropy: store.entropyOf(n),
    interval_ms: interval < 0 ? null : interval / TICKS_PER_MS,
    timestamp: (origin + store.ticksOf(n)) / TICKS_PER_SECOND,
  }
  if (layout !== 'flow') return token
  const wraps = wrapsOf(store, flow, n)
  return wraps.length === 0 ? token : { ...token, wraps }
}

/** Whether the text of a token of `flow` goes on at a place: on another line than it began on. */
export function goesOnAt(store: TokenStore, flow: FlowLayout, n: number, x: number, y: number): boolean {
  const wraps = wrapsOf(store, flow, n)
  // The last piece that begins before it on its line; of a word over several panels, others lie beside it.
  const row = wraps.findLastIndex(
    ([, left, top]) => left <= x && x < left + flow.width && top <= y && y < top + LINE_UNITS,
  )
  if (row < 0) return false
  const [at, left] = wraps[row] as [number, number, number]
  const text = store.textOf(n).slice(at, wraps[row + 1]?.[0])
  let columns = 0
  for (const cluster of new TextShaper().clusters(text, 0)) {
    if (cluster.type === PIECE_NEWLINES || cluster.type === PIECE_TABS) break
    columns += cluster.type === PIECE_SPACES ? 1 : cluster.columns
  }
  return x < left + columns
}
