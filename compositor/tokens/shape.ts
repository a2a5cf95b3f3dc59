/**
 * What `flow` has to know of a token's text: how many columns its words have, where lines may and must break.
 *
 * A token may begin in the middle of a word, between \r and \n, or within a grapheme cluster. So each token is
 * read with the {@link TextTail} of its generation's text before it, and gives the one after it. The text is cut
 * into grapheme clusters as by UAX #29; ASCII and the blocks of characters that never join need no segmenter.
 *
 * A line may break after spaces and tabs, before and after wide clusters, and between a hyphen, dash or slash and
 * another word character. Line feeds are \n, \r\n, \r, \v, \f, U+0085, U+2028, U+2029.
 */
import { codePointColumns, columnsOf, graphemes } from '../draw/columns.ts'
import {
  PIECE_BREAK,
  PIECE_COUNT_MASK,
  PIECE_NEWLINES,
  PIECE_SPACES,
  PIECE_TABS,
  PIECE_TYPE_SHIFT,
  PIECE_WORD,
  SHAPE_BREAK,
  SHAPE_COMPLEX,
  SHAPE_KIND_SHIFT,
  SHAPE_NEWLINE,
  SHAPE_SPACES_MASK,
  SHAPE_SPACES_SHIFT,
  SHAPE_WIDTH_MASK,
} from './record.ts'

/**
 * What the next token has to know of the text before it, packed: bits 0–1 what the last cluster is, 2–5 flags,
 * from 8 on its last code point. 0 at the beginning.
 */
export type TextTail = number

/** Where the pieces of complex shapes go. */
export interface PieceStore {
  addPieces(words: Uint32Array, count: number): number
}

/** A grapheme cluster of a token's text. */
export interface Cluster {
  /** UTF-16 unit at which it begins. */
  at: number
  /** What a piece of it would be: PIECE_WORD, PIECE_SPACES, PIECE_TABS or PIECE_NEWLINES. */
  type: number
  /** Of a word's. */
  columns: number
  /** Whether a line may break before it, without a space. */
  breaks: boolean
}

const NOWHERE: PieceStore = { addPieces: () => -1 }

/** What the last cluster is: space, tab, line feed or none; part of a word; a hyphen or slash; wide. */
const CLOSED = 0
const NARROW = 1
const HYPHEN = 2
const WIDE = 3
const CLASS_MASK = 3
/** It is a \r, which a \n would belong to. */
const AFTER_CR = 4
/** It ends with a pictograph, and marks on it; with a joiner after that. */
const PICTOGRAPHIC = 8
const JOINING = 16
/** It is half of a flag. */
const HALF_FLAG = 32
const CODE_POINT_SHIFT = 8

/** Classes of characters. */
const SPACE = 4
const TAB = 5
const NEWLINE = 6

const NEWLINES = /^[\n\r\v\f\u0085\u2028\u2029]/
const PICTOGRAPH = /\p{Extended_Pictographic}(?:(?!\u200d)\P{Extended_Pictographic})*(\u200d?)$/u
const HALF_OF_FLAG = /^\p{Regional_Indicator}$/u

/** What each ASCII character is. */
const ASCII = Uint8Array.from({ length: 128 }, (_, unit) => classOf(unit))

/** Reads the texts of tokens; one is used for many, one after the other. */
export class TextShaper {
  /** Set by {@link shape}: what the generation's text ends with. */
  tail: TextTail = 0

  #words = new Uint32Array(64)
  #count = 0
  #class = CLOSED
  /** Where the clusters are told to, while somebody wants them. */
  #told: Cluster[] | null = null

  /**
   * The shape of a token's text, as in record.ts.
   *
   * @param kind 0 message, 1 reasoning, 2 tool call
   * @param tail of the text before it
   * @param pieces receives the pieces if the shape is complex
   */
  shape(text: string, kind: number, tail: TextTail, pieces: PieceStore): number {
    const length = text.length
    if (length === 0) {
      this.tail = tail
      return (kind << SHAPE_KIND_SHIFT) >>> 0
    }
    // The usual case: ASCII, spaces, then a word without a break in it.
    let at = 0
    while (at < length && text.charCodeAt(at) === 0x20) at++
    const spaces = at
    const before = spaces > 0 ? CLOSED : tail & CLASS_MASK
    let last = before
    let breaks = 0
    let unit = 0x20
    for (; at < length; at++) {
      unit = text.charCodeAt(at)
      const kindOf = unit < 128 ? (ASCII[unit] as number) : NEWLINE
      if (kindOf > HYPHEN) break
      if (kindOf === NARROW && last === HYPHEN) {
        if (at > spaces) break
        breaks = SHAPE_BREAK
      } else if (last === WIDE) breaks = SHAPE_BREAK
      last = kindOf
    }
    const columns = length - spaces
    if (at === length && spaces <= SHAPE_SPACES_MASK && columns <= SHAPE_WIDTH_MASK) {
      this.tail = (columns === 0 ? CLOSED : last) | (unit << CODE_POINT_SHIFT)
      return (columns | (spaces << SHAPE_SPACES_SHIFT) | breaks | (kind << SHAPE_KIND_SHIFT)) >>> 0
    }
    return this.#shapeAny(text, kind, tail, pieces)
  }

  /** The clusters of a token's text that take columns or end a line; arguments as for {@link shape}. */
  clusters(text: string, tail: TextTail): Cluster[] {
    const told: Cluster[] = []
    this.#told = told
    if (text.length > 0) this.#shapeAny(text, 0, tail, NOWHERE)
    this.#told = null
    return told
  }

  #shapeAny(text: string, kind: number, tail: TextTail, pieces: PieceStore): number {
    this.#count = 0
    this.#class = tail & CLASS_MASK
    this.tail = tail
    let at = 0
    const first = text.codePointAt(0) as number
    if (!standsAlone(first) && tail !== 0) at = this.#join(text)
    while (at < text.length) {
      const unit = text.charCodeAt(at)
      if (unit === 0x0a && (this.tail & AFTER_CR) !== 0) {
        // The \r before it was the line feed.
        this.tail = unit << CODE_POINT_SHIFT
        at++
      } else if (standsAlone(unit) && (at + 1 === text.length || standsAlone(text.charCodeAt(at + 1)))) {
        at = this.#addAlone(at, unit)
      } else at = this.#addSegments(text, at)
    }
    return this.#pack(kind, pieces)
  }

  /** Takes what belongs to the last cluster of the text before. @returns where that ends */
  #join(text: string): number {
    const tail = this.tail
    const point = tail >>> CODE_POINT_SHIFT
    let before = String.fromCodePoint(point)
    if ((tail & JOINING) !== 0) before = '\u{1f469}\u200d'
    else if ((tail & PICTOGRAPHIC) !== 0) before = '\u{1f469}'
    else if (HALF_OF_FLAG.test(before) && (tail & HALF_FLAG) === 0) before += before
    const stretch = text.slice(0, stretchEnd(text, 0))
    const joined =
      (graphemes()
        .segment(before + stretch)
        .containing(0)?.segment.length ?? 0) - before.length
    if (joined <= 0) return 0
    const mark = text.slice(0, joined)
    this.tail = flagsOf(before + mark) | (lastCodePoint(mark) << CODE_POINT_SHIFT)
    return joined
  }

  #addAlone(at: number, unit: number): number {
    this.#add(classOf(unit), at)
    this.tail = (unit << CODE_POINT_SHIFT) | (unit === 0x0d ? AFTER_CR : 0)
    return at + 1
  }

  #addSegments(text: string, from: number): number {
    const end = stretchEnd(text, from)
    let cluster = ''
    for (const { segment, index } of graphemes().segment(text.slice(from, end))) {
      cluster = segment
      this.#add(clusterClass(segment), from + index)
    }
    this.tail = flagsOf(cluster) | (lastCodePoint(cluster) << CODE_POINT_SHIFT)
    return end
  }

  /** Adds the cluster at `start`; `cls` below 0: it takes nothing. */
  #add(cls: number, start: number): void {
    if (cls < 0) return
    const last = this.#class
    if (cls >= SPACE) {
      const type = cls === SPACE ? PIECE_SPACES : cls === TAB ? PIECE_TABS : PIECE_NEWLINES
      this.#class = CLOSED
      this.#more(type)
      this.#told?.push({ at: start, type, columns: 1, breaks: false })
      return
    }
    this.#class = cls
    const breaks = last === WIDE || cls === WIDE || (last === HYPHEN && cls === NARROW)
    const columns = cls === WIDE ? 2 : 1
    this.#told?.push({ at: start, type: PIECE_WORD, columns, breaks })
    const words = this.#words
    const at = this.#count - 1
    if (!breaks && at >= 0 && (words[at] as number) >>> PIECE_TYPE_SHIFT === PIECE_WORD) {
      words[at] = (words[at] as number) + columns
    } else this.#push(((PIECE_WORD << PIECE_TYPE_SHIFT) | (breaks ? PIECE_BREAK : 0) | columns) >>> 0)
  }

  /** One more space, tab or line feed. */
  #more(type: number): void {
    const words = this.#words
    const at = this.#count - 1
    if (at >= 0 && (words[at] as number) >>> PIECE_TYPE_SHIFT === type) words[at] = (words[at] as number) + 1
    else this.#push(((type << PIECE_TYPE_SHIFT) | 1) >>> 0)
  }

  #push(piece: number): void {
    if (this.#count === this.#words.length) {
      const grown = new Uint32Array(this.#words.length * 2)
      grown.set(this.#words)
      this.#words = grown
    }
    this.#words[this.#count++] = piece
  }

  #pack(kind: number, pieces: PieceStore): number {
    this.tail |= this.#class
    const words = this.#words
    const kindBits = kind << SHAPE_KIND_SHIFT
    let at = 0
    let spaces = 0
    let word = 0
    if (at < this.#count && (words[at] as number) >>> PIECE_TYPE_SHIFT === PIECE_SPACES) {
      spaces = (words[at++] as number) & PIECE_COUNT_MASK
    }
    if (at < this.#count && (words[at] as number) >>> PIECE_TYPE_SHIFT === PIECE_WORD)
      word = words[at++] as number
    const columns = word & PIECE_COUNT_MASK
    if (at === this.#count && spaces <= SHAPE_SPACES_MASK && columns <= SHAPE_WIDTH_MASK) {
      const breaks = (word & PIECE_BREAK) !== 0 ? SHAPE_BREAK : 0
      return (columns | (spaces << SHAPE_SPACES_SHIFT) | breaks | kindBits) >>> 0
    }
    const from = pieces.addPieces(words, this.#count)
    // Without room for its pieces it takes no room on a line either.
    if (from < 0) return kindBits >>> 0
    let newline = 0
    for (let i = 0; i < this.#count; i++) {
      if ((words[i] as number) >>> PIECE_TYPE_SHIFT === PIECE_NEWLINES) newline = SHAPE_NEWLINE
    }
    return (SHAPE_COMPLEX | newline | from | kindBits) >>> 0
  }
}

/** What a code point is that is a cluster of its own. */
function classOf(point: number): number {
  if (point === 0x20) return SPACE
  if (point === 0x2d || point === 0x2f || point === 0x2013 || point === 0x2014) return HYPHEN
  if (point === 0x09) return TAB
  if ((point >= 0x0a && point <= 0x0d) || point === 0x85 || point === 0x2028 || point === 0x2029)
    return NEWLINE
  if (point < 0x1100) return NARROW
  // The spaces of typography, but for those that no line may break at.
  if ((point >= 0x2000 && point <= 0x200a && point !== 0x2007) || point === 0x1680 || point === 0x205f)
    return SPACE
  return codePointColumns(point) === 2 ? WIDE : NARROW
}

/** What a cluster is; below 0: it takes nothing. */
function clusterClass(cluster: string): number {
  const point = cluster.codePointAt(0) as number
  if (NEWLINES.test(cluster)) return NEWLINE
  const alone = classOf(point)
  if (alone === SPACE || alone === TAB || alone === HYPHEN) return alone
  const width = columnsOf(cluster)
  return width === 0 ? -1 : width === 2 ? WIDE : NARROW
}

/**
 * Whether a UTF-16 unit is a character that forms no cluster with another one of these: in the most common blocks,
 * without marks, joiners, jamo and the like.
 */
function standsAlone(unit: number): boolean {
  if (unit < 0x300) return unit !== 0xad
  if (unit < 0x1100) return (unit >= 0x370 && unit <= 0x482) || (unit >= 0x48a && unit <= 0x52f)
  if (unit < 0x3000) {
    return (
      (unit >= 0x2000 && unit <= 0x200a) ||
      (unit >= 0x2010 && unit <= 0x2029) ||
      (unit >= 0x2030 && unit <= 0x205f)
    )
  }
  return (
    unit <= 0x3029 ||
    (unit >= 0x3030 && unit <= 0x303f) ||
    (unit >= 0x3041 && unit <= 0x3096) ||
    (unit >= 0x309b && unit <= 0x30ff) ||
    (unit >= 0x3400 && unit <= 0x4dbf) ||
    (unit >= 0x4e00 && unit <= 0x9fff) ||
    (unit >= 0xac00 && unit <= 0xd7a3) ||
    (unit >= 0xff01 && unit <= 0xff9d)
  )
}

/** Where the stretch from `from` on ends that has to be cut into clusters together: between two that stand alone. */
function stretchEnd(text: string, from: number): number {
  let at = from
  let alone = false
  for (; at < text.length; at++) {
    const next = standsAlone(text.charCodeAt(at))
    if (alone && next) return at
    alone = next && at > from
  }
  return at
}

/** What a cluster tells of what may come to belong to it. */
function flagsOf(cluster: string): number {
  if (cluster === '\r') return AFTER_CR
  if (HALF_OF_FLAG.test(cluster)) return HALF_FLAG
  const match = PICTOGRAPH.exec(cluster)
  return match === null ? 0 : match[1] === '' ? PICTOGRAPHIC : JOINING
}

function lastCodePoint(text: string): number {
  const unit = text.charCodeAt(text.length - 1)
  const before = text.charCodeAt(text.length - 2)
  const paired = unit >= 0xdc00 && unit < 0xe000 && before >= 0xd800 && before < 0xdc00
  return paired ? (text.codePointAt(text.length - 2) as number) : unit
}
