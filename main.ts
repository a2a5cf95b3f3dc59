/**
 * The composition root: the parts in the order in which data flows through them. Nothing is decided here;
 * only here do parts of different rooms meet.
 */
import { Bridge } from './bridge/bridge.ts'
import { ResponseCache } from './bridge/cache/response-cache.ts'
import { createDemoServer } from './bridge/demo/index.ts'
import { firstWords } from './bridge/first-words.ts'
import type { Emit } from './bridge/generation.ts'
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
import { StructureMonitor } from './health/shm/monitor/structure-monitor.ts'
import packageJson from './package.json' with { type: 'json' }
import { bannerText } from './server/banner.ts'
import { Correlation } from './server/correlation.ts'
import { DataFolder } from './server/data-folder.ts'
import { HttpServer } from './server/http-server.ts'
import { stopOnSignals } from './server/lifecycle.ts'
import { listen } from './server/listening.ts'
import { createLogger } from './server/logger.ts'
import { buildPage } from './server/page-build.ts'
import { BackupSchedule } from './store/backup/backup-schedule.ts'
import { Replays } from './store/replay/replays.ts'
import { Store } from './store/store.ts'

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
  const correlation = new Correlation()
  const logger = createLogger(config.logLevel, correlation)
  const metrics = createMetrics()
  await using cleanup = new AsyncDisposableStack()

  const data = new DataFolder(config.data)
  data.open()
  cleanup.defer(() => data.close())

  const note = (level: 'debug' | 'info' | 'warn' | 'error', text: string) => logger[level](text)
  const monitors =
    config.shm === null
      ? []
      : [new StructureMonitor({ root: config.shm, data: data.path, meter: metrics, say: note })]

  const upstreams = new UpstreamSet({
    upstreams: config.upstreams,
    named: config.upstreamNamed,
    createDemo: () => createDemoServer({}),
    meter: metrics,
  })
  cleanup.defer(() => upstreams.stop())
  const { record, retention, backupEveryMs } = config
  const opening = Store.open({ folder: data.path, record, retention, meter: metrics, say: note })
  cleanup.defer(() =>
    opening.then(
      store => store.stop(),
      () => {},
    ),
  )
  const [store, page, backend] = await Promise.all([
    opening,
    buildPage(import.meta.dirname, say),
    findBackend({ gpu: config.gpu, say: note, compileCache: data.compileCache }),
    upstreams.start(),
  ])

  const log = new TokenLog({ place: mapPosition, ...store.resumption })
  store.follow(log)
  const emit: Emit = (event, readAt) => log.append(event, readAt)
  const cache = new ResponseCache({ byDefault: config.cache, meter: metrics })
  const bridge = new Bridge({
    upstreams,
    policy: config.delivery,
    cache,
    limits: new RateLimits(config.limits),
    tapes: store.tapes,
    emit,
    meter: metrics,
  })
  const sources = config.sources.map(
    url =>
      new Source({
        url,
        emit,
        meter: metrics,
        lists: model => upstreams.lists(model),
        say: note,
      }),
  )
  const replays = new Replays({
    records: store.records,
    emit,
    meter: metrics,
    keepUp: () => store.flush(),
  })
  const stop = (generation: string) => {
    if (!replays.stop(generation)) bridge.stop(generation)
  }
  const compositor = new Compositor({
    log,
    past: store.past,
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
    stop,
    demo: () => upstreams.demo,
    gate: new Gate({ maxClients: config.maxClients }),
    say: sentence => note('warn', sentence),
  })

  upstreams.onChange(() => {
    hub.greetAll()
    logger.info(upstreams.report().detail)
  })
  hub.onViewers(viewers => compositor.attend(viewers > 0))
  for (const monitor of monitors) hub.onViewers(viewers => monitor.attend(viewers > 0))
  hub.onViewers(
    firstWords({
      generate: prompt => bridge.generate(prompt),
      demo: () => upstreams.demo,
      silent: () => log.head === 0 && store.resumption.finished.length === 0,
    }),
  )

  const backups =
    backupEveryMs === null
      ? []
      : [new BackupSchedule({ folder: data.path, everyMs: backupEveryMs, say: note })]

  const parts = [upstreams, bridge, hub, compositor, store, ...backups, ...sources, ...monitors]
  const probes = parts.map(part => () => part.report())
  const http = await HttpServer.create({
    doors: config,
    page,
    status: { version: packageJson.version, metrics, readiness: () => readReadiness(probes) },
    rooms: {
      generations: {
        generate: prompt => bridge.generate(prompt),
        continue: parent => bridge.continue(parent),
        continueFrom: begun => bridge.continueFrom(begun),
        stop,
      },
      upstreams,
      workflows: bridge,
      cache,
      clients: hub,
      frames: compositor,
      records: store.records,
      replays,
      structure: monitors[0] ?? null,
      passThrough: (request, response, context) => bridge.passThrough(request, response, context),
      upgrade: (request, socket, head, refuse) => hub.upgrade(request, socket, head, refuse),
    },
    logger,
    correlation,
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
  for (const monitor of monitors) {
    cleanup.defer(() => monitor.stop())
    await monitor.start()
  }
  for (const schedule of backups) {
    schedule.start()
    cleanup.defer(() => schedule.stop())
  }
  cleanup.defer(async () => {
    await Promise.all([bridge.drain(config.drainSeconds), replays.drain()])
  })
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
