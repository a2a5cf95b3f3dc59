/**
 * A WebSocket connection that is read as cheaply as Node allows, so that thousands of readers in one process
 * are not what is slow: it reads into one buffer that all share, finds the frames (RFC 6455) in it and hands
 * their payloads on where they lie. It answers pings as every WebSocket does.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const TEXT = 1
const BINARY = 2
const CLOSE = 8
const PING = 9
const FIN = 0x80
const MASKED = 0x80

/** What is done with what comes. `bytes` is written over afterwards; a message lies in it from `start` to `end`. */
export interface WireHandler {
  onMessage(bytes: Buffer, start: number, end: number, binary: boolean, wireBytes: number): void
  /** The connection has ended; `why` says what the server gave as its reason. */
  onClose(why: string): void
}

export interface WireAddress {
  /** `ws://HOST:PORT/PATH`. */
  url: string
  subprotocol: string | null
  /** Where the process's connections read into, one after the other. */
  room: Buffer
}

export class WireReader {
  readonly #socket: Socket
  readonly #handler: WireHandler
  /** The beginning of a frame whose end has not come. */
  #rest: Buffer | null = null
  #upgraded: ((head: string) => void) | null = null
  #ended = false

  /** Opens a connection. @throws Error if the server does not switch to the subprotocol */
  static async open(address: WireAddress, handler: WireHandler): Promise<WireReader> {
    const reader = new WireReader(address, handler)
    await reader.#shakeHands(address)
    return reader
  }

  private constructor({ url, room }: WireAddress, handler: WireHandler) {
    this.#handler = handler
    const { hostname, port } = new URL(url)
    this.#socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: {
        buffer: room,
        callback: (size, bytes) => {
          this.#read(bytes as Buffer, size)
          return true
        },
      },
    })
    this.#socket.on('error', error => this.#end(error.message))
    this.#socket.on('close', () => this.#end('the connection was cut'))
  }

  /** Stops reading: what comes fills the socket's buffers in the kernel. */
  pause(): void {
    this.#socket.pause()
  }

  send(text: string): void {
    this.#write(TEXT, Buffer.from(text))
  }

  destroy(): void {
    this.#ended = true
    this.#socket.destroy()
  }

  async #shakeHands({ url, subprotocol }: WireAddress): Promise<void> {
    await once(this.#socket, 'connect')
    const { host, pathname, search } = new URL(url)
    const answered = new Promise<string>((resolve, reject) => {
      this.#upgraded = resolve
      this.#socket.once('close', () => reject(new Error(`${url} closed the connection before the handshake`)))
    })
    this.#socket.write(
      [
        `GET ${pathname}${search} HTTP/1.1`,
        `Host: ${host}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
        ...(subprotocol === null ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
        '\r\n',
      ].join('\r\n'),
    )
    const head = await answered
    const chosen = /^sec-websocket-protocol: *(\S+)/im.exec(head)?.[1] ?? null
    if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`${url} answered ${head.split('\r\n')[0]}`)
    if (chosen !== subprotocol) throw new Error(`${url} chose ${chosen}, asked for ${subprotocol}`)
  }

  #read(room: Buffer, size: number): void {
    let bytes = room
    let length = size
    if (this.#rest !== null) {
      bytes = Buffer.concat([this.#rest, room.subarray(0, size)])
      length = bytes.length
      this.#rest = null
    }
    const begin = this.#upgraded === null ? 0 : this.#readHead(bytes, length)
    const end = begin < 0 ? 0 : this.#readFrames(bytes, begin, length)
    if (end < length) this.#rest = Buffer.from(bytes.subarray(end, length))
  }

  /** Where the head of the handshake's answer ends; -1 while it has not. */
  #readHead(bytes: Buffer, length: number): number {
    const end = bytes.subarray(0, length).indexOf('\r\n\r\n')
    if (end < 0) return -1
    this.#upgraded?.(bytes.toString('latin1', 0, end))
    this.#upgraded = null
    return end + 4
  }

  /** Where the last whole frame ends. */
  #readFrames(bytes: Buffer, begin: number, length: number): number {
    let at = begin
    while (length - at >= 2 && !this.#ended) {
      const first = bytes[at] as number
      let size = bytes[at + 1] as number
      let start = at + 2
      if (size === 126) {
        if (length < at + 4) break
        size = bytes.readUInt16BE(at + 2)
        start = at + 4
      } else if (size === 127) {
        if (length < at + 10) break
        size = Number(bytes.readBigUInt64BE(at + 2))
        start = at + 10
      }
      if (length < start + size) break
      this.#onFrame(first, bytes, start, start + size, start + size - at)
      at = start + size
    }
    return at
  }

  #onFrame(first: number, bytes: Buffer, start: number, end: number, wireBytes: number): void {
    switch (first) {
      case FIN | BINARY:
      case FIN | TEXT:
        this.#handler.onMessage(bytes, start, end, first === (FIN | BINARY), wireBytes)
        return
      case FIN | PING:
        this.#write(10, bytes.subarray(start, end))
        return
      case FIN | CLOSE:
        this.#end(`closed with ${bytes.readUInt16BE(start)} ${bytes.toString('utf8', start + 2, end)}`)
        this.#socket.destroy()
        return
      default:
        this.#end(`a frame that begins with ${first.toString(16)}`)
        this.#socket.destroy()
    }
  }

  /** Clients must mask; a mask of zeros changes nothing. */
  #write(opcode: number, payload: Uint8Array): void {
    const { length } = payload
    const size = length < 126 ? [MASKED | length] : [MASKED | 126, length >> 8, length & 0xff]
    this.#socket.write(Buffer.concat([Buffer.from([FIN | opcode, ...size, 0, 0, 0, 0]), payload]))
  }

  #end(why: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#handler.onClose(why)
  }
}
