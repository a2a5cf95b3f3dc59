/**
 * How a token is kept: three 32-bit words, column by column in a page, at the place of its map cell. A token's
 * number *is* its cell, so its place on the map needs no memory, the 256 tokens of a chunk are of one
 * generation and follow each other, and what they share stands once, in the chunk's header. Shaders read the
 * same columns; shaders/record.wgsl has the same numbers.
 */

/** Tokens of a page, a power of two: 12 MiB of records, 4 MiB of what `flow` makes of them. */
export const PAGE_TOKENS = 1 << 20
export const PAGE_BITS = 20
/** Tokens of a chunk: one block of the map. */
export const CHUNK_TOKENS = 256
export const CHUNK_BITS = 8
export const PAGE_CHUNKS = PAGE_TOKENS / CHUNK_TOKENS

/** Columns of a page's `records`: column c of token i stands at `c * PAGE_TOKENS + i`. */
export const COLUMN_VALUES = 0
export const COLUMN_TIMES = 1
export const COLUMN_SHAPES = 2
export const COLUMNS = 3

/**
 * Column `VALUES`: confidence in the low 16 bits, entropy in the high 16. Both in fixed point, 0 … 65,534;
 * {@link UNKNOWN} where it is not known.
 */
export const UNKNOWN = 0xffff
/** Fixed-point steps of a confidence of 1. */
export const CONFIDENCE_STEPS = 65_534
/** Fixed-point steps of a nat. */
export const ENTROPY_STEPS = 4096

/** Column `TIMES`: ticks of 0.1 ms since the chunk's base. */
export const TICKS_PER_MS = 10

/**
 * Column `SHAPES`: what `flow` has to know of the text.
 *
 * Simple: spaces, then a word without a break opportunity in it (either may be of length 0).
 * bits 0–19 columns of the word, 20–26 spaces before it, 27 whether a line may break before the word even
 * without spaces, 28–29 kind (0 message, 1 reasoning, 2 tool call), 30 and 31 zero.
 *
 * Complex: bit 31 set; bits 0–27 where its pieces begin in the page's `pieces` (there first their number, then
 * one word each), 28–29 kind, 30 whether there is a line feed among them.
 */
export const SHAPE_WIDTH_MASK = 0xf_ffff
export const SHAPE_SPACES_SHIFT = 20
export const SHAPE_SPACES_MASK = 0x7f
export const SHAPE_BREAK = 1 << 27
export const SHAPE_KIND_SHIFT = 28
export const SHAPE_KIND_MASK = 3
export const SHAPE_NEWLINE = 1 << 30
export const SHAPE_COMPLEX = 0x8000_0000
export const SHAPE_PIECES_MASK = 0xfff_ffff

/**
 * A piece: bits 30–31 what it is, bit 29 whether a line may break before it (a word's), bits 0–28 its columns
 * (a word's) or how many there are of it.
 */
export const PIECE_WORD = 0
export const PIECE_SPACES = 1
export const PIECE_NEWLINES = 2
export const PIECE_TABS = 3
export const PIECE_TYPE_SHIFT = 30
export const PIECE_BREAK = 1 << 29
export const PIECE_COUNT_MASK = 0x1fff_ffff

/**
 * What `flow` makes of a token: its column in the low 10 bits, its line above. A generation's lines are told apart
 * up to 2^22; after those they are counted from 0 again.
 */
export const FLOW_LINE_SHIFT = 10
export const FLOW_COLUMN_MASK = 0x3ff

/** Words of a chunk's header, in a page's `chunks` at `chunk * CHUNK_WORDS`. */
export const CHUNK_WORDS = 8
/** Slot of its generation, see `TokenStore.generations`. */
export const CHUNK_GENERATION = 0
/** The place (0 … 256) after its last token. 0 where nothing is. */
export const CHUNK_END = 1
/** Index within the generation of the token at place 0, whether it is there or not; modulo 2^32. */
export const CHUNK_INDEX = 2
/** Milliseconds from the store's origin to its base: the time of its first token, rounded down. */
export const CHUNK_BASE = 3
/** Number of the generation's next chunk, plus 1; 0 while there is none. */
export const CHUNK_NEXT = 4
/** Number of the chunk before it, plus 1; 0 for the first. */
export const CHUNK_PREVIOUS = 5
/** Ticks between its first token and the token before that; {@link NO_INTERVAL} without one. */
export const CHUNK_INTERVAL = 6
/** The place of its first token: not 0 where the beginning was no longer to be had. From there to the end there are no holes. */
export const CHUNK_FIRST = 7

export const NO_INTERVAL = 0xffff_ffff
