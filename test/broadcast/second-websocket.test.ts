import { Socket } from 'node:net'
import { WebSocket as UndiciSocket } from 'undici'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  BIN_SUBPROTOCOL,
  BinaryReader,
  JSON_SUBPROTOCOL,
  type ServerMessage,
} from '../../broadcast/protocol.ts'
import { TokenscopeError } from '../../events/errors.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { HubServer } from '../support/hub-server.ts'
import { framesIn, OPCODES, type RawFrame, withoutHead } from '../support/raw-web-socket.ts'
import { messagesOf } from '../support/resuming-viewers.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

// A frame's length takes 7 bits up to 125 bytes of payload, 16 more up to 65,535, else 64 more (RFC 6455 §5.2).
const SHORT = [124, 125, 126, 127]
const LONG = [65_534, 65_535, 65_536, 65_537]
const formOf = (length: number) => (length < 126 ? 0 : length < 65_536 ? 2 : 8)

const GENERATION = 'g_a'
/** Entries before the first that counts, so that numbers have as many digits from the first to the last. */
const BEFORE = 1100
/** After so much a frame takes a ping along. */
const PING_BYTES = 48 * 1024

const SOCKETS = [
  ['Node’s WebSocket', globalThis.WebSocket as unknown as typeof UndiciSocket],
  ['the WebSocket of undici', UndiciSocket],
] as const

const ends: (() => unknown)[] = []

afterEach(async () => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  for (const end of ends.splice(0).reverse()) await end()
})

/** A viewer over a WebSocket that is not the server's own, and the bytes that it was sent. */
class TappedViewer {
  readonly server: HubServer
  readonly messages: ServerMessage[] = []
  readonly #socket: UndiciSocket
  readonly #reader = new BinaryReader()
  readonly #bytes: Buffer[]
  #wake: (() => void)[] = []
  #closed = false

  private constructor(server: HubServer, socket: UndiciSocket, bytes: Buffer[]) {
    this.server = server
    this.#socket = socket
    this.#bytes = bytes
    socket.binaryType = 'arraybuffer'
    socket.onmessage = ({ data }) => {
      this.messages.push(...messagesOf(data, this.#reader))
      this.#tell()
    }
    socket.onclose = () => {
      this.#closed = true
      this.#tell()
    }
  }

  static async connect(
    server: HubServer,
    Implementation: typeof UndiciSocket,
    protocol: string,
  ): Promise<TappedViewer> {
    const bytes: Buffer[] = []
    const proxy = await TcpProxy.start({ target: server.url, onBytes: part => bytes.push(part) })
    ends.push(() => proxy.stop())
    const socket = new Implementation(`${proxy.url.replace('http', 'ws')}/scope/v1/stream`, protocol)
    const viewer = new TappedViewer(server, socket, bytes)
    await viewer.until(() => viewer.messages.length > 0)
    return viewer
  }

  /** Every whole frame so far. */
  get frames(): RawFrame[] {
    return framesIn(withoutHead(Buffer.concat(this.#bytes)))
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#closed) throw new Error('closed while waiting')
      await new Promise<void>(resolve => this.#wake.push(resolve))
    }
  }

  say(message: object): void {
    this.#socket.send(JSON.stringify(message))
  }

  /** Sends, and gives the answer: the next message of `type` and the frame it came in. */
  async ask(
    question: object,
    type: ServerMessage['type'],
  ): Promise<{ answer: ServerMessage; frame: RawFrame }> {
    const before = this.messages.length
    const framesBefore = this.frames.length
    this.say(question)
    const isAnswer = (message: ServerMessage) => message.type === type
    await this.until(() => this.messages.slice(before).some(isAnswer))
    return {
      answer: this.messages.slice(before).find(isAnswer) as ServerMessage,
      frame: this.frames.slice(framesBefore).find(({ payload }) => opens(payload, type)) as RawFrame,
    }
  }

  /** Appends a token of so many characters and gives the frame in which it came, once it was read right. */
  async hear(characters: number): Promise<RawFrame> {
    const { log } = this.server
    const text = 'x'.repeat(characters)
    const framesBefore = this.frames.length
    log.append(tokenEvent(GENERATION, log.head, text), performance.now())
    const isIt = (message: ServerMessage | undefined) => message !== undefined && 'seq' in message
    await this.until(() => {
      const last = this.messages.findLast(isIt)
      return last !== undefined && 'seq' in last && last.seq === log.head
    })
    const last = this.messages.findLast(isIt)
    expect(last).toMatchObject({ type: 'token_activation', generation: GENERATION, token_text: text })
    return this.frames.slice(framesBefore).find(({ opcode }) => opcode < OPCODES.close) as RawFrame
  }

  /** The same with a token whose frame has a payload of `bytes`; a probe says how long its text has to be. */
  async hearBytes(bytes: number): Promise<RawFrame> {
    const probe = Math.max(0, bytes - 400)
    const { payload } = await this.hear(probe)
    return this.hear(probe + bytes - payload.length)
  }

  #tell(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}

function opens(payload: Buffer, type: string): boolean {
  const beginning = `{"type":"${type}"`
  return payload.toString('latin1', 0, beginning.length) === beginning
}

async function begin(hub: Parameters<typeof HubServer.start>[0] = {}): Promise<HubServer> {
  const server = await HubServer.start(hub)
  ends.push(() => server.stop())
  server.log.append(stateEvent(GENERATION), 0)
  for (let index = 1; index < BEFORE; index++) server.log.append(tokenEvent(GENERATION, index, '.'), 0)
  return server
}

/** A viewer that is sent what comes from now on. */
async function fromHere(
  server: HubServer,
  Implementation: typeof UndiciSocket,
  protocol: string,
): Promise<TappedViewer> {
  const viewer = await TappedViewer.connect(server, Implementation, protocol)
  const { epoch, head: seq } = server.log
  viewer.say({ type: 'subscribe', since: { epoch, seq } })
  await viewer.ask({ type: 'ping' }, 'pong')
  return viewer
}

/** What one TCP write held besides the frame itself. */
function writtenWith(writes: readonly unknown[][], frame: RawFrame): RawFrame[] | undefined {
  for (const [data] of writes) {
    if (!(data instanceof Uint8Array) || data.length < frame.payload.length) continue
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    if (bytes[0] !== (0x80 | frame.opcode) || ((bytes[1] as number) & 0x80) !== 0) continue
    const [first, ...others] = framesIn(bytes)
    if (first?.payload.equals(frame.payload)) return others
  }
  return undefined
}

describe.each(SOCKETS)('%s reads', (_, Implementation) => {
  it.each([...SHORT, ...LONG])('binary entries in a frame of %i bytes', async bytes => {
    const viewer = await fromHere(await begin(), Implementation, BIN_SUBPROTOCOL)
    const frame = await viewer.hearBytes(bytes)
    expect(frame.payload.length).toBe(bytes)
    expect(frame).toMatchObject({ opcode: OPCODES.binary, fin: true, lengthBytes: formOf(bytes) })
  })

  it.each(LONG)('entries as JSON in a frame of %i bytes', async bytes => {
    const viewer = await fromHere(await begin(), Implementation, JSON_SUBPROTOCOL)
    const frame = await viewer.hearBytes(bytes)
    expect(frame.payload.length).toBe(bytes)
    expect(frame).toMatchObject({ opcode: OPCODES.text, fin: true, lengthBytes: formOf(bytes) })
  })

  it.each([
    ...SHORT.map(bytes => [BIN_SUBPROTOCOL, bytes] as const),
    ...LONG.map(bytes => [BIN_SUBPROTOCOL, bytes] as const),
    ...LONG.map(bytes => [JSON_SUBPROTOCOL, bytes] as const),
  ])('%s in a frame of %i bytes with a ping in the same write', async (protocol, bytes) => {
    // The pings of each second would come when they please.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const viewer = await fromHere(await begin(), Implementation, protocol)
    const probe = Math.max(0, bytes - 400)
    const { payload } = await viewer.hear(probe)
    // Up to where one more byte makes a ping due.
    if (bytes < PING_BYTES) await viewer.hear(PING_BYTES - 2 * payload.length - 200)
    const write = vi.spyOn(Socket.prototype, 'write')
    const frame = await viewer.hear(probe + bytes - payload.length)
    expect(frame.payload.length).toBe(bytes)
    const others = writtenWith(write.mock.calls, frame)
    expect(others?.map(({ opcode, payload }) => [opcode, payload.toString()])).toEqual([
      [OPCODES.ping, String(viewer.server.log.head)],
    ])
    // And what comes behind both.
    await viewer.hear(10)
  })

  it.each([JSON_SUBPROTOCOL, BIN_SUBPROTOCOL])('answers of every form of length in %s', async protocol => {
    let message = ''
    const stop = () => {
      throw new TokenscopeError('NOT_FOUND', message)
    }
    const viewer = await TappedViewer.connect(await begin({ hub: { stop } }), Implementation, protocol)
    const around = JSON.stringify({ type: 'error', code: 'NOT_FOUND', message: '' }).length
    for (const bytes of [...SHORT, ...LONG]) {
      message = 'x'.repeat(bytes - around)
      const { answer, frame } = await viewer.ask({ type: 'stop', generation: GENERATION }, 'error')
      expect(answer).toEqual({ type: 'error', code: 'NOT_FOUND', message })
      expect(frame.payload.length).toBe(bytes)
      expect(frame).toMatchObject({ opcode: OPCODES.text, fin: true, lengthBytes: formOf(bytes) })
    }
  })

  it.each([JSON_SUBPROTOCOL, BIN_SUBPROTOCOL])('parts of a snapshot around 64 KiB in %s', async protocol => {
    const server = await begin()
    const viewer = await TappedViewer.connect(server, Implementation, protocol)
    let asked = 0
    // One that is filtered as none was before is made anew.
    const question = () => ({ type: 'subscribe', generations: [GENERATION, `g_none_${asked++}`] })
    let text = '.'.repeat(BEFORE - 1)
    const grow = (characters: number) => {
      const piece = 'x'.repeat(characters)
      server.log.append(tokenEvent(GENERATION, server.log.head, piece), 0)
      text += piece
    }
    grow(60_000)
    const probe = await viewer.ask(question(), 'snapshot')
    grow((LONG[0] as number) - probe.frame.payload.length)
    for (const bytes of LONG) {
      const { answer, frame } = await viewer.ask(question(), 'snapshot')
      expect(answer).toMatchObject({ part: 0, last: true, generations: [{ generation: GENERATION, text }] })
      expect(frame.payload.length).toBe(bytes)
      expect(frame).toMatchObject({ opcode: OPCODES.text, fin: true, lengthBytes: formOf(bytes) })
      grow(1)
    }
  })
})
