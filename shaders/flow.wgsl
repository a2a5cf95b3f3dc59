// The `flow` layout: text in lines of a fixed width, wrapped greedily at break opportunities, in integers only.
// Twin: compositor/layout/flow.ts, function by function; jobs, carries and fragments are explained there.
#import record.wgsl

struct Task {
  // Jobs or fragments.
  count: u32,
  // Columns of a line.
  width: u32,
}

@group(0) @binding(3) var<storage, read_write> flow: array<u32>;
@group(0) @binding(4) var<storage, read> pieces: array<u32>;
@group(1) @binding(0) var<uniform> task: Task;
// Jobs of flow_append, fragments of the stages.
@group(1) @binding(1) var<storage, read_write> parts: array<u32>;
@group(1) @binding(2) var<storage, read_write> carries: array<u32>;

const CARRY_WORDS = 8u;
const CARRY_COLUMN = 0u;
const CARRY_LINE = 1u;
const CARRY_WORD = 2u;
const CARRY_WORD_TOKENS = 3u;
const CARRY_PATCH_COLUMN = 4u;
const CARRY_PATCHED = 5u;

const JOB_WORDS = 4u;
const JOB_SLOT = 0u;
const JOB_FIRST = 1u;
const JOB_COUNT = 2u;
const JOB_PATCHED = 3u;

const FRAGMENT_WORDS = 12u;
const FRAGMENT_SLOT = 0u;
const FRAGMENT_FIRST = 1u;
const FRAGMENT_COUNT = 2u;
const FRAGMENT_FLAGS = 3u;
const FRAGMENT_STATE = 4u;
const FRAGMENT_BASE = 10u;
const FRAGMENT_OPENS = 1u;
const FRAGMENT_CLOSES = 2u;


// How much of a token's text is laid out: all, up to and with its last line feed, what comes after that.
const WHOLE = 0u;
const UNTIL_NEWLINE = 1u;
const AFTER_NEWLINE = 2u;

struct State {
  column: u32,
  line: u32,
  // Column where the open word begins, plus 1; 0: none is open.
  word: u32,
  word_tokens: u32,
  patch_column: u32,
  patched: u32,
}

fn chunk_end(chunk: u32) -> u32 {
  return (chunk << CHUNK_BITS) + chunks[chunk * CHUNK_WORDS + CHUNK_END];
}

// The place of the generation's next token; if the page has none, a place without meaning.
fn place_after(place: u32) -> u32 {
  let header = header_of(place);
  if ((place & (CHUNK_TOKENS - 1u)) + 1u < chunks[header + CHUNK_END]) {
    return place + 1u;
  }
  let next = (chunks[header + CHUNK_NEXT] - 1u) & (PAGE_CHUNKS - 1u);
  return (next << CHUNK_BITS) + chunks[next * CHUNK_WORDS + CHUNK_FIRST];
}

// Moves the `count` tokens before the one at `place` to the line after theirs, `columns` to the left.
fn move_word(place: u32, count: u32, columns: u32) {
  var at = place;
  for (var left = count; left > 0u; left--) {
    let header = header_of(at);
    if ((at & (CHUNK_TOKENS - 1u)) == chunks[header + CHUNK_FIRST]) {
      at = chunk_end((chunks[header + CHUNK_PREVIOUS] - 1u) & (PAGE_CHUNKS - 1u));
    }
    at--;
    flow[at] += (1u << FLOW_LINE_SHIFT) - columns;
  }
}

// The open word, which did not fit, begins the next line; of the run `done` tokens are laid out before `place`.
fn with_moved_word(before: State, place: u32, done: u32) -> State {
  var state = before;
  let columns = state.word - 1u;
  move_word(place, min(state.word_tokens, done), columns);
  if (state.word_tokens > done) {
    state.patched = state.word_tokens - done;
    state.patch_column = columns;
  }
  state.line += 1u;
  state.column -= columns;
  state.word = 1u;
  return state;
}

fn with_columns(before: State, columns: u32) -> State {
  var state = before;
  state.column += columns;
  if (state.column > task.width) {
    let lines = (state.column - 1u) / task.width;
    state.line += lines;
    state.column -= lines * task.width;
  }
  return state;
}

fn with_spaces(before: State, spaces: u32) -> State {
  var state = before;
  state.column = min(state.column + spaces, task.width);
  state.word = 0u;
  return state;
}

fn with_open_word(before: State) -> State {
  var state = before;
  state.word = state.column + 1u;
  state.word_tokens = 0u;
  return state;
}

// Where a word begins that is written next.
fn word_place(state: State) -> vec2u {
  return select(
    vec2u(state.column, state.line),
    vec2u(0u, state.line + 1u),
    state.column == task.width,
  );
}

fn put(place: u32, at: vec2u) {
  flow[place] = at.x | (at.y << FLOW_LINE_SHIFT);
}

// Spaces, then a word: what most tokens are.
fn with_simple(before: State, place: u32, done: u32, shape: u32) -> State {
  var state = before;
  let columns = shape & SHAPE_WIDTH_MASK;
  let spaces = (shape >> SHAPE_SPACES_SHIFT) & SHAPE_SPACES_MASK;
  if (columns == 0u) {
    put(place, vec2u(state.column, state.line));
    if (spaces != 0u) {
      state = with_spaces(state, spaces);
    } else if (state.word != 0u) {
      state.word_tokens += 1u;
    }
    return state;
  }
  if (spaces != 0u) {
    state = with_spaces(state, spaces);
  }
  if (state.word == 0u || (shape & SHAPE_BREAK) != 0u) {
    state = with_open_word(state);
  }
  if (state.column + columns > task.width && state.word > 1u) {
    state = with_moved_word(state, place, done);
  }
  put(place, word_place(state));
  state = with_columns(state, columns);
  state.word_tokens += 1u;
  return state;
}

// Several words, line feeds, tabs: piece by piece.
fn with_pieces(before: State, place: u32, done: u32, shape: u32, part: u32) -> State {
  var state = before;
  let start = (shape & SHAPE_PIECES_MASK) + 1u;
  var first = start;
  var end = start + pieces[start - 1u];
  if (part != WHOLE) {
    var cut = end;
    while (cut > start && pieces[cut - 1u] >> PIECE_TYPE_SHIFT != PIECE_NEWLINES) {
      cut--;
    }
    first = select(start, cut, part == AFTER_NEWLINE);
    end = select(cut, end, part == AFTER_NEWLINE);
  }
  var token = vec2u(state.column, state.line);
  // Nothing but spaces so far.
  var blank = true;
  // Whether the token's place belongs to the open word, and whether that word began in this token.
  var in_word = true;
  var opened = false;
  for (var at = first; at < end; at++) {
    let piece = pieces[at];
    let amount = piece & PIECE_COUNT_MASK;
    switch piece >> PIECE_TYPE_SHIFT {
      case PIECE_WORD: {
        if (amount == 0u) {
          continue;
        }
        if (state.word == 0u || (piece & PIECE_BREAK) != 0u) {
          state = with_open_word(state);
          opened = true;
          in_word = false;
        }
        if (state.column + amount > task.width && state.word > 1u) {
          if (in_word && !blank) {
            token = vec2u(token.x - (state.word - 1u), token.y + 1u);
          }
          state = with_moved_word(state, place, done);
        }
        if (blank) {
          token = word_place(state);
          blank = false;
          in_word = true;
        }
        state = with_columns(state, amount);
      }
      case PIECE_SPACES: {
        state = with_spaces(state, amount);
      }
      case PIECE_NEWLINES: {
        state.word = 0u;
        blank = false;
        in_word = false;
        state.line += amount;
        state.column = 0u;
      }
      default: {
        state.word = 0u;
        blank = false;
        in_word = false;
        state.column = min(((state.column >> 3u) + amount) << 3u, task.width);
      }
    }
  }
  // That token has its place already.
  if (part == AFTER_NEWLINE) {
    return state;
  }
  put(place, token);
  if (state.word != 0u && (!opened || in_word)) {
    state.word_tokens += 1u;
  }
  return state;
}

// Lays out `count` tokens of a generation from the one at `first` on, over its chunks in the page; of the last
// one only `last_part`.
fn flow_run(before: State, first: u32, count: u32, last_part: u32) -> State {
  var state = before;
  var place = first;
  var done = 0u;
  while (done < count) {
    let stop = min(place + count - done, chunk_end(place >> CHUNK_BITS));
    for (; place < stop; place++) {
      let shape = records[COLUMN_SHAPES + place];
      if ((shape & SHAPE_COMPLEX) == 0u) {
        state = with_simple(state, place, done, shape);
      } else {
        state = with_pieces(state, place, done, shape, select(WHOLE, last_part, done == count - 1u));
      }
      done++;
    }
    if (done < count) {
      place = place_after(place - 1u);
    }
  }
  return state;
}

// One invocation a job or fragment. A dispatch has at most 65,535 workgroups along x: beyond that rows are used.
fn part_of(id: vec3u, groups: vec3u) -> u32 {
  return id.y * groups.x * 256u + id.x;
}

@compute @workgroup_size(256)
fn flow_append(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let part = part_of(id, groups);
  if (part >= task.count) {
    return;
  }
  let at = part * JOB_WORDS;
  let carry = parts[at + JOB_SLOT] * CARRY_WORDS;
  var state = State(
    carries[carry + CARRY_COLUMN],
    carries[carry + CARRY_LINE],
    carries[carry + CARRY_WORD],
    carries[carry + CARRY_WORD_TOKENS],
    carries[carry + CARRY_PATCH_COLUMN],
    0u,
  );
  state = flow_run(state, parts[at + JOB_FIRST], parts[at + JOB_COUNT], WHOLE);
  carries[carry + CARRY_COLUMN] = state.column;
  carries[carry + CARRY_LINE] = state.line;
  carries[carry + CARRY_WORD] = state.word;
  carries[carry + CARRY_WORD_TOKENS] = state.word_tokens;
  carries[carry + CARRY_PATCH_COLUMN] = state.patch_column;
  carries[carry + CARRY_PATCHED] = state.patched;
  parts[at + JOB_PATCHED] = state.patched;
}

// Every fragment on its own, its lines counted from 0.
@compute @workgroup_size(256)
fn flow_fragments(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let part = part_of(id, groups);
  if (part >= task.count) {
    return;
  }
  let at = part * FRAGMENT_WORDS;
  let flags = parts[at + FRAGMENT_FLAGS];
  var first = parts[at + FRAGMENT_FIRST];
  var state = State(0u, 0u, 0u, 0u, 0u, 0u);
  if ((flags & FRAGMENT_OPENS) != 0u) {
    let carry = parts[at + FRAGMENT_SLOT] * CARRY_WORDS;
    state.column = carries[carry + CARRY_COLUMN];
    state.word = carries[carry + CARRY_WORD];
    state.word_tokens = carries[carry + CARRY_WORD_TOKENS];
  } else {
    state = flow_run(state, first, 1u, AFTER_NEWLINE);
    first = place_after(first);
  }
  let last_part = select(UNTIL_NEWLINE, WHOLE, (flags & FRAGMENT_CLOSES) != 0u);
  state = flow_run(state, first, parts[at + FRAGMENT_COUNT], last_part);
  parts[at + FRAGMENT_STATE + CARRY_COLUMN] = state.column;
  parts[at + FRAGMENT_STATE + CARRY_LINE] = state.line;
  parts[at + FRAGMENT_STATE + CARRY_WORD] = state.word;
  parts[at + FRAGMENT_STATE + CARRY_WORD_TOKENS] = state.word_tokens;
  parts[at + FRAGMENT_STATE + CARRY_PATCH_COLUMN] = state.patch_column;
  parts[at + FRAGMENT_STATE + CARRY_PATCHED] = state.patched;
}

// The line on which each fragment begins, and what the last ones end with. One invocation a generation: the one
// of its first fragment.
@compute @workgroup_size(256)
fn flow_number(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let part = part_of(id, groups);
  if (part >= task.count) {
    return;
  }
  let first = part * FRAGMENT_WORDS;
  if ((parts[first + FRAGMENT_FLAGS] & FRAGMENT_OPENS) == 0u) {
    return;
  }
  let carry = parts[first + FRAGMENT_SLOT] * CARRY_WORDS;
  var line = carries[carry + CARRY_LINE];
  var at = first;
  loop {
    parts[at + FRAGMENT_BASE] = line;
    line += parts[at + FRAGMENT_STATE + CARRY_LINE];
    if ((parts[at + FRAGMENT_FLAGS] & FRAGMENT_CLOSES) != 0u) {
      break;
    }
    at += FRAGMENT_WORDS;
  }
  carries[carry + CARRY_COLUMN] = parts[at + FRAGMENT_STATE + CARRY_COLUMN];
  carries[carry + CARRY_LINE] = line;
  carries[carry + CARRY_WORD] = parts[at + FRAGMENT_STATE + CARRY_WORD];
  carries[carry + CARRY_WORD_TOKENS] = parts[at + FRAGMENT_STATE + CARRY_WORD_TOKENS];
  // Only the first one can have moved what was there before it.
  carries[carry + CARRY_PATCH_COLUMN] = parts[first + FRAGMENT_STATE + CARRY_PATCH_COLUMN];
  carries[carry + CARRY_PATCHED] = parts[first + FRAGMENT_STATE + CARRY_PATCHED];
}

// Adds to the lines of each fragment's tokens the line on which it begins.
@compute @workgroup_size(256)
fn flow_shift(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let part = part_of(id, groups);
  if (part >= task.count) {
    return;
  }
  let at = part * FRAGMENT_WORDS;
  let base = parts[at + FRAGMENT_BASE];
  if (base == 0u) {
    return;
  }
  var place = parts[at + FRAGMENT_FIRST];
  if ((parts[at + FRAGMENT_FLAGS] & FRAGMENT_OPENS) == 0u) {
    place = place_after(place);
  }
  var left = parts[at + FRAGMENT_COUNT];
  while (left > 0u) {
    let count = min(left, chunk_end(place >> CHUNK_BITS) - place);
    for (var i = place; i < place + count; i++) {
      flow[i] += base << FLOW_LINE_SHIFT;
    }
    left -= count;
    if (left > 0u) {
      place = place_after(place + count - 1u);
    }
  }
}
