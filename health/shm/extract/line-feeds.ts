/** Additions after which a byte of a word could overflow. */
const BLOCK = 255

/**
 * How many line feeds there are. Reads four bytes at once: a byte that is a line feed is zero after the exclusive or, and of each
 * such byte the top bit is set then (Warren, Hacker's Delight, 6-1).
 */
export function lineFeeds(bytes: Uint8Array): number {
  if (bytes.length < 8) return oneByOne(bytes, 0, bytes.length)
  const head = (4 - (bytes.byteOffset & 3)) & 3
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + head, (bytes.length - head) >> 2)
  let count = oneByOne(bytes, 0, head) + oneByOne(bytes, head + words.length * 4, bytes.length)
  for (let start = 0; start < words.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, words.length)
    let sums = 0
    for (let i = start; i < end; i++) {
      const word = (words[i] as number) ^ 0x0a0a0a0a
      const zeros = ~(((word & 0x7f7f7f7f) + 0x7f7f7f7f) | word | 0x7f7f7f7f)
      sums += (zeros >>> 7) & 0x01010101
    }
    count += (sums & 0xff) + ((sums >>> 8) & 0xff) + ((sums >>> 16) & 0xff) + (sums >>> 24)
  }
  return count
}

function oneByOne(bytes: Uint8Array, start: number, end: number): number {
  let count = 0
  for (let i = start; i < end; i++) if (bytes[i] === 10) count++
  return count
}
