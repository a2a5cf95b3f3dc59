/** Socket.IO as its documentation starts it, with its default settings. */
import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { servePeer } from './broadcast/peer-server.ts'
import { importPeer } from './peers.ts'

interface SocketIo {
  emit(event: string, value: unknown): boolean
}

const { Server } = await importPeer<{ Server: new (server: HttpServer) => SocketIo }>('socket.io')
const http = createServer()
const io = new Server(http)

servePeer({
  async listen() {
    http.listen(0, '127.0.0.1', 2048)
    await once(http, 'listening')
    return `ws://127.0.0.1:${(http.address() as AddressInfo).port}/socket.io/?EIO=4&transport=websocket`
  },
  send(entry) {
    io.emit('token', entry)
  },
})
