import { BIN_SUBPROTOCOL } from '../../broadcast/protocol.ts'
import { TokenLog } from '../../broadcast/token-log.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import type { Past, PastReading } from '../../compositor/past.ts'
import type { GenerationEvent, TokenEvent } from '../../events/generation.ts'
import { stateEvent, tokenEvent } from './hub-events.ts'

/** Unix seconds since which tokens came: generations begin when the log hears of them, and their tokens not before. */
const LATELY = Math.floor(Date.now() / 1000)

/** A `token_activation` that came so many seconds after the others here began to come. */
export function recentToken(generation: string, index: number, after = index / 1000): TokenEvent {
  return { ...tokenEvent(generation, index), timestamp: LATELY + after }
}

/** A log that drops nothing, with a way to tell it of generations. */
export class RecordedLog {
  readonly log: TokenLog

  /** @param nextBlock where an earlier one's cells ended */
  constructor(nextBlock = 0) {
    const maxBytes = Number.POSITIVE_INFINITY
    this.log = new TokenLog({ place: mapPosition, nextBlock, maxEntries: 2 ** 30, maxBytes })
  }

  append(...events: GenerationEvent[]): void {
    for (const event of events) this.log.append(event, 0)
  }

  /** A whole generation, each token 1 ms after the one before. */
  say(generation: string, count: number, after = 0): void {
    this.append(stateEvent(generation))
    for (let index = 0; index < count; index++)
      this.append(recentToken(generation, index, after + index / 1000))
    this.append(stateEvent(generation, 'done'))
  }
}

/** All that a log keeps up to an entry as messages, generation by generation in the order in which they began. */
export function recordedOf(log: TokenLog, upto = log.head): Uint8Array[] {
  const begun = new Set<string>()
  for (let seq = log.tail; seq <= upto; seq++) begun.add(log.generationOf(seq) as string)
  return [...begun].flatMap(id => {
    const messages: Uint8Array[] = []
    const filter = { key: id, has: (other: string) => other === id }
    for (let after = 0; after < upto; ) {
      const { payload, to } = log.collect(BIN_SUBPROTOCOL, after, upto, 16 * 1024, filter)
      messages.push(payload as Uint8Array)
      after = to
    }
    return messages
  })
}

/** The same in the order of the log. */
export function messagesOf(log: TokenLog): Uint8Array[] {
  const messages: Uint8Array[] = []
  for (let after = 0; after < log.head; ) {
    const { payload, to } = log.collect(BIN_SUBPROTOCOL, after, log.head, 256 * 1024, null)
    messages.push(payload as Uint8Array)
    after = to
  }
  return messages
}

/** A past that is these messages; tests look at what is read of it, and hold it up. */
export class StandInPast implements Past {
  messages: readonly Uint8Array[]
  seq: number
  /** Readings opened and closed. */
  opened = 0
  closed = 0
  /** Called before each message with its number, counted from 0; the reading waits for it. */
  before: (message: number) => Promise<void> | void = () => {}

  constructor(messages: readonly Uint8Array[], seq = 0) {
    this.messages = messages
    this.seq = seq
  }

  async open(): Promise<PastReading> {
    this.opened++
    const { messages, seq } = this
    let next = 0
    return {
      seq,
      tokens: 0,
      next: async () => {
        await this.before(next)
        return messages[next++] ?? null
      },
      close: () => {
        this.closed++
      },
    }
  }
}
