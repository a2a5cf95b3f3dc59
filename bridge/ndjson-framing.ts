import type { Framing } from './sse-framing.ts'
import { createUtf8Decoder } from './utf8-decoder.ts'

/** Characters that one line may hold. */
const MAX_LINE_CHARS = 1024 * 1024

/**
 * Divides a byte stream into lines of JSON (ndjson.org): LF or CRLF ends a line, and lines of white space say
 * nothing. A last line without an end is told if it is JSON; else its end is what is missing.
 *
 * @param onLine called synchronously from `feed` and `end`, in order
 * @param onOversized called once if a line grows beyond 1 Mi characters; nothing is told after it
 */
export function createNdjsonFraming(onLine: (line: string) => void, onOversized: () => void): Framing {
  const decoder = createUtf8Decoder()
  /** Of the line that has not ended: joined once it has, so that many small pieces cost no more than one. */
  let pieces: string[] = []
  let length = 0
  let oversized = false
  const keep = (piece: string): boolean => {
    length += piece.length
    if (length > MAX_LINE_CHARS) {
      oversized = true
      pieces = []
      onOversized()
    } else if (piece !== '') pieces.push(piece)
    return !oversized
  }
  const taken = (): string => {
    const line = pieces.join('')
    pieces = []
    length = 0
    return line.endsWith('\r') ? line.slice(0, -1) : line
  }
  const take = (text: string) => {
    let from = 0
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', from)) {
      if (!keep(text.slice(from, at))) return
      from = at + 1
      const line = taken()
      if (line.trim() !== '') onLine(line)
    }
    keep(text.slice(from))
  }
  return {
    feed(bytes) {
      if (!oversized) take(decoder.decode(bytes))
    },
    end() {
      if (oversized || !keep(decoder.end())) return
      const line = taken()
      if (isJson(line)) onLine(line)
    },
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
