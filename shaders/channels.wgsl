// A token's value in the channels of which a cell tells the mean: 0 … 65,534, or UNKNOWN.
// Twin: channelValue in compositor/view/channels.ts.
#import record.wgsl

const LONGEST_INTERVAL = 65534u;

fn confidence_value(i: u32) -> u32 {
  return records[COLUMN_VALUES + i] & 0xffffu;
}

fn entropy_value(i: u32) -> u32 {
  return records[COLUMN_VALUES + i] >> 16u;
}

// Ticks since the generation's token before it.
fn interval_value(i: u32) -> u32 {
  let header = header_of(i);
  if ((i & (CHUNK_TOKENS - 1u)) == chunks[header + CHUNK_FIRST]) {
    let interval = chunks[header + CHUNK_INTERVAL];
    return select(min(interval, LONGEST_INTERVAL), UNKNOWN, interval == NO_INTERVAL);
  }
  return min(records[COLUMN_TIMES + i] - records[COLUMN_TIMES + i - 1u], LONGEST_INTERVAL);
}
