import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A WebSocket frame as it is on the wire (RFC 6455 §5.2). */
export interface RawFrame {
  opcode: number
  fin: boolean
  /** Bytes of the extended payload length: none, 2 or 8. */
  lengthBytes: 0 | 2 | 8
  payload: Buffer
}

export const OPCODES = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** The whole frames in what a server sent from its first frame on; what is left of the last is not one. */
export function framesIn(bytes: Buffer): RawFrame[] {
  const frames: RawFrame[] = []
  let rest = bytes
  while (rest.length >= 2) {
    const [first, second] = rest as unknown as [number, number]
    if (second & 0x80) throw new Error('a server masks nothing')
    const short = second & 0x7f
    const lengthBytes = short < 126 ? 0 : short === 126 ? 2 : 8
    const begin = 2 + lengthBytes
    if (rest.length < begin) break
    const length =
      lengthBytes === 0 ? short : lengthBytes === 2 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2))
    if (rest.length < begin + length) break
    const payload = rest.subarray(begin, begin + length)
    frames.push({ opcode: first & 0x0f, fin: (first & 0x80) !== 0, lengthBytes, payload })
    rest = rest.subarray(begin + length)
  }
  return frames
}

/** What a server sent, without the head of its answer to the handshake. */
export function withoutHead(bytes: Buffer): Buffer {
  const end = bytes.indexOf('\r\n\r\n')
  return end === -1 ? Buffer.alloc(0) : bytes.subarray(end + 4)
}

/** A client's frame, masked with zeros. */
export function clientFrame(opcode: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head[0] = 0x80 | opcode
  head[1] = 0x80 | 126
  head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, payload])
}

/** A WebSocket whose client's bytes the test writes; it reads all that comes and answers nothing by itself. */
export class RawWebSocket {
  readonly socket: Socket

  private constructor(socket: Socket) {
    this.socket = socket
  }

  /** Resolves once the server has begun to answer the handshake. */
  static async open(url: string, protocol: string): Promise<RawWebSocket> {
    const raw = RawWebSocket.begin(url, protocol)
    await once(raw.socket, 'data')
    raw.socket.resume()
    return raw
  }

  /** Sends a handshake; `bytes` of it, if given. */
  static begin(url: string, protocol: string, bytes?: number): RawWebSocket {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    const lines = [
      'GET /scope/v1/stream HTTP/1.1',
      `Host: ${hostname}:${port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      `Sec-WebSocket-Protocol: ${protocol}`,
    ]
    socket.write(`${lines.join('\r\n')}\r\n\r\n`.slice(0, bytes))
    return new RawWebSocket(socket)
  }

  say(message: object): void {
    this.socket.write(clientFrame(OPCODES.text, Buffer.from(JSON.stringify(message))))
  }

  /** Begins a message and goes in the middle of its frame. */
  async leaveMidFrame(): Promise<void> {
    const frame = clientFrame(OPCODES.text, Buffer.from('{"type":"ping"}'))
    const closed = once(this.socket, 'close')
    this.socket.write(frame.subarray(0, frame.length - 3), () => this.socket.destroy())
    await closed
  }

  async cut(): Promise<void> {
    const closed = once(this.socket, 'close')
    this.socket.resetAndDestroy()
    await closed
  }
}
