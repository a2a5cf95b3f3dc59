import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  CONFIG_FILE,
  type Config,
  helpText,
  readBackupCommand,
  readCommand,
  readReplayCommand,
  readRestoreCommand,
} from '../config.ts'
import { CONFIG_KEYS } from '../events/config-keys.ts'
import { TokenscopeError } from '../events/errors.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenscope-config-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function read(argv: string[], env: NodeJS.ProcessEnv = {}, file?: unknown): Config {
  if (file !== undefined) {
    writeFileSync(join(folder, CONFIG_FILE), typeof file === 'string' ? file : JSON.stringify(file))
  }
  const command = readCommand(argv, env, folder)
  if (command.kind !== 'start') throw new Error(`expected a start, got ${command.kind}`)
  return command.config
}

test('without anything the documented defaults hold', () => {
  expect(read([])).toEqual({
    upstreams: [{ url: 'http://127.0.0.1:1234', priority: 0, max: 10, kind: null, key: null, resume: false }],
    upstreamNamed: false,
    sources: [],
    host: '127.0.0.1',
    port: 8787,
    portNamed: false,
    data: '.tokenscope',
    gpu: 'auto',
    delivery: { retries: 5, firstTokenMs: null, silenceMs: null },
    cache: false,
    limits: { requestsPerMinute: null, tokensPerMinute: null, waitMs: 5000 },
    drainSeconds: 10,
    maxClients: 10_000,
    record: 'full',
    retention: { ageMs: 30 * 86_400_000, bytes: 5e9 },
    backupEveryMs: null,
    allowOrigins: [],
    allowHosts: [],
    logLevel: 'info',
    dumpWgsl: null,
    shm: null,
  })
})

test('what lays out and where shaders go are options like others', () => {
  expect(read(['--shm', '../tree'])).toMatchObject({ shm: '../tree' })
  expect(read(['--shm', 'off'], {}, { shm: 'tree' })).toMatchObject({ shm: null })
  expect(read(['--gpu', 'webgpu', '--dump-wgsl', 'wgsl'])).toMatchObject({ gpu: 'webgpu', dumpWgsl: 'wgsl' })
  expect(read([], { TOKENSCOPE_GPU: 'cpu', TOKENSCOPE_DUMP_WGSL: 'wgsl' })).toMatchObject({
    gpu: 'cpu',
    dumpWgsl: 'wgsl',
  })
  expect(read([], {}, { gpu: 'cpu', 'dump-wgsl': 'wgsl' })).toMatchObject({ gpu: 'cpu', dumpWgsl: 'wgsl' })
})

test('the cache is a switch: its name alone turns it on', () => {
  expect(read(['--cache']).cache).toBe(true)
  expect(read(['--cache', '--port', '9'])).toMatchObject({ cache: true, port: 9 })
  expect(read(['--port', '9', '--cache', 'off'])).toMatchObject({ cache: false, port: 9 })
  expect(read(['--cache=on']).cache).toBe(true)
  expect(read([], { TOKENSCOPE_CACHE: 'on' }).cache).toBe(true)
  expect(read([], {}, { cache: true }).cache).toBe(true)
  expect(read(['--cache=off'], { TOKENSCOPE_CACHE: 'on' }, { cache: true }).cache).toBe(false)
})

test('limits are numbers a minute, or off', () => {
  const off = { requestsPerMinute: null, tokensPerMinute: null, waitMs: 5000 }
  expect(read([]).limits).toEqual(off)
  expect(read(['--requests-per-minute', '60', '--limit-wait', '0.5']).limits).toEqual({
    ...off,
    requestsPerMinute: 60,
    waitMs: 500,
  })
  const file = { 'tokens-per-minute': 100_000, 'requests-per-minute': 'off' }
  expect(read([], {}, file).limits).toEqual({ ...off, tokensPerMinute: 100_000 })
})

test('what is recorded, for how long, and how often it is backed up, are options like others', () => {
  const argv = ['--record', 'meta', '--retention', '2w', '--backup-every', '12h']
  const records = {
    record: 'meta',
    retention: { ageMs: 14 * 86_400_000, bytes: null },
    backupEveryMs: 12 * 3_600_000,
  }
  expect(read(argv)).toMatchObject(records)
  const env = { TOKENSCOPE_RECORD: 'off', TOKENSCOPE_RETENTION: '1GB', TOKENSCOPE_BACKUP_EVERY: 'off' }
  const none = { record: 'off', retention: { ageMs: null, bytes: 1e9 }, backupEveryMs: null }
  expect(read([], env)).toMatchObject(none)
  expect(read(argv, env)).toMatchObject(records)
  const file = { record: 'meta', retention: 'off', 'backup-every': '365d' }
  expect(read([], {}, file)).toMatchObject({
    record: 'meta',
    retention: { ageMs: null, bytes: null },
    backupEveryMs: 365 * 86_400_000,
  })
})

test('the places for viewers are a number like others', () => {
  expect(read(['--max-clients', '1']).maxClients).toBe(1)
  expect(read([], { TOKENSCOPE_MAX_CLIENTS: '20000' }).maxClients).toBe(20_000)
  expect(read([], {}, { 'max-clients': 5 }).maxClients).toBe(5)
  for (const bad of ['0', '-1', '1.5', 'off', '1e999']) {
    expect(() => read([`--max-clients=${bad}`])).toThrow(
      `--max-clients is "${bad}"; it must be a whole number from 1.`,
    )
  }
})

test('flag beats environment beats file', () => {
  const file = { port: 1, 'drain-seconds': 1, data: 'file' }
  const env = { TOKENSCOPE_PORT: '2', TOKENSCOPE_DRAIN_SECONDS: '2', OTHER: 'x' }
  expect(read(['--port', '3'], env, file)).toMatchObject({
    port: 3,
    drainSeconds: 2,
    data: 'file',
    portNamed: true,
  })
})

test('repeatable options come as flags, as words of a variable and as a list in the file', () => {
  const list = ['http://127.0.0.1:1', 'http://127.0.0.1:2']
  const urls = (config: Config) => config.upstreams.map(({ url }) => url)
  expect(urls(read(['--upstream', list[0] as string, `--upstream=${list[1]}`]))).toEqual(list)
  expect(urls(read([], { TOKENSCOPE_UPSTREAM: list.join(' ') }))).toEqual(list)
  const fromFile = read([], {}, { upstream: list })
  expect([urls(fromFile), fromFile.upstreamNamed]).toEqual([list, true])
  expect(read([], {}, { 'allow-host': 'scope.lan' }).allowHosts).toEqual(['scope.lan'])
})

test('an upstream has its options after commas, and its key in a variable', () => {
  const text = 'http://10.0.0.5:8000/v1,priority=2,max=32,kind=vllm,key-env=VLLM_KEY,resume=on'
  const spec = { priority: 2, max: 32, kind: 'vllm', key: 'sk-1', resume: true }
  const env = { VLLM_KEY: ' sk-1\n' }
  expect(read(['--upstream', text], env).upstreams).toEqual([{ url: 'http://10.0.0.5:8000/v1', ...spec }])
  expect(read([], env, { upstream: text }).upstreams).toEqual([{ url: 'http://10.0.0.5:8000/v1', ...spec }])
  expect(read(['--upstream', 'demo,priority=0']).upstreams).toMatchObject([
    { url: 'demo', priority: 0, kind: 'demo' },
  ])
})

test('sources are URLs, with user and password and query where they have them', () => {
  const list = ['http://me:p%40ss@10.0.0.5:9000/events?key=1', 'https://x/']
  expect(read(['--source', list[0] as string, `--source=${list[1]}`]).sources).toEqual(list)
  expect(read([], { TOKENSCOPE_SOURCE: list.join(' ') }).sources).toEqual(list)
  expect(read([], {}, { source: list }).sources).toEqual(list)
  // Elsewhere than where Tokenscope listens they may be on the same machine or on the same port.
  const others = ['http://127.0.0.1:8788/', 'http://10.0.0.5:8787/', 'https://localhost/']
  expect(read(['--port', '8787', ...others.flatMap(url => ['--source', url])]).sources).toEqual(others)
})

test('the password of a source is in no message, whatever is wrong with it', () => {
  const wrong: [argv: string[], file?: unknown][] = [
    [['--source', 'ftp://me:s3cret@x/']],
    [['--source', 'http://me:s3cret@127.0.0.1:8787/']],
    [['--source', 'http://me:s3/cr@et@:x/']],
    [['--source', 'http://me:s3cret@']],
    [['http://me:s3cret@x/']],
    [[], { source: ['http://me:s3cret@x/', 5] }],
  ]
  for (const [argv, file] of wrong) {
    let message = ''
    try {
      read(argv, {}, file)
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).not.toBe('')
    expect(message).not.toMatch(/me:|s3|cr@|et@/)
  }
})

test('a secret in the URL of an upstream is refused, and in no message', () => {
  for (const text of [
    'http://me:s3cret@x',
    'http://:s3cret@x',
    'http://x/v1?key=s3cret,max=2',
    'ftp://s3cret@x',
  ]) {
    for (const how of [() => read(['--upstream', text]), () => read([], {}, { upstream: text })]) {
      expect(how).toThrow(/^--upstream (http|ftp):.*x/)
      expect(how).not.toThrow(/s3cret/)
    }
  }
})

test('a key is in no message, whatever it is', () => {
  const secret = 'sk-öffentlich'
  expect(() => read(['--upstream', 'http://x,key-env=KEY'], { KEY: secret })).toThrow(
    /KEY holds what is no key/,
  )
  expect(() => read(['--upstream', 'http://x,key-env=KEY'], { KEY: secret })).not.toThrow(secret)
})

test('a byte order mark before the file is no fault', () => {
  expect(read([], {}, '\ufeff{"port": 5}').port).toBe(5)
})

test('a divider that pnpm hands on is no option', () => {
  expect(read(['--', '--port', '9']).port).toBe(9)
})

test.each<[string, string[], NodeJS.ProcessEnv, unknown, RegExp]>([
  ['unknown flag', ['--colour', 'red'], {}, undefined, /Unknown option --colour/],
  ['unknown short flag', ['-p', '1'], {}, undefined, /Unknown option -p/],
  ['unknown variable', [], { TOKENSCOPE_COLOUR: 'red' }, undefined, /TOKENSCOPE_COLOUR/],
  ['unknown key', [], {}, { colour: 'red' }, /Unknown key "colour" in tokenscope.config.json/],
  ['positional', ['start'], {}, undefined, /"start" is not an option/],
  ['missing value', ['--port'], {}, undefined, /--port needs a value: a whole number/],
  ['flag given twice', ['--port', '1', '--port', '2'], {}, undefined, /--port is given twice/],
  ['port out of range', ['--port', '65536'], {}, undefined, /--port is "65536"; it must be a whole number/],
  ['port of text', ['--port', 'x'], {}, undefined, /--port is "x"/],
  ['port from a variable', [], { TOKENSCOPE_PORT: '1.5' }, undefined, /TOKENSCOPE_PORT is "1.5"/],
  ['port of a wrong type', [], {}, { port: true }, /"port" in tokenscope.config.json is true/],
  ['negative drain', ['--drain-seconds=-1'], {}, undefined, /--drain-seconds is "-1"/],
  [
    'bad URL',
    ['--upstream', 'localhost:1234'],
    {},
    undefined,
    /--upstream localhost:1234: it must be an http/,
  ],
  ['bad scheme', ['--upstream', 'ftp://x'], {}, undefined, /--upstream ftp:\/\/x/],
  [
    'URL with a user',
    ['--upstream', 'http://me:secret@x'],
    {},
    undefined,
    /may have no user, query or fragment/,
  ],
  [
    'URL with a query',
    ['--upstream', 'http://x/?key=1'],
    {},
    undefined,
    /may have no user, query or fragment/,
  ],
  [
    'itself as upstream',
    ['--upstream', 'http://localhost:8787/v1'],
    {},
    undefined,
    /where Tokenscope itself/,
  ],
  ['the default upstream’s port', ['--port', '1234'], {}, undefined, /where Tokenscope itself would listen/],
  ['loopback address that is none', ['--host', '127.0.0.999'], {}, undefined, /--host 127.0.0.999/],
  ['wildcard host', ['--allow-host', '*'], {}, undefined, /--allow-host is \["\*"\]/],
  ['unknown option of an upstream', ['--upstream', 'http://x,weight=1'], {}, undefined, /no option "weight"/],
  ['option without a value', ['--upstream', 'http://x,max='], {}, undefined, /max needs a value/],
  ['comma without an option', ['--upstream', 'http://x,'], {}, undefined, /no option ""/],
  ['option given twice', ['--upstream', 'http://x,max=1,max=2'], {}, undefined, /max is given twice/],
  [
    'no places',
    ['--upstream', 'http://x,max=0'],
    {},
    undefined,
    /max is "0"; it must be a whole number from 1/,
  ],
  ['negative priority', ['--upstream', 'http://x,priority=-1'], {}, undefined, /priority is "-1"/],
  [
    'unknown kind',
    ['--upstream', 'http://x,kind=tgi'],
    {},
    undefined,
    /kind is "tgi"; it must be one of lmst/,
  ],
  ['key that is not set', ['--upstream', 'http://x,key-env=KEY'], {}, undefined, /variable KEY, named by/],
  ['key with no name', ['--upstream', 'http://x,key-env=sk-1'], {}, undefined, /no name of a variable/],
  [
    'half a resume',
    ['--upstream', 'http://x,resume=1'],
    {},
    undefined,
    /resume is "1"; it must be on or off/,
  ],
  [
    'demo with a key',
    ['--upstream', 'demo,key-env=K'],
    { K: 'k' },
    undefined,
    /embedded model has no key-env/,
  ],
  [
    'upstream given twice',
    ['--upstream', 'http://x', '--upstream', 'http://x/v1,priority=1'],
    {},
    undefined,
    /http:\/\/x\/v1 is given twice/,
  ],
  [
    'bad source',
    ['--source', '127.0.0.1:9000'],
    {},
    undefined,
    /--source 127.0.0.1:9000: it must be an http/,
  ],
  ['source of another protocol', ['--source', 'ws://x/'], {}, undefined, /--source ws:\/\/x\/: it must be/],
  ['itself as source', ['--source', 'http://localhost:8787/scope'], {}, undefined, /where Tokenscope itself/],
  [
    'itself as source, by port and address',
    ['--port', '80', '--host', '::1', '--source', 'http://[::1]/x'],
    {},
    undefined,
    /--source http:\/\/\[::1\]\/x is where Tokenscope itself would listen. Change it or --port/,
  ],
  ['bad origin', ['--allow-origin', 'https://x/path'], {}, undefined, /--allow-origin https:\/\/x\/path/],
  ['host name with a port', ['--allow-host', 'x:1'], {}, undefined, /--allow-host is \["x:1"\]/],
  ['host beyond loopback', ['--host', '0.0.0.0'], {}, undefined, /--host 0.0.0.0: beyond loopback/],
  ['unknown backend', ['--gpu', 'metal'], {}, undefined, /--gpu is "metal"; it must be auto, webgpu or cpu/],
  ['missing folder', ['--dump-wgsl'], {}, undefined, /--dump-wgsl needs a value: the path of a folder/],
  ['bad level', ['--log-level', 'loud'], {}, undefined, /--log-level is "loud"; it must be trace, debug/],
  [
    'a cache that is neither',
    ['--cache', 'maybe'],
    {},
    undefined,
    /--cache is "maybe"; it must be on or off/,
  ],
  ['a cache twice', ['--cache', '--cache'], {}, undefined, /--cache is given twice/],
  [
    'no requests',
    ['--requests-per-minute', '0'],
    {},
    undefined,
    /--requests-per-minute is "0"; it must be a whole/,
  ],
  [
    'half a token',
    [],
    {},
    { 'tokens-per-minute': 0.5 },
    /"tokens-per-minute" in tokenscope.config.json is 0.5/,
  ],
  [
    'no wait at all',
    ['--limit-wait', 'off'],
    {},
    undefined,
    /--limit-wait is "off"; it must be a number of sec/,
  ],
  [
    'a record that is neither',
    ['--record', 'some'],
    {},
    undefined,
    /--record is "some"; it must be off, meta or full/,
  ],
  [
    'a retention of no unit',
    ['--retention', '30'],
    {},
    undefined,
    /--retention 30: it must be an age \(m, h, d, w\) and/,
  ],
  ['a retention of a number', [], {}, { retention: 30 }, /"retention" in tokenscope.config.json is 30/],
  [
    'a backup too often',
    ['--backup-every', '30s'],
    {},
    undefined,
    /--backup-every 30s: it must be a number and m, h, d or w/,
  ],
  [
    'a backup oftener than each minute',
    ['--backup-every', '0.5m'],
    {},
    undefined,
    /0.5m: it must be from 1m to 365d/,
  ],
  [
    'a backup too seldom',
    [],
    { TOKENSCOPE_BACKUP_EVERY: '53w' },
    undefined,
    /53w: it must be from 1m to 365d/,
  ],
  ['file that is no JSON', [], {}, '{port', /tokenscope.config.json is not JSON/],
  ['file that is no object', [], {}, '[1]', /must hold one JSON object/],
])('%s stops the start with one line that names it', (_name, argv, env, file, message) => {
  let error: unknown
  try {
    read(argv, env, file)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(TokenscopeError)
  expect((error as TokenscopeError).code).toBe('CONFIG')
  expect((error as TokenscopeError).message).toMatch(message)
  expect((error as TokenscopeError).message).not.toContain('\n')
})

describe('the programs beside it', () => {
  const start = (config: object) => ({ kind: 'start', config })

  test('have a file, and the data folder where a start has it', () => {
    for (const readIt of [readBackupCommand, readRestoreCommand]) {
      expect(readIt(['a.db'], {}, folder)).toEqual(start({ file: 'a.db', data: '.tokenscope' }))
      expect(readIt(['--', 'a.db', '--data=d'], {}, folder)).toEqual(start({ file: 'a.db', data: 'd' }))
      expect(readIt(['--help'], {}, folder)).toEqual({ kind: 'help' })
    }
    writeFileSync(join(folder, CONFIG_FILE), '{"data": "file", "port": 9}')
    expect(readBackupCommand(['a.db'], {}, folder)).toEqual(start({ file: 'a.db', data: 'file' }))
    const env = { TOKENSCOPE_DATA: 'env', TOKENSCOPE_UPSTREAM: 'demo' }
    expect(readBackupCommand(['a.db'], env, folder)).toEqual(start({ file: 'a.db', data: 'env' }))
    expect(readBackupCommand(['--data', 'flag', 'a.db'], env, folder)).toEqual(
      start({ file: 'a.db', data: 'flag' }),
    )
  })

  test('a replay has a speed and a server as well', () => {
    const config = { file: 'a.jsonl', data: '.tokenscope', speed: 1, url: null }
    expect(readReplayCommand(['a.jsonl'], {}, folder)).toEqual(start(config))
    const more = ['--speed', 'unlimited', '--url', 'http://127.0.0.1:8788/']
    expect(readReplayCommand(['a.jsonl', ...more], {}, folder)).toEqual(
      start({ ...config, speed: null, url: 'http://127.0.0.1:8788' }),
    )
    expect(readReplayCommand(['a.jsonl', '--speed=0.25'], {}, folder)).toMatchObject({
      config: { speed: 0.25 },
    })
  })

  test.each<[argv: string[], message: string]>([
    [[], 'It is not said which file: pnpm replay FILE. See --help.'],
    [['a', 'b'], '"b" is one file too many. See --help.'],
    [['a', '--speed', '0.2'], '--speed is "0.2"; it must be a number from 0.25 to 1000, or unlimited.'],
    [['a', '--speed', '1001'], '--speed is "1001"'],
    [['a', '--speed', 'fast'], '--speed is "fast"'],
    [['a', '--url', 'localhost:8787'], '--url localhost:8787: it must be where Tokenscope is'],
    [['a', '--url', 'http://127.0.0.1/x'], '--url http://127.0.0.1/x: it must be'],
    [['a', '--port', '1'], 'Unknown option --port. See --help.'],
    [['a', '--version'], 'Unknown option --version. See --help.'],
    [['a', '--data', 'x', '--data', 'y'], '--data is given twice.'],
  ])('refuse %j', (argv, message) => {
    expect(() => readReplayCommand(argv, {}, folder)).toThrow(message)
  })

  test('do nothing but start, or fail with a named cause', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), argv => {
        try {
          readReplayCommand(argv, {}, folder)
        } catch (error) {
          expect(error).toBeInstanceOf(TokenscopeError)
        }
      }),
    )
  })
})

test('no command line does anything but start, or fail with a named cause', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), argv => {
      try {
        readCommand(argv, {}, folder)
      } catch (error) {
        expect(error).toBeInstanceOf(TokenscopeError)
      }
    }),
  )
})

test('the help names every option', () => {
  for (const { flag } of CONFIG_KEYS) expect(helpText()).toContain(`--${flag} `)
  const widest = Math.max(
    ...helpText()
      .split('\n')
      .map(line => line.length),
  )
  expect(widest).toBeLessThanOrEqual(100)
  expect(readCommand(['--help'], {}, folder).kind).toBe('help')
  expect(readCommand(['--version'], {}, folder).kind).toBe('version')
})
