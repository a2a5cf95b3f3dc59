/**
 * With its folder `config/` the only reader of flags, environment and `tokenscope.config.json`.
 *
 * A flag beats the environment, which beats the file. Whatever is not known or does not fit stops the start
 * with one line that names it.
 */
import { join } from 'node:path'
import { hostOf, originOf, refuseSelf, refuseTwins } from './config/addresses.ts'
import { type Value, valuesOf, words } from './config/option-shapes.ts'
import { CONFIG_FILE, readConfigFile, readEnvironment, readFlags } from './config/option-sources.ts'
import { bad } from './config/refusal.ts'
import { CONFIG_KEYS } from './events/config-keys.ts'
import { durationMs } from './events/duration.ts'
import { optionLines } from './events/option-lines.ts'
import { parseRetention, type Retention } from './events/retention.ts'
import { parseSource } from './events/source-url.ts'
import { parseUpstream, type UpstreamSpec } from './events/upstream-spec.ts'

export { CONFIG_FILE } from './config/option-sources.ts'
export * from './config/other-programs.ts'

const SHORTEST_BACKUP_INTERVAL_MS = 60_000
const LONGEST_BACKUP_INTERVAL_MS = 365 * 86_400_000

export interface Config {
  upstreams: UpstreamSpec[]
  /** Whether somebody named them. */
  upstreamNamed: boolean
  /** URLs of feeds, with user and password where they have them. */
  sources: string[]
  host: string
  port: number
  portNamed: boolean
  /** Path of the data folder, as given. */
  data: string
  gpu: 'auto' | 'webgpu' | 'cpu'
  /** How often a request is sent again, and how long it may be silent, ms. */
  delivery: { retries: number; firstTokenMs: number | null; silenceMs: number | null }
  /** Whether requests use the response cache that do not say. */
  cache: boolean
  /** What each caller may have; null for no limit. */
  limits: { requestsPerMinute: number | null; tokensPerMinute: number | null; waitMs: number }
  drainSeconds: number
  /** Viewers that may be connected at once. */
  maxClients: number
  /** What is recorded: nothing, all but words, or everything. */
  record: 'off' | 'meta' | 'full'
  /** How long, and how much of it. */
  retention: Retention
  /** Null for none but those that somebody asks for. */
  backupEveryMs: number | null
  allowOrigins: string[]
  allowHosts: string[]
  logLevel: string
  /** Path of the folder that shaders are written to, as given; null for none. */
  dumpWgsl: string | null
  /** The folder of the source tree to score, as given; null for none. */
  shm: string | null
}

/** What the command line asks for. */
export type Command = { kind: 'start'; config: Config } | { kind: 'help' } | { kind: 'version' }

/**
 * Reads the configuration of this process.
 *
 * @throws TokenscopeError CONFIG naming the option and where it stands
 */
export function readCommand(
  argv: readonly string[] = process.argv.slice(2),
  env: NodeJS.ProcessEnv = process.env,
  folder: string = process.cwd(),
): Command {
  const { flags } = readFlags(argv, CONFIG_KEYS, words)
  if (flags.has('help')) return { kind: 'help' }
  if (flags.has('version')) return { kind: 'version' }
  const given = new Map([...readConfigFile(join(folder, CONFIG_FILE)), ...readEnvironment(env), ...flags])
  const values = valuesOf(CONFIG_KEYS, given)
  const upstreams = (values.upstream as string[]).map(text => parseUpstream(text, env))
  refuseTwins(upstreams)
  refuseSelf(upstreams, values.host as string, values.port as number)
  return {
    kind: 'start',
    config: {
      upstreams,
      upstreamNamed: given.has('upstream'),
      sources: (values.source as string[]).map(text =>
        parseSource(text, { host: values.host as string, port: values.port as number }),
      ),
      host: hostOf(values.host as string),
      port: values.port as number,
      portNamed: given.has('port'),
      data: values.data as string,
      gpu: values.gpu as Config['gpu'],
      delivery: {
        retries: values.retries as number,
        firstTokenMs: millisecondsOf(values['first-token-timeout'] as string),
        silenceMs: millisecondsOf(values['silence-timeout'] as string),
      },
      cache: isOn(values.cache),
      limits: {
        requestsPerMinute: limitOf(values['requests-per-minute']),
        tokensPerMinute: limitOf(values['tokens-per-minute']),
        waitMs: (values['limit-wait'] as number) * 1000,
      },
      drainSeconds: values['drain-seconds'] as number,
      maxClients: values['max-clients'] as number,
      record: values.record as Config['record'],
      retention: parseRetention(values.retention as string),
      backupEveryMs: backupIntervalOf(values['backup-every'] as string),
      allowOrigins: (values['allow-origin'] as string[]).map(originOf),
      allowHosts: (values['allow-host'] as string[]).map(host => host.toLowerCase()),
      logLevel: values['log-level'] as string,
      dumpWgsl: (values['dump-wgsl'] as string) || null,
      shm: values.shm === 'off' ? null : (values.shm as string),
    },
  }
}

/** The help text. */
export function helpText(): string {
  const lines = optionLines(CONFIG_KEYS)
  return [
    'Tokenscope, an oscilloscope for language models.',
    '',
    'Usage: pnpm start [options]',
    '',
    ...lines,
    `  ${'--help, --version'.padEnd(26)}this text, the version`,
    '',
    'Each option is also an environment variable (--drain-seconds: TOKENSCOPE_DRAIN_SECONDS, several',
    `values divided by spaces) and a key of ${CONFIG_FILE} ("drain-seconds").`,
    'Flag beats environment beats file.',
  ].join('\n')
}

function isOn(value: Value | boolean): boolean {
  return value === true || value === 'on'
}

function limitOf(value: Value): number | null {
  return value === 'off' ? null : Number(value)
}

function millisecondsOf(seconds: string | number): number | null {
  return seconds === 'off' ? null : Number(seconds) * 1000
}

function backupIntervalOf(text: string): number | null {
  if (text === 'off') return null
  const ms = durationMs(text)
  if (ms === null) {
    throw bad('--backup-every', `--backup-every ${text}: it must be ${words('backup-every')}.`)
  }
  if (ms < SHORTEST_BACKUP_INTERVAL_MS || ms > LONGEST_BACKUP_INTERVAL_MS) {
    throw bad('--backup-every', `--backup-every ${text}: it must be from 1m to 365d.`)
  }
  return ms
}
