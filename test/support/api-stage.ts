import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { TokenscopeError } from '../../events/errors.ts'
import { createMetrics } from '../../health/metrics.ts'
import { Correlation } from '../../server/correlation.ts'
import { HttpServer, type Rooms } from '../../server/http-server.ts'
import { listen } from '../../server/listening.ts'
import type { AppOptions } from '../../server/scope-app.ts'
import { RecordsStandIn, ReplaysStandIn } from './records-stand-in.ts'

/** The HTTP server in front of records in memory; its other rooms are empty. */
export class ApiStage {
  records = new RecordsStandIn()
  replays = new ReplaysStandIn(this.records)
  url = ''
  /** What was logged. */
  readonly lines: string[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'tokenscope-api-'))
  #http: HttpServer | null = null

  /** What an app with all routes is made of. */
  get options(): AppOptions & { rooms: Rooms } {
    mkdirSync(join(this.#folder, 'assets'), { recursive: true })
    writeFileSync(join(this.#folder, 'index.html'), '<!doctype html><title>page</title>')
    // A test may give it others between two requests.
    const records = new Proxy(this.records, { get: (_, name) => bound(this.records, name) })
    const replays = new Proxy(this.replays, { get: (_, name) => bound(this.replays, name) })
    return {
      page: this.#folder,
      status: {
        version: '0.0.0',
        metrics: createMetrics(),
        readiness: () => ({ status: 'ready', components: [] }),
      },
      rooms: { ...NOTHING, records, replays },
      logger: pino({ level: 'debug' }, { write: line => this.lines.push(line) }),
      correlation: new Correlation(),
    }
  }

  async raise(): Promise<void> {
    const doors = { host: '127.0.0.1', allowHosts: [], allowOrigins: [] }
    this.#http = await HttpServer.create({ ...this.options, doors })
    const port = await listen(this.#http.server, '127.0.0.1', 0, true)
    this.url = `http://127.0.0.1:${port}`
  }

  renew(): void {
    this.records = new RecordsStandIn()
    this.replays = new ReplaysStandIn(this.records)
    this.lines.length = 0
  }

  async strike(): Promise<void> {
    await this.#http?.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Asks for a path under `/scope/v1`; an object goes as JSON. */
  async ask(method: string, path: string, body?: object | string) {
    const answer = await fetch(`${this.url}/scope/v1${path}`, {
      method,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      headers:
        body === undefined
          ? {}
          : { 'content-type': typeof body === 'string' ? 'application/x-ndjson' : 'application/json' },
    })
    const { status, headers } = answer
    return { status, headers, body: await answer.json() }
  }
}

/** A stage for all tests of a file, with records that are new for each. */
export function useApi(): ApiStage {
  const stage = new ApiStage()
  beforeAll(() => stage.raise())
  afterAll(() => stage.strike())
  beforeEach(() => stage.renew())
  return stage
}

function bound<T extends object>(target: T, name: string | symbol): unknown {
  const value = Reflect.get(target, name)
  return typeof value === 'function' ? value.bind(target) : value
}

const nothing = (): never => {
  throw new TokenscopeError('NOT_FOUND', 'There is nothing.')
}
const NOTHING: Omit<Rooms, 'records' | 'replays'> = {
  generations: { generate: nothing, continue: nothing, continueFrom: nothing, stop: nothing },
  upstreams: { reports: () => [], queued: 0 },
  workflows: { active: () => [] },
  cache: { statistics: nothing, empty: () => 0 },
  clients: { clients: () => [] },
  frames: { frame: nothing, shows: async () => false },
  structure: null,
  passThrough: async (_request, _response, { fail }) => fail(new TokenscopeError('NO_UPSTREAM', 'None.')),
  upgrade: (_request, _socket, _head, refuse) => refuse(new TokenscopeError('DRAINING', 'Stopping.')),
}
