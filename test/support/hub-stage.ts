import { once } from 'node:events'
import { WebSocket } from 'ws'
import {
  BIN_SUBPROTOCOL,
  BinaryReader,
  type ErrorMessage,
  type PongMessage,
  type ServerMessage,
  type SnapshotMessage,
} from '../../broadcast/protocol.ts'
import { stateEvent, tokenEvent } from './hub-events.ts'
import { HubServer } from './hub-server.ts'
import { messagesIn } from './hub-socket.ts'
import { Spectator } from './spectator.ts'

/** Hubs and spectators of one test, and what is done with them; all of it ends with `clear`. */
export class HubStage {
  readonly #servers: HubServer[] = []
  readonly #spectators: { close(): void }[] = []

  async clear(): Promise<void> {
    for (const spectator of this.#spectators.splice(0)) spectator.close()
    for (const server of this.#servers.splice(0)) await server.stop()
  }

  async startHub(options: Parameters<typeof HubServer.start>[0] = {}): Promise<HubServer> {
    const server = await HubServer.start(options)
    this.#servers.push(server)
    return server
  }

  /** A viewer on its way. */
  reach({ url }: HubServer): Spectator {
    const spectator = Spectator.connect(url)
    this.#spectators.push(spectator)
    return spectator
  }

  /** A viewer of the binary protocol, on its way. */
  reachBinary(server: HubServer): BinarySpectator {
    const spectator = new BinarySpectator(server)
    this.#spectators.push(spectator)
    return spectator
  }

  /** A viewer that has been greeted. */
  async connect(server: HubServer): Promise<Spectator> {
    const spectator = this.reach(server)
    await spectator.until(messages => messages.some(({ type }) => type === 'hello'))
    return spectator
  }

  /** A viewer that has its snapshot. */
  async watch(server: HubServer, subscribe: object = {}): Promise<Spectator> {
    const spectator = await this.connect(server)
    spectator.send({ type: 'subscribe', ...subscribe })
    await spectator.until(messages => messages.some(message => message.type === 'snapshot' && message.last))
    return spectator
  }
}

/** A viewer of the binary protocol that keeps what it is sent and can be waited for. */
export class BinarySpectator {
  readonly socket: WebSocket
  readonly messages: ServerMessage[] = []
  readonly #reader = new BinaryReader()

  constructor({ url }: HubServer) {
    this.socket = new WebSocket(url.replace('http', 'ws'), BIN_SUBPROTOCOL)
    this.socket.on('message', (data, isBinary) => {
      this.messages.push(...(isBinary ? this.#reader.read(data as Buffer) : messagesIn(data as Buffer)))
    })
  }

  /** Waits until what was received satisfies `condition`. */
  async until(condition: (messages: ServerMessage[]) => boolean): Promise<void> {
    while (!condition(this.messages)) await once(this.socket, 'message')
  }

  close(): void {
    this.socket.terminate()
  }
}

/** The raw messages from now on. */
export function framesOf({ socket }: { socket: WebSocket }): Buffer[] {
  const frames: Buffer[] = []
  socket.on('message', data => frames.push(data as Buffer))
  return frames
}

/** Appends `count` tokens of a generation in one go, and its state before the first. */
export function say({ log }: HubServer, generation: string, from: number, count: number): void {
  if (from === 0) log.append(stateEvent(generation), performance.now())
  for (let index = from; index < from + count; index++) {
    log.append(tokenEvent(generation, index), performance.now())
  }
}

/** Waits until a viewer has entry `seq`. */
export function until(spectator: Spectator, seq: number): Promise<void> {
  return spectator.until(() => (spectator.entries.at(-1)?.seq ?? 0) >= seq)
}

export function seqsOf(spectator: Spectator): number[] {
  return spectator.entries.map(({ seq }) => seq)
}

/** Up to where a viewer has been served, by its own question. */
export async function servedTo(spectator: Spectator): Promise<number> {
  const pongs = () => spectator.messages.filter((message): message is PongMessage => message.type === 'pong')
  const before = pongs().length
  spectator.send({ type: 'ping' })
  await spectator.until(() => pongs().length > before)
  return (pongs().at(-1) as PongMessage).seq
}

export function errorsOf(spectator: Spectator): ErrorMessage[] {
  return spectator.messages.filter((message): message is ErrorMessage => message.type === 'error')
}

export function snapshotsOf(spectator: Spectator): SnapshotMessage[] {
  return spectator.messages.filter((message): message is SnapshotMessage => message.type === 'snapshot')
}
