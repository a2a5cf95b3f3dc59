import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Correlation } from '../../server/correlation.ts'
import { Demo, QUESTION } from '../support/demo.ts'
import { Program } from '../support/program.ts'

let folder: string
let upstream: Demo
let program: Program
let url: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tokenscope-log-'))
  upstream = await new Demo().start()
  const args = ['--port', '0', '--data', join(folder, 'data'), '--gpu', 'cpu', '--log-level', 'debug']
  program = new Program([...args, '--upstream', upstream.url], { cwd: folder })
  url = await program.url()
})
afterAll(async () => {
  await program.kill()
  await upstream.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** The lines that have an id, as they are written, once one of them is like that. */
async function linesOf(id: string, like: RegExp): Promise<string[]> {
  for (;;) {
    const lines = program.stderr.split('\n').slice(0, -1)
    const own = lines.filter(line => line.includes(id))
    if (own.some(line => like.test(line))) return own
    await new Promise(resolve => program.child.stderr?.once('data', resolve))
  }
}

/** How often a line names its request. */
function namesIn(line: string): number {
  return line.split('"correlation_id"').length - 1
}

describe('every line of the log about a request has its id, once', () => {
  test('where it was passed through', async () => {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-correlation-id': 'passed-1' },
      body: JSON.stringify({ model: 'tokenscope-demo', messages: QUESTION, stream: true }),
    })
    await answer.text()
    const lines = await linesOf('passed-1', /passed through: complete/)
    expect(lines.map(namesIn)).toEqual(lines.map(() => 1))
  })

  test('where it was refused at the door', async () => {
    const headers = { origin: 'https://evil.example', 'x-correlation-id': 'refused-1' }
    expect((await fetch(`${url}/scope/v1/clients`, { headers })).status).toBe(403)
    const lines = await linesOf('refused-1', /may not call/)
    expect(lines.map(namesIn)).toEqual(lines.map(() => 1))
  })

  test('where a WebSocket was refused', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write(
      'GET /scope/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.example\r\nX-Correlation-ID: socket-1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    )
    await new Promise(resolve => socket.once('data', resolve))
    socket.destroy()
    const lines = await linesOf('socket-1', /may not call/)
    expect(lines.map(namesIn)).toEqual(lines.map(() => 1))
  })

  test('where a room says something meanwhile, and nothing that it says later', async () => {
    await upstream.stop()
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-correlation-id': 'room-1' },
      body: JSON.stringify({ model: 'tokenscope-demo', messages: QUESTION }),
    })
    expect(answer.status).toBe(502)
    const lines = await linesOf('room-1', /passed through: unreached/)
    expect(lines.some(line => / is not answering/.test(line))).toBe(true)
    expect(lines.map(namesIn)).toEqual(lines.map(() => 1))
    await upstream.start()
    const later = await linesOf('msg', / answers at /)
    expect(later.filter(line => / answers at /.test(line)).map(namesIn)).toEqual([0])
  })
})

test('what a request has begun and what outlives it is not spoken of under its id', async () => {
  const correlation = new Correlation()
  const answer = { closed: false }
  const seen: (string | undefined)[] = [correlation.id]
  await correlation.run('a', answer, async () => {
    seen.push(correlation.id)
    await Promise.all([
      correlation.run('b', { closed: false }, async () => {
        await null
        seen.push(correlation.id)
      }),
      new Promise(resolve => setImmediate(resolve)),
    ])
    seen.push(correlation.id)
    answer.closed = true
    await null
    seen.push(correlation.id)
  })
  expect(seen).toEqual([undefined, 'a', 'b', 'a', undefined])
})
