import { isOver, type RailEntry } from './rail-entry.ts'

/** Pixels of an item, as rail.css has them. They follow from what is in it, so that none must be measured. */
export const ITEM_HEIGHT = { live: 164, over: 112, error: 36, text: 18 } as const

/** What of the list lies in view. */
export interface Span {
  /** The first item. */
  from: number
  /** One more than the last. */
  to: number
}

/** The height of an item, in pixels. */
export function heightOf(entry: RailEntry): number {
  if (!isOver(entry)) return ITEM_HEIGHT.live
  const { generation, record } = entry
  const error = generation === null ? record?.error : generation.error
  if (!error) return ITEM_HEIGHT.over
  // What failed before its first word has no line for its text.
  const text = generation === null ? record?.preview : generation.text
  return ITEM_HEIGHT.over + ITEM_HEIGHT.error - (text ? 0 : ITEM_HEIGHT.text)
}

/** Where each item begins, and behind them where the last one ends, in pixels. */
export function topsOf(entries: readonly RailEntry[]): Float64Array {
  const tops = new Float64Array(entries.length + 1)
  for (let i = 0; i < entries.length; i++)
    tops[i + 1] = (tops[i] as number) + heightOf(entries[i] as RailEntry)
  return tops
}

/** The items that lie between `top` and `bottom` in part at least. */
export function spanOf(tops: Float64Array, top: number, bottom: number): Span {
  const from = itemAt(tops, top)
  let to = from
  while (to < tops.length - 1 && (tops[to] as number) < bottom) to++
  return { from, to }
}

/** The item at a place; the first one above the list, one more than the last below it. */
export function itemAt(tops: Float64Array, place: number): number {
  let low = 0
  let high = tops.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((tops[middle + 1] as number) > place) high = middle
    else low = middle + 1
  }
  return low
}
