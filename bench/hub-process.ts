/**
 * The hub of the broadcast bench, in a process of its own: each line on standard input is the text of a
 * token, which goes to the log and from there to the viewers.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { Hub } from '../broadcast/hub.ts'
import { TokenLog } from '../broadcast/token-log.ts'
import { mapPosition } from '../compositor/map.ts'
import type { Meter } from '../events/metrics.ts'
import { createMetrics } from '../health/metrics.ts'
import { stateEvent, tokenEvent } from '../test/support/hub-events.ts'
import { answer } from './children.ts'
import { type Quantiles, quantilesOf } from './figure.ts'

const GENERATIONS = 25

export interface HubRound {
  cpuMs: number
  /** From the token's line to the write to the first viewer, in milliseconds. */
  firstWrite: Quantiles
  /** Entries delivered, and entries that viewers were moved past. */
  delivered: number
  skipped: number
  bytesPerEntry: number
}

let firstWrites: number[] = []
let delivered = 0
let skipped = 0
let cpu = process.cpuUsage()
let begunAt = 0

const metrics = createMetrics()
/** The real meter, listened to. */
const meter: Meter = {
  ...metrics,
  count(name, labels, by = 1) {
    metrics.count(name, labels, by)
    if (name === 'tokenscope_broadcast_messages_total') delivered += by
    if (name === 'tokenscope_broadcast_skipped_total') skipped += by
  },
  observe(name, labels, value) {
    metrics.observe(name, labels, value)
    if (name === 'tokenscope_pipeline_latency_seconds') firstWrites.push(value * 1000)
  },
}

const log = new TokenLog({ place: mapPosition })
const hub = new Hub({ log, meter, stop: () => {}, demo: () => false })
const server = createServer()
server.on('upgrade', (request, socket, head) => hub.upgrade(request, socket, head, () => socket.destroy()))

const ids = Array.from(
  { length: GENERATIONS },
  (_, i) => `g_01JBENCH0000000000000000${String(i).padStart(2, '0')}`,
)
for (const id of ids) log.append(stateEvent(id), performance.now())
let tokens = 0
createInterface({ input: process.stdin }).on('line', text => {
  const id = ids[tokens % GENERATIONS] as string
  log.append(tokenEvent(id, Math.floor(tokens / GENERATIONS), text), performance.now())
  tokens++
})

answer({
  async listen() {
    server.listen(0, '127.0.0.1', 2048)
    await once(server, 'listening')
    hub.start()
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
  begin() {
    firstWrites = []
    delivered = 0
    skipped = 0
    cpu = process.cpuUsage()
    begunAt = log.head
  },
  end(): HubRound {
    const { user, system } = process.cpuUsage(cpu)
    const entries = log.head - begunAt
    return {
      cpuMs: (user + system) / 1000,
      firstWrite: quantilesOf(firstWrites),
      delivered,
      skipped,
      bytesPerEntry: Math.round(log.bytesAfter(begunAt) / entries),
    }
  },
  async rss() {
    await new Promise(resolve => setTimeout(resolve, 200))
    globalThis.gc?.()
    globalThis.gc?.()
    return process.memoryUsage.rss()
  },
})
