/** What the bytes of a tile are made of; see tile-codec.ts and docs/protocol.md. */

/** Bits of the first byte: what is in the tile. */
export const CELLS = 1
export const TOKENS = 2

/** Bits of a token's first byte; its kind stands in bits 1 and 2. */
export const FOLLOWS = 1
export const KIND_SHIFT = 1
export const KIND_MASK = 3
export const HAS_CONFIDENCE = 1 << 3
export const HAS_ENTROPY = 1 << 4
export const HAS_INTERVAL = 1 << 5
export const HAS_WRAPS = 1 << 6
/** Its places are f64, since one of them is no integer. */
export const WIDE = 1 << 7
