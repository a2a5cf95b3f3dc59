// The `map` layout of a run of tokens: places[i] = map_place(cells[i]) for range.from <= i < range.to.
// Twin: layoutMap in compositor/map.ts.
#import hilbert.wgsl

struct Range {
  // First token to lay out, and the first one after it.
  first: u32,
  end: u32,
}

@group(0) @binding(0) var<uniform> range: Range;
@group(0) @binding(1) var<storage, read> cells: array<u32>;
@group(0) @binding(2) var<storage, read_write> places: array<u32>;

// One invocation per token. A dispatch has at most 65,535 workgroups along x: beyond that rows are used.
@compute @workgroup_size(256)
fn layout_map(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = range.first + id.y * groups.x * 256u + id.x;
  if (i < range.end) {
    places[i] = map_place(cells[i]);
  }
}
