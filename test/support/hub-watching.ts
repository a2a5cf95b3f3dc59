import { expect } from 'vitest'
import type { Subprotocol } from '../../broadcast/protocol.ts'
import { TokenLog, type TokenLogOptions } from '../../broadcast/token-log.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import { stateEvent, tokenEvent } from './hub-events.ts'
import { type FakeSocket, FakeViewer, isEntry } from './hub-socket.ts'

/** A log in which `g_a` and `g_b` run, and how to append tokens to it. */
export function newLog(options: Partial<TokenLogOptions> = {}) {
  const log = new TokenLog({ place: mapPosition, ...options })
  for (const generation of ['g_a', 'g_b']) log.append(stateEvent(generation), 0)
  let index = 0
  const say = (count: number, length = 10, generation: string = 'g_a') => {
    for (let i = 0; i < count; i++) log.append(tokenEvent(generation, index++, 'x'.repeat(length)), 0)
  }
  return { log, say }
}

/** A viewer at the head that has acknowledged everything so far. */
export function watching(options: Partial<TokenLogOptions> = {}, protocol?: Subprotocol) {
  const { log, say } = newLog(options)
  const viewer = new FakeViewer(log, protocol)
  const { socket } = viewer
  viewer.subscribe()
  socket.answer()
  socket.acts.length = 0
  viewer.meter.observed.length = 0
  return { log, say, viewer, socket }
}

/** The whole numbers from `from` to `to`. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
}

/** Types of the messages that were sent. */
export function typesOf(socket: FakeSocket): string[] {
  return socket.messages.map(({ type }) => type)
}

/** That entries came once, in order, and that what did not come was said to be a gap with a snapshot. */
export function expectWhole(socket: FakeSocket, from: number, head: number): void {
  let at = from
  let gap: number | null = null
  for (const message of socket.messages) {
    if (message.type === 'gap') {
      expect(gap).toBeNull()
      expect([message.from, message.reason]).toEqual([at + 1, 'slow_consumer'])
      gap = message.to as number
    } else if (message.type === 'snapshot') {
      expect(message.upto).toBe(gap)
      if (!message.last) continue
      at = message.upto
      gap = null
    } else if (isEntry(message)) {
      expect([gap, message.seq]).toEqual([null, at + 1])
      at = message.seq
    }
  }
  expect([gap, at]).toEqual([null, head])
}
