import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { afterEach, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import {
  BIN_SUBPROTOCOL,
  BinaryReader,
  JSON_SUBPROTOCOL,
  type ServerMessage,
  type Subprotocol,
} from '../../broadcast/protocol.ts'
import { between, oneOf, randomFrom } from '../support/random.ts'
import { RawWebSocket } from '../support/raw-web-socket.ts'
import { messagesOf } from '../support/resuming-viewers.ts'
import { rounds } from '../support/rounds.ts'
import { entryLine, type SoakHoldings, SoakHub } from '../support/soak-hub.ts'

/** Waves of viewers that come and go: about two seconds each. */
const WAVES = rounds(320)
const WARM_UP = 2
const AT_ONCE = 500
const STAYERS = 8
/**
 * What a viewer that came and went may leave behind, in bytes. Nothing does; what is measured is what the
 * garbage collector and the compiler make of the same program at slightly different times, some 10 to 20. A
 * viewer that is kept with its socket takes over 4,000, a timer 250.
 */
const LEFT_BEHIND = 100
/** A timer of the hub's own that happens to run: never one for each of a thousand who came and went. */
const STRAY_RESOURCES = 3

const PROTOCOLS = [JSON_SUBPROTOCOL, BIN_SUBPROTOCOL] as const

const hubs: SoakHub[] = []

afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.end()
})

/** A viewer from the first wave to the last: it must be told everything, in order. */
class Stayer {
  readonly #socket: WebSocket
  readonly #digest = createHash('sha256')
  readonly #reader = new BinaryReader()
  epoch = ''
  #seq: number | null = null
  #problem: Error | null = null
  #wake: (() => void)[] = []

  constructor(url: string, protocol: Subprotocol) {
    this.#socket = new WebSocket(streamUrl(url), protocol)
    this.#socket.binaryType = 'arraybuffer'
    this.#socket.on('open', () => this.#socket.send('{"type":"subscribe"}'))
    this.#socket.onmessage = ({ data }) => {
      try {
        for (const message of messagesOf(data as string | ArrayBuffer, this.#reader)) this.#read(message)
      } catch (error) {
        this.#fail(error as Error)
      }
      this.#tell()
    }
    this.#socket.on('error', error => this.#fail(error))
    this.#socket.on('close', code => this.#fail(new Error(`was closed with ${code}`)))
  }

  get seq(): number {
    return this.#seq ?? -1
  }

  /** Of all entries since it came. */
  get digest(): string {
    return this.#digest.copy().digest('hex')
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#problem !== null) throw this.#problem
      await new Promise<void>(resolve => this.#wake.push(resolve))
    }
  }

  /** Resolves when the log has grown by so many entries. */
  grow(entries: number): Promise<void> {
    const to = this.seq + entries
    return this.until(() => this.seq >= to)
  }

  async leave(): Promise<void> {
    this.#socket.removeAllListeners('close')
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }

  #read(message: ServerMessage): void {
    if (message.type === 'snapshot' && message.last && this.#seq === null) this.#seq = message.upto
    else if (message.type === 'neural_state' || message.type === 'token_activation') {
      if (message.seq !== this.seq + 1) this.#fail(new Error(`${message.seq} came after ${this.#seq}`))
      this.#seq = message.seq
      this.#digest.update(entryLine(message))
    } else if (message.type === 'hello') this.epoch = message.epoch
    else if (message.type !== 'snapshot') {
      this.#fail(new Error(`was sent ${JSON.stringify(message)}`))
    }
  }

  #fail(error: Error): void {
    this.#problem ??= error
    this.#tell()
  }

  #tell(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}

/** One who comes for a while: how it reads and how it leaves is drawn by lot. */
class Passer {
  readonly #hub: SoakHub
  readonly #random: () => number
  /** By whom it knows how the log grows. */
  readonly #witness: Stayer

  constructor(hub: SoakHub, random: () => number, witness: Stayer) {
    this.#hub = hub
    this.#random = random
    this.#witness = witness
  }

  /** Comes, waits for the others, reads or stalls for a while and goes. */
  async visit(arrived: () => Promise<void>): Promise<void> {
    if (this.#random() < 0.1) await this.#breakOffHandshake()
    const protocol = oneOf(this.#random, PROTOCOLS)
    const stay = () => this.#witness.grow(between(this.#random, 0, 80))
    if (this.#random() < 0.3) {
      const raw = await RawWebSocket.open(this.#hub.url, protocol)
      raw.say(this.#subscribe())
      await arrived()
      if (this.#random() < 0.5) raw.socket.pause()
      await stay()
      await (this.#random() < 0.5 ? raw.leaveMidFrame() : raw.cut())
      return
    }
    const socket = new WebSocket(streamUrl(this.#hub.url), protocol)
    await once(socket, 'open')
    socket.send(JSON.stringify(this.#subscribe()))
    await arrived()
    if (this.#random() < 0.3) socket.pause()
    await stay()
    const closed = once(socket, 'close')
    if (this.#random() < 0.5) {
      socket.resume()
      socket.close()
    } else socket.terminate()
    await closed
  }

  #subscribe(): object {
    const generations = oneOf(this.#random, ['*', '*', ['g_01JSOAK0L1', 'g_01JSOAK9L3'], ['g_nobody']])
    const { epoch, seq: head } = this.#witness
    // Kept, no longer kept, and of another log.
    const since = oneOf(this.#random, [
      { epoch, seq: head - between(this.#random, 0, 100) },
      { epoch, seq: between(this.#random, 0, 1000) },
      { epoch: 'none.1', seq: head },
    ])
    return { type: 'subscribe', generations, ...(this.#random() < 0.5 ? { since } : {}) }
  }

  async #breakOffHandshake(): Promise<void> {
    const raw = RawWebSocket.begin(this.#hub.url, JSON_SUBPROTOCOL, between(this.#random, 1, 200))
    await once(raw.socket, 'connect')
    await raw.cut()
  }
}

/** All at once, each twice; nobody leaves before everybody has come. */
async function wave(nth: number, hub: SoakHub, witness: Stayer): Promise<void> {
  let missing = AT_ONCE
  const all = Promise.withResolvers<void>()
  const arrived = () => {
    if (--missing === 0) all.resolve()
    return all.promise
  }
  const visits = Array.from({ length: AT_ONCE }, async (_, slot) => {
    const passer = new Passer(hub, randomFrom(nth * AT_ONCE + slot), witness)
    await passer.visit(arrived)
    await passer.visit(async () => {})
  })
  await Promise.all(visits)
}

/** The median of the slopes between all pairs (P. K. Sen, 1968): a single odd reading does not move it. */
function slope(values: number[]): number {
  const slopes = values.flatMap((value, i) =>
    values.slice(0, i).map((before, j) => (value - before) / (i - j)),
  )
  return slopes.toSorted((a, b) => a - b)[slopes.length >> 1] as number
}

it(
  'viewers that come and go leave nothing behind, and those that stay miss nothing',
  async () => {
    const hub = await SoakHub.start()
    hubs.push(hub)
    const empty = await hub.ask<SoakHoldings>('holdings', 0)
    const stayers = Array.from(
      { length: STAYERS },
      (_, nth) => new Stayer(hub.url, PROTOCOLS[nth % PROTOCOLS.length] as Subprotocol),
    )
    const witness = stayers[0] as Stayer
    await Promise.all(stayers.map(stayer => stayer.until(() => stayer.seq > 0)))

    const held: SoakHoldings[] = []
    for (let nth = 0; nth < WAVES; nth++) {
      await hub.ask('flow')
      await wave(nth, hub, witness)
      const head = await hub.ask<number>('still')
      const context = `wave ${nth}`
      await Promise.all(stayers.map(stayer => stayer.until(() => stayer.seq === head))).catch(cause => {
        throw new Error(`${context}: ${cause.message}`, { cause })
      })
      const now = await hub.ask<SoakHoldings>('holdings', STAYERS)
      expect([context, now.viewers, now.sockets]).toEqual([context, STAYERS, STAYERS])
      // Everybody was there at the same time.
      expect([context, now.most >= AT_ONCE + STAYERS]).toEqual([context, true])
      held.push(now)
    }

    const settled = held.slice(WARM_UP)
    const perViewer = (read: (holdings: SoakHoldings) => number) => slope(settled.map(read)) / (2 * AT_ONCE)
    console.log(
      `left behind by a viewer: ${perViewer(({ heapUsed }) => heapUsed).toFixed(1)} bytes of heap, ` +
        `${perViewer(({ external }) => external).toFixed(1)} external, in ${WAVES} waves`,
    )
    expect(perViewer(({ heapUsed }) => heapUsed)).toBeLessThan(LEFT_BEHIND)
    expect(perViewer(({ external }) => external)).toBeLessThan(LEFT_BEHIND)
    const [before] = settled as [SoakHoldings]
    for (const now of settled) expect(moreThan(before, now)).toEqual([])

    const digest = await hub.ask<string>('digest')
    expect(stayers.map(stayer => stayer.digest)).toEqual(stayers.map(() => digest))
    await Promise.all(stayers.map(stayer => stayer.leave()))
    const left = await hub.ask<SoakHoldings>('holdings', 0)
    expect(left).toMatchObject({ viewers: 0, sockets: 0 })
    expect(moreThan(empty, left)).toEqual([])
  },
  WAVES * 8000,
)

/** The kinds of handle of which there are more than there were. */
function moreThan(before: SoakHoldings, now: SoakHoldings): [kind: string, count: number][] {
  return Object.entries(now.resources).filter(
    ([kind, count]) => count > (before.resources[kind] ?? 0) + STRAY_RESOURCES,
  )
}

function streamUrl(url: string): string {
  return `${url.replace('http', 'ws')}/scope/v1/stream`
}
