// Rectangles of a view's picture: a colour each, or the hatch that means "not known".
// Twin: fillQuads in compositor/draw/quad-pixels.ts.
#import view-frame.wgsl

// Distance of the hatch's lines along x: HATCH_PERIOD in compositor/draw/quad-pixels.ts.
const HATCH_PERIOD = 4u;
// Words of a rectangle (left, top, width, height as floats; bytes red, green, blue, and how much is covered;
// look), and looks: see compositor/draw/quad-list.ts.
const QUAD_WORDS = 6u;
const LOOK_HATCH = 1u;

struct PlacedQuad {
  @builtin(position) position: vec4f,
  @location(0) @interpolate(flat) colour: u32,
  @location(1) @interpolate(flat) look: u32,
}

@vertex
fn place_quad(@builtin(vertex_index) vertex: u32) -> PlacedQuad {
  let at = vertex / 6u * QUAD_WORDS;
  let rect = item_rect(at);
  let corner = rect.xy + list_corner(vertex % 6u) * rect.zw;
  return PlacedQuad(to_clip(corner), items[at + 4u], items[at + 5u]);
}

@fragment
fn paint_quad(quad: PlacedQuad) -> @location(0) vec4f {
  let colour = unpack4x8unorm(quad.colour);
  let pixel = vec2u(quad.position.xy);
  // Lines from the lower left to the upper right, going on from one rectangle to the next.
  let on_line = (pixel.x + pixel.y + 1u) % HATCH_PERIOD == 0u;
  let hatch = unpack4x8unorm(select(frame.hatch_ground, frame.hatch_line, on_line));
  let shown = select(colour.rgb, hatch.rgb, quad.look == LOOK_HATCH);
  return vec4f(shown * colour.a, colour.a);
}
