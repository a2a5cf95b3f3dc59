/**
 * Where text lies that is wrapped greedily, worked out from the whole of it: cut into grapheme clusters, then put
 * into words, then into lines. What tokens it came in does not matter.
 */
import { eastAsianWidth } from 'get-east-asian-width'

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
const SPACES = /^[ \u1680\u2000-\u2006\u2008-\u200a\u205f]/u
const NEWLINE = /^(\r\n|[\n\r\v\f\u0085\u2028\u2029])/u
const NOTHING = /^[\p{M}\p{Cf}\p{Default_Ignorable_Code_Point}]+$/u
const HIDDEN_LEAD = /^[\p{Cf}\p{Default_Ignorable_Code_Point}]+/u
const EMOJI = /^(\p{RGI_Emoji}|\p{Regional_Indicator}.*)$/v

export type ReferenceKind = 'word' | 'space' | 'tab' | 'newline' | 'nothing'

/** A grapheme cluster and where it lies. */
export interface ReferenceCluster {
  text: string
  kind: ReferenceKind
  columns: number
  column: number
  line: number
  /** Where the text goes on after it. */
  columnAfter: number
  lineAfter: number
}

function kindOf(cluster: string): ReferenceKind {
  if (NEWLINE.test(cluster)) return 'newline'
  if (SPACES.test(cluster)) return 'space'
  if (cluster.startsWith('\t')) return 'tab'
  // A mark on a hyphen leaves it one, a joiner before one does not make it one.
  return NOTHING.test(cluster) ? 'nothing' : 'word'
}

function columnsOf(cluster: string): number {
  if (EMOJI.test(cluster)) return 2
  return eastAsianWidth(cluster.replace(HIDDEN_LEAD, '').codePointAt(0) as number)
}

const isHyphen = (cluster: string) => /^[-–—/]/u.test(cluster)

/** Lays out `text` in lines of `width` columns. */
export function referenceFlow(text: string, width: number): ReferenceCluster[] {
  const clusters = [...graphemes.segment(text)].map(({ segment }): ReferenceCluster => {
    const kind = kindOf(segment)
    const columns = kind === 'word' ? columnsOf(segment) : 0
    return { text: segment, kind, columns, column: 0, line: 0, columnAfter: 0, lineAfter: 0 }
  })
  let column = 0
  let line = 0
  const put = (cluster: ReferenceCluster, columns: number) => {
    cluster.column = column
    cluster.line = line
    column += columns
    cluster.columnAfter = column
    cluster.lineAfter = line
  }
  for (let i = 0; i < clusters.length; ) {
    const cluster = clusters[i] as ReferenceCluster
    if (cluster.kind === 'word') {
      const word = wordFrom(clusters, i)
      const columns = word.reduce((sum, part) => sum + part.columns, 0)
      if (column > 0 && column + columns > width) {
        line++
        column = 0
      }
      for (const part of word) {
        if (column + part.columns > width) {
          line++
          column = 0
        }
        put(part, part.columns)
      }
      i += word.length
      continue
    }
    put(cluster, 0)
    if (cluster.kind === 'space') column = Math.min(column + 1, width)
    if (cluster.kind === 'tab') column = Math.min((Math.floor(column / 8) + 1) * 8, width)
    if (cluster.kind === 'newline') {
      line++
      column = 0
    }
    cluster.columnAfter = column
    cluster.lineAfter = line
    i++
  }
  return clusters
}

/** The clusters from the one at `from` on that no line may break between, with what is not seen among them. */
function wordFrom(clusters: readonly ReferenceCluster[], from: number): ReferenceCluster[] {
  const word: ReferenceCluster[] = []
  let last: ReferenceCluster | null = null
  for (const cluster of clusters.slice(from)) {
    if (cluster.kind !== 'word' && cluster.kind !== 'nothing') break
    if (cluster.kind === 'word' && last !== null) {
      if (last.columns === 2 || cluster.columns === 2) break
      if (isHyphen(last.text) && !isHyphen(cluster.text)) break
    }
    word.push(cluster)
    if (cluster.kind === 'word') last = cluster
  }
  return word
}

/** The place of a token that begins with the cluster at `from` and ends before that at `to`. */
export function referencePlace(
  clusters: readonly ReferenceCluster[],
  from: number,
  to: number,
): [column: number, line: number] {
  const before = clusters[from - 1]
  const state: [number, number] = before === undefined ? [0, 0] : [before.columnAfter, before.lineAfter]
  for (const cluster of clusters.slice(from, to)) {
    if (cluster.kind === 'word') return [cluster.column, cluster.line]
    if (cluster.kind === 'tab' || cluster.kind === 'newline') return state
  }
  return state
}
