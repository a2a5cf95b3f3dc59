/**
 * Characters that are spread over tokens: which tokens may follow so that the bytes stay UTF-8, and the text
 * as its characters become whole.
 */

/** Where a sequence of bytes stands inside a character. `need` 0 is between two characters. */
export interface Utf8State {
  /** Bytes that the character still needs. */
  need: number
  /** The range of the next of them (Unicode 16, table 3-7: it is narrower after E0, ED, F0 and F4). */
  low: number
  high: number
}

/** Between two characters. */
export const UTF8_START: Utf8State = { need: 0, low: 0x80, high: 0xbf }

/** The state after `bytes`, or null if they cannot follow there. Pure. */
export function advanceUtf8(state: Utf8State, bytes: Uint8Array): Utf8State | null {
  let { need, low, high } = state
  for (const byte of bytes) {
    if (need > 0) {
      if (byte < low || byte > high) return null
      need--
      low = 0x80
      high = 0xbf
    } else if (byte >= 0x80) {
      if (byte < 0xc2 || byte > 0xf4) return null
      need = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
      low = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80
      high = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf
    }
  }
  return { need, low, high }
}

/**
 * The text that `bytes` complete after `pending` bytes of an unfinished character; what is unfinished
 * itself is left out, and bytes that are not UTF-8 become U+FFFD.
 */
export function completedText(pending: Uint8Array, bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  return decoder.decode(pending, { stream: true }) + decoder.decode(bytes, { stream: true })
}
