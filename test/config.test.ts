import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CONFIG_FILE, type Config, helpText, readCommand } from '../config.ts'
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

test('without anything the defaults of the contract hold', () => {
  expect(read([])).toEqual({
    upstreams: ['http://127.0.0.1:1234'],
    upstreamNamed: false,
    host: '127.0.0.1',
    port: 8787,
    portNamed: false,
    data: '.tokenscope',
    gpu: 'auto',
    drainSeconds: 10,
    allowOrigins: [],
    allowHosts: [],
    logLevel: 'info',
    dumpWgsl: null,
  })
})

test('what lays out and where shaders go are options like others', () => {
  expect(read(['--gpu', 'webgpu', '--dump-wgsl', 'wgsl'])).toMatchObject({ gpu: 'webgpu', dumpWgsl: 'wgsl' })
  expect(read([], { TOKENSCOPE_GPU: 'cpu', TOKENSCOPE_DUMP_WGSL: 'wgsl' })).toMatchObject({
    gpu: 'cpu',
    dumpWgsl: 'wgsl',
  })
  expect(read([], {}, { gpu: 'cpu', 'dump-wgsl': 'wgsl' })).toMatchObject({ gpu: 'cpu', dumpWgsl: 'wgsl' })
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
  expect(read(['--upstream', list[0] as string, `--upstream=${list[1]}`]).upstreams).toEqual(list)
  expect(read([], { TOKENSCOPE_UPSTREAM: list.join(' ') }).upstreams).toEqual(list)
  expect(read([], {}, { upstream: list })).toMatchObject({ upstreams: list, upstreamNamed: true })
  expect(read([], {}, { 'allow-host': 'scope.lan' }).allowHosts).toEqual(['scope.lan'])
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
  ['options of a later version', ['--upstream', 'http://x,priority=1'], {}, undefined, /after a comma/],
  ['bad origin', ['--allow-origin', 'https://x/path'], {}, undefined, /--allow-origin https:\/\/x\/path/],
  ['host name with a port', ['--allow-host', 'x:1'], {}, undefined, /--allow-host is \["x:1"\]/],
  ['host beyond loopback', ['--host', '0.0.0.0'], {}, undefined, /--host 0.0.0.0: beyond loopback/],
  ['unknown backend', ['--gpu', 'metal'], {}, undefined, /--gpu is "metal"; it must be auto, webgpu or cpu/],
  ['missing folder', ['--dump-wgsl'], {}, undefined, /--dump-wgsl needs a value: the path of a folder/],
  ['bad level', ['--log-level', 'loud'], {}, undefined, /--log-level is "loud"; it must be trace, debug/],
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
  expect(readCommand(['--help'], {}, folder).kind).toBe('help')
  expect(readCommand(['--version'], {}, folder).kind).toBe('version')
})
