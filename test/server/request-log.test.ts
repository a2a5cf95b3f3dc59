import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Demo, QUESTION } from '../support/demo.ts'
import { Program } from '../support/program.ts'

let folder: string
let server: Demo
let program: Program
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tokenscope-log-'))
  server = await new Demo().start()
  const args = ['--port', '0', '--data', join(folder, 'data'), '--gpu', 'cpu', '--log-level', 'debug']
  program = new Program([...args, '--upstream', `${server.url},key-env=OWN_KEY`], {
    cwd: folder,
    env: { OWN_KEY: 'sk-s3cret-own' },
  })
})
afterEach(async () => {
  await program.kill()
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

interface Line {
  path?: string
  status?: number
  upstream?: string
  msg: string
}

/** The lines about requests that were passed through, once there are so many. */
async function requestLines(count: number): Promise<Line[]> {
  for (;;) {
    const lines = program.stderr
      .split('\n')
      .slice(0, -1)
      .map((line): Line => JSON.parse(line))
      .filter(({ msg }) => msg.startsWith('passed through'))
    if (lines.length >= count) return lines
    await new Promise(resolve => program.child.stderr?.once('data', resolve))
  }
}

test('a request’s line has its status, 499 where its client went before there was one, and no credential', async () => {
  const url = `${await program.url()}/v1/chat/completions?key=s3cret-query`
  const ask = (demo: string, signal?: AbortSignal) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer s3cret-app', 'x-demo': demo },
      body: JSON.stringify({ model: 'tokenscope-demo', messages: QUESTION }),
      ...(signal === undefined ? {} : { signal }),
    })
  expect((await ask('say=hello')).status).toBe(200)
  const abort = new AbortController()
  const left = expect(ask('slow-headers=60s', abort.signal)).rejects.toThrow()
  while (server.seen.length < 2) await new Promise(resolve => setImmediate(resolve))
  abort.abort()
  await left
  const path = '/v1/chat/completions'
  const upstream = new URL(server.url).host
  expect(await requestLines(2)).toMatchObject([
    { path, status: 200, upstream, msg: 'passed through: complete' },
    { path, status: 499, upstream, msg: 'passed through: cancelled' },
  ])
  expect(program.stderr + program.stdout).not.toContain('s3cret')
})
