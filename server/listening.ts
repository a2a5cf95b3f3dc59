import type { Server } from 'node:http'
import { TokenscopeError } from '../events/errors.ts'

/** Ports tried after an unnamed one that is taken. */
const FALLBACK_PORTS = 100

/**
 * Makes `server` listen.
 *
 * @param avoid ports not to fall back to: those of upstreams that are not there yet
 * @param named whether somebody asked for this very port; if not, the next free one will do
 * @returns the port it listens on
 * @throws TokenscopeError PORT_TAKEN if the port is taken and was named
 */
export async function listen(
  server: Server,
  host: string,
  port: number,
  named: boolean,
  avoid: readonly number[] = [],
): Promise<number> {
  const last = named ? port : Math.min(65_535, port + FALLBACK_PORTS)
  for (let candidate = port; candidate <= last; candidate++) {
    if (candidate !== port && avoid.includes(candidate)) continue
    if (await tryPort(server, host, candidate)) {
      const address = server.address()
      return typeof address === 'object' && address !== null ? address.port : candidate
    }
  }
  const which = last === port ? `Port ${port}` : `Every port from ${port} to ${last}`
  throw new TokenscopeError(
    'PORT_TAKEN',
    `${which} on ${host} is taken by another program. Stop it, or use --port for another one.`,
    { param: '--port' },
  )
}

function tryPort(server: Server, host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      server.off('listening', onListening)
      if (error.code === 'EADDRINUSE') resolve(false)
      else if (error.code === 'EACCES') {
        const message = `Port ${port} on ${host} needs rights that this user does not have. Use --port for another one.`
        reject(new TokenscopeError('PORT_TAKEN', message, { cause: error, param: '--port' }))
      } else reject(error)
    }
    const onListening = () => {
      server.off('error', onError)
      resolve(true)
    }
    server.once('error', onError)
    server.once('listening', onListening)
    server.listen(port, host)
  })
}
