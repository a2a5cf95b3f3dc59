// What is kept of the tokens of a page, column by column, as in compositor/tokens/record.ts, where it is
// explained.

const PAGE_BITS = 20u;
const PAGE_TOKENS = 1048576u;
const PAGE_CHUNKS = 4096u;
const CHUNK_BITS = 8u;
const CHUNK_TOKENS = 256u;

const COLUMN_VALUES = 0u;
const COLUMN_TIMES = 1048576u;
const COLUMN_SHAPES = 2097152u;

const UNKNOWN = 0xffffu;
const TICKS_PER_MS = 10u;

const SHAPE_WIDTH_MASK = 0xfffffu;
const SHAPE_SPACES_SHIFT = 20u;
const SHAPE_SPACES_MASK = 0x7fu;
const SHAPE_BREAK = 0x8000000u;
const SHAPE_KIND_SHIFT = 28u;
const SHAPE_KIND_MASK = 3u;
const SHAPE_COMPLEX = 0x80000000u;
const SHAPE_PIECES_MASK = 0xfffffffu;

const PIECE_WORD = 0u;
const PIECE_SPACES = 1u;
const PIECE_NEWLINES = 2u;
const PIECE_TYPE_SHIFT = 30u;
const PIECE_BREAK = 0x20000000u;
const PIECE_COUNT_MASK = 0x1fffffffu;

const CHUNK_WORDS = 8u;
const CHUNK_GENERATION = 0u;
const CHUNK_END = 1u;
const CHUNK_BASE = 3u;
const CHUNK_NEXT = 4u;
const CHUNK_PREVIOUS = 5u;
const CHUNK_INTERVAL = 6u;
const CHUNK_FIRST = 7u;
const NO_INTERVAL = 0xffffffffu;

struct Page {
  number: u32,
  // The first chunk with tokens, and the one after the last.
  first_chunk: u32,
  end_chunk: u32,
}

@group(0) @binding(0) var<uniform> page: Page;
@group(0) @binding(1) var<storage, read> records: array<u32>;
@group(0) @binding(2) var<storage, read> chunks: array<u32>;

// Where the header of a token's chunk begins; `i` is the token's place in the page.
fn header_of(i: u32) -> u32 {
  return (i >> CHUNK_BITS) * CHUNK_WORDS;
}

// The token's number, which is its cell on the map.
fn number_of(i: u32) -> u32 {
  return (page.number << PAGE_BITS) | i;
}

// When the token came, in ms since the origin.
fn time_of(i: u32) -> u32 {
  return chunks[header_of(i) + CHUNK_BASE] + records[COLUMN_TIMES + i] / TICKS_PER_MS;
}

// 0 message, 1 reasoning, 2 tool call.
fn kind_of(i: u32) -> u32 {
  return (records[COLUMN_SHAPES + i] >> SHAPE_KIND_SHIFT) & SHAPE_KIND_MASK;
}

// What flow makes of a token: its column, and its line above.
const FLOW_LINE_SHIFT = 10u;
const FLOW_COLUMN_MASK = 0x3ffu;
