import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { checkImportRule } from './import-rule.ts'

const ROOT = join(import.meta.dirname, '../..')
const PROGRAM = join(import.meta.dirname, 'import-rule.ts')

const ROOM = (room: string) => `${room}/ imports values only from itself, events/, packages and Node`
const WEB =
  'web/ imports values only from itself, events/, broadcast/protocol, broadcast/client, compositor/draw/, shaders/ and packages'
const EVENTS = 'events/ imports nothing but itself, types included'
const TOOLING = 'nothing but bench/ and test/ imports from bench/ or test/'
const CONFIG = 'config.ts imports values only from config/, events/, packages and Node'
const TOP_LEVEL = 'a top-level file other than a program and config.ts imports packages only'
const ENVIRONMENT = 'only config.ts and config/ read flags and the environment'
const INSIDE = 'an import stays inside the repository'
const LITERAL = 'an import names its module in a literal, so that it can be checked'
const NAMED = 'an import is relative, or names a package or a module of Node'
const BROWSER = (part: string) =>
  `${part} runs in browsers too: it imports values only from events/, broadcast/protocol and itself`
const MISSING = (path: string) => `there is no file ${path}; an import is written with its extension`

/** What every planted tree holds: something to import in each room, all of it within the rule. */
const SOUND: Record<string, string> = {
  'events/errors.ts': 'export class Fault extends Error {}\n',
  'events/table.ts': "import { Fault } from './errors.ts'\nexport const fault = new Fault()\n",
  'bridge/reader.ts':
    "import { readFile } from 'node:fs/promises'\nimport { request } from 'undici'\nimport { Fault } from '../events/errors.ts'\nexport const read = [readFile, request, Fault]\nexport interface Reader {}\n",
  'broadcast/protocol.ts': "import { Fault } from '../events/errors.ts'\nexport const P = Fault\n",
  'broadcast/client.ts': "import { P } from './protocol.ts'\nexport const C = P\n",
  'broadcast/hub.ts': "import { P } from './protocol.ts'\nexport const H = P\nexport interface Hub {}\n",
  'compositor/draw/points.ts':
    "import { P } from '../../broadcast/protocol.ts'\nimport { hue } from './hue.ts'\nimport { eastAsianWidth } from 'get-east-asian-width'\nexport const D = [P, hue, eastAsianWidth]\n",
  'compositor/draw/hue.ts': 'export const hue = 1\n',
  'compositor/engine.ts':
    "import { P } from '../broadcast/protocol.ts'\nimport { V } from '../broadcast/protocol/view.ts'\nexport const E = [P, V]\n",
  'broadcast/protocol/view.ts': 'export const V = 1\n',
  'shaders/splat.ts': 'export const S = 1\n',
  'server/http.ts':
    "import type { Reader } from '../bridge/reader.ts'\nimport { type Hub } from '../broadcast/hub.ts'\nexport type { Reader as R } from '../bridge/reader.ts'\nexport type * from '../broadcast/hub.ts'\nexport { type Hub as H } from '../broadcast/hub.ts'\nexport type Late = import('../bridge/reader.ts').Reader\nexport const http = (r: Reader, h: Hub) => [r, h]\n",
  'web/page.tsx':
    "import { C } from '../broadcast/client.ts'\nimport { P } from '../broadcast/protocol.ts'\nimport { D } from '../compositor/draw/points.ts'\nimport { Fault } from '../events/errors.ts'\nimport { S } from '../shaders/splat.ts'\nimport './page.css?inline'\nexport const page = <p>{[C, P, D, Fault, S, import.meta.env]}</p>\n",
  'web/page.css': '',
  'bench/load.ts': "import { read } from '../bridge/reader.ts'\nexport const b = [read, process.argv]\n",
  'test/help.ts': "import { b } from '../bench/load.ts'\nexport const t = [b, process.env.HOME]\n",
  'config.ts':
    "import { parseArgs } from 'node:util'\nimport { flags } from './config/flags.ts'\nimport { Fault } from './events/errors.ts'\nexport const config = [parseArgs, flags, Fault, process.env, process.argv]\n",
  'config/flags.ts':
    "import { parseArgs } from 'node:util'\nimport { fault } from '../events/table.ts'\nexport const flags = [parseArgs, fault, process.env, process.argv]\n",
  'main.ts':
    "import { read } from './bridge/reader.ts'\nimport { config } from './config.ts'\nimport { http } from './server/http.ts'\nif (import.meta.main) void [read, config, http, import('./compositor/engine.ts')]\n",
  'demo.ts':
    "import { read } from './bridge/reader.ts'\nimport { config } from './config.ts'\nvoid [read, config]\n",
  'vitest.config.ts':
    "import { defineConfig } from 'vitest/config'\nimport { t } from './test/help.ts'\nexport default defineConfig({ test: t })\n",
  'node_modules/left/out.ts': "import '../../bridge/nothing.ts'\n",
  'web/dist/left-out.ts': "import '../../bridge/nothing.ts'\n",
  '.hidden/left-out.ts': "import '../bridge/nothing.ts'\n",
}

/** What is planted, and what must be found: file, line, import and rule. */
const PLANTED: [title: string, file: string, source: string, line: number, name: string, rule: string][] = [
  [
    'a room that imports another',
    'health/probe.ts',
    "\nimport { read } from '../bridge/reader.ts'\nvoid read\n",
    2,
    '../bridge/reader.ts',
    ROOM('health'),
  ],
  [
    'a room that imports one value among types',
    'health/probe.ts',
    "import { type Reader, read } from '../bridge/reader.ts'\n",
    1,
    '../bridge/reader.ts',
    ROOM('health'),
  ],
  [
    'a room that re-exports another',
    'store/all.ts',
    "export { read } from '../bridge/reader.ts'\n",
    1,
    '../bridge/reader.ts',
    ROOM('store'),
  ],
  [
    'a room that re-exports all of another',
    'store/all.ts',
    "export * from '../bridge/reader.ts'\n",
    1,
    '../bridge/reader.ts',
    ROOM('store'),
  ],
  [
    'a room that runs another for its effects',
    'store/all.ts',
    "import '../bridge/reader.ts'\n",
    1,
    '../bridge/reader.ts',
    ROOM('store'),
  ],
  [
    'a room that imports another while it runs',
    'store/all.ts',
    "/* é 🎉\n*/ const late = () =>\n  import('../bridge/reader.ts')\n",
    3,
    '../bridge/reader.ts',
    ROOM('store'),
  ],
  [
    'a room that imports the options',
    'store/all.ts',
    "import { config } from '../config.ts'\n",
    1,
    '../config.ts',
    ROOM('store'),
  ],
  [
    'a room that imports a computed name',
    'store/all.ts',
    'export const load = (name: string) => import(name)\n',
    1,
    'a computed name',
    LITERAL,
  ],
  [
    'the page importing the hub',
    'web/app.tsx',
    "import { H } from '../broadcast/hub.ts'\n",
    1,
    '../broadcast/hub.ts',
    WEB,
  ],
  [
    'the page importing the engine',
    'web/app.tsx',
    "import { E } from '../compositor/engine.ts'\n",
    1,
    '../compositor/engine.ts',
    WEB,
  ],
  [
    'events importing a type of a room',
    'events/late.ts',
    "import type { Reader } from '../bridge/reader.ts'\n",
    1,
    '../bridge/reader.ts',
    EVENTS,
  ],
  [
    'events importing a package',
    'events/late.ts',
    "import type { Static } from 'typebox'\n",
    1,
    'typebox',
    EVENTS,
  ],
  [
    'events importing from Node',
    'events/late.ts',
    "import { join } from 'node:path'\n",
    1,
    'node:path',
    EVENTS,
  ],
  [
    'events naming a type of a package',
    'events/late.ts',
    "export type S = import('ws').WebSocket\n",
    1,
    'ws',
    EVENTS,
  ],
  [
    'the protocol importing a package',
    'broadcast/protocol.ts',
    "import { ulid } from 'ulid'\nexport const P = ulid\n",
    1,
    'ulid',
    BROWSER('broadcast/protocol'),
  ],
  [
    'the client importing from Node',
    'broadcast/client.ts',
    "import { Buffer } from 'buffer'\nexport const C = Buffer\n",
    1,
    'buffer',
    BROWSER('broadcast/client'),
  ],
  [
    'the client importing its own room',
    'broadcast/client.ts',
    "import { H } from './hub.ts'\nexport const C = H\n",
    1,
    './hub.ts',
    BROWSER('broadcast/client'),
  ],
  [
    'the compositor importing the client',
    'compositor/feed.ts',
    "import { C } from '../broadcast/client.ts'\nexport const F = C\n",
    1,
    '../broadcast/client.ts',
    ROOM('compositor'),
  ],
  [
    'the compositor importing the hub',
    'compositor/feed.ts',
    "import { H } from '../broadcast/hub.ts'\nexport const F = H\n",
    1,
    '../broadcast/hub.ts',
    ROOM('compositor'),
  ],
  [
    'draw code importing the engine',
    'compositor/draw/hue.ts',
    "export { E as hue } from '../engine.ts'\n",
    1,
    '../engine.ts',
    BROWSER('compositor/draw'),
  ],
  [
    'draw code importing another package',
    'compositor/draw/hue.ts',
    "import { ulid } from 'ulid'\nexport const hue = ulid\n",
    1,
    'ulid',
    BROWSER('compositor/draw'),
  ],
  [
    'the options importing a room',
    'config.ts',
    "import { read } from './bridge/reader.ts'\nexport const config = read\n",
    1,
    './bridge/reader.ts',
    CONFIG,
  ],
  [
    'the folder of the options importing a room',
    'config/flags.ts',
    "import { read } from '../bridge/reader.ts'\nexport const flags = read\n",
    1,
    '../bridge/reader.ts',
    ROOM('config'),
  ],
  [
    'a room that imports from the folder of the options',
    'store/all.ts',
    "import { flags } from '../config/flags.ts'\n",
    1,
    '../config/flags.ts',
    ROOM('store'),
  ],
  [
    'another top-level file importing a room',
    'other.ts',
    "import { read } from './bridge/reader.ts'\n",
    1,
    './bridge/reader.ts',
    TOP_LEVEL,
  ],
  [
    'another top-level file importing from Node',
    'other.ts',
    "import { join } from 'node:path'\n",
    1,
    'node:path',
    TOP_LEVEL,
  ],
  [
    'main importing from bench',
    'main.ts',
    "import { b } from './bench/load.ts'\n",
    1,
    './bench/load.ts',
    TOOLING,
  ],
  [
    'a room importing a type from test',
    'server/late.ts',
    "import type { t } from '../test/help.ts'\n",
    1,
    '../test/help.ts',
    TOOLING,
  ],
  [
    'a room reading the environment',
    'server/late.ts',
    "// process.env\nexport const s = 'process.env'\nexport const e = process.env.HOME\n",
    3,
    'process.env',
    ENVIRONMENT,
  ],
  [
    'a room reading the arguments by name',
    'server/late.ts',
    "export const a = globalThis.process['argv']\n",
    1,
    'process.argv',
    ENVIRONMENT,
  ],
  [
    'a room unpacking the environment',
    'server/late.ts',
    'export const { env } = process\n',
    1,
    'process.env',
    ENVIRONMENT,
  ],
  [
    'a room importing the environment',
    'server/late.ts',
    "import { env } from 'node:process'\n",
    1,
    'node:process',
    ENVIRONMENT,
  ],
  [
    'main reading the arguments',
    'main.ts',
    'export const a = process.argv[2]\n',
    1,
    'process.argv',
    ENVIRONMENT,
  ],
  [
    'the page reading the environment',
    'web/app.tsx',
    'export const a = process.env\n',
    1,
    'process.env',
    ENVIRONMENT,
  ],
  [
    'a room parsing flags',
    'server/late.ts',
    "import { parseArgs } from 'node:util'\n",
    1,
    'node:util',
    ENVIRONMENT,
  ],
  [
    'a room parsing flags with a package',
    'server/late.ts',
    "import minimist from 'minimist'\n",
    1,
    'minimist',
    ENVIRONMENT,
  ],
  [
    'an import that leaves the repository',
    'test/late.ts',
    "import '../../elsewhere.ts'\n",
    1,
    '../../elsewhere.ts',
    INSIDE,
  ],
  [
    'an import of a file that is not there',
    'bench/late.ts',
    "import './gone.ts'\n",
    1,
    './gone.ts',
    MISSING('bench/gone.ts'),
  ],
  [
    'an import without its extension',
    'server/late.ts',
    "import type { Hub } from '../broadcast/hub'\n",
    1,
    '../broadcast/hub',
    MISSING('broadcast/hub'),
  ],
  ['an import by an absolute path', 'server/late.ts', "import '/etc/x.ts'\n", 1, '/etc/x.ts', NAMED],
]

const trees: string[] = []

afterEach(async () => {
  for (const tree of trees.splice(0)) await rm(tree, { recursive: true })
})

async function plant(files: Record<string, string>): Promise<string> {
  const tree = await mkdtemp(join(tmpdir(), 'import-rule-'))
  trees.push(tree)
  for (const [file, source] of Object.entries(files)) {
    await mkdir(dirname(join(tree, file)), { recursive: true })
    await writeFile(join(tree, file), source)
  }
  return tree
}

describe('the import rule', () => {
  it('holds in this repository', async () => {
    expect(await checkImportRule(ROOT)).toEqual([])
  })

  it('lets pass what is allowed, types across rooms above all', async () => {
    expect(await checkImportRule(await plant(SOUND))).toEqual([])
  })

  it.each(PLANTED)('finds %s', async (_title, file, source, line, name, rule) => {
    const tree = await plant({ ...SOUND, [file]: source })
    expect(await checkImportRule(tree)).toEqual([{ file, line, import: name, rule }])
  })

  it('finds a file that does not parse', async () => {
    const tree = await plant({ ...SOUND, 'server/late.ts': 'export const a = 1\nimport { from\n' })
    const found = await checkImportRule(tree)
    expect(found).not.toEqual([])
    for (const { file, rule } of found) {
      expect(file).toBe('server/late.ts')
      expect(rule).toMatch(/^the file does not parse: ./)
    }
  })

  it('finds every violation of a file, in the order of its lines', async () => {
    const source = "import '../bridge/reader.ts'\nvoid process.env\nimport '../store/gone.ts'\n"
    const found = await checkImportRule(await plant({ ...SOUND, 'server/late.ts': source }))
    expect(found.map(({ line }) => line)).toEqual([1, 2, 3])
  })
})

describe('the program', () => {
  const run = (tree: string) => promisify(execFile)(process.execPath, [PROGRAM, tree])

  it('prints a line for each violation and exits 1', async () => {
    const source = "import { H } from '../broadcast/hub.ts'\nexport const e = [H, process.env]\n"
    const failure = run(await plant({ ...SOUND, 'server/late.ts': source }))
    await expect(failure).rejects.toMatchObject({
      code: 1,
      stderr: '',
      stdout:
        `server/late.ts:1 imports ../broadcast/hub.ts: ${ROOM('server')}\n` +
        `server/late.ts:2 reads process.env: ${ENVIRONMENT}\n`,
    })
  })

  it('prints one line and exits 0 when all is well', async () => {
    const { stdout, stderr } = await run(
      await plant({ 'server/a.ts': SOUND['server/http.ts'] ?? '', ...SOUND }),
    )
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^import rule: 21 files, \d+ imports, no violation\n$/)
  })
})
