/**
 * The hub of the broadcast bench, in a process of its own: each line on standard input is the text of a
 * token, which goes to the log and from there to the viewers.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Hub } from '../broadcast/hub.ts'
import { TokenLog } from '../broadcast/token-log.ts'
import { mapPosition } from '../compositor/layout/map.ts'
import type { Meter } from '../events/metrics.ts'
import { createMetrics } from '../health/metrics.ts'
import { Latencies } from './broadcast/latencies.ts'
import { Load, type LoadShape, numberedText } from './broadcast/load.ts'
import { cpuSince, readTexts, type ServerRound, settledMemory } from './broadcast/server-process.ts'
import { answer } from './children.ts'

const written = new Latencies()
let load = new Load()
let skipped = 0
let cpu = process.cpuUsage()

const metrics = createMetrics()
/** The real meter, listened to. */
const meter: Meter = {
  ...metrics,
  count(name, labels, by = 1) {
    metrics.count(name, labels, by)
    listen(name, by)
  },
  observe(name, labels, value) {
    metrics.observe(name, labels, value)
    listen(name, value)
  },
  handle(name, labels) {
    const handle = metrics.handle(name, labels)
    return value => {
      handle(value)
      listen(name, value)
    }
  },
}

const log = new TokenLog({ place: mapPosition })
const hub = new Hub({ log, meter, stop: () => {}, demo: () => false })
const server = createServer()
server.on('upgrade', (request, socket, head) => hub.upgrade(request, socket, head, () => socket.destroy()))
readTexts(append)

answer({
  async listen(shape: LoadShape) {
    load = new Load(shape)
    server.listen(0, '127.0.0.1', 2048)
    await once(server, 'listening')
    hub.start()
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`
  },
  /** Appends so many tokens, there before anyone looks; gives the number of the one that comes next. */
  fill(tokens: number) {
    for (let i = 0; i < tokens; i++) append(numberedText(i))
    return load.count
  },
  begin() {
    written.clear()
    skipped = 0
    cpu = process.cpuUsage()
  },
  end: (): ServerRound => ({
    cpuMs: cpuSince(cpu),
    written: written.count === 0 ? null : written.quantiles(),
    skipped,
  }),
  memory: settledMemory,
})

function append(text: string): void {
  const readAt = performance.now()
  const { before, token, after } = load.next(text)
  if (before !== null) log.append(before, readAt)
  log.append(token, readAt)
  if (after !== null) log.append(after, readAt)
}

function listen(name: string, value: number): void {
  if (name === 'tokenscope_broadcast_skipped_total') skipped += value
  else if (name === 'tokenscope_pipeline_latency_seconds') written.record(value * 1_000_000)
}
