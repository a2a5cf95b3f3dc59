// Characters of a view's picture, from the pages of an atlas: compositor/draw/glyph-atlas.ts.
#import view-frame.wgsl

@group(0) @binding(2) var atlas: texture_2d_array<f32>;
@group(0) @binding(3) var atlas_sampler: sampler;

// Words of a character: left, top, width, height on the target, the same on its page of the atlas, all as floats;
// its ink (bytes red, green, blue, and how much is covered); its page, doubled, plus 1 if its colours are its
// own. See compositor/draw/glyph-buffer.ts.
const GLYPH_WORDS = 10u;

struct PlacedGlyph {
  @builtin(position) position: vec4f,
  @location(0) texel: vec2f,
  @location(1) @interpolate(flat) ink: u32,
  @location(2) @interpolate(flat) page: u32,
}

@vertex
fn place_glyph(@builtin(vertex_index) vertex: u32) -> PlacedGlyph {
  let at = vertex / 6u * GLYPH_WORDS;
  let rect = item_rect(at);
  let source = item_rect(at + 4u);
  let corner = list_corner(vertex % 6u);
  let position = to_clip(rect.xy + corner * rect.zw);
  return PlacedGlyph(position, source.xy + corner * source.zw, items[at + 8u], items[at + 9u]);
}

@fragment
fn paint_glyph(glyph: PlacedGlyph) -> @location(0) vec4f {
  let place = glyph.texel / vec2f(textureDimensions(atlas));
  let texel = textureSampleLevel(atlas, atlas_sampler, place, glyph.page >> 1u, 0.0);
  let ink = unpack4x8unorm(glyph.ink);
  // Colours on the atlas are multiplied by what they cover, as the target takes them.
  return vec4f(select(ink.rgb * texel.a, texel.rgb, (glyph.page & 1u) == 1u), texel.a) * ink.a;
}
