/**
 * A hub in a process of its own with tokens flowing, that tells on request what it holds: run by
 * `SoakHub` of soak-hub.ts.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { Hub } from '../../broadcast/hub.ts'
import { TokenLog } from '../../broadcast/token-log.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import type { GenerationEvent } from '../../events/generation.ts'
import { createMetrics } from '../../health/metrics.ts'
import { stateEvent, tokenEvent } from './hub-events.ts'
import { entryLine, type SoakHoldings } from './soak-hub.ts'

const RUNNING = 5
const TOKENS_EACH = 100
/** Tokens of a flow: so many, so often. */
const BURST = 4
const EVERY_MS = 40

// So small that what is kept by design is kept before the first viewer comes, and is all replaced in a few waves.
const log = new TokenLog({ place: mapPosition, maxEntries: 300 })
const hub = new Hub({ log, meter: createMetrics(), stop: () => {}, demo: () => false })
const server = createServer()
const sockets = new Set<Socket>()
let most = 0
hub.onViewers(viewers => {
  most = Math.max(most, viewers)
})
server.on('connection', socket => {
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
})
server.on('upgrade', (request, socket, head) => {
  socket.on('error', () => {})
  hub.upgrade(request, socket, head, () => socket.destroy())
})

let digest = createHash('sha256')
let tokens = 0
let flow: NodeJS.Timeout | undefined

function append(event: GenerationEvent): void {
  log.append(event, performance.now())
  digest.update(entryLine({ ...event, seq: log.head }))
}

function speak(): void {
  for (let i = 0; i < BURST; i++, tokens++) {
    const lane = tokens % RUNNING
    const index = Math.floor(tokens / RUNNING) % TOKENS_EACH
    const id = `g_01JSOAK${Math.floor(tokens / RUNNING / TOKENS_EACH)}L${lane}`
    if (index === 0) append(stateEvent(id))
    append(tokenEvent(id, index, ` ${tokens} é漢🙂`))
    if (index === TOKENS_EACH - 1) append(stateEvent(id, 'done'))
  }
}

const answers: Record<string, (argument: number) => unknown> = {
  async listen() {
    for (let i = 0; i < 2000; i++) speak()
    digest = createHash('sha256')
    server.listen(0, '127.0.0.1', 1024)
    await once(server, 'listening')
    hub.start()
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
  flow() {
    flow = setInterval(speak, EVERY_MS)
  },
  still() {
    clearInterval(flow)
    return log.head
  },
  /** What is held once no more than so many viewers are there. */
  async holdings(viewers): Promise<SoakHoldings> {
    while (hub.viewers > viewers || sockets.size > viewers) await turn()
    for (let i = 0; i < 3; i++) {
      await turn()
      globalThis.gc?.()
    }
    const { heapUsed, external } = process.memoryUsage()
    const resources: Record<string, number> = {}
    for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
    const held = { viewers: hub.viewers, sockets: sockets.size, most, heapUsed, external, resources }
    most = hub.viewers
    return held
  },
  digest: () => digest.copy().digest('hex'),
}

process.on('message', async ({ id, name, argument }: { id: number; name: string; argument: number }) => {
  try {
    process.send?.({ id, value: await answers[name]?.(argument) })
  } catch (error) {
    process.send?.({ id, error: String(error) })
  }
})
process.on('disconnect', () => process.exit())
