import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Program } from '../support/program.ts'
import { chunk, ScriptedUpstream } from '../support/scripted-upstream.ts'
import { Spectator } from '../support/spectator.ts'

let folder: string
let data: string
let upstream: ScriptedUpstream
const programs: Program[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tokenscope-life-'))
  data = join(folder, 'data')
  upstream = await new ScriptedUpstream().start()
})
afterEach(async () => {
  for (const program of programs.splice(0)) await program.kill()
  await upstream.kill()
  rmSync(folder, { recursive: true, force: true })
})

function start(args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Program {
  const program = new Program(args, options)
  programs.push(program)
  return program
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
  expect(readdirSync(data)).toEqual(['lock.db'])
  await expect(fetch(`${url}/healthz`)).rejects.toThrow()
})

test('a stop waits for what is running, and takes nothing new meanwhile', async () => {
  // A request that is let in before the signal has arrived is one more to wait for.
  const running: ServerResponse[] = []
  upstream.script = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(chunk({ content: 'begun' }))
    running.push(response)
  }
  const program = start(usual('--drain-seconds', '60'))
  const url = await program.url()
  const viewer = await Spectator.watch(url)
  const ask = () =>
    fetch(`${url}/v1/chat/completions`, { method: 'POST', body: '{"stream":true,"messages":[]}' })
  const answer = await ask()
  await viewer.until(() => viewer.tokens.length === 1)
  program.child.kill('SIGINT')
  let refused = await ask()
  while (refused.status === 200) refused = await ask()
  expect([refused.status, (await refused.json()).error.code]).toEqual([503, 'draining'])
  expect((await fetch(`${url}/readyz`)).status).toBe(503)
  for (const response of running) response.end(chunk({ content: ' and done' }, { finish_reason: 'stop' }))
  expect(await answer.text()).toContain(' and done')
  expect(await viewer.end()).toMatchObject({ state: 'done' })
  expect((await viewer.closed).code).toBe(1001)
  expect(await program.exited).toBe(0)
})

test('a stop waits for streams of other paths as well', async () => {
  let finish = () => {}
  upstream.script = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: begun\n\n')
    finish = () => response.end('data: done\n\n')
  }
  const program = start(usual('--drain-seconds', '60'))
  const url = await program.url()
  const answer = await fetch(`${url}/v1/messages`, { method: 'POST', body: '{}' })
  program.child.kill('SIGTERM')
  while ((await fetch(`${url}/readyz`)).status === 200) {}
  finish()
  expect(await answer.text()).toBe('data: begun\n\ndata: done\n\n')
  expect(await program.exited).toBe(0)
})

test('what does not end within the drain is cancelled; a second signal exits at once', async () => {
  upstream.script = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(chunk({ content: 'never ends' }))
  }
  for (const [seconds, signals] of [
    ['0', 1],
    ['600', 2],
  ] as const) {
    const program = start(usual('--drain-seconds', seconds))
    const url = await program.url()
    const viewer = await Spectator.watch(url)
    const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: '{"stream":true}' })
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
