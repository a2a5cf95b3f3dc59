// Sums of a page's tokens by cell of a grid, added to what other pages gave.
// Twin: sumTiles in compositor/view/tiles.ts.
#import hilbert.wgsl
#import channels.wgsl

// As TilesRequest in compositor/view/tiles.ts.
struct Request {
  z: u32,
  // Modulo 2^32.
  left: u32,
  top: u32,
  width: u32,
  height: u32,
  until: u32,
  since: u32,
  kinds: u32,
  slots: u32,
  panel_count: u32,
  panel_side: u32,
}

@group(0) @binding(3) var<storage, read> flow: array<u32>;
@group(1) @binding(0) var<uniform> request: Request;
@group(1) @binding(1) var<storage, read> generations: array<u32>;
@group(1) @binding(2) var<storage, read> panels: array<u32>;
@group(1) @binding(3) var<storage, read_write> cells: array<atomic<u32>>;

// Which layout, and which colour: a pipeline each, so that none goes through what is of others.
override LAYOUT: u32 = 0;
override COLOR: u32 = 0;

const LAYOUT_MAP = 0u;
const LAYOUT_FLOW = 1u;

const COLOR_CONFIDENCE = 0u;
const COLOR_ENTROPY = 1u;
const COLOR_INTERVAL = 2u;
const COLOR_KIND = 3u;
const COLOR_MODEL = 4u;
const COLOR_AGE = 5u;

const CELL_WORDS = 4u;
const GENERATION_WORDS = 4u;
const GENERATION_LANE = 0u;
const GENERATION_PASSES = 1u;
const GENERATION_PANELS = 3u;
const NO_LANE = 0xffffffffu;
const LINE_UNITS = 2u;
const NOWHERE = 0xffffffffu;

// Tokens of an invocation, and how many invocations go through a chunk: each takes every 16th token, so that
// neighbours read side by side, and adds to memory once for tokens of one cell.
const TURNS = 16u;
const STEP = 16u;

// What a run of tokens adds to one cell.
struct Sum {
  cell: u32,
  count: u32,
  second: u32,
  third: u32,
}

fn cell_at(x: u32, y: u32) -> u32 {
  let column = x - request.left;
  let row = y - request.top;
  return select(NOWHERE, row * request.width + column, column < request.width && row < request.height);
}

fn map_cell(i: u32) -> u32 {
  let place = map_place(number_of(i));
  return cell_at((place & 0xffffu) >> request.z, (place >> 16u) >> request.z);
}

fn timeline_cell(i: u32, generation: u32) -> u32 {
  let lane = generations[generation + GENERATION_LANE];
  return select(cell_at(time_of(i) >> request.z, lane), NOWHERE, lane == NO_LANE);
}

fn flow_cell(i: u32, generation: u32) -> u32 {
  let lines = request.panel_side / LINE_UNITS;
  let line = flow[i] >> FLOW_LINE_SHIFT;
  let panel = generations[generation + GENERATION_PANELS] + line / lines;
  if (panel >= request.panel_count) {
    return NOWHERE;
  }
  let place = map_place(panels[panel]);
  let x = (place & 0xffffu) * request.panel_side + (flow[i] & FLOW_COLUMN_MASK);
  let y = (place >> 16u) * request.panel_side + (line % lines) * LINE_UNITS;
  return cell_at(x >> request.z, y >> request.z);
}

fn cell_of(i: u32, generation: u32) -> u32 {
  switch LAYOUT {
    case LAYOUT_MAP: { return map_cell(i); }
    case LAYOUT_FLOW: { return flow_cell(i, generation); }
    // The timeline.
    default: { return timeline_cell(i, generation); }
  }
}

fn counts(i: u32) -> bool {
  let time = time_of(i);
  return time >= request.since && time <= request.until && ((request.kinds >> kind_of(i)) & 1u) == 1u;
}

// What the mean channels have of a token; UNKNOWN of the others.
fn mean_value(i: u32) -> u32 {
  switch COLOR {
    case COLOR_CONFIDENCE: { return confidence_value(i); }
    case COLOR_ENTROPY: { return entropy_value(i); }
    case COLOR_INTERVAL: { return interval_value(i); }
    default: { return UNKNOWN; }
  }
}

fn with_token(sum: Sum, i: u32) -> Sum {
  var more = sum;
  more.count += 1u;
  switch COLOR {
    case COLOR_KIND: {
      let kind = kind_of(i);
      more.second += u32(kind == 1u);
      more.third += u32(kind == 2u);
    }
    case COLOR_MODEL: {
      more.second = max(more.second, chunks[header_of(i) + CHUNK_GENERATION] + 1u);
    }
    case COLOR_AGE: {
      more.second = max(more.second, time_of(i) + 1u);
    }
    default: {
      let value = mean_value(i);
      if (value != UNKNOWN) {
        more.second += 1u;
        more.third += value;
      }
    }
  }
  return more;
}

fn add(sum: Sum) {
  if (sum.cell == NOWHERE || sum.count == 0u) {
    return;
  }
  let at = sum.cell * CELL_WORDS;
  atomicAdd(&cells[at], sum.count);
  if (COLOR == COLOR_MODEL || COLOR == COLOR_AGE) {
    atomicMax(&cells[at + 1u], sum.second);
    return;
  }
  atomicAdd(&cells[at + 1u], sum.second);
  let low = atomicAdd(&cells[at + 2u], sum.third);
  // Two words make the sum: of all additions, those that go beyond 2^32 add 1 to the high one.
  if (low > 0xffffffffu - sum.third) {
    atomicAdd(&cells[at + 3u], 1u);
  }
}

// A dispatch has at most 65,535 workgroups along x: beyond that rows are used.
@compute @workgroup_size(256)
fn sum_tiles(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let invocation = id.y * groups.x * 256u + id.x;
  let chunk = page.first_chunk + invocation / STEP;
  if (chunk >= page.end_chunk) {
    return;
  }
  let header = chunk * CHUNK_WORDS;
  let slot = chunks[header + CHUNK_GENERATION];
  let end = chunks[header + CHUNK_END];
  if (end == 0u || slot >= request.slots || chunks[header + CHUNK_BASE] > request.until) {
    return;
  }
  let generation = slot * GENERATION_WORDS;
  if (generations[generation + GENERATION_PASSES] == 0u) {
    return;
  }
  let first = chunks[header + CHUNK_FIRST];
  var sum: Sum;
  sum.cell = NOWHERE;
  for (var turn = 0u; turn < TURNS; turn++) {
    let place = turn * STEP + invocation % STEP;
    if (place < first || place >= end) {
      continue;
    }
    let i = chunk * CHUNK_TOKENS + place;
    let cell = cell_of(i, generation);
    if (cell == NOWHERE || !counts(i)) {
      continue;
    }
    if (cell != sum.cell) {
      add(sum);
      sum = Sum();
      sum.cell = cell;
    }
    sum = with_token(sum, i);
  }
  add(sum);
}
