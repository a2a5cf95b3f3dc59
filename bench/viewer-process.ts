/** One viewer in a process of its own, as a browser is: it reads everything and counts the tokens. */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { JSON_SUBPROTOCOL, type ServerMessage } from '../broadcast/protocol.ts'
import { answer } from './children.ts'

let tokens = 0

answer({
  async watch(url: string) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/scope/v1/stream`, JSON_SUBPROTOCOL)
    socket.on('message', data => {
      const parsed = JSON.parse((data as Buffer).toString('utf8')) as ServerMessage | ServerMessage[]
      for (const message of Array.isArray(parsed) ? parsed : [parsed]) {
        if (message.type === 'token_activation') tokens++
      }
    })
    socket.on('close', code => {
      if (code === 1001) return
      throw new Error(`the viewer was sent away with ${code}`)
    })
    await once(socket, 'open')
    socket.send(JSON.stringify({ type: 'subscribe', generations: '*', layout: 'map' }))
  },
  tokens: () => tokens,
})
