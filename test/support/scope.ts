import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../config.ts'
import { startTokenscope, type Tokenscope } from '../../main.ts'

/** A whole server in this process, on a free port, with a data folder of its own that goes with it. */
export async function startScope(overrides: Partial<Config> = {}): Promise<Tokenscope> {
  const data = mkdtempSync(join(tmpdir(), 'tokenscope-test-'))
  const tokenscope = await startTokenscope({
    upstreams: ['demo'],
    upstreamNamed: true,
    host: '127.0.0.1',
    port: 0,
    portNamed: true,
    data,
    gpu: 'cpu',
    drainSeconds: 0,
    allowOrigins: [],
    allowHosts: [],
    logLevel: 'silent',
    dumpWgsl: null,
    ...overrides,
  })
  return {
    ...tokenscope,
    stop: async () => {
      await tokenscope.stop()
      rmSync(data, { recursive: true, force: true })
    },
  }
}
