// The `map` layout of a part of a page: places[i − first] = map_place of the token's number, for first ≤ i < end.
// Twin: layoutMap in compositor/layout/map.ts.
#import hilbert.wgsl
#import record.wgsl
#import range.wgsl

@compute @workgroup_size(256)
fn layout_map(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = place_in_range(id, groups);
  if (i < range.end) {
    places[i - range.first] = map_place(number_of(i));
  }
}
