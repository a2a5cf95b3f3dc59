/**
 * The least that a proxy can be, in a process of its own: node:http on both sides and a pipe between them,
 * as anybody would write it.
 */
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answer } from './children.ts'
import { readMemory } from './memory-reading.ts'

const agent = new Agent({ keepAlive: true })

answer({
  async listen(upstream: string) {
    const { hostname: host, port, host: authority } = new URL(upstream)
    const server = createServer((incoming, outgoing) => {
      const { method, url: path } = incoming
      const headers = { ...incoming.headers, host: authority }
      const sent = request({ agent, host, port, method, path, headers }, response => {
        outgoing.writeHead(response.statusCode as number, response.headers)
        response.pipe(outgoing)
        response.on('error', () => outgoing.destroy())
      })
      sent.on('error', () => outgoing.destroy())
      outgoing.on('close', () => {
        if (!outgoing.writableFinished) sent.destroy()
      })
      incoming.pipe(sent)
    })
    server.listen(0, '127.0.0.1', 1024)
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
  memory: readMemory,
})
