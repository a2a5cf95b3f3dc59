import { setImmediate } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { DeliveryPolicy } from '../../bridge/delivery.ts'
import type { DemoServerOptions, SeenRequest } from '../../bridge/demo/index.ts'
import { parseUpstream } from '../../events/upstream-spec.ts'
import type { Tokenscope } from '../../main.ts'
import { received, send, sendAndGo } from '../support/app.ts'
import { Cutter } from '../support/cutter.ts'
import { CHAT } from '../support/demo.ts'
import { RawUpstream } from '../support/raw-upstream.ts'
import { rounds } from '../support/rounds.ts'
import { startScope } from '../support/scope.ts'
import { Spectator } from '../support/spectator.ts'
import { Stage } from '../support/stage.ts'

/** Tries follow one another at once. */
const AT_ONCE: DeliveryPolicy = { retries: 0, firstTokenMs: null, silenceMs: null, random: () => 0 }

/** A stage whose upstream is named with these options, with somebody in between who can cut the way to it. */
class ResumingStage extends Stage {
  readonly #options: string
  cutter!: Cutter

  constructor(options: string, demo: DemoServerOptions = { kind: 'llamacpp' }) {
    super(demo, {})
    this.#options = options
  }

  override async raise(): Promise<void> {
    await this.demo.start()
    this.cutter = await Cutter.before(this.demo.url)
    const upstreams = [this.cutter.url + this.#options]
    this.scope = await startScope({ upstreams, delivery: AT_ONCE })
  }

  override async strike(): Promise<void> {
    await this.scope.stop()
    await this.cutter.close()
    await this.demo.stop()
  }

  /** Waits until so many generations run at the server. */
  async running(count: number): Promise<void> {
    while (this.demo.server.active !== count) await setImmediate()
  }

  /** What the server was asked of its streams. */
  get asked(): string[] {
    return this.demo.seen
      .map(({ method, url }) => `${method} ${url}`)
      .filter(line => line.includes('/v1/stream'))
      .map(line => line.replace(/conv_id=[^&]*/, 'conv_id=…'))
  }
}

function useResumingStage(options: string, demo?: DemoServerOptions): ResumingStage {
  const stage = new ResumingStage(options, demo)
  beforeAll(() => stage.raise())
  afterAll(() => stage.strike())
  beforeEach(() => stage.watch())
  afterEach(() => stage.viewer.close())
  return stage
}

/** The conversation that a request names. */
function nameIn(request: SeenRequest | undefined): string | null {
  const headers = request?.rawHeaders ?? []
  const at = headers.indexOf('X-Conversation-Id')
  return at === -1 ? null : (headers[at + 1] as string)
}

const SAID = `fixed,say=${encodeURIComponent('One é, 四 six, and more than that')}`

describe('a stream of an upstream that is to be resumed', () => {
  const stage = useResumingStage(',resume=on')

  test('is whole, to the byte, wherever its connection breaks', async () => {
    const stream = await stage.direct(SAID)
    const finish = stream.indexOf('"finish_reason":"stop"')
    const total = rounds(600)
    for (let round = 0; round < total; round++) {
      // An end in good order after the finish is an end.
      const way = ['drop', 'cut', 'end'][round % 3] as string
      const at = 1 + Math.floor((round * (way === 'end' ? finish : stream.length - 1)) / total)
      const { body, complete, last } = await stage.take(`${way}=${at},${SAID}`)
      const context = `${way} at byte ${at}`
      expect([context, body.equals(stream), complete]).toEqual([context, true, true])
      expect([context, last.state, last.ending]).toEqual([context, 'done', 'stop'])
      expect(stage.viewer.textOf(last.generation)).toBe('One é, 四 six, and more than that')
    }
  })

  test('is whole although it breaks again and again, and cannot be reached in between', async () => {
    const { viewer, demo } = stage
    const directives = 'fixed,tokens=40'
    const stream = await stage.direct(directives)
    const answer = await stage.ask(`${directives},silence=forever@5`)
    const whole = received(answer)
    for (let tokens = 5; tokens < 30; tokens += 5) {
      await viewer.until(() => viewer.tokens.length === tokens)
      stage.cutter.cut()
      stage.cutter.mend()
      demo.server.goOn(5)
    }
    await viewer.until(() => viewer.tokens.length === 30)
    demo.server.goOn()
    const { body, complete } = await whole
    expect([body.equals(stream), complete]).toEqual([true, true])
    expect(await viewer.end()).toMatchObject({ state: 'done' })
    expect(viewer.tokens.map(({ index }) => index)).toEqual(Array.from({ length: 40 }, (_, i) => i))
  })

  test('is broken where the server cannot be reached any more', async () => {
    const { viewer, demo } = stage
    const answer = received(await stage.ask('silence=forever@5'))
    await viewer.until(() => viewer.tokens.length === 5)
    stage.cutter.cut()
    expect((await answer).complete).toBe(false)
    expect(await viewer.end()).toMatchObject({ state: 'interrupted', ending: 'connection' })
    stage.cutter.mend()
    // Nobody can tell the server.
    demo.server.goOn()
    await stage.running(0)
  })

  test('is broken where the server was started anew and knows nothing of it', async () => {
    const { viewer, demo } = stage
    const answer = received(await stage.ask('silence=forever@5'))
    await viewer.until(() => viewer.tokens.length === 5)
    await fetch(`${demo.url}/v1/stream?conv_id=${nameIn(demo.seen[0])}`, { method: 'DELETE' })
    expect((await answer).complete).toBe(true)
    // It ended in good order, and the look at it found nothing.
    expect(await viewer.end()).toMatchObject({ state: 'interrupted', ending: 'truncated' })
    expect(stage.asked).toContain('POST /v1/streams/lookup')
  })

  test.each(['slow-headers=forever', 'silence=forever@3'])(
    'whose app goes is stopped: %s',
    async directive => {
      const app = sendAndGo(stage.url, { headers: { 'x-demo': directive }, body: CHAT })
      await stage.running(1)
      if (directive.startsWith('silence')) await stage.viewer.until(() => stage.viewer.tokens.length === 3)
      app.go()
      await stage.running(0)
      expect(await stage.viewer.end()).toMatchObject({ state: 'cancelled', ending: 'client_gone' })
      expect(stage.asked).toContain('DELETE /v1/stream?conv_id=…')
    },
  )

  test('that a viewer stops is stopped, after it was resumed as well', async () => {
    const { viewer } = stage
    const answer = received(await stage.ask('silence=forever@5'))
    await viewer.until(() => viewer.tokens.length === 5)
    stage.cutter.cut()
    stage.cutter.mend()
    while (!stage.asked.some(line => line.startsWith('GET'))) await setImmediate()
    viewer.send({ type: 'stop', generation: viewer.generations[0] })
    expect((await answer).complete).toBe(false)
    await stage.running(0)
    expect(await viewer.end()).toMatchObject({ state: 'cancelled', ending: 'stopped' })
    expect(stage.asked.at(-1)).toBe('DELETE /v1/stream?conv_id=…')
  })

  test('is asked for under a new name each time, and a whole answer under none', async () => {
    await stage.take('tokens=3')
    await stage.take('tokens=3')
    await stage.take('tokens=3', { stream: false })
    const names = stage.demo.seen.map(nameIn)
    expect(names).toEqual([expect.stringMatching(/^\w{26}$/), expect.stringMatching(/^\w{26}$/), null])
    expect(names[0]).not.toBe(names[1])
    expect(stage.asked).toEqual([])
  })
})

describe('a stream of which the app names the conversation', () => {
  const stage = useResumingStage('')
  const ask = (directives: string, body: object = {}) => ({
    headers: { 'X-Demo': directives, 'X-Conversation-Id': 'my conversation', authorization: 'Bearer app' },
    body: { ...CHAT, ...body },
  })

  test('is resumed under its name, by whoever asked', async () => {
    const stream = await stage.direct(SAID)
    const { body, complete } = await received(await send(stage.url, ask(`drop=500,${SAID}`)))
    expect([body.equals(stream), complete]).toEqual([true, true])
    const [, resumed] = stage.demo.seen.slice(-2)
    expect(resumed?.url).toBe('/v1/stream?conv_id=my%20conversation&from=500')
    expect(resumed?.rawHeaders).toEqual(expect.arrayContaining(['identity', 'Bearer app']))
    expect(await stage.viewer.end()).toMatchObject({ state: 'done' })
  })

  test.each([true, false])('is stopped when the app goes (stream: %s)', async stream => {
    const app = sendAndGo(stage.url, ask('slow-prefill=forever', { stream }))
    await stage.running(1)
    app.go()
    await stage.running(0)
    expect(await stage.viewer.end()).toMatchObject({ state: 'cancelled', ending: 'client_gone' })
  })

  test('is resumed at a server below a prefix that the app names', async () => {
    const path = '/llamacpp/v1/chat/completions'
    const { body } = await received(await send(stage.url, { path, ...ask(`drop=500,${SAID}`) }))
    expect(body.equals(await stage.direct(SAID))).toBe(true)
    expect(stage.demo.seen.some(({ url }) => url.startsWith('/llamacpp/v1/stream?'))).toBe(true)
    await stage.viewer.end()
  })
})

describe('a server that keeps no streams', () => {
  const stage = useResumingStage(',resume=on', { kind: 'vllm' })

  test('is not asked for them', async () => {
    const { complete, last } = await stage.take(`drop=500,${SAID}`)
    expect([complete, last.state, last.ending]).toEqual([false, 'interrupted', 'connection'])
    expect(stage.asked).toEqual([])
    expect(stage.demo.seen[0]?.rawHeaders).not.toContain('X-Conversation-Id')
  })
})

describe('what a server says to being asked for the rest', () => {
  const HALF = 'data: {"choices":[{"index":0,"delta":{"content":"half"},"finish_reason":null}]}\n\n'
  const REST =
    'data: {"choices":[{"index":0,"delta":{"content":" more"},"finish_reason":null}]}\n\n' +
    'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
  const SSE = { 'content-type': 'text/event-stream' }
  let upstream: RawUpstream
  let scope: Tokenscope
  let viewer: Spectator
  /** Answers to `GET /v1/stream`, one after the other; the last again and again. */
  let answers: ((response: Parameters<RawUpstream['script']>[1]) => void)[]

  beforeEach(async () => {
    let asked = 0
    upstream = await new RawUpstream(async (request, response) => {
      if (request.method === 'POST' && request.url === '/v1/chat/completions') {
        response.writeHead(200, SSE)
        response.write(HALF, () => request.socket.destroy())
      } else if (request.method === 'GET') {
        expect(request.url).toMatch(new RegExp(`^/v1/stream\\?conv_id=\\w+&from=${HALF.length}$`))
        answers[Math.min(asked++, answers.length - 1)]?.(response)
      } else response.writeHead(204).end()
    }).start()
    scope = await startScope({
      upstreams: [parseUpstream(`${upstream.url},kind=llamacpp,resume=on`, {})],
      delivery: AT_ONCE,
    })
    viewer = await Spectator.watch(scope.url)
  })
  afterEach(async () => {
    viewer.close()
    await scope.stop()
    await upstream.stop()
  })

  const got = async () => {
    const { body, complete } = await received(await send(scope.url, { body: CHAT }))
    const { state, ending } = await viewer.end()
    return { body: body.toString(), complete, state, ending }
  }
  const asks = () => upstream.seen.filter(({ method }) => method === 'GET').length

  test.each<[string, number, Record<string, string>, string]>([
    ['it has lost that byte', 400, { 'content-type': 'application/json' }, '{"error":{"code":400}}'],
    ['it knows nothing of it', 404, { 'content-type': 'application/json' }, '{"error":{"code":404}}'],
    [
      'something with status 200 that is no stream',
      200,
      { 'content-type': 'application/json' },
      '{"error":"…"}',
    ],
  ])('%s: broken, and asked for once', async (_what, status, headers, body) => {
    answers = [response => void response.writeHead(status, headers).end(body)]
    expect(await got()).toEqual({ body: HALF, complete: false, state: 'interrupted', ending: 'connection' })
    expect(asks()).toBe(1)
  })

  test('not now: it is asked again', async () => {
    answers = [
      response => void response.writeHead(503).end('{}'),
      response => void response.socket?.destroy(),
      response => void response.writeHead(200, SSE).end(REST),
    ]
    expect(await got()).toEqual({ body: HALF + REST, complete: true, state: 'done', ending: 'stop' })
  })

  test('not now, for ever: it is asked five times', async () => {
    answers = [response => void response.writeHead(503).end('{}')]
    expect(await got()).toMatchObject({ body: HALF, complete: false, state: 'interrupted' })
    expect(asks()).toBe(5)
    // What nobody gets need not go on.
    while (!upstream.seen.some(({ method }) => method === 'DELETE')) await setImmediate()
  })
})
