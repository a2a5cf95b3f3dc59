/**
 * The composition root: the parts in the order in which data flows through them. Nothing is decided here;
 * only here do parts of different rooms meet.
 */
import { Bridge } from './bridge/bridge.ts'
import { ResponseCache } from './bridge/cache/response-cache.ts'
import { createDemoServer } from './bridge/demo/index.ts'
import { firstWords } from './bridge/first-words.ts'
import { RateLimits } from './bridge/limits/rate-limits.ts'
import { Source } from './bridge/source/source.ts'
import { UpstreamSet } from './bridge/upstream-set.ts'
import { Gate } from './broadcast/gate.ts'
import { Hub } from './broadcast/hub.ts'
import { TokenLog } from './broadcast/token-log.ts'
import { Compositor } from './compositor/compositor.ts'
import { mapPosition } from './compositor/layout/map.ts'
import { findBackend } from './compositor/probe.ts'
import { type Config, helpText, readCommand } from './config.ts'
import { reasonOf } from './events/errors.ts'
import { createMetrics } from './health/metrics.ts'
import { readReadiness } from './health/readiness.ts'
import packageJson from './package.json' with { type: 'json' }
import { bannerText } from './server/banner.ts'
import { DataFolder } from './server/data-folder.ts'
import { HttpServer } from './server/http-server.ts'
import { stopOnSignals } from './server/lifecycle.ts'
import { listen } from './server/listening.ts'
import { createLogger } from './server/logger.ts'
import { buildPage } from './server/page-build.ts'

/** A running server. */
export interface Tokenscope {
  /** As `http://127.0.0.1:8787`. */
  readonly url: string
  /** What a start shows. */
  readonly banner: string
  /** Drains and stops; nothing of it is left afterwards. */
  stop(): Promise<void>
}

/**
 * Starts a server.
 *
 * @param say told what a person may have to wait for
 * @throws TokenscopeError if the data folder, the page, the GPU or the port cannot be had; nothing is left
 *   running
 */
export async function startTokenscope(
  config: Config,
  say: (text: string) => void = () => {},
): Promise<Tokenscope> {
  const logger = createLogger(config.logLevel)
  const metrics = createMetrics()
  await using cleanup = new AsyncDisposableStack()

  const data = new DataFolder(config.data)
  data.open()
  cleanup.defer(() => data.close())

  const upstreams = new UpstreamSet({
    upstreams: config.upstreams,
    named: config.upstreamNamed,
    createDemo: () => createDemoServer({}),
    meter: metrics,
  })
  cleanup.defer(() => upstreams.stop())
  const note = (level: 'debug' | 'info' | 'warn' | 'error', text: string) => logger[level](text)
  const [page, backend] = await Promise.all([
    buildPage(import.meta.dirname, say),
    findBackend({ gpu: config.gpu, say: note, compileCache: data.compileCache }),
    upstreams.start(),
  ])

  const log = new TokenLog({ place: mapPosition })
  const cache = new ResponseCache({ byDefault: config.cache, meter: metrics })
  const bridge = new Bridge({
    upstreams,
    policy: config.delivery,
    cache,
    limits: new RateLimits(config.limits),
    emit: (event, readAt) => log.append(event, readAt),
    meter: metrics,
  })
  const sources = config.sources.map(
    url =>
      new Source({
        url,
        emit: (event, readAt) => log.append(event, readAt),
        meter: metrics,
        lists: model => upstreams.lists(model),
        say: note,
      }),
  )
  const compositor = new Compositor({
    log,
    meter: metrics,
    backend,
    dump: config.dumpWgsl,
    say: note,
    process: { compileCache: data.compileCache },
  })
  const hub = new Hub({
    log,
    meter: metrics,
    views: compositor,
    stop: generation => bridge.stop(generation),
    demo: () => upstreams.demo,
    gate: new Gate({ maxClients: config.maxClients }),
    say: sentence => note('warn', sentence),
  })

  upstreams.onChange(() => {
    hub.greetAll()
    logger.info(upstreams.report().detail)
  })
  hub.onViewers(viewers => compositor.attend(viewers > 0))
  hub.onViewers(
    firstWords({
      generate: prompt => bridge.generate(prompt),
      demo: () => upstreams.demo,
      silent: () => log.head === 0,
    }),
  )

  const probes = [upstreams, bridge, hub, compositor, ...sources].map(part => () => part.report())
  const http = await HttpServer.create({
    doors: config,
    page,
    status: { version: packageJson.version, metrics, readiness: () => readReadiness(probes) },
    rooms: {
      generations: bridge,
      upstreams,
      workflows: bridge,
      cache,
      clients: hub,
      frames: compositor,
      passThrough: (request, response, context) => bridge.passThrough(request, response, context),
      upgrade: (request, socket, head, refuse) => hub.upgrade(request, socket, head, refuse),
    },
    logger,
  })

  compositor.start()
  cleanup.defer(() => compositor.stop())
  const port = await listen(http.server, config.host, config.port, config.portNamed, [
    ...upstreams.ports,
    ...sources.map(source => source.port),
  ])
  cleanup.defer(() => http.close())
  hub.start()
  cleanup.defer(() => hub.stop())
  for (const source of sources) {
    source.start()
    cleanup.defer(() => source.stop())
  }
  cleanup.defer(() => bridge.drain(config.drainSeconds))
  const url = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`
  data.describe(url)

  // Undone in the opposite order: generations end, viewers are sent away, the port closes, …
  const running = cleanup.move()
  const components = probes.map(probe => probe())
  return {
    url,
    banner: bannerText({ version: packageJson.version, url, data: data.path, components }, process.stdout),
    stop: () => running.disposeAsync(),
  }
}

async function run(): Promise<void> {
  const command = readCommand()
  if (command.kind === 'help') process.stdout.write(`${helpText()}\n`)
  else if (command.kind === 'version') process.stdout.write(`${packageJson.version}\n`)
  else {
    const say = (text: string) => process.stdout.write(`  ${text}\n`)
    const tokenscope = await startTokenscope(command.config, say)
    process.stdout.write(tokenscope.banner)
    stopOnSignals(tokenscope, say)
  }
}

if (import.meta.main) {
  await run().catch(error => {
    process.stderr.write(`tokenscope: ${reasonOf(error)}\n`)
    process.exitCode = 1
  })
}
