import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CHAT, Demo, QUESTION } from '../support/demo.ts'
import { NODE_FLAGS, Program } from '../support/program.ts'
import { Spectator } from '../support/spectator.ts'

let folder: string
let data: string
let upstream: Demo
const programs: Program[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tokenscope-life-'))
  data = join(folder, 'data')
  upstream = await new Demo().start()
})
afterEach(async () => {
  for (const program of programs.splice(0)) await program.kill()
  await upstream.stop()
  rmSync(folder, { recursive: true, force: true })
})

function start(args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Program {
  const program = new Program(args, options)
  programs.push(program)
  return program
}

function ask(url: string, directives: string): Promise<Response> {
  const headers = { 'x-demo': directives }
  return fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(CHAT) })
}

function usual(...more: string[]): string[] {
  return ['--upstream', upstream.url, '--data', data, '--port', '0', ...more]
}

test('start, use, stop: the banner says where, SIGTERM ends with 0 and leaves nothing behind', async () => {
  const program = start(usual())
  const url = await program.url()
  expect(program.stdout).toContain(`${url}/v1`)
  expect(program.stdout).toContain(`answers at ${upstream.url}, 1 model`)
  expect(program.stdout).toContain(data)
  expect(program.stdout).not.toContain('\u001b')
  expect(statSync(data).mode & 0o777).toBe(0o700)
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  const viewer = await Spectator.watch(url)
  program.child.kill('SIGTERM')
  expect((await viewer.closed).code).toBe(1001)
  expect(viewer.messages.at(-1)).toMatchObject({ type: 'drain', retry_in_ms: expect.any(Number) })
  expect(await program.exited).toBe(0)
  expect(program.stderr).toBe('')
  expect(readdirSync(data).sort()).toEqual(['compile-cache', 'lock.db', 'records.db'])
  await expect(fetch(`${url}/healthz`)).rejects.toThrow()
})

test('whoever reads the output may go: the program serves on and stops in order', async () => {
  const program = start(usual('--log-level', 'trace'))
  const url = await program.url()
  program.child.stdout?.destroy()
  program.child.stderr?.destroy()
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  expect((await fetch(`${url}/scope/v1/nowhere`)).status).toBe(404)
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  program.child.kill('SIGTERM')
  expect(await program.exited).toBe(0)
})

test('a stop waits for what is running, and takes nothing new meanwhile', async () => {
  const program = start(usual('--drain-seconds', '60'))
  const url = await program.url()
  const viewer = await Spectator.watch(url)
  const directives = 'silence=forever@1,say=begun%20and%20done'
  const answer = await ask(url, directives)
  await viewer.until(() => viewer.tokens.length === 1)
  program.child.kill('SIGINT')
  let refused = await ask(url, directives)
  // A request that is let in before the signal has arrived is one more to wait for.
  while (refused.status === 200) refused = await ask(url, directives)
  expect([refused.status, (await refused.json()).error.code]).toEqual([503, 'draining'])
  expect((await fetch(`${url}/readyz`)).status).toBe(503)
  upstream.server.goOn()
  expect(await answer.text()).toMatch(/ done.*\[DONE\]\n\n$/s)
  const last = await viewer.end()
  expect(last).toMatchObject({ state: 'done' })
  expect(viewer.textOf(last.generation)).toBe('begun and done')
  expect((await viewer.closed).code).toBe(1001)
  expect(await program.exited).toBe(0)
})

test('a stop waits for streams of other paths as well', async () => {
  const program = start(usual('--drain-seconds', '60'))
  const url = await program.url()
  const headers = { 'x-demo': 'silence=forever@1,say=begun%20and%20done' }
  const body = JSON.stringify({ model: CHAT.model, max_tokens: 50, messages: QUESTION, stream: true })
  const answer = await fetch(`${url}/v1/messages`, { method: 'POST', headers, body })
  program.child.kill('SIGTERM')
  while ((await fetch(`${url}/readyz`)).status === 200) {}
  upstream.server.goOn()
  expect(await answer.text()).toMatch(/ done.*event: message_stop\n/s)
  expect(await program.exited).toBe(0)
})

test('what does not end within the drain is cancelled; a second signal exits at once', async () => {
  for (const [seconds, signals] of [
    ['0', 1],
    ['600', 2],
  ] as const) {
    const program = start(usual('--drain-seconds', seconds))
    const url = await program.url()
    const viewer = await Spectator.watch(url)
    const answer = await ask(url, 'silence=forever@1')
    const broken = expect(answer.text()).rejects.toThrow()
    await viewer.until(() => viewer.tokens.length === 1)
    program.child.kill('SIGTERM')
    if (signals === 2) {
      while ((await fetch(`${url}/readyz`)).status === 200) {}
      program.child.kill('SIGTERM')
    } else expect(await viewer.end()).toMatchObject({ state: 'cancelled', ending: 'shutdown' })
    await broken
    expect(await program.exited).toBe(signals === 2 ? 143 : 0)
    viewer.close()
  }
})

test('an unnamed port that is taken falls back to the next free one; a named one is an error', async () => {
  const blocker = createServer()
  blocker.listen(8787, '127.0.0.1')
  // Somebody else on this machine may have it already, which serves as well.
  await Promise.race([once(blocker, 'listening'), once(blocker, 'error')])
  const program = start(['--upstream', upstream.url, '--data', data])
  const port = Number(new URL(await program.url()).port)
  expect(port).toBeGreaterThan(8787)
  expect(port).toBeLessThanOrEqual(8887)
  blocker.close()

  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const number = (taken.address() as AddressInfo).port
  const refused = start([
    '--upstream',
    upstream.url,
    '--data',
    join(folder, 'other'),
    '--port',
    String(number),
  ])
  expect(await refused.exited).toBe(1)
  expect(refused.stderr).toMatch(new RegExp(`^tokenscope: Port ${number} on 127.0.0.1 is taken.*\\n$`))
  taken.close()
})

test('a data folder in use is named with who uses it, and is free again after kill -9', async () => {
  const first = start(usual())
  const url = await first.url()
  const second = start(usual())
  expect(await second.exited).toBe(1)
  expect(second.stderr).toBe(
    `tokenscope: The data folder ${data} is in use by another Tokenscope (process ${first.child.pid}, ${url}). Stop it, or use --data for another folder.\n`,
  )
  await first.kill()
  expect(await start(usual()).url()).toMatch(/^http:/)
})

test('a data folder that cannot be used is named', async () => {
  const file = join(folder, 'file')
  writeFileSync(file, '')
  // The second is a place where not even root may create a folder.
  for (const path of [file, '/proc/tokenscope']) {
    const program = start(['--upstream', upstream.url, '--port', '0', '--data', path])
    expect(await program.exited).toBe(1)
    expect(program.stderr).toMatch(new RegExp(`^tokenscope: The data folder ${path} cannot be used: .*\\n$`))
  }
})

test.each([
  [['--colour', 'red'], /^tokenscope: Unknown option --colour\. See --help\.\n$/],
  [
    ['--upstream', 'nonsense'],
    /^tokenscope: --upstream nonsense: it must be an http\(s\) URL or "demo".*\n$/,
  ],
])('%j stops the start with one line', async (args, line) => {
  const program = start(args, { cwd: folder })
  expect(await program.exited).toBe(1)
  expect(program.stdout).toBe('')
  expect(program.stderr).toMatch(line)
  expect(existsSync(join(folder, '.tokenscope'))).toBe(false)
})

test('--help and --version answer and start nothing', async () => {
  const help = start(['--help'])
  expect([await help.exited, help.stdout.split('\n')[0]]).toEqual([
    0,
    'Tokenscope, an oscilloscope for language models.',
  ])
  const version = start(['--version'])
  expect([await version.exited, version.stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)])
})

test('programs are started with what Node has compiled before', async () => {
  const { scripts } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'))
  for (const program of ['start', 'demo', 'backup', 'restore', 'replay', 'shm']) {
    const file = program === 'start' ? 'main.ts' : `${program}.ts`
    expect(scripts[program]).toBe(`node --import ./config/compile-cache.mjs ${file}`)
  }
  const where = 'require("node:module").getCompileCacheDir()'
  const thread = `new (require("node:worker_threads").Worker)('console.log(${where})', { eval: true })`
  const asked = [...NODE_FLAGS, '-e', `console.log(${where}); ${thread}`]
  // As from a shell, where nothing says where else it is to be kept.
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, asked, { env })
  const [own, ofThread] = stdout.split('\n')
  expect(own).toContain(join('node_modules', '.cache', 'tokenscope'))
  expect(ofThread).toBe(own)
})
