import type { FastifyInstance, HTTPMethods } from 'fastify'
import { TokenscopeError } from '../events/errors.ts'

/** Which methods the paths of an app have. */
export class PathMethods {
  readonly #methods = new Map<string, Set<string>>()

  /** Begins to note the routes that are made from here on. */
  note(app: FastifyInstance): void {
    app.addHook('onRoute', ({ url, method }) => {
      const methods = this.#methods.getOrInsertComputed(url, () => new Set())
      for (const one of [method].flat()) methods.add(one)
    })
  }

  /**
   * Has all other methods of the paths noted so far answered with METHOD_NOT_ALLOWED and those that there are.
   *
   * @param isShared whether a path is only ours with the methods that it has
   */
  refuseOthers(app: FastifyInstance, isShared: (path: string) => boolean): void {
    for (const [url, methods] of [...this.#methods]) {
      if (isShared(url)) continue
      const others = app.supportedMethods.filter(method => !methods.has(method)) as HTTPMethods[]
      const allow = [...methods].sort().join(', ')
      app.route({
        method: others,
        url,
        schema: { hide: true },
        // Before anybody looks at the body.
        onRequest: async (request, reply) => {
          void reply.header('allow', allow)
          const message = `${request.url.split('?', 1)[0]} has no ${request.method}; it has ${allow}.`
          throw new TokenscopeError('METHOD_NOT_ALLOWED', message)
        },
        handler: async () => {},
      })
    }
  }
}
