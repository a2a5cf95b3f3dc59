// The light of tokens that just landed: a halo, and a flash on the cell. Twin: paintLights in
// web/map/glow.ts. Drawn over the cells with premultiplied colours; what adds light has no alpha.
#import map-frame.wgsl

struct Light {
  // Left, top, width, height.
  @location(0) rect: vec4f,
  @location(1) ink: vec4f,
  // A halo fades from this distance of its middle to its edge; negative: an even light.
  @location(2) inner: f32,
  // 1: adds to what is there; 0: covers it.
  @location(3) adds: f32,
}

struct LightQuad {
  @builtin(position) position: vec4f,
  @location(0) @interpolate(flat) rect: vec4f,
  @location(1) @interpolate(flat) ink: vec4f,
  @location(2) @interpolate(flat) inner: f32,
  @location(3) @interpolate(flat) adds: f32,
}

@vertex
fn place_light(@builtin(vertex_index) vertex: u32, light: Light) -> LightQuad {
  let to_pixel = ceil(light.rect.xy + light.rect.zw);
  let position = to_clip(mix(floor(light.rect.xy), to_pixel, strip_corner(vertex)));
  return LightQuad(position, light.rect, light.ink, light.inner, light.adds);
}

@fragment
fn paint_light(light: LightQuad) -> @location(0) vec4f {
  let pixel = floor(light.position.xy);
  let radius = 0.5 * light.rect.z;
  let away = distance(pixel + 0.5, light.rect.xy + 0.5 * light.rect.zw);
  let fade = clamp((radius - away) / max(radius - light.inner, 0.001), 0.0, 1.0);
  let share = pixel_share(pixel, light.rect.xy, light.rect.xy + light.rect.zw);
  let alpha = light.ink.a * share * select(fade, 1.0, light.inner < 0.0);
  return vec4f(light.ink.rgb * alpha, alpha * (1.0 - light.adds));
}
