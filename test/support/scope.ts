import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../config.ts'
import { parseUpstream, type UpstreamSpec } from '../../events/upstream-spec.ts'
import { startTokenscope, type Tokenscope } from '../../main.ts'

/** What of the configuration a test decides; an upstream may be given as on the command line. */
export type ScopeOverrides = Partial<Omit<Config, 'upstreams'>> & {
  upstreams?: readonly (string | UpstreamSpec)[]
}

/** A whole server in this process, on a free port, with a data folder of its own that goes with it. */
export async function startScope({
  upstreams = ['demo'],
  ...overrides
}: ScopeOverrides = {}): Promise<Tokenscope> {
  const data = mkdtempSync(join(tmpdir(), 'tokenscope-test-'))
  const tokenscope = await startTokenscope({
    upstreams: upstreams.map(one => (typeof one === 'string' ? parseUpstream(one, process.env) : one)),
    upstreamNamed: true,
    sources: [],
    host: '127.0.0.1',
    port: 0,
    portNamed: true,
    data,
    gpu: 'cpu',
    delivery: { retries: 0, firstTokenMs: null, silenceMs: null },
    cache: false,
    limits: { requestsPerMinute: null, tokensPerMinute: null, waitMs: 0 },
    drainSeconds: 0,
    maxClients: 10_000,
    record: 'full',
    retention: { ageMs: null, bytes: null },
    backupEveryMs: null,
    allowOrigins: [],
    allowHosts: [],
    logLevel: 'silent',
    dumpWgsl: null,
    shm: null,
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
