import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { bytesOf, send } from '../support/app.ts'
import { CHAT, Demo } from '../support/demo.ts'
import { startScope } from '../support/scope.ts'
import { Spectator } from '../support/spectator.ts'

let demo: Demo
let scope: Tokenscope
let viewer: Spectator
beforeAll(async () => {
  demo = await new Demo().start()
  scope = await startScope({ upstreams: [`${demo.url},max=1`] })
  viewer = await Spectator.watch(scope.url)
})
afterAll(async () => {
  viewer.close()
  await scope.stop()
  await demo.stop()
})

function ask(headers: Record<string, string>) {
  return send(scope.url, { headers: { 'Content-Type': 'application/json', ...headers }, body: CHAT })
}

test('a request says how early it is served, and the upstream does not hear of it', async () => {
  demo.server.setFaults('silence=60s@1')
  const first = await ask({})
  await viewer.until(() => viewer.tokens.length === 1)
  demo.server.setFaults('tokens=1')
  const served: string[] = []
  const waiting: Promise<unknown>[] = []
  for (const [name, priority] of [
    ['late', '5'],
    ['early', '-5'],
    ['usual', '0'],
  ] as const) {
    const before = viewer.generations.length
    waiting.push(ask({ 'X-Tokenscope-Priority': priority, 'X-Name': name }).then(bytesOf))
    await viewer.until(() => viewer.generations.length > before)
  }
  demo.server.goOn()
  await bytesOf(first)
  await Promise.all(waiting)
  for (const { rawHeaders } of demo.seen) {
    const at = rawHeaders.indexOf('X-Name')
    if (at >= 0) served.push(rawHeaders[at + 1] as string)
    expect(rawHeaders.join().toLowerCase()).not.toContain('x-tokenscope-priority')
  }
  expect(served).toEqual(['early', 'usual', 'late'])
  demo.server.setFaults('')
})

test.each(['high', '1.5', '', '101', '12345'])('a priority that is none is refused: %j', async priority => {
  const answer = await ask({ 'X-Tokenscope-Priority': priority })
  expect(answer.statusCode).toBe(400)
  const { error } = JSON.parse((await bytesOf(answer)).toString())
  expect(error.message).toContain('x-tokenscope-priority')
})

test('whoever still waits for a place when Tokenscope stops is told so', async () => {
  const server = await startScope({ upstreams: [`${demo.url},max=1`] })
  const spectator = await Spectator.watch(server.url)
  const to = (directives: string) =>
    send(server.url, { headers: { 'Content-Type': 'application/json', 'X-Demo': directives }, body: CHAT })
  const first = await to('silence=60s@1')
  first.on('error', () => {}).resume()
  await spectator.until(() => spectator.tokens.length === 1)
  const second = to('')
  await spectator.until(() => spectator.generations.length === 2)
  spectator.close()
  await server.stop()
  const answer = await second
  expect(answer.statusCode).toBe(503)
  const { error } = JSON.parse((await bytesOf(answer)).toString())
  expect(error).toMatchObject({ code: 'draining', message: expect.stringContaining('stopping') })
})
