import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Hub, type HubOptions } from '../../broadcast/hub.ts'
import { TokenLog, type TokenLogOptions } from '../../broadcast/token-log.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import { refuseOnSocket } from '../../server/answers.ts'
import { RecordingMeter } from './hub-meter.ts'

/** A hub with its log on a port of its own, without the rest of the server. */
export class HubServer {
  readonly log: TokenLog
  readonly hub: Hub
  readonly meter = new RecordingMeter()
  readonly #server = createServer()
  readonly #sockets = new Set<Socket>()

  private constructor(log: Partial<TokenLogOptions>, hub: Partial<HubOptions>) {
    this.log = new TokenLog({ place: mapPosition, ...log })
    this.hub = new Hub({ log: this.log, meter: this.meter, stop: () => {}, demo: () => false, ...hub })
    this.#server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    this.#server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy())
      this.hub.upgrade(request, socket, head, error => refuseOnSocket(socket, error, 'test'))
    })
  }

  /** Listens, on any port if none is given, and follows the log unless `following` is false. */
  static async start(
    options: {
      log?: Partial<TokenLogOptions>
      hub?: Partial<HubOptions>
      following?: boolean
      port?: number
    } = {},
  ): Promise<HubServer> {
    const server = new HubServer(options.log ?? {}, options.hub ?? {})
    server.#server.listen(options.port ?? 0, '127.0.0.1')
    await once(server.#server, 'listening')
    if (options.following !== false) server.hub.start()
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** TCP connections that are open. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
    })
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    await this.hub.stop()
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
