/** Frames as bytes: server-sent events, or lines of JSON. */
import type { Faults } from './faults.ts'
import type { Frame, Wire } from './surface.ts'

export interface Framing {
  readonly contentType: 'sse' | 'application/x-ndjson'
  frames(frames: readonly Frame[]): Buffer
  /** A keep-alive as the wire has it, or the least that this format allows; null where it allows none. */
  ping(keepAlive: string | null): Buffer | null
}

const LEAST_COMMENT = ':\n\n'

/** The framing of a format, with the line ends that the faults ask for. */
export function createFraming(format: Wire['format'], faults: Faults): Framing {
  if (format === 'ndjson') {
    return {
      contentType: 'application/x-ndjson',
      frames: frames => Buffer.from(frames.map(({ data }) => `${data}\n`).join('')),
      ping: () => null,
    }
  }
  const end = faults.crlf ? '\r\n' : faults.cr ? '\r' : '\n'
  const encode = (text: string) => Buffer.from(end === '\n' ? text : text.replaceAll('\n', end))
  return {
    contentType: 'sse',
    frames: frames =>
      encode(
        frames
          .map(({ event, data }) => `${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`)
          .join(''),
      ),
    ping: keepAlive => encode(keepAlive ?? LEAST_COMMENT),
  }
}
