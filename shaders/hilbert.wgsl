// The place of a cell on the map's Hilbert curve of order 16; twin: mapPlace in compositor/layout/map.ts, the same
// integer steps in the same order. Branch-free form after H. S. Warren, "Hacker's Delight", 2nd ed., §16.

// Every other bit of x (bits 0, 2, 4, …), moved together into the low 16.
fn deinterleave(x: u32) -> u32 {
  var bits = x & 0x55555555u;
  bits = (bits | (bits >> 1u)) & 0x33333333u;
  bits = (bits | (bits >> 2u)) & 0x0f0f0f0fu;
  bits = (bits | (bits >> 4u)) & 0x00ff00ffu;
  return (bits | (bits >> 8u)) & 0xffffu;
}

// For each of 16 bits, the parity of itself and all bits above it.
fn parity_above(x: u32) -> u32 {
  var parity = x ^ (x >> 8u);
  parity ^= parity >> 4u;
  parity ^= parity >> 2u;
  return parity ^ (parity >> 1u);
}

// Where a cell lies: x in the low and y in the high 16 bits.
fn map_place(cell: u32) -> u32 {
  let low = deinterleave(cell);
  let high = deinterleave(cell >> 1u);
  let swaps = parity_above(~(low | high) & 0xffffu);
  let flips = parity_above(low & high);
  let turn = (~low & flips) | (low & swaps);
  let x = (turn ^ high) & 0xffffu;
  let y = (turn ^ low ^ high) & 0xffffu;
  return (y << 16u) | x;
}
