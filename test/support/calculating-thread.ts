/** A thread that calculates: what a ThreadHandle is tried with. */
import { setTimeout as sleep } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import { TokenscopeError } from '../../events/errors.ts'
import { serve } from '../../store/thread-port.ts'

const posts: unknown[] = []

const port = serve(
  {
    base: () => workerData,
    double: (n: number) => 2 * n,
    later: async (n: number) => {
      await sleep(5)
      return n
    },
    posts: () => posts,
    sum: (bytes: Uint8Array) => bytes.reduce((sum, byte) => sum + byte, 0),
    refuse: () => {
      throw new TokenscopeError('VERSION_CONFLICT', 'It was changed.', {
        param: 'version',
        details: { current: 5 },
      })
    },
    fault: () => {
      throw new TypeError('a fault')
    },
    crash: () => {
      setImmediate(() => {
        throw new Error('it broke')
      })
      return new Promise(() => {})
    },
  },
  message => posts.push(message),
  async () => {
    await sleep(5)
    port.post('stopped')
  },
)
