import Type, { type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { ServerKind } from '../bridge/demo/surface.ts'
import type {
  BackupFlag,
  ConfigFlag,
  ConfigKey,
  DemoFlag,
  ReplayFlag,
  RestoreFlag,
} from '../events/config-keys.ts'
import { DURATION_WORDS } from '../events/duration.ts'
import { RETENTION_WORDS } from '../events/retention.ts'
import { withoutCredentials } from '../events/source-url.ts'
import { bad } from './refusal.ts'

export type Flag = ConfigFlag | DemoFlag | BackupFlag | RestoreFlag | ReplayFlag
export type Value = string | string[] | number | undefined
export type Values = Record<Flag, Value>

/** A value as it was given, and where. */
export type Origin = { value: unknown; from: string }

const NUMERIC: ReadonlySet<Flag> = new Set([
  'port',
  'drain-seconds',
  'retries',
  'limit-wait',
  'max-clients',
  'speed',
])

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
  record: [Type.Enum(['off', 'meta', 'full']), 'off, meta or full'],
  retention: [Type.String({ minLength: 1 }), RETENTION_WORDS],
  'backup-every': [Type.String({ minLength: 1 }), `${DURATION_WORDS}, or off`],
  'allow-origin': [Type.Array(Type.String({ minLength: 1 })), 'an origin such as https://example.org'],
  'allow-host': [Type.Array(Type.String({ pattern: '^[A-Za-z0-9_.-]+$' })), 'a host name without port'],
  'log-level': [
    Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    'trace, debug, info, warn, error, fatal or silent',
  ],
  'dump-wgsl': [Type.String(), 'the path of a folder'],
  shm: [Type.String({ minLength: 1 }), 'the path of a folder, or off'],
  kind: [
    Type.Enum(['demo', 'lmstudio', 'llamacpp', 'ollama', 'vllm'] satisfies ServerKind[]),
    'demo, lmstudio, llamacpp, ollama or vllm',
  ],
  rate: [
    Type.String({ pattern: '^(max|(?=.*[1-9])[0-9]{1,9}([.][0-9]{1,6})?)$' }),
    'a number of tokens per second above 0, or max',
  ],
  fault: [Type.Array(Type.String({ minLength: 1 })), 'directives as silence=2s or drop=900'],
  speed: [
    Type.Union([Type.Number({ minimum: 0.25, maximum: 1000 }), Type.Enum(['unlimited'])]),
    'a number from 0.25 to 1000, or unlimited',
  ],
  url: [Type.String(), 'an http(s) URL'],
}

/** The words for what the value of a flag must be. */
export function words(flag: string): string {
  return SHAPES[flag as Flag][1]
}

/**
 * The value of each option: as given, or its default.
 *
 * @throws TokenscopeError CONFIG naming the first that does not fit
 */
export function valuesOf(keys: readonly ConfigKey[], given: ReadonlyMap<string, Origin>): Values {
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

function fitted(flag: Flag, { value, from }: Origin, repeatable: boolean): Value {
  let candidate = repeatable && !Array.isArray(value) ? [value] : value
  if (NUMERIC.has(flag) && typeof value === 'string' && value.trim() !== '') {
    const number = Number(value)
    if (!Number.isNaN(number)) candidate = number
  }
  if (Compile(SHAPES[flag][0]).Check(candidate)) return candidate as Value
  throw bad(from, `${from} is ${withoutCredentials(JSON.stringify(value))}; it must be ${words(flag)}.`)
}
