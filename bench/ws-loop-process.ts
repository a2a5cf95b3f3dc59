/** What one writes without a hub: a token is made text once and sent to each client in a loop. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { servePeer } from './broadcast/peer-server.ts'

let server: WebSocketServer | null = null

servePeer({
  async listen() {
    server = new WebSocketServer({ host: '127.0.0.1', port: 0, backlog: 2048, perMessageDeflate: false })
    await once(server, 'listening')
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`
  },
  send(entry) {
    const text = JSON.stringify(entry)
    for (const client of server?.clients ?? []) client.send(text)
  },
})
