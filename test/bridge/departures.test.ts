import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { bytesOf, send, sendAndGo, textOf } from '../support/app.ts'
import { CHAT } from '../support/demo.ts'
import { startScope } from '../support/scope.ts'
import { Spectator } from '../support/spectator.ts'
import { useStage } from '../support/stage.ts'

const turn = () => new Promise(resolve => setImmediate(resolve))

describe('cancelling', () => {
  const stage = useStage()

  /** An app that streams an answer, and goes when it is told to. */
  const post = (directives: string) => sendAndGo(stage.url, { headers: { 'x-demo': directives }, body: CHAT })
  const answering = async (count: number) => {
    while (stage.demo.server.active !== count) await turn()
  }

  test.each(['slow-headers=forever', 'slow-load=forever', 'slow-prefill=forever'])(
    'an app that goes before the answer began cancels upstream: %s',
    async directive => {
      const app = post(directive)
      await stage.viewer.until(() => stage.viewer.states.some(({ state }) => state === 'queued'))
      await answering(1)
      app.go()
      await answering(0)
      expect(await stage.viewer.end()).toMatchObject({ state: 'cancelled', ending: 'client_gone' })
    },
  )

  test('an app that goes in mid-stream cancels upstream', async () => {
    const { viewer } = stage
    const app = post('silence=forever@1')
    await viewer.until(() => viewer.tokens.length === 1)
    await answering(1)
    app.go()
    await answering(0)
    expect(await viewer.end()).toMatchObject({ state: 'cancelled', ending: 'client_gone' })
    expect(viewer.states.map(({ state }) => state)).toContain('cancelling')
  })

  test('an app that goes while tokens come as fast as they can cancels upstream', async () => {
    const { viewer } = stage
    const app = post('tokens=1000000')
    await viewer.until(() => viewer.tokens.length > 100)
    app.go()
    await answering(0)
    expect(await viewer.end()).toMatchObject({ state: 'cancelled', ending: 'client_gone' })
  })

  test.each(['DELETE', 'stop message'])('a viewer stops an app by %s: its connection breaks', async way => {
    const { viewer } = stage
    const answer = stage.ask('silence=forever@1').then(bytesOf)
    const broken = expect(answer).rejects.toThrow(/aborted|ECONNRESET/)
    await viewer.until(() => viewer.tokens.length === 1)
    const [generation] = viewer.generations
    if (way === 'DELETE') {
      const path = `/scope/v1/generations/${generation}`
      const response = await send(stage.url, { method: 'DELETE', path, headers: {} })
      expect(response.statusCode).toBe(200)
      response.resume()
    } else viewer.send({ type: 'stop', generation })
    await Promise.all([broken, answering(0)])
    expect(await viewer.end()).toMatchObject({ state: 'cancelled', ending: 'stopped' })
  })

  test('a stop before the answer began breaks the connection instead of blaming the upstream', async () => {
    const { viewer } = stage
    const broken = expect(stage.ask('slow-headers=forever')).rejects.toThrow(/hang up|ECONNRESET/)
    await viewer.until(() => viewer.generations.length === 1)
    await answering(1)
    viewer.send({ type: 'stop', generation: viewer.generations[0] })
    await Promise.all([broken, answering(0)])
    expect(await viewer.end()).toMatchObject({ state: 'cancelled', ending: 'stopped' })
  })

  test('a stop of one choice ends all of its request, and no other request', async () => {
    const { viewer, demo } = stage
    const other = stage.ask('silence=forever@1,tokens=5').then(textOf)
    await viewer.until(() => viewer.tokens.length === 1)
    const broken = expect(stage.ask('silence=forever@2', { n: 2 }).then(bytesOf)).rejects.toThrow()
    await viewer.until(() => viewer.generations.length === 3 && viewer.tokens.length === 3)
    viewer.send({ type: 'stop', generation: viewer.generations[2] })
    await broken
    await viewer.end(1)
    demo.server.goOn()
    expect(await other).toContain('[DONE]')
    await viewer.end(2)
    const states = viewer.generations.map(
      id => viewer.states.findLast(({ generation }) => generation === id)?.state,
    )
    expect(states).toEqual(['done', 'cancelled', 'cancelled'])
  })
})

describe('an upstream that does not let go', () => {
  let far: Socket[]
  let server: Server
  let scope: Tokenscope
  let viewer: Spectator
  /** The connections on which it was asked something. */
  let heard: Set<Socket>
  /** What it answers to whatever it is asked. */
  let answer: string

  beforeEach(async () => {
    far = []
    heard = new Set()
    answer = ''
    // It does not close its half, whatever the other side does.
    server = createServer({ allowHalfOpen: true }, socket => {
      far.push(socket)
      socket.on('error', () => {})
      socket.on('data', () => {
        heard.add(socket)
        socket.write(answer)
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    scope = await startScope({ upstreams: [`http://127.0.0.1:${port},kind=openai`] })
    far.length = 0
    viewer = await Spectator.watch(scope.url)
  })
  afterEach(async () => {
    viewer.close()
    await scope.stop()
    for (const socket of far) socket.destroy()
    server.close()
  })
  const states = () => viewer.states.map(({ state }) => state)
  const asked = async () => {
    const path = '/v1/chat/completions'
    await viewer.until(() => states().includes('queued'))
    const found = () => far.find(socket => (socket as Socket & { path?: string }).path === path)
    for (const socket of far) socket.on('data', () => {})
    while (found() === undefined && far.length === 0) await turn()
    return far.at(-1) as Socket
  }

  test('is shown to be cancelled while it holds on, and the app’s going is told to it at once', async () => {
    const app = sendAndGo(scope.url, { body: CHAT })
    const socket = await asked()
    const ended = once(socket, 'end')
    while (!heard.has(socket)) await turn()
    app.go()
    await ended
    await viewer.until(() => states().includes('cancelling'))
    for (let i = 0; i < 50; i++) await turn()
    expect(states().at(-1)).toBe('cancelling')
    socket.end()
    expect(await viewer.end()).toMatchObject({ state: 'cancelled', ending: 'client_gone' })
  })

  test('does not keep an app waiting whose answer a viewer stops', async () => {
    answer = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'
    const app = await send(scope.url, { body: CHAT })
    const broken = expect(bytesOf(app)).rejects.toThrow()
    await viewer.until(() => viewer.generations.length === 1)
    viewer.send({ type: 'stop', generation: viewer.generations[0] })
    await broken
    await viewer.until(() => states().includes('cancelling'))
    expect(states().at(-1)).toBe('cancelling')
    far.at(-1)?.end()
    expect(await viewer.end()).toMatchObject({ state: 'cancelled', ending: 'stopped' })
  })
})

describe('an upstream that goes and comes back', () => {
  const stage = useStage()

  const readiness = async () => textOf(await send(stage.url, { method: 'GET', path: '/readyz', headers: {} }))

  test('mid-answer: interrupted, broken for the app, text kept, and the next request works', async () => {
    const { viewer, demo } = stage
    const client = new OpenAI({ baseURL: `${stage.url}/v1`, apiKey: 'sk-test', maxRetries: 0 })
    const said = demo.countOf('half an answer')
    const headers = { 'x-demo': `say=half%20an%20answer%20and%20the%20rest,silence=forever@${said}` }
    const stream = await client.chat.completions.create({ ...CHAT, stream: true }, { headers })
    let text = ''
    const reading = (async () => {
      for await (const part of stream) text += part.choices[0]?.delta.content ?? ''
    })()
    const failed = expect(reading).rejects.toThrow()
    await viewer.until(() => viewer.tokens.length === said)
    await demo.stop()
    await failed
    const last = await viewer.end()
    expect(last).toMatchObject({ state: 'interrupted', ending: 'connection' })
    expect([text, viewer.textOf(last.generation)]).toEqual(['half an answer', 'half an answer'])

    // While it is away the app is told so.
    const absent = await stage.ask('', { stream: false })
    expect(absent.statusCode).toBe(502)
    expect(JSON.parse(await textOf(absent))).toMatchObject({ error: { code: 'upstream_unreachable' } })
    expect(await viewer.end(1)).toMatchObject({ state: 'failed', ending: 'connection' })
    expect(await readiness()).toMatch(/^degraded\n/)

    await demo.start()
    const back = { headers: { 'x-demo': 'say=back' } }
    const completion = await client.chat.completions.create({ ...CHAT, stream: false }, back)
    expect(completion.choices[0]?.message.content).toBe('back')
    expect(await viewer.end(2)).toMatchObject({ state: 'done' })
    // It answers again, and that is known without waiting for the next look.
    while (!(await readiness()).startsWith('ready')) {}
  })

  test('an upstream that breaks before it answers gives 502, and while it refuses another', async () => {
    const broken = await stage.ask('refuse=forever')
    expect(broken.statusCode).toBe(502)
    expect(JSON.parse(await textOf(broken))).toMatchObject({
      error: { code: 'upstream_broken', type: 'api_error' },
    })
    expect(await stage.viewer.end()).toMatchObject({ state: 'failed' })
    const refused = await stage.ask()
    expect(refused.statusCode).toBe(502)
    expect(JSON.parse(await textOf(refused))).toMatchObject({ error: { code: 'upstream_unreachable' } })
    expect(await stage.viewer.end(1)).toMatchObject({ state: 'failed', ending: 'connection' })
    await stage.demo.stop()
    await stage.demo.start()
    const { statusCode } = await stage.ask('', { stream: false })
    expect(statusCode).toBe(200)
    expect(await stage.viewer.end(2)).toMatchObject({ state: 'done' })
  })
})
