/**
 * The standards' own words for how bytes become messages, written down step by step and for a whole body at
 * once: slow, without bounds, and sharing nothing with what is tested against it.
 */

export interface ReferenceEvent {
  type: string
  data: string
  lastEventId: string
}

export interface ReferenceStream {
  events: ReferenceEvent[]
  retries: number[]
  lastEventId: string
}

/** WHATWG HTML §9.2.5 and §9.2.6: a whole event stream, read by somebody who has `lastEventId` from before. */
export function referenceEvents(bytes: Buffer, lastEventId = ''): ReferenceStream {
  const found: ReferenceStream = { events: [], retries: [], lastEventId }
  let data = ''
  let type = ''
  let id = lastEventId
  // "UTF-8 decode" strips one byte order mark.
  for (const line of linesOf(new TextDecoder('utf-8').decode(bytes))) {
    if (line === '') {
      found.lastEventId = id
      if (data !== '') {
        if (data.endsWith('\n')) data = data.slice(0, -1)
        found.events.push({ type: type || 'message', data, lastEventId: id })
      }
      data = ''
      type = ''
      continue
    }
    const colon = line.indexOf(':')
    if (colon === 0) continue
    const field = colon === -1 ? line : line.slice(0, colon)
    let value = colon === -1 ? '' : line.slice(colon + 1)
    if (value.startsWith(' ')) value = value.slice(1)
    if (field === 'event') type = value
    else if (field === 'data') data += `${value}\n`
    else if (field === 'id' && !value.includes('\0')) id = value
    else if (field === 'retry' && /^[0-9]+$/.test(value)) found.retries.push(Number.parseInt(value, 10))
  }
  return found
}

/** The lines that have ended: what follows the last end is none. */
function linesOf(text: string): string[] {
  const lines: string[] = []
  let line = ''
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string
    if (character !== '\r' && character !== '\n') {
      line += character
      continue
    }
    if (character === '\r' && text[i + 1] === '\n') i++
    lines.push(line)
    line = ''
  }
  return lines
}

/** ndjson.org, with a last line that is JSON and has no end. */
export function referenceLines(bytes: Buffer): string[] {
  const parts = new TextDecoder('utf-8').decode(bytes).split('\n')
  const last = parts.pop() as string
  const lines = parts.map(line => line.replace(/\r$/, '')).filter(line => /\S/.test(line))
  try {
    JSON.parse(last)
    return [...lines, last.replace(/\r$/, '')]
  } catch {
    return lines
  }
}
