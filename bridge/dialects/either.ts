import type { Dialect, Reading } from './dialect.ts'

/**
 * The dialect of a path that two APIs have, with answers of one content type. Each message is read by the
 * dialect whose form it has; that needs forms which no message has both of.
 *
 * @param first reads the request, and each message before the other does
 */
export function eitherOf(first: Dialect, second: Dialect): Dialect {
  return {
    name: `${first.name}|${second.name}`,
    request: body => first.request(body),
    event(type, data) {
      const reading = first.event(type, data)
      return saysNothing(reading) ? second.event(type, data) : reading
    },
    whole: body => first.whole(body) ?? second.whole(body),
  }
}

function saysNothing({ deltas, finished, ...rest }: Reading): boolean {
  return deltas.length === 0 && finished.length === 0 && Object.values(rest).every(value => value === null)
}
