import { WebSocket } from 'ws'
import { placeOf, type WholeTile } from '../../broadcast/client/kept-tiles.ts'
import { ViewAssembly, type WholeView } from '../../broadcast/client/view-assembly.ts'
import type { ViewPart } from '../../broadcast/protocol/view-codec.ts'
import {
  BinaryReader,
  type ErrorMessage,
  type ServerMessage,
  type Subprotocol,
  type TokenVisualizationMessage,
  type ViewMessage,
} from '../../broadcast/protocol.ts'
import type { LogEntry } from '../../events/generation.ts'
import { isEntry, messagesIn } from './hub-socket.ts'

/** A part as it came: of which answer, after how many entries. */
export interface ArrivedPart {
  readonly id: number
  readonly part: number
  readonly last: boolean
  readonly bytes: number
  readonly entriesBefore: number
}

/** A viewer of either protocol that asks about layouts, keeps what comes and can be waited for. */
export class AskingViewer {
  readonly socket: WebSocket
  readonly messages: ServerMessage[] = []
  readonly entries: LogEntry[] = []
  readonly parts: ArrivedPart[] = []
  readonly answers = new Map<number, WholeView>()
  /** The tiles that it says it has. */
  had: WholeTile[] = []
  /** Called with each part that comes. */
  onPart: (part: ArrivedPart) => void = () => {}
  readonly #reader: BinaryReader
  readonly #assemblies = new Map<number, ViewAssembly>()
  readonly #wake: (() => void)[] = []
  #bytes = 0

  constructor(url: string, protocol: Subprotocol) {
    this.#reader = new BinaryReader(part => this.#takePart(part))
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/scope/v1/stream`, protocol)
    this.socket.on('error', () => {})
    this.socket.on('message', (data, isBinary) => this.#take(data as Buffer, isBinary))
    this.socket.on('close', () => this.#woken())
  }

  get errors(): ErrorMessage[] {
    return this.messages.filter(message => message.type === 'error')
  }

  get placed(): TokenVisualizationMessage[] {
    return this.messages.filter(message => message.type === 'token_visualization')
  }

  get seqs(): number[] {
    return this.entries.map(({ seq }) => seq)
  }

  /** Ids of the answers, in the order in which their last parts came. */
  get answered(): number[] {
    return [...this.answers.keys()]
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message))
  }

  /** Waits until what came satisfies `condition`. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error('closed while waiting')
      await new Promise<void>(resolve => this.#wake.push(resolve))
    }
  }

  /** Waits until all that was sent before has been heard, by a question and its answer. */
  async heard(): Promise<void> {
    const pongs = () => this.messages.filter(({ type }) => type === 'pong').length
    const before = pongs()
    this.send({ type: 'ping' })
    await this.until(() => pongs() > before)
  }

  close(): void {
    this.socket.terminate()
  }

  #take(data: Buffer, isBinary: boolean): void {
    this.#bytes = data.length
    for (const message of isBinary ? this.#reader.read(data) : messagesIn(data)) {
      if (message.type === 'view') this.#takePart(message)
      else if (isEntry(message)) this.entries.push(message)
      else this.messages.push(message)
    }
    this.#woken()
  }

  #takePart(part: ViewMessage | ViewPart): void {
    const { id, last } = part
    if (part.part === 0) {
      const had = new Map(this.had.map(tile => [placeOf(tile), tile]))
      this.#assemblies.set(id, new ViewAssembly(had, () => {}))
    }
    const arrived = { id, part: part.part, last, bytes: this.#bytes, entriesBefore: this.entries.length }
    this.parts.push(arrived)
    const assembly = this.#assemblies.get(id) as ViewAssembly
    const whole = 'type' in part ? assembly.add(part) : assembly.addBinary(part)
    if (whole !== null) this.answers.set(id, whole)
    this.onPart(arrived)
  }

  #woken(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}

/** Viewers of one test, of one protocol. */
export class AskingViewers {
  readonly #all: AskingViewer[] = []

  /** A viewer that has its snapshot. */
  async watch(
    { url }: { url: string },
    protocol: Subprotocol,
    subscribe: object = {},
  ): Promise<AskingViewer> {
    const viewer = new AskingViewer(url, protocol)
    this.#all.push(viewer)
    await viewer.until(() => viewer.messages.length > 0)
    viewer.send({ type: 'subscribe', ...subscribe })
    await viewer.until(() => viewer.messages.some(message => message.type === 'snapshot' && message.last))
    return viewer
  }

  clear(): void {
    for (const viewer of this.#all.splice(0)) viewer.close()
  }
}
