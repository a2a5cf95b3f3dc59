// What the passes of a view's picture share. Layout: ViewRenderer in compositor/draw/view-renderer.ts.

struct ViewFrame {
  // Size of the target, in pixels; all places are in its pixels, from its left upper corner.
  size: vec2f,
  // Bytes red, green, blue, and how much is covered; of the hatch that means "not known".
  hatch_ground: u32,
  hatch_line: u32,
}

@group(0) @binding(0) var<uniform> frame: ViewFrame;
// Rectangles or characters, so many words each. Vertices look theirs up: a draw of many small instances is slow
// where a processor plays the GPU.
@group(0) @binding(1) var<storage, read> items: array<u32>;

// The corner of a rectangle that a vertex of its two triangles (0 … 5) stands for.
fn list_corner(vertex: u32) -> vec2f {
  let corner = select(vertex, 6u - vertex, vertex > 2u);
  return vec2f(f32(corner & 1u), f32(corner >> 1u));
}

// Four words from here on, as floats.
fn item_rect(at: u32) -> vec4f {
  return bitcast<vec4f>(vec4u(items[at], items[at + 1u], items[at + 2u], items[at + 3u]));
}

fn to_clip(pixel: vec2f) -> vec4f {
  return vec4f(pixel / frame.size * vec2f(2.0, -2.0) + vec2f(-1.0, 1.0), 0.0, 1.0);
}
