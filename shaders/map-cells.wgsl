// The map's cells: one quad a block of 16 × 16, its colours from the entries. Drawn first, onto nothing, adding:
// blocks share pixels where the camera does not snap, and their shares must add up.
// Twin: paintCell in compositor/draw/cell-paint.ts, paintHatch in compositor/draw/hatch.ts.
#import map-frame.wgsl

// 256 colours of the scale, red in the lowest byte.
@group(0) @binding(1) var<storage, read> scale: array<u32>;
// 256 entries a block, row by row, two a word: see cellEntry in compositor/draw/cell-entry.ts.
@group(0) @binding(2) var<storage, read> entries: array<u32>;

const BLOCK_SIDE = 16;
const EMPTY = 0u;
const UNKNOWN = 1u;
const FIRST_OF_SCALE = 2u;

struct BlockQuad {
  @builtin(position) position: vec4f,
  // Left, top, width, height.
  @location(0) @interpolate(flat) rect: vec4f,
  @location(1) @interpolate(flat) slot: u32,
}

@vertex
fn place_block(
  @builtin(vertex_index) vertex: u32,
  @builtin(instance_index) slot: u32,
  @location(0) number: u32,
) -> BlockQuad {
  let rect = block_rect(number);
  // Every pixel that the block touches.
  let from_pixel = floor(rect.xy);
  let to_pixel = select(ceil(rect.xy + rect.zw), from_pixel, number == NO_BLOCK);
  return BlockQuad(to_clip(mix(from_pixel, to_pixel, strip_corner(vertex))), rect, slot);
}

// Where a row or column of cells begins, in pixels from the block's corner.
fn cell_edge(cell: vec2i, block: vec2f) -> vec2f {
  let edge = vec2f(cell) * block * 0.0625;
  return select(edge, to_whole(edge), frame.snapped == 1u);
}

// The space left free on a cell's right and lower edge.
fn cell_gap(side: f32) -> f32 {
  return select(select(2.0, 1.0, side < 20.0), 0.0, side < 4.0);
}

// Integral of the share of a pixel that lies below a slanted line, by the distance of their x + y.
fn slanted_share(t: f32) -> f32 {
  let s = clamp(t, -1.0, 1.0);
  return select(1.0 - 0.5 * (1.0 - s) * (1.0 - s), 0.5 * (1.0 + s) * (1.0 + s), s < 0.0);
}

// How much of a pixel is covered by the lines of the hatch that means "not known": 0 … 1. `corner` and
// `size` are the painted part of the cell; lines go on from one cell to the next.
fn hatch_share(pixel: vec2f, corner: vec2f, size: vec2f) -> f32 {
  if (min(size.x, size.y) < 6.0) {
    // Lines would run together: every other pixel says the same, as long as cells have pixels of their own.
    let local = vec2u(floor(pixel + 0.5));
    let even = 1.0 - f32((local.x + local.y) & 1u);
    return mix(0.5, even, clamp(frame.side * 0.125 - 1.0, 0.0, 1.0));
  }
  let period = clamp(floor(size.x / 5.0 + 0.5), 4.0, 8.0);
  // x + y is the same along a line.
  let sum = pixel.x + pixel.y + 1.0;
  let line = round(sum / period) * period;
  let first = corner.x + corner.y;
  if (line <= first || line >= first + size.x + size.y) {
    return 0.0;
  }
  if (period <= 5.0) {
    // A hairline, as canvases draw what is one pixel wide: the pixels that it goes through and no others.
    return max(0.0, 1.0 - abs(line - sum));
  }
  // One of width w spans w · √2 of x + y.
  let half_width = period / 5.0 * 0.70710678;
  return slanted_share(line + half_width - sum) - slanted_share(line - half_width - sum);
}

fn cell_colour(entry: u32, pixel: vec2f, corner: vec2f, size: vec2f) -> vec3f {
  if (entry == UNKNOWN) {
    return mix(frame.hatch_ground.rgb, frame.hatch_line.rgb, hatch_share(pixel, corner, size));
  }
  return unpack4x8unorm(scale[entry - FIRST_OF_SCALE]).rgb;
}

// What one cell adds to a pixel: its colour times its share of it, and that share.
fn cell_part(slot: u32, cell: vec2i, pixel: vec2f, block: vec2f) -> vec4f {
  let place = u32(cell.y * BLOCK_SIDE + cell.x);
  let entry = (entries[slot * 128u + (place >> 1u)] >> ((place & 1u) * 16u)) & 0xffffu;
  if (entry == EMPTY) {
    return vec4f(0.0);
  }
  let corner = cell_edge(cell, block);
  let extent = cell_edge(cell + 1, block) - corner;
  let size = extent - cell_gap(min(extent.x, extent.y));
  let share = pixel_share(pixel, corner, corner + size);
  return vec4f(cell_colour(entry, pixel, corner, size) * share, share);
}

// Where cells end on whole pixels a pixel is of one cell.
@fragment
fn paint_snapped(quad: BlockQuad) -> @location(0) vec4f {
  let pixel = floor(quad.position.xy) - quad.rect.xy;
  // The last cell whose edge, rounded half up, is not beyond the pixel: (16 · pixel + 7) / side in integers,
  // and half a step off the border between two of them, where floats need not be exact.
  let cell = vec2i((pixel * 16.0 + 7.5) / quad.rect.zw);
  return cell_part(quad.slot, cell, pixel, quad.rect.zw);
}

// Where they do not, of all cells under it.
@fragment
fn paint_mixed(quad: BlockQuad) -> @location(0) vec4f {
  // The pixel's left upper corner, from the block's.
  let pixel = floor(quad.position.xy) - quad.rect.xy;
  let cells = f32(BLOCK_SIDE) / quad.rect.zw;
  let first = max(vec2i(floor(pixel * cells)), vec2i(0));
  let last = min(vec2i(floor((pixel + 1.0) * cells)), vec2i(BLOCK_SIDE - 1));
  var sum = vec4f(0.0);
  for (var row = first.y; row <= last.y; row++) {
    for (var column = first.x; column <= last.x; column++) {
      sum += cell_part(quad.slot, vec2i(column, row), pixel, quad.rect.zw);
    }
  }
  return sum;
}
