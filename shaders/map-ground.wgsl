// What lies under the map's cells: outlines of blocks, the graticule, the ground. Drawn after them, each only
// where nothing is yet (source times one minus the target's alpha).
#import map-frame.wgsl

struct Inked {
  @builtin(position) position: vec4f,
  @location(0) @interpolate(flat) ink: vec4f,
}

// A block's outline: a strip of ten vertices, its outer and inner corners in turn, the first two twice. It lies
// left of and above the first pixels of the block, and on the last, so that neighbours share theirs.
@vertex
fn place_outline(@builtin(vertex_index) vertex: u32, @location(0) number: u32) -> Inked {
  let rect = block_rect(number);
  let turn = (vertex >> 1u) & 3u;
  let far = vec2f(f32(((turn + 1u) >> 1u) & 1u), f32(turn >> 1u));
  // Outwards to the left and above only: on the other sides the line lies within.
  let inward = select(0.0, frame.hairline, (vertex & 1u) == 1u);
  let outer = mix(to_whole(rect.xy) - frame.hairline, to_whole(rect.xy + rect.zw), far);
  let at = outer + inward * (1.0 - 2.0 * far);
  return Inked(to_clip(select(at, vec2f(0.0), number == NO_BLOCK)), frame.outline);
}

// A cross of the graticule: 12 vertices, a bar each six.
@vertex
fn place_cross(@builtin(vertex_index) vertex: u32, @builtin(instance_index) cross: u32) -> Inked {
  let place = vec2i(i32(cross) % frame.grid_columns, i32(cross) / frame.grid_columns);
  let at = to_whole(block_corner(frame.grid_first + place * frame.grid_step));
  let thin = frame.hairline;
  let arm = 3.0 * thin;
  let upright = vertex >= 6u;
  let reach = select(vec2f(arm, 0.0), vec2f(0.0, arm), upright);
  let corner = mix(at - reach, at + reach + thin, list_corner(vertex % 6u));
  return Inked(to_clip(corner), frame.grid);
}

// All of the target, in one triangle.
@vertex
fn place_ground(@builtin(vertex_index) vertex: u32) -> Inked {
  let corner = vec2f(f32(vertex & 1u), f32(vertex >> 1u)) * 4.0 - 1.0;
  return Inked(vec4f(corner, 0.0, 1.0), frame.ground);
}

@fragment
fn paint_ink(inked: Inked) -> @location(0) vec4f {
  return inked.ink;
}
