/** The viewers of the broadcast bench, all in one process of its own. */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { JSON_SUBPROTOCOL, type ServerMessage } from '../broadcast/protocol.ts'
import { answer } from './children.ts'
import { type Quantiles, quantilesOf } from './figure.ts'
import { now, readStamp } from './stamp.ts'

const AT_ONCE = 50

export interface ViewersRound {
  /** From the feeder's write to a viewer's read, in milliseconds, over all viewers. */
  received: Quantiles
  deliveries: number
  /** Deliveries that did not come, or not in their order. */
  missed: number
  frames: number
  seconds: number
  cpuMs: number
}

/** A token as a frame carries it. */
interface Stamped {
  index: number
  at: number
}

const sockets: WebSocket[] = []
let next: number[] = []
let latencies: number[] = []
let outOfOrder = 0
let frames = 0
let begunAt = 0
let lastAt = 0
let cpu = process.cpuUsage()
/** All viewers get the same frames, so that each is parsed once: the readers must not be what is slow. */
const parsed = new Map<number, { bytes: Buffer; tokens: Stamped[] }>()

answer({
  async connect({ url, viewers }: { url: string; viewers: number }) {
    for (let i = 0; i < viewers; i += AT_ONCE) {
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, viewers - i) }, () => connect(url)))
    }
  },
  begin() {
    next = sockets.map(() => 0)
    latencies = []
    outOfOrder = 0
    frames = 0
    begunAt = performance.now()
    cpu = process.cpuUsage()
  },
  async end(tokens: number): Promise<ViewersRound> {
    const patience = performance.now() + 3000
    while (latencies.length < tokens * sockets.length && performance.now() < patience) {
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    const { user, system } = process.cpuUsage(cpu)
    return {
      received: quantilesOf(latencies),
      deliveries: latencies.length,
      missed: tokens * sockets.length - latencies.length + outOfOrder,
      frames,
      seconds: (lastAt - begunAt) / 1000,
      cpuMs: (user + system) / 1000,
    }
  },
  async leave() {
    const closed = sockets.map(socket => once(socket, 'close'))
    for (const socket of sockets.splice(0)) socket.terminate()
    await Promise.all(closed)
  },
})

async function connect(url: string): Promise<void> {
  const socket = new WebSocket(url, JSON_SUBPROTOCOL)
  const viewer = sockets.push(socket) - 1
  socket.on('message', data => read(viewer, data as Buffer))
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'subscribe', generations: '*', layout: 'map' }))
}

function read(viewer: number, bytes: Buffer): void {
  const readAt = now()
  for (const { index, at } of tokensOf(bytes)) {
    if (index !== next[viewer]) outOfOrder++
    next[viewer] = index + 1
    latencies.push((readAt - at) / 1000)
    lastAt = performance.now()
  }
  frames++
}

function tokensOf(bytes: Buffer): Stamped[] {
  // Where the seq of the first entry stands, whether it is one entry or an array.
  const key = Number.parseInt(bytes.toString('latin1', bytes[0] === 0x5b ? 8 : 7, 24), 10)
  const known = parsed.get(key)
  if (known?.bytes.equals(bytes)) return known.tokens
  const value = JSON.parse(bytes.toString('utf8')) as ServerMessage | ServerMessage[]
  const tokens = (Array.isArray(value) ? value : [value]).flatMap(message =>
    message.type === 'token_activation' ? [readStamp(message.token_text)] : [],
  )
  parsed.set(key, { bytes, tokens })
  if (parsed.size > 1000) parsed.clear()
  return tokens
}
