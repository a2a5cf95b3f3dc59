// A picture, moved and stretched, over what is on the target. See compositor/draw/picture-blitter.ts.

struct Blit {
  // Size of the target, in pixels.
  target_size: vec2f,
  // Where the picture's left upper corner lies on it, and how large it is there.
  corner: vec2f,
  size: vec2f,
  // How much it covers, 0 to 1.
  alpha: f32,
}

@group(0) @binding(0) var<uniform> blit: Blit;
@group(0) @binding(1) var picture: texture_2d<f32>;
@group(0) @binding(2) var picture_sampler: sampler;

struct PlacedCorner {
  @builtin(position) position: vec4f,
  @location(0) place: vec2f,
}

// Corners in the order of a triangle strip.
@vertex
fn place_picture(@builtin(vertex_index) vertex: u32) -> PlacedCorner {
  let place = vec2f(f32(vertex & 1u), f32(vertex >> 1u));
  let pixel = blit.corner + place * blit.size;
  let clip = pixel / blit.target_size * vec2f(2.0, -2.0) + vec2f(-1.0, 1.0);
  return PlacedCorner(vec4f(clip, 0.0, 1.0), place);
}

@fragment
fn paint_picture(corner: PlacedCorner) -> @location(0) vec4f {
  return textureSampleLevel(picture, picture_sampler, corner.place, 0.0) * blit.alpha;
}
