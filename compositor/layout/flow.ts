/**
 * The `flow` layout: text in lines of a fixed width, wrapped greedily at break opportunities, in integers only.
 *
 * The wrap of a token needs nothing but the state its generation was left in, its *carry*. So new tokens are
 * laid out where the last ones ended ({@link flowAppend}: one job a generation), and a whole page is laid out in
 * pieces that begin after line feeds, side by side, whose lines are then numbered ({@link flowFragments},
 * {@link flowNumber}, {@link flowShift}). Both give the same bits. shaders/flow.wgsl is the twin: the same
 * functions over the same arrays, one invocation a job or a fragment.
 */
import { chunkEnd, placeAfter } from '../tokens/chunk-walk.ts'
import {
  CHUNK_BITS,
  CHUNK_FIRST,
  CHUNK_PREVIOUS,
  CHUNK_TOKENS,
  CHUNK_WORDS,
  COLUMN_SHAPES,
  FLOW_LINE_SHIFT,
  PAGE_CHUNKS,
  PAGE_TOKENS,
  PIECE_BREAK,
  PIECE_COUNT_MASK,
  PIECE_NEWLINES,
  PIECE_SPACES,
  PIECE_TYPE_SHIFT,
  PIECE_WORD,
  SHAPE_BREAK,
  SHAPE_PIECES_MASK,
  SHAPE_SPACES_MASK,
  SHAPE_SPACES_SHIFT,
  SHAPE_WIDTH_MASK,
} from '../tokens/record.ts'
import {
  CARRY_COLUMN,
  CARRY_LINE,
  CARRY_PATCH_COLUMN,
  CARRY_PATCHED,
  CARRY_WORD,
  CARRY_WORD_TOKENS,
  CARRY_WORDS,
  FRAGMENT_BASE,
  FRAGMENT_CLOSES,
  FRAGMENT_COUNT,
  FRAGMENT_FIRST,
  FRAGMENT_FLAGS,
  FRAGMENT_OPENS,
  FRAGMENT_SLOT,
  FRAGMENT_STATE,
  FRAGMENT_WORDS,
  JOB_COUNT,
  JOB_FIRST,
  JOB_PATCHED,
  JOB_SLOT,
  JOB_WORDS,
} from './flow-words.ts'

/** What the layout reads and writes of a page. */
export interface FlowPage {
  readonly records: Uint32Array
  readonly chunks: Uint32Array
  readonly pieces: Uint32Array
  /** A word a token: its column, and its line shifted by FLOW_LINE_SHIFT. */
  readonly flow: Uint32Array | null
}

const SHAPES = COLUMN_SHAPES * PAGE_TOKENS
/** Bits of a simple shape of which any opens a word: spaces before it, and that a line may break there. */
const OPENING = (SHAPE_SPACES_MASK << SHAPE_SPACES_SHIFT) | SHAPE_BREAK

/** How much of a token's text is laid out. */
const WHOLE = 0
/** Up to and with its last line feed. */
const UNTIL_NEWLINE = 1
/** What comes after its last line feed. */
const AFTER_NEWLINE = 2

/**
 * Lays out new tokens, each job from its generation's carry on, which it leaves as it is after its last token.
 *
 * Tokens of the job move with their word as it grows over the line's end; of those before it is only told how
 * many would have to ({@link CARRY_PATCHED}).
 *
 * @param jobs {@link JOB_WORDS} words each; {@link JOB_PATCHED} is written
 * @param carries {@link CARRY_WORDS} words a slot; read and written
 * @param width columns of a line, at least 2
 */
export function flowAppend(page: FlowPage, jobs: Uint32Array, carries: Uint32Array, width: number): void {
  for (let at = 0; at < jobs.length; at += JOB_WORDS) {
    const carry = (jobs[at + JOB_SLOT] as number) * CARRY_WORDS
    carries[carry + CARRY_PATCHED] = 0
    flowRun(
      page,
      jobs[at + JOB_FIRST] as number,
      jobs[at + JOB_COUNT] as number,
      WHOLE,
      carries,
      carry,
      width,
    )
    jobs[at + JOB_PATCHED] = carries[carry + CARRY_PATCHED] as number
  }
}

/**
 * First stage of a page's layout (`flow_fragments`): every fragment on its own, its lines counted from 0.
 *
 * @param fragments {@link FRAGMENT_WORDS} words each; their states are written
 * @param carries as they were after the page before; only read
 */
export function flowFragments(
  page: FlowPage,
  fragments: Uint32Array,
  carries: Uint32Array,
  width: number,
): void {
  for (let at = 0; at < fragments.length; at += FRAGMENT_WORDS)
    flowFragment(page, fragments, at, carries, width)
}

/**
 * Second stage (`flow_number`): gives each fragment the line on which it begins, and the carries what the last
 * ones end with. One invocation a generation, which is that of its first fragment.
 */
export function flowNumber(fragments: Uint32Array, carries: Uint32Array): void {
  for (let at = 0; at < fragments.length; at += FRAGMENT_WORDS) {
    if (((fragments[at + FRAGMENT_FLAGS] as number) & FRAGMENT_OPENS) !== 0) {
      numberFragments(fragments, at, carries)
    }
  }
}

/** Third stage (`flow_shift`): adds to the lines of each fragment's tokens the line on which it begins. */
export function flowShift(page: FlowPage, fragments: Uint32Array): void {
  for (let at = 0; at < fragments.length; at += FRAGMENT_WORDS) shiftFragment(page, fragments, at)
}

function flowFragment(
  page: FlowPage,
  fragments: Uint32Array,
  at: number,
  carries: Uint32Array,
  width: number,
): void {
  const flags = fragments[at + FRAGMENT_FLAGS] as number
  const state = at + FRAGMENT_STATE
  const last = (flags & FRAGMENT_CLOSES) !== 0 ? WHOLE : UNTIL_NEWLINE
  let first = fragments[at + FRAGMENT_FIRST] as number
  for (let word = 0; word <= CARRY_PATCHED; word++) fragments[state + word] = 0
  if ((flags & FRAGMENT_OPENS) !== 0) {
    const carry = (fragments[at + FRAGMENT_SLOT] as number) * CARRY_WORDS
    fragments[state + CARRY_COLUMN] = carries[carry + CARRY_COLUMN] as number
    fragments[state + CARRY_WORD] = carries[carry + CARRY_WORD] as number
    fragments[state + CARRY_WORD_TOKENS] = carries[carry + CARRY_WORD_TOKENS] as number
  } else {
    flowRun(page, first, 0, AFTER_NEWLINE, fragments, state, width)
    first = placeAfter(page.chunks, first)
  }
  flowRun(page, first, fragments[at + FRAGMENT_COUNT] as number, last, fragments, state, width)
}

function numberFragments(fragments: Uint32Array, first: number, carries: Uint32Array): void {
  const carry = (fragments[first + FRAGMENT_SLOT] as number) * CARRY_WORDS
  let line = carries[carry + CARRY_LINE] as number
  let at = first
  for (;;) {
    fragments[at + FRAGMENT_BASE] = line
    line += fragments[at + FRAGMENT_STATE + CARRY_LINE] as number
    if (((fragments[at + FRAGMENT_FLAGS] as number) & FRAGMENT_CLOSES) !== 0) break
    at += FRAGMENT_WORDS
  }
  const state = at + FRAGMENT_STATE
  carries[carry + CARRY_COLUMN] = fragments[state + CARRY_COLUMN] as number
  carries[carry + CARRY_LINE] = line
  carries[carry + CARRY_WORD] = fragments[state + CARRY_WORD] as number
  carries[carry + CARRY_WORD_TOKENS] = fragments[state + CARRY_WORD_TOKENS] as number
  // Only the first one can have moved what was there before it.
  carries[carry + CARRY_PATCH_COLUMN] = fragments[first + FRAGMENT_STATE + CARRY_PATCH_COLUMN] as number
  carries[carry + CARRY_PATCHED] = fragments[first + FRAGMENT_STATE + CARRY_PATCHED] as number
}

function shiftFragment(page: FlowPage, fragments: Uint32Array, at: number): void {
  const base = fragments[at + FRAGMENT_BASE] as number
  if (base === 0) return
  const { chunks } = page
  const flow = page.flow as Uint32Array
  const shift = base << FLOW_LINE_SHIFT
  let left = fragments[at + FRAGMENT_COUNT] as number
  let place = fragments[at + FRAGMENT_FIRST] as number
  if (((fragments[at + FRAGMENT_FLAGS] as number) & FRAGMENT_OPENS) === 0) place = placeAfter(chunks, place)
  while (left > 0) {
    const count = Math.min(left, chunkEnd(chunks, place >>> CHUNK_BITS) - place)
    for (let i = place; i < place + count; i++) flow[i] = (flow[i] as number) + shift
    left -= count
    if (left > 0) place = placeAfter(chunks, place + count - 1)
  }
}

/** Moves the `count` tokens before the one at `place` to the line after theirs, `columns` to the left. */
function moveWord(
  chunks: Uint32Array,
  flow: Uint32Array,
  place: number,
  count: number,
  columns: number,
): void {
  let at = place
  for (let left = count; left > 0; left--) {
    const header = (at >>> CHUNK_BITS) * CHUNK_WORDS
    if ((at & (CHUNK_TOKENS - 1)) === (chunks[header + CHUNK_FIRST] as number)) {
      const previous = ((chunks[header + CHUNK_PREVIOUS] as number) - 1) & (PAGE_CHUNKS - 1)
      at = chunkEnd(chunks, previous)
    }
    at--
    flow[at] = (flow[at] as number) + (1 << FLOW_LINE_SHIFT) - columns
  }
}

/**
 * Lays out `count` tokens of a generation from the one at `first` on, over its chunks in the page.
 *
 * @param part how much of the last token; if AFTER_NEWLINE, that of the token at `first` and no other
 * @param states holds the state, at `state`; read and written, CARRY_PATCHED only if it is not 0
 */
function flowRun(
  page: FlowPage,
  first: number,
  count: number,
  part: number,
  states: Uint32Array,
  state: number,
  width: number,
): void {
  const { records, chunks, pieces } = page
  const flow = page.flow as Uint32Array
  let column = (states[state + CARRY_COLUMN] as number) | 0
  let line = (states[state + CARRY_LINE] as number) | 0
  let word = (states[state + CARRY_WORD] as number) | 0
  let wordTokens = (states[state + CARRY_WORD_TOKENS] as number) | 0
  let place = first
  let done = 0
  const only = part === AFTER_NEWLINE
  const total = only ? 1 : count
  while (done < total) {
    const stop = only ? place + 1 : Math.min(place + total - done, chunkEnd(chunks, place >>> CHUNK_BITS))
    for (; place < stop; place++, done++) {
      const hot = place
      while (place < stop) {
        const shape = (records[SHAPES + place] as number) | 0
        const columns = shape & SHAPE_WIDTH_MASK
        // min(column + spaces, width), and a new word after spaces, at a break or if none is open: without
        // branches, since no processor can guess them.
        const over = column + ((shape >>> SHAPE_SPACES_SHIFT) & SHAPE_SPACES_MASK) - width
        const begins = width + (over & (over >> 31))
        const ends = begins + columns
        if (shape < 0 || columns === 0 || ends > width) break
        const kept = (((shape & OPENING) - 1) >> 31) & ~((word - 1) >> 31)
        word = (word & kept) | ((begins + 1) & ~kept)
        wordTokens = (wordTokens & kept) + 1
        flow[place] = begins | (line << FLOW_LINE_SHIFT)
        column = ends
        place++
      }
      done += place - hot
      if (place === stop) break

      const shape = (records[SHAPES + place] as number) | 0
      if (shape >= 0) {
        const columns = shape & SHAPE_WIDTH_MASK
        const spaces = (shape >>> SHAPE_SPACES_SHIFT) & SHAPE_SPACES_MASK
        if (columns === 0) {
          flow[place] = column | (line << FLOW_LINE_SHIFT)
          if (spaces !== 0) {
            column = Math.min(column + spaces, width)
            word = 0
          } else if (word !== 0) wordTokens++
          continue
        }
        // A word that goes over the line's end.
        if (spaces !== 0) {
          column = Math.min(column + spaces, width)
          word = 0
        }
        if (word === 0 || (shape & SHAPE_BREAK) !== 0) {
          word = column + 1
          wordTokens = 0
        }
        if (word > 1) {
          const moved = Math.min(wordTokens, done)
          if (moved > 0) moveWord(chunks, flow, place, moved, word - 1)
          if (wordTokens > done) {
            states[state + CARRY_PATCHED] = wordTokens - done
            states[state + CARRY_PATCH_COLUMN] = word - 1
          }
          line++
          column -= word - 1
          word = 1
        }
        const fresh = column === width
        flow[place] = fresh ? (line + 1) << FLOW_LINE_SHIFT : column | (line << FLOW_LINE_SHIFT)
        column += columns
        if (column > width) {
          const lines = ((column - 1) / width) | 0
          line = (line + lines) | 0
          column = (column - Math.imul(lines, width)) | 0
        }
        wordTokens++
        continue
      }

      // Several words, line feeds, tabs: piece by piece.
      const start = (shape & SHAPE_PIECES_MASK) + 1
      let from = start
      let to = (start + (pieces[start - 1] as number)) | 0
      if (part !== WHOLE && done === total - 1) {
        let cut = to
        while (cut > start && (pieces[cut - 1] as number) >>> PIECE_TYPE_SHIFT !== PIECE_NEWLINES) cut--
        if (only) from = cut
        else to = cut
      }
      let tokenColumn = column
      let tokenLine = line
      // Nothing but spaces so far.
      let blank = true
      // Whether the token's place belongs to the open word, and whether that word began in this token.
      let inWord = true
      let opened = false
      for (let at = from; at < to; at++) {
        const piece = (pieces[at] as number) | 0
        const type = piece >>> PIECE_TYPE_SHIFT
        const amount = piece & PIECE_COUNT_MASK
        if (type === PIECE_WORD) {
          if (amount === 0) continue
          if (word === 0 || (piece & PIECE_BREAK) !== 0) {
            word = column + 1
            wordTokens = 0
            opened = true
            inWord = false
          }
          if (column + amount > width && word > 1) {
            const moved = Math.min(wordTokens, done)
            if (moved > 0) moveWord(chunks, flow, place, moved, word - 1)
            if (wordTokens > done) {
              states[state + CARRY_PATCHED] = wordTokens - done
              states[state + CARRY_PATCH_COLUMN] = word - 1
            }
            if (inWord && !blank) {
              tokenColumn -= word - 1
              tokenLine++
            }
            line++
            column -= word - 1
            word = 1
          }
          if (blank) {
            const fresh = column === width
            tokenColumn = fresh ? 0 : column
            tokenLine = fresh ? line + 1 : line
            blank = false
            inWord = true
          }
          column += amount
          if (column > width) {
            const lines = ((column - 1) / width) | 0
            line = (line + lines) | 0
            column = (column - Math.imul(lines, width)) | 0
          }
        } else {
          word = 0
          if (type === PIECE_SPACES) column = Math.min(column + amount, width)
          else {
            blank = false
            inWord = false
            if (type === PIECE_NEWLINES) {
              line += amount
              column = 0
            } else column = Math.min(((column >>> 3) + amount) << 3, width)
          }
        }
      }
      if (only) break
      flow[place] = tokenColumn | (tokenLine << FLOW_LINE_SHIFT)
      if (word !== 0 && (!opened || inWord)) wordTokens++
    }
    if (only) break
    if (done < total) place = placeAfter(chunks, place - 1)
  }
  states[state + CARRY_COLUMN] = column
  states[state + CARRY_LINE] = line
  states[state + CARRY_WORD] = word
  states[state + CARRY_WORD_TOKENS] = wordTokens
}
