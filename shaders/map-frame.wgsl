// What the passes of the map's picture share: this frame's camera, and where a block lies on the target.
// Layout of Frame: writeFrame in compositor/draw/map-frame.ts.
#import hilbert.wgsl

struct Frame {
  // Size of the target, in pixels; all that follows is in its pixels, from its left upper corner.
  size: vec2f,
  // The block that all others are placed relative to, in blocks from the map's corner: what is far from that
  // corner must not be told in floats.
  anchor: vec2i,
  // The anchor's left upper corner.
  origin: vec2f,
  // Side of a block.
  side: f32,
  // 1: cells end on whole pixels. 0: they do not, and a pixel shows the mean of what lies under it.
  snapped: u32,
  // The graticule's first cross, in blocks from the anchor, the step from one to the next, crosses a row.
  grid_first: vec2i,
  grid_step: i32,
  grid_columns: i32,
  // Width of a hairline.
  hairline: f32,
  ground: vec4f,
  grid: vec4f,
  outline: vec4f,
  hatch_ground: vec4f,
  hatch_line: vec4f,
}

@group(0) @binding(0) var<uniform> frame: Frame;

// Nothing is drawn of a block with this number.
const NO_BLOCK = 0xffffffffu;

fn to_whole(pixel: vec2f) -> vec2f {
  return floor(pixel + 0.5);
}

// The left upper corner of the block that is so many blocks from the anchor.
fn block_corner(from_anchor: vec2i) -> vec2f {
  let corner = frame.origin + vec2f(from_anchor) * frame.side;
  return select(corner, to_whole(corner), frame.snapped == 1u);
}

// Left, top, width and height of a block; its number is that of its first cell, divided by 256.
fn block_rect(number: u32) -> vec4f {
  let place = map_place(number << 8u);
  let from_anchor = vec2i(i32((place & 0xffffu) >> 4u), i32(place >> 20u)) - frame.anchor;
  let corner = block_corner(from_anchor);
  return vec4f(corner, block_corner(from_anchor + 1) - corner);
}

// The corner of a rectangle that a vertex of its triangle strip (0 … 3) stands for.
fn strip_corner(vertex: u32) -> vec2f {
  return vec2f(f32(vertex & 1u), f32(vertex >> 1u));
}

// The same for the six vertices of two separate triangles.
fn list_corner(vertex: u32) -> vec2f {
  return strip_corner(select(vertex, 6u - vertex, vertex > 2u));
}

fn to_clip(pixel: vec2f) -> vec4f {
  return vec4f(pixel / frame.size * vec2f(2.0, -2.0) + vec2f(-1.0, 1.0), 0.0, 1.0);
}

// How much of the pixel with this left upper corner lies between `from` and `to`, along both axes: 0 … 1.
fn pixel_share(pixel: vec2f, from_corner: vec2f, to_corner: vec2f) -> f32 {
  let share = clamp(min(pixel + 1.0, to_corner) - max(pixel, from_corner), vec2f(0.0), vec2f(1.0));
  return share.x * share.y;
}
