import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { ByteWriter } from '../../broadcast/protocol/byte-codec.ts'
import {
  BIN_SUBPROTOCOL,
  JSON_SUBPROTOCOL,
  type Subprotocol,
  writeGenerations,
} from '../../broadcast/protocol.ts'
import { type Filter, type Payload, TokenLog } from '../../broadcast/token-log.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import type { GenerationEvent, LogEntry } from '../../events/generation.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { messagesIn } from '../support/hub-socket.ts'
import { anyEvent, keptEntries, readBinary } from '../support/log-events.ts'

const PROTOCOLS = [JSON_SUBPROTOCOL, BIN_SUBPROTOCOL] as const

function logOf(events: GenerationEvent[], maxEntries = 1000): TokenLog {
  const log = new TokenLog({ place: mapPosition, maxEntries })
  for (const event of events) log.append(event, 0)
  return log
}

function filterOf(ids: readonly string[] | null): Filter | null {
  return ids === null ? null : { key: ids.join(), has: id => ids.includes(id) }
}

/** Every payload from `after` to `upTo`. */
function payloads(
  log: TokenLog,
  protocol: Subprotocol,
  [after, upTo]: [number, number],
  maxBytes: number,
  filter: Filter | null,
): Payload[] {
  const found: Payload[] = []
  for (let cursor = after; cursor < upTo; ) {
    const payload = log.collect(protocol, cursor, upTo, maxBytes, filter)
    expect(payload.to).toBeGreaterThan(cursor)
    cursor = payload.to
    found.push(payload)
  }
  return found
}

/** What a reader makes of the payloads that it got after `after`. */
function read(log: TokenLog, protocol: Subprotocol, after: number, found: Payload[]): LogEntry[][] {
  if (protocol === JSON_SUBPROTOCOL) {
    return found.map(({ payload, entries }) => (entries === 0 ? [] : (messagesIn(payload) as LogEntry[])))
  }
  const definitions = new ByteWriter()
  writeGenerations(definitions, log.definitions(after))
  const whole = readBinary(definitions.written, Buffer.concat(found.map(({ payload }) => payload)))
  return found.map(({ entries }) => whole.splice(0, entries))
}

describe('collect', () => {
  it.each(PROTOCOLS)('gives what passes, each entry once and in order, in %s', protocol => {
    fc.assert(
      fc.property(
        fc.array(anyEvent, { minLength: 1, maxLength: 60, size: 'max' }),
        fc.integer({ min: 1, max: 70 }),
        fc.option(fc.subarray(['g_a', 'g_b', 'g_c', 'g_ä🙂'])),
        fc.tuple(fc.nat(60), fc.nat(60)),
        fc.integer({ min: 1, max: 3000 }),
        (events, maxEntries, ids, [first, second], maxBytes) => {
          const log = logOf(events, maxEntries)
          const [after, upTo] = [
            Math.min(first, second, log.head),
            Math.min(Math.max(first, second), log.head),
          ]
          const filter = filterOf(ids)
          const expected = keptEntries(log).filter(
            ({ seq, generation }) =>
              seq > after && seq <= upTo && (filter === null || filter.has(generation)),
          )
          const found = payloads(log, protocol, [after, upTo], maxBytes, filter)
          const entries = read(log, protocol, after, found)
          // JSON has no negative zero.
          if (protocol === BIN_SUBPROTOCOL) expect(entries.flat()).toEqual(expected)
          expect(JSON.stringify(entries.flat())).toBe(JSON.stringify(expected))
          found.forEach((payload, i) => {
            const inside = entries[i] as LogEntry[]
            if (payload.entries === 0) expect([payload.to, payload.payload.length]).toEqual([upTo, 0])
            if (payload.entries > 1) expect(payload.payload.length).toBeLessThanOrEqual(maxBytes)
            expect(payload.tokens).toBe(inside.filter(({ type }) => type === 'token_activation').length)
            for (const { seq } of inside) expect(seq).toBeLessThanOrEqual(payload.to)
          })
        },
      ),
      { numRuns: 150 },
    )
  })

  it.each(PROTOCOLS)('takes in as many as fit, and goes over blocks, in %s', protocol => {
    const events = Array.from({ length: 700 }, (_, i) => tokenEvent(i % 3 === 0 ? 'g_b' : 'g_a', i))
    const log = logOf(events)
    for (const ids of [null, ['g_a'], ['g_b']]) {
      const filter = filterOf(ids)
      const whole = log.collect(protocol, 0, 700, 1e9, filter)
      expect(whole.to).toBe(700)
      expect(log.collect(protocol, 0, 700, whole.payload.length, filter)).toEqual(whole)
      expect(log.collect(protocol, 0, 700, whole.payload.length - 1, filter).entries).toBe(whole.entries - 1)
    }
  })

  it('makes one object alone and an array of several in JSON, with nothing in between', () => {
    const log = logOf([
      stateEvent('g_a'),
      tokenEvent('g_b', 0),
      tokenEvent('g_a', 0, '🙂'),
      tokenEvent('g_a', 1),
    ])
    const json = (after: number, upTo: number, ids: string[] | null = null) =>
      log.collect(JSON_SUBPROTOCOL, after, upTo, 1e9, filterOf(ids)).payload.toString()
    const [first, , third, last] = keptEntries(log)
    // Encoded out of order, they do not lie one behind the other.
    expect(json(3, 4)).toBe(JSON.stringify(last))
    expect(json(0, 1)).toBe(JSON.stringify(first))
    expect(json(0, 4)).toBe(JSON.stringify(keptEntries(log)))
    expect(json(0, 4, ['g_a'])).toBe(JSON.stringify([first, third, last]))
  })

  it('makes one binary message for a run of neighbouring seqs', () => {
    const log = logOf(Array.from({ length: 600 }, (_, i) => tokenEvent(i === 300 ? 'g_b' : 'g_a', i)))
    const messages = (ids: string[] | null) => {
      const { payload } = log.collect(BIN_SUBPROTOCOL, 0, 600, 1e9, filterOf(ids))
      let count = 0
      for (let at = 0; at < payload.length; at += 5 + payload.readUInt32LE(at + 1)) {
        expect(payload[at]).toBe(2)
        count++
      }
      return count
    }
    expect([messages(null), messages(['g_a']), messages(['g_b']), messages([])]).toEqual([1, 2, 1, 0])
  })

  it('needs no definitions for what opens after the cursor, and none at all from the beginning', () => {
    const log = logOf([tokenEvent('g_a', 0), stateEvent('g_b'), tokenEvent('g_b', 0), tokenEvent('g_c', 0)])
    expect(readBinary(null, log.collect(BIN_SUBPROTOCOL, 0, 4, 1e9, null).payload)).toEqual(keptEntries(log))
    const [key] = log.definitions(1)
    expect(key).toMatchObject({ handle: 1, id: 'g_a' })
    expect(readBinary(null, log.collect(BIN_SUBPROTOCOL, 1, 4, 1e9, null).payload)).toEqual(
      keptEntries(log).slice(1),
    )
  })

  it('is defined for a reader whose cursor lies before the log, too', () => {
    const log = logOf([tokenEvent('g_a', 0), tokenEvent('g_a', 1), tokenEvent('g_a', 2)], 2)
    expect(log.definitions(0)).toMatchObject([{ handle: 1, id: 'g_a' }])
  })

  it('keeps the log to its bytes when it makes JSON, and still gives all of it', () => {
    const log = new TokenLog({ place: mapPosition, maxBytes: 10_000 })
    for (let i = 0; i < 200; i++) log.append(tokenEvent('g_a', i), 0)
    expect(log.tail).toBe(1)
    const { payload, entries } = log.collect(JSON_SUBPROTOCOL, 0, 200, 1e9, null)
    expect([entries, messagesIn(payload).length]).toEqual([200, 200])
    expect(log.bytes).toBeLessThanOrEqual(10_000)
    expect(log.tail).toBeGreaterThan(1)
  })

  it('tells again what a generation is that has tokens after its end', () => {
    const log = logOf([tokenEvent('g_a', 0), stateEvent('g_a', 'done')])
    // Whoever begins here is told nothing, for it is over.
    expect(log.definitions(2)).toEqual([])
    log.append(tokenEvent('g_a', 1), 0)
    expect(readBinary(null, log.collect(BIN_SUBPROTOCOL, 2, 3, 1e9, null).payload)).toEqual([log.entry(3)])
  })

  it('tells what a generation is with its next token if the first could not be encoded', () => {
    const log = logOf([tokenEvent('g_a', 0)])
    const bad = { ...tokenEvent('g_b', 0), token_text: null as unknown as string }
    expect(() => log.append(bad, 0)).toThrow()
    expect([log.append(tokenEvent('g_a', 1), 0), log.append(tokenEvent('g_b', 0), 0)]).toEqual([2, 3])
    expect(readBinary(null, log.collect(BIN_SUBPROTOCOL, 0, 3, 1e9, null).payload)).toEqual(keptEntries(log))
    expect(log.bytes).toBe(log.bytesAfter(0, BIN_SUBPROTOCOL))
  })

  it('makes no JSON while nobody asks for it, and then once', () => {
    const log = logOf(Array.from({ length: 600 }, (_, i) => tokenEvent('g_a', i)))
    const stringify = vi.spyOn(JSON, 'stringify')
    try {
      for (let i = 600; i < 900; i++) log.append(tokenEvent('g_a', i), 0)
      log.collect(BIN_SUBPROTOCOL, 0, 900, 1e9, null)
      log.entry(5)
      const binary = log.bytesAfter(0, BIN_SUBPROTOCOL)
      expect(stringify).not.toHaveBeenCalled()
      expect(log.bytes).toBe(binary)

      const { payload } = log.collect(JSON_SUBPROTOCOL, 500, 600, 1e9, null)
      expect(stringify).toHaveBeenCalledTimes(100)
      // The two brackets and the commas between are no entry's.
      expect(log.bytes).toBe(binary + payload.length - 101)
      log.collect(JSON_SUBPROTOCOL, 450, 600, 1e9, null)
      log.collect(JSON_SUBPROTOCOL, 450, 600, 1e9, filterOf(['g_a']))
      log.bytesAfter(450, JSON_SUBPROTOCOL)
      expect(stringify).toHaveBeenCalledTimes(450)
    } finally {
      stringify.mockRestore()
    }
  })

  it('makes JSON anew after it was forgotten', () => {
    const log = logOf(Array.from({ length: 300 }, (_, i) => tokenEvent('g_a', i)))
    const binary = log.bytes
    const before = log.collect(JSON_SUBPROTOCOL, 0, 300, 1e9, null)
    expect(log.bytes).toBeGreaterThan(2 * binary)
    log.forget(JSON_SUBPROTOCOL)
    expect(log.bytes).toBe(binary)
    expect(log.collect(JSON_SUBPROTOCOL, 0, 300, 1e9, null)).toEqual(before)
  })

  it('begins where the log does if that is later, and gives nothing of what is not there', () => {
    const log = logOf(
      Array.from({ length: 10 }, (_, i) => tokenEvent('g_a', i)),
      4,
    )
    for (const protocol of PROTOCOLS) {
      expect(log.collect(protocol, 2, 10, 1e9, null)).toMatchObject({ to: 10, entries: 4 })
      expect(log.collect(protocol, 10, 10, 1e9, null)).toMatchObject({ to: 10, entries: 0, tokens: 0 })
      expect(log.collect(protocol, 7, 99, 1e9, null)).toMatchObject({ to: 10, entries: 3, tokens: 3 })
    }
  })
})
