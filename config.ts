/**
 * The only reader of flags, environment and `tokenscope.config.json`.
 *
 * A flag beats the environment, which beats the file. Whatever is not known or does not fit stops the start
 * with one line that names it.
 */
import { readFileSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import Type, { type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { ServerKind } from './bridge/demo/surface.ts'
import {
  CONFIG_KEYS,
  type ConfigFlag,
  type ConfigKey,
  DEMO_KEYS,
  type DemoFlag,
} from './events/config-keys.ts'
import { reasonOf, TokenscopeError } from './events/errors.ts'
import { optionLines } from './events/option-lines.ts'
import { parseSource, withoutCredentials } from './events/source-url.ts'
import { parseUpstream, type UpstreamSpec } from './events/upstream-spec.ts'

export const CONFIG_FILE = 'tokenscope.config.json'

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
  allowOrigins: string[]
  allowHosts: string[]
  logLevel: string
  /** Path of the folder that shaders are written to, as given; null for none. */
  dumpWgsl: string | null
}

type Flag = ConfigFlag | DemoFlag
type Values = Record<Flag, string | string[] | number | undefined>
type Origin = { value: unknown; from: string }

const NUMERIC: ReadonlySet<Flag> = new Set(['port', 'drain-seconds', 'retries', 'limit-wait', 'max-clients'])

/** Given without a value these are on. */
const SWITCHES: ReadonlySet<Flag> = new Set(['cache'])

const TIMEOUT = Type.Union([
  Type.Number({ exclusiveMinimum: 0, maximum: 86_400 }),
  Type.String({ pattern: '^(off|(?=.*[1-9])[0-9]{1,5}([.][0-9]{1,3})?)$' }),
])
const TIMEOUT_WORDS = 'a number of seconds above 0, or off'

const PER_MINUTE = Type.Union([
  Type.Integer({ minimum: 1, maximum: 1_000_000_000 }),
  Type.String({ pattern: '^(off|[1-9][0-9]{0,8}|1000000000)$' }),
])
const PER_MINUTE_WORDS = 'a whole number from 1 to 1000000000, or off'

/** What each value must be, once it is a list (repeatable), a number or a string, and the words for it. */
const SHAPES: Record<Flag, [schema: TSchema, words: string]> = {
  upstream: [Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }), 'an http(s) URL or "demo"'],
  source: [Type.Array(Type.String({ minLength: 1 })), 'an http(s) URL'],
  host: [Type.String({ minLength: 1 }), 'an address or name'],
  port: [Type.Integer({ minimum: 0, maximum: 65_535 }), 'a whole number from 0 to 65535'],
  data: [Type.String({ minLength: 1 }), 'the path of a folder'],
  gpu: [Type.Enum(['auto', 'webgpu', 'cpu']), 'auto, webgpu or cpu'],
  'drain-seconds': [Type.Number({ minimum: 0, maximum: 86_400 }), 'a number of seconds from 0 to 86400'],
  retries: [Type.Integer({ minimum: 0, maximum: 100 }), 'a whole number from 0 to 100'],
  'first-token-timeout': [TIMEOUT, TIMEOUT_WORDS],
  'silence-timeout': [TIMEOUT, TIMEOUT_WORDS],
  cache: [Type.Union([Type.Boolean(), Type.Enum(['on', 'off'])]), 'on or off'],
  'requests-per-minute': [PER_MINUTE, PER_MINUTE_WORDS],
  'tokens-per-minute': [PER_MINUTE, PER_MINUTE_WORDS],
  'limit-wait': [Type.Number({ minimum: 0, maximum: 3600 }), 'a number of seconds from 0 to 3600'],
  'max-clients': [Type.Integer({ minimum: 1 }), 'a whole number from 1'],
  'allow-origin': [Type.Array(Type.String({ minLength: 1 })), 'an origin such as https://example.org'],
  'allow-host': [Type.Array(Type.String({ pattern: '^[A-Za-z0-9_.-]+$' })), 'a host name without port'],
  'log-level': [
    Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    'trace, debug, info, warn, error, fatal or silent',
  ],
  'dump-wgsl': [Type.String(), 'the path of a folder'],
  kind: [
    Type.Enum(['demo', 'lmstudio', 'llamacpp', 'ollama', 'vllm'] satisfies ServerKind[]),
    'demo, lmstudio, llamacpp, ollama or vllm',
  ],
  rate: [
    Type.String({ pattern: '^(max|(?=.*[1-9])[0-9]{1,9}([.][0-9]{1,6})?)$' }),
    'a number of tokens per second above 0, or max',
  ],
  fault: [Type.Array(Type.String({ minLength: 1 })), 'directives as silence=2s or drop=900'],
}

/** What `pnpm demo` is to start. */
export interface DemoConfig {
  port: number
  kind: ServerKind
  /** Infinity for no limit. */
  tokensPerSecond: number
  /** Directives, not yet read. */
  faults: string
}

/** What the command line of `pnpm demo` asks for. */
export type DemoCommand = { kind: 'start'; config: DemoConfig } | { kind: 'help' }

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
  const flags = readFlags(argv)
  if (flags.has('help')) return { kind: 'help' }
  if (flags.has('version')) return { kind: 'version' }
  const given = new Map([...readFile(join(folder, CONFIG_FILE)), ...readEnvironment(env), ...flags])
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
      allowOrigins: (values['allow-origin'] as string[]).map(originOf),
      allowHosts: (values['allow-host'] as string[]).map(host => host.toLowerCase()),
      logLevel: values['log-level'] as string,
      dumpWgsl: (values['dump-wgsl'] as string) || null,
    },
  }
}

/**
 * Reads the command line of `pnpm demo`: flags only, so that what is set for Tokenscope does not reach it.
 *
 * @throws TokenscopeError CONFIG naming the option
 */
export function readDemoCommand(argv: readonly string[] = process.argv.slice(2)): DemoCommand {
  const flags = readFlags(argv, DEMO_KEYS)
  if (flags.has('help')) return { kind: 'help' }
  const { port, kind, rate, fault } = valuesOf(DEMO_KEYS, flags)
  return {
    kind: 'start',
    config: {
      port: port as number,
      kind: kind as DemoConfig['kind'],
      tokensPerSecond: rate === 'max' ? Number.POSITIVE_INFINITY : Number(rate),
      faults: (fault as string[]).join(','),
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

function readFlags(argv: readonly string[], keys: readonly ConfigKey[] = CONFIG_KEYS): Map<string, Origin> {
  // `pnpm start -- --port 1` hands the divider on.
  const args = (argv[0] === '--' ? argv.slice(1) : [...argv]).map(switchedOn)
  const options = Object.fromEntries([
    ...keys.map(({ flag }) => [flag, { type: 'string', multiple: true }] as const),
    ['help', { type: 'boolean' }] as const,
    ...(keys === CONFIG_KEYS ? [['version', { type: 'boolean' }] as const] : []),
  ])
  const { tokens } = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true })
  const given = new Map<string, Origin>()
  for (const token of tokens) {
    if (token.kind === 'positional') {
      const text = withoutCredentials(token.value)
      throw bad(text, `"${text}" is not an option. Options begin with --; see --help.`)
    }
    if (token.kind === 'option-terminator') continue
    const { name, rawName, value } = token
    if (!Object.hasOwn(options, name)) throw bad(rawName, `Unknown option ${rawName}. See --help.`)
    if (options[name]?.type === 'boolean') given.set(name, { value: true, from: rawName })
    else if (value === undefined || value === '')
      throw bad(rawName, `${rawName} needs a value: ${words(name)}.`)
    else add(given, name as Flag, value, rawName)
  }
  return given
}

function add(given: Map<string, Origin>, flag: Flag, value: string, from: string): void {
  const before = given.get(flag)
  if (before === undefined) given.set(flag, { value: isRepeatable(flag) ? [value] : value, from })
  else if (isRepeatable(flag)) (before.value as string[]).push(value)
  else throw bad(from, `${from} is given twice.`)
}

function readEnvironment(env: NodeJS.ProcessEnv): Map<string, Origin> {
  const given = new Map<string, Origin>()
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('TOKENSCOPE_') || value === undefined || value === '') continue
    const flag = name.slice('TOKENSCOPE_'.length).toLowerCase().replaceAll('_', '-')
    if (!isFlag(flag)) throw bad(name, `Unknown environment variable ${name}. See --help.`)
    given.set(flag, { value: isRepeatable(flag) ? value.trim().split(/\s+/) : value, from: name })
  }
  return given
}

function readFile(path: string): Map<string, Origin> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map()
    throw bad(CONFIG_FILE, `${CONFIG_FILE} cannot be read: ${reasonOf(error)}`)
  }
  let content: unknown
  try {
    // Editors on Windows put a byte order mark before it.
    content = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    throw bad(CONFIG_FILE, `${CONFIG_FILE} is not JSON: ${reasonOf(error)}`)
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw bad(CONFIG_FILE, `${CONFIG_FILE} must hold one JSON object.`)
  }
  const given = new Map<string, Origin>()
  for (const [flag, value] of Object.entries(content)) {
    if (!isFlag(flag)) throw bad(flag, `Unknown key "${flag}" in ${CONFIG_FILE}. See --help.`)
    const list = isRepeatable(flag) && !Array.isArray(value) ? [value] : value
    given.set(flag, { value: list, from: `"${flag}" in ${CONFIG_FILE}` })
  }
  return given
}

/** The value of each option: as given, or its default. */
function valuesOf(keys: readonly ConfigKey[], given: ReadonlyMap<string, Origin>): Values {
  const values = {} as Values
  for (const { flag, fallback, repeatable } of keys) {
    const origin = given.get(flag) ?? {
      value: repeatable && fallback === '' ? [] : fallback,
      from: 'default',
    }
    values[flag as Flag] = fitted(flag as Flag, origin, repeatable)
  }
  return values
}

function fitted(flag: Flag, { value, from }: Origin, repeatable: boolean): Values[Flag] {
  let candidate = repeatable && !Array.isArray(value) ? [value] : value
  if (NUMERIC.has(flag) && typeof value === 'string' && value.trim() !== '') candidate = Number(value)
  if (Compile(SHAPES[flag][0]).Check(candidate)) return candidate as Values[Flag]
  throw bad(from, `${from} is ${withoutCredentials(JSON.stringify(value))}; it must be ${words(flag)}.`)
}

/** A switch without a value is on; left alone it would take the option after it for its value. */
function switchedOn(arg: string, at: number, args: readonly string[]): string {
  if (!arg.startsWith('--') || !SWITCHES.has(arg.slice(2) as Flag)) return arg
  const next = args[at + 1]
  return next === undefined || next.startsWith('-') ? `${arg}=on` : arg
}

function isOn(value: Values[Flag] | boolean): boolean {
  return value === true || value === 'on'
}

function limitOf(value: Values[Flag]): number | null {
  return value === 'off' ? null : Number(value)
}

function millisecondsOf(seconds: string | number): number | null {
  return seconds === 'off' ? null : Number(seconds) * 1000
}

/** Two names for one place would count its places twice. */
function refuseTwins(upstreams: readonly UpstreamSpec[]): void {
  const seen = new Set<string>()
  for (const { url } of upstreams) {
    const place = URL.parse(url)?.href.replace(/\/+$/, '').replace(/\/v1$/, '') ?? url
    if (seen.has(place)) throw bad('--upstream', `--upstream ${url} is given twice.`)
    seen.add(place)
  }
}

/** A server that passes requests to itself would do so for ever. */
function refuseSelf(upstreams: readonly UpstreamSpec[], host: string, port: number): void {
  for (const { url: upstream } of upstreams) {
    const url = URL.parse(upstream)
    if (url === null || port === 0 || Number(url.port || 80) !== port) continue
    if (['localhost', '127.0.0.1', '[::1]', host].includes(url.hostname)) {
      throw bad(
        '--upstream',
        `--upstream ${upstream} is where Tokenscope itself would listen. Change it or --port.`,
      )
    }
  }
}

function originOf(text: string): string {
  const url = URL.parse(text)
  if (url === null || url.origin === 'null' || url.href !== `${url.origin}/`) {
    throw bad('--allow-origin', `--allow-origin ${text}: it must be ${words('allow-origin')}.`)
  }
  return url.origin
}

function hostOf(host: string): string {
  if (host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))) return host
  throw bad(
    '--host',
    `--host ${host}: beyond loopback Tokenscope needs authentication, which this version does not have. Use 127.0.0.1, ::1 or localhost.`,
  )
}

function isFlag(flag: string): flag is ConfigFlag {
  return CONFIG_KEYS.some(key => key.flag === flag)
}

function isRepeatable(flag: Flag): boolean {
  return [...CONFIG_KEYS, ...DEMO_KEYS].some(key => key.flag === flag && key.repeatable)
}

function words(flag: string): string {
  return SHAPES[flag as Flag][1]
}

function bad(param: string, message: string): TokenscopeError {
  return new TokenscopeError('CONFIG', message, { param })
}
