/** @fastify/http-proxy as its documentation starts it, in a process of its own. */
import type { FastifyInstance, FastifyPluginCallback } from 'fastify'
import { answer } from './children.ts'
import { importPeer } from './peers.ts'

answer({
  async listen(upstream: string) {
    const { fastify } = await importPeer<{ fastify: () => FastifyInstance }>('fastify')
    const { default: httpProxy } = await importPeer<{
      default: FastifyPluginCallback<{ upstream: string }>
    }>('@fastify/http-proxy')
    const server = fastify()
    server.register(httpProxy, { upstream })
    return server.listen({ host: '127.0.0.1', port: 0 })
  },
})
