// The `timeline` layout of a part of a page: x in ms, y by lane, token after token.
// Twin: layoutTimeline in compositor/layout/timeline.ts.
#import record.wgsl
#import range.wgsl

// Height of a lane.
const LANE_UNITS = 24u;

@compute @workgroup_size(256)
fn layout_timeline(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = place_in_range(id, groups);
  if (i < range.end) {
    let at = (i - range.first) * 2u;
    places[at] = time_of(i);
    places[at + 1u] = lanes[chunks[header_of(i) + CHUNK_GENERATION]] * LANE_UNITS;
  }
}
