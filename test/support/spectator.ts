import { WebSocket } from 'ws'
import type { ServerMessage } from '../../broadcast/protocol.ts'
import { isFinal, type LogEntry, type NeuralStateEntry, type TokenEntry } from '../../events/generation.ts'

/** A viewer that keeps everything it is sent and can be waited for. */
export class Spectator {
  readonly socket: WebSocket
  readonly messages: ServerMessage[] = []
  readonly closed: Promise<{ code: number; reason: string }>
  #wake: (() => void)[] = []
  readonly #ends: NeuralStateEntry[] = []
  /** Where the log stood when this viewer was greeted; null until then. */
  #head: number | null = null
  /** Generations that had ended by then. Their entries come all the same where the snapshot is an older one. */
  readonly #past = new Set<string>()
  #gap: ServerMessage | null = null

  private constructor(url: string, headers: Record<string, string>) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/scope/v1/stream`, 'tokenscope.json.v1', {
      headers,
    })
    this.socket.on('message', data => {
      const parsed = JSON.parse(data.toString()) as ServerMessage | ServerMessage[]
      for (const message of Array.isArray(parsed) ? parsed : [parsed]) this.#take(message)
      for (const wake of this.#wake.splice(0)) wake()
    })
    this.socket.on('error', () => {})
    this.closed = new Promise(resolve => {
      this.socket.on('close', (code, reason) => {
        resolve({ code, reason: reason.toString() })
        for (const wake of this.#wake.splice(0)) wake()
      })
    })
  }

  #take(message: ServerMessage): void {
    this.messages.push(message)
    if (message.type === 'gap') this.#gap = message
    if (message.type === 'hello') this.#head ??= message.head
    if (message.type !== 'neural_state' || !isFinal(message.state)) return
    if (message.seq <= (this.#head ?? 0)) this.#past.add(message.generation)
    else this.#ends.push(message)
  }

  /** Connects and subscribes; resolves when the snapshot is there. */
  static async watch(url: string, subscribe: object = {}): Promise<Spectator> {
    const spectator = new Spectator(url, {})
    await spectator.until(messages => messages.some(({ type }) => type === 'hello'))
    spectator.send({ type: 'subscribe', generations: '*', layout: 'map', ...subscribe })
    await spectator.until(messages => messages.some(message => message.type === 'snapshot' && message.last))
    return spectator
  }

  /** Connects only. */
  static connect(url: string, headers: Record<string, string> = {}): Spectator {
    return new Spectator(url, headers)
  }

  /** Of the generations that had not ended before it came. */
  get entries(): LogEntry[] {
    return this.messages.filter(
      (message): message is LogEntry =>
        'seq' in message && 'generation' in message && !this.#past.has(message.generation),
    )
  }

  get states(): NeuralStateEntry[] {
    return this.entries.filter(entry => entry.type === 'neural_state')
  }

  get tokens(): TokenEntry[] {
    return this.entries.filter(entry => entry.type === 'token_activation')
  }

  /** Ids of the generations seen, in order of appearance. */
  get generations(): string[] {
    return [...new Set(this.entries.map(({ generation }) => generation))]
  }

  textOf(generation: string): string {
    return this.tokens
      .filter(token => token.generation === generation)
      .map(({ token_text }) => token_text)
      .join('')
  }

  /** Waits until what was received satisfies `condition`. */
  async until(condition: (messages: ServerMessage[]) => boolean): Promise<void> {
    while (!condition(this.messages)) {
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error('closed while waiting')
      await new Promise<void>(resolve => this.#wake.push(resolve))
    }
  }

  /**
   * Waits for the `nth` generation (from 0) to end and returns its last state. Fails on a gap: the end may
   * have been in it, and would be waited for in vain.
   */
  async end(nth = 0): Promise<NeuralStateEntry> {
    await this.until(() => {
      if (this.#gap !== null) throw new Error(`missed entries: ${JSON.stringify(this.#gap)}`)
      return this.#ends.length > nth
    })
    return this.#ends[nth] as NeuralStateEntry
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  close(): void {
    this.socket.terminate()
  }
}
