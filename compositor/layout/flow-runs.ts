/** Where a token's text goes on elsewhere on the `flow` layout: after line feeds, tabs and wraps inside it. */
import {
  COLUMN_SHAPES,
  FLOW_COLUMN_MASK,
  FLOW_LINE_SHIFT,
  PAGE_BITS,
  PAGE_TOKENS,
  PIECE_BREAK,
  PIECE_COUNT_MASK,
  PIECE_NEWLINES,
  PIECE_SPACES,
  PIECE_TABS,
  PIECE_TYPE_SHIFT,
  PIECE_WORD,
  SHAPE_BREAK,
  SHAPE_COMPLEX,
  SHAPE_PIECES_MASK,
  SHAPE_SPACES_MASK,
  SHAPE_SPACES_SHIFT,
  SHAPE_WIDTH_MASK,
} from '../tokens/record.ts'
import { type Cluster, TextShaper } from '../tokens/shape.ts'
import type { TokenPage } from '../tokens/token-page.ts'
import type { TokenStore } from '../tokens/token-store.ts'
import type { FlowLayout } from './flow-layout.ts'

/** As far back as a cluster may begin that a token's text goes on with. */
const LOOK_BACK_UNITS = 64
const LOOK_BACK_TOKENS = 16
/** Without a word, nothing is seen elsewhere. */
const BLANK = /^[ \n\r\t]*$/

/**
 * Where the text of token `n`, which is laid out, goes on elsewhere: from this UTF-16 unit of it on, at this place
 * in units of the layout. Up to the first of them its text stands at its own place, spaces that it begins with
 * left out; most tokens have none.
 */
export function wrapsOf(
  store: TokenStore,
  flow: FlowLayout,
  n: number,
): [at: number, x: number, y: number][] {
  const page = store.pages.get(n >>> PAGE_BITS) as TokenPage
  const place = n & (PAGE_TOKENS - 1)
  const laid = page.flow as Uint32Array
  const shape = page.records[COLUMN_SHAPES * PAGE_TOKENS + place] as number
  let column = (laid[place] as number) & FLOW_COLUMN_MASK
  let line = (laid[place] as number) >>> FLOW_LINE_SHIFT
  if ((shape & SHAPE_COMPLEX) === 0 && column + (shape & SHAPE_WIDTH_MASK) <= flow.width) return []

  const text = store.textOf(n)
  if (BLANK.test(text)) return []
  const clusters = new TextShaper().clusters(text, tailBefore(store, n))
  const slot = store.slotOf(n)
  const wraps: [number, number, number][] = []
  // Where the next cluster would be seen if the text just went on.
  let seenColumn = column
  let seenLine = line
  // Nothing but spaces so far: before a word they lie before the token's place, else after it.
  let blank = true
  let spaces = 0
  for (let i = 0; i < clusters.length; ) {
    const { type } = clusters[i] as Cluster
    if (type === PIECE_WORD) {
      const end = wordEnd(clusters, i)
      let columns = 0
      for (let at = i; at < end; at++) columns += (clusters[at] as Cluster).columns
      // Its place tells already where the first word has gone to.
      if (!blank && column > 0) {
        let total = column + columns
        if (total <= flow.width && end === clusters.length) total += continued(store, n, flow.width - total)
        if (total > flow.width) {
          column = 0
          line++
        }
      }
      blank = false
      for (; i < end; i++) {
        const cluster = clusters[i] as Cluster
        if (column + cluster.columns > flow.width) {
          column = 0
          line++
        }
        if (column !== seenColumn || line !== seenLine)
          wraps.push([cluster.at, ...flow.worldOf(slot, column, line)])
        column += cluster.columns
        seenColumn = column
        seenLine = line
      }
      continue
    }
    if (type === PIECE_SPACES) {
      if (blank) spaces++
      else {
        column = Math.min(column + 1, flow.width)
        seenColumn++
      }
    } else {
      if (blank) column = Math.min(column + spaces, flow.width)
      blank = false
      if (type === PIECE_NEWLINES) {
        line++
        column = 0
      } else if (type === PIECE_TABS) column = Math.min(((column >>> 3) + 1) << 3, flow.width)
      seenLine = -1
    }
    i++
  }
  return wraps
}

/** The cluster after the word that begins with the one at `from`. */
function wordEnd(clusters: readonly Cluster[], from: number): number {
  let end = from + 1
  while (end < clusters.length && (clusters[end] as Cluster).type === PIECE_WORD && !clusters[end]?.breaks)
    end++
  return end
}

/** By how many columns the tokens after `n` go on with its last word; counts no further than over `enough`. */
function continued(store: TokenStore, n: number, enough: number): number {
  let columns = 0
  for (let next = store.next(n); next >= 0 && columns <= enough; next = store.next(next)) {
    const { records, pieces } = store.pages.get(next >>> PAGE_BITS) as TokenPage
    const shape = records[COLUMN_SHAPES * PAGE_TOKENS + (next & (PAGE_TOKENS - 1))] as number
    if ((shape & SHAPE_COMPLEX) !== 0) {
      const at = shape & SHAPE_PIECES_MASK
      const first = pieces[at + 1] as number
      if (first >>> PIECE_TYPE_SHIFT === PIECE_WORD && (first & PIECE_BREAK) === 0)
        columns += first & PIECE_COUNT_MASK
      return columns
    }
    if (((shape >>> SHAPE_SPACES_SHIFT) & SHAPE_SPACES_MASK) !== 0 || (shape & SHAPE_BREAK) !== 0) break
    columns += shape & SHAPE_WIDTH_MASK
  }
  return columns
}

/** What the text before token `n` ends with. */
function tailBefore(store: TokenStore, n: number): number {
  let text = ''
  let before = n
  for (let i = 0; i < LOOK_BACK_TOKENS && text.length < LOOK_BACK_UNITS; i++) {
    before = store.previous(before)
    if (before < 0) break
    text = store.textOf(before) + text
  }
  const shaper = new TextShaper()
  shaper.clusters(text, 0)
  return shaper.tail
}
