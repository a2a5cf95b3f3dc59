// A part of a page, whose layout is written to `places`.

struct Range {
  // First token to lay out, and the first one after it.
  first: u32,
  end: u32,
}

@group(1) @binding(0) var<uniform> range: Range;
@group(1) @binding(1) var<storage, read> lanes: array<u32>;
@group(1) @binding(2) var<storage, read_write> places: array<u32>;

// The token of an invocation; none if it is not below range.end. A dispatch has at most 65,535 workgroups along
// x: beyond that rows are used.
fn place_in_range(id: vec3u, groups: vec3u) -> u32 {
  return range.first + id.y * groups.x * 256u + id.x;
}
