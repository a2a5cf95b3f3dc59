/** Decodes UTF-8 that comes in pieces. */
export interface Utf8Decoder {
  /** The characters that these bytes complete. */
  decode(bytes: Buffer): string
  /** There are no more bytes: what is left of a character that will never be whole. */
  end(): string
}

/**
 * The WHATWG Encoding standard's "UTF-8 decode", with bytes divided anywhere: strips one byte order mark, and
 * writes U+FFFD for what is no UTF-8.
 *
 * `TextDecoder` by itself does not do that: Node's strips a second mark where a read ended inside of the first.
 */
export function createUtf8Decoder(): Utf8Decoder {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let begun = false
  const stripped = (text: string) => {
    if (begun || text === '') return text
    begun = true
    return text.startsWith('\ufeff') ? text.slice(1) : text
  }
  /** Whether no character is begun, so that the next bytes can be decoded by themselves. */
  let isBetween = true
  return {
    decode(bytes) {
      const endsBetween = bytes.length === 0 ? isBetween : (bytes[bytes.length - 1] as number) < 0x80
      // Most reads hold whole characters; Node decodes those nearly twice as fast in one piece as in a stream.
      const alone = isBetween && endsBetween
      isBetween = endsBetween
      return stripped(alone ? bytes.toString('utf8') : decoder.decode(bytes, { stream: true }))
    },
    end: () => stripped(decoder.decode()),
  }
}
