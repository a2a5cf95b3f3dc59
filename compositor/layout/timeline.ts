/**
 * The `timeline` layout: a token lies where its time and its generation's lane say, x to the right in
 * milliseconds since the store's origin, y downward.
 */
import {
  CHUNK_BASE,
  CHUNK_BITS,
  CHUNK_GENERATION,
  CHUNK_WORDS,
  COLUMN_TIMES,
  PAGE_TOKENS,
  TICKS_PER_MS,
} from '../tokens/record.ts'

/** Height of a lane in units. */
export const LANE_UNITS = 24

/** What the layout reads of a page. */
export interface TimelinePage {
  readonly records: Uint32Array
  readonly chunks: Uint32Array
}

/**
 * Lays out the tokens at `first` … `end` of a page: `places[2i], places[2i + 1]` become x and y of the one at
 * `first + i`.
 *
 * @param lanes lane by slot
 */
export function layoutTimeline(
  page: TimelinePage,
  lanes: Uint32Array,
  places: Uint32Array,
  first: number,
  end: number,
): void {
  const { records, chunks } = page
  for (let i = first; i < end; i++) {
    const header = (i >>> CHUNK_BITS) * CHUNK_WORDS
    const ticks = records[COLUMN_TIMES * PAGE_TOKENS + i] as number
    const at = (i - first) * 2
    places[at] = (chunks[header + CHUNK_BASE] as number) + Math.trunc(ticks / TICKS_PER_MS)
    places[at + 1] = (lanes[chunks[header + CHUNK_GENERATION] as number] as number) * LANE_UNITS
  }
}
