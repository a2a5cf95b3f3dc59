import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Source } from '../../../bridge/source/source.ts'
import type { Tokenscope } from '../../../main.ts'
import { EVENT_STREAM, FeedServer } from '../../support/feed-server.ts'
import { RecordingMeter } from '../../support/hub-meter.ts'
import { startScope } from '../../support/scope.ts'
import { Spectator } from '../../support/spectator.ts'

let server: FeedServer
beforeEach(async () => {
  server = await new FeedServer().start()
})
afterEach(() => server.stop())

const event = (data: object, id?: number) =>
  `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`
const token = (generation: string, token_text: string) => ({
  type: 'token_activation',
  generation,
  token_text,
})
const done = (generation: string) => ({ type: 'neural_state', generation, state: 'done', ending: 'stop' })

describe('in a whole server', () => {
  let scope: Tokenscope
  let viewer: Spectator
  let watched: PromiseWithResolvers<void>
  beforeEach(() => {
    watched = Promise.withResolvers()
  })
  /** Answers like this once there is a viewer: what came before would be in its snapshot. */
  const serve = (answer: FeedServer['answer']) => {
    server.answer = (...about) => void watched.promise.then(() => answer(...about))
  }
  const begin = async (...sources: string[]) => {
    // No demo model, whose first words would be heard as well.
    scope = await startScope({ sources, upstreams: ['http://127.0.0.1:9'] })
    viewer = await Spectator.watch(scope.url)
    watched.resolve()
  }
  afterEach(async () => {
    viewer.close()
    await scope.stop()
  })

  /** The text of each generation that came from a host. */
  const texts = (host: string) =>
    viewer.generations
      .filter(id => viewer.states.some(one => one.generation === id && one.upstream === host))
      .map(id => viewer.textOf(id))

  async function components(): Promise<{ name: string; status: string; detail: string; facts: object }[]> {
    const answer = await fetch(`${scope.url}/readyz`, { headers: { accept: 'application/json' } })
    expect(answer.status).toBe(200)
    return (await answer.json()).data.components.filter(({ name }: { name: string }) => name === 'source')
  }

  it('a viewer sees what each of several feeds tells, in both forms', async () => {
    const other = await new FeedServer().start()
    await begin(`${server.url}/a`, `${other.url}/b`)
    const [a, b] = [await server.request(0), await other.request(0)]
    a.response.write(event(token('x', 'Hel')) + event(token('x', 'lo')) + event(done('x')))
    const chunk = { id: 'c', object: 'chat.completion.chunk', model: 'm' }
    b.response.write(
      event({ ...chunk, choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: 'stop' }] }),
    )
    b.response.write('data: [DONE]\n\n')
    await viewer.until(
      () =>
        viewer.states.filter(({ state, upstream }) => state === 'done' && upstream !== 'demo').length === 2,
    )
    expect(texts(server.host)).toEqual(['Hello'])
    expect(texts(other.host)).toEqual(['Hi'])
    expect(viewer.states.find(one => one.upstream === other.host && one.state === 'done')).toMatchObject({
      model: 'm',
      ttft_ms: null,
    })
    const positions = viewer.tokens.map(({ position }) => position.join())
    expect(new Set(positions).size).toBe(positions.length)
    const metrics = await (await fetch(`${scope.url}/metrics`)).text()
    expect(metrics).toContain(
      `tokenscope_tokens_total{upstream="${server.host}",model="other",kind="message"} 2`,
    )
    await other.stop()
  })

  it('nothing is lost and nothing comes twice over kills and restarts of a server that honours Last-Event-ID', async () => {
    const total = 60
    const generations = ['a', 'b', 'c']
    const feed = Array.from({ length: total }, (_, i) => token(generations[i % 3] as string, ` ${i}`))
    const ends = generations.map(done)
    const all = [...feed, ...ends]
    // Three times it dies in the middle of an event.
    const kills = [13, 28, 47]
    serve((response, nth, { headers }) => {
      const from = Number(headers['last-event-id'] ?? 0)
      response.writeHead(200, EVENT_STREAM)
      const until = kills[nth] ?? all.length
      for (let i = from; i < until; i++) response.write(event(all[i] as object, i + 1))
      response.write(
        `retry: 100\n\n${nth < kills.length ? event(all[until] as object, until + 1).slice(0, -9) : ''}`,
      )
    })
    await begin(server.url)
    for (let nth = 0; nth < kills.length; nth++) {
      const seen = kills[nth] as number
      await viewer.until(() => viewer.tokens.length === seen)
      await server.stop()
      await server.start()
      await server.request(nth + 1)
    }
    await viewer.until(
      () => viewer.states.filter(one => one.upstream === server.host && one.state === 'done').length === 3,
    )
    expect(texts(server.host)).toEqual(
      [0, 1, 2].map(g =>
        feed
          .filter((_, i) => i % 3 === g)
          .map(one => one.token_text)
          .join(''),
      ),
    )
    expect(server.seen.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '13', '28', '47'])
  }, 60_000)

  it('a feed that is given up interrupts what was open, and readiness says so', async () => {
    serve((response, nth) => {
      if (nth > 0) response.writeHead(404).end()
      else response.writeHead(200, EVENT_STREAM).end(`retry: 100\n\n${event(token('x', 'Hel'))}`)
    })
    await begin(`${server.url}/feed?key=secret`)
    await viewer.until(() =>
      viewer.states.some(({ state, upstream }) => state === 'interrupted' && upstream === server.host),
    )
    expect(
      viewer.states.find(one => one.upstream === server.host && one.state === 'interrupted'),
    ).toMatchObject({
      ending: 'connection',
      error: { kind: 'connection', retryable: false, message: 'HTTP 404' },
    })
    const [component] = await components()
    expect(component).toMatchObject({ status: 'degraded', facts: { state: 'refused', trouble: 'HTTP 404' } })
    expect(JSON.stringify(component)).not.toContain('secret')
  })

  it('a feed that has no more is no trouble', async () => {
    serve((response, nth) => {
      if (nth > 0) response.writeHead(204).end()
      else response.writeHead(200, EVENT_STREAM).end(`retry: 100\n\n${event(token('x', 'Hel'))}`)
    })
    await begin(server.url)
    await viewer.until(() =>
      viewer.states.some(({ state, upstream }) => state === 'interrupted' && upstream === server.host),
    )
    const [component] = await components()
    expect(component).toMatchObject({ status: 'ok', facts: { state: 'ended', trouble: null } })
  })

  it('a stop interrupts what is open and leaves no connection', async () => {
    await begin(server.url)
    const { response } = await server.request(0)
    response.write(event(token('x', 'Hel')))
    await viewer.until(() => texts(server.host)[0] === 'Hel')
    await scope.stop()
    await server.until(() => server.sockets === 0)
    await viewer.closed
    expect(viewer.states.findLast(one => one.upstream === server.host)).toMatchObject({
      state: 'interrupted',
      ending: 'shutdown',
    })
    scope = await startScope()
  })
})

describe('what is said of it', () => {
  const lines: [level: string, text: string][] = []
  let source: Source
  const meter = new RecordingMeter()
  const begin = (url: string) => {
    source = new Source({
      url,
      emit: () => {},
      meter,
      lists: () => false,
      random: () => 0,
      say: (level, text) => void lines.push([level, text]),
    })
    source.start()
  }
  const state = () => source.report().facts?.state
  beforeEach(() => {
    lines.length = 0
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(async () => {
    await source.stop()
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })
  /** Lets sockets go on until the source is in a state. */
  const until = async (wanted: string) => {
    while (state() !== wanted) await new Promise(resolve => setImmediate(resolve))
  }

  /** Lets sockets go on until it was lost so many times. */
  const lost = async (times: number) => {
    while (lines.filter(([, text]) => text.includes('asking again')).length < times) {
      await new Promise(resolve => setImmediate(resolve))
    }
  }

  it('has neither the credentials nor the query of its URL', async () => {
    server.answer = (response, nth) => {
      if (nth === 0) response.writeHead(302, { location: `/elsewhere?token=secret` }).end()
      else response.writeHead(nth === 1 ? 503 : 401).end()
    }
    begin(`http://me:secret@${server.host}/feed?key=secret#secret`)
    await until('waiting')
    vi.advanceTimersByTime(3000)
    await until('refused')
    const said = JSON.stringify([lines, source.report()])
    expect(said).not.toMatch(/secret|me:/)
    expect(source.report().detail).toBe(
      `http://${server.host}/feed is given up: HTTP 401. Check --source, then start again.`,
    )
    expect(source.label).toBe(server.host)
  })

  it('is news once: trouble at its beginning, the feed when it is there, the end of it', async () => {
    server.answer = (response, nth) => {
      if (nth < 3) response.writeHead(503).end()
      else if (nth === 3) response.writeHead(200, EVENT_STREAM).end()
      else if (nth === 4) response.writeHead(200, EVENT_STREAM).flushHeaders()
      else response.writeHead(410).end()
    }
    begin(server.url)
    expect(source.report()).toMatchObject({ name: 'source', status: 'ok', facts: { state: 'connecting' } })
    for (let nth = 0; nth < 4; nth++) {
      await lost(nth + 1)
      expect(source.report().status).toBe(nth < 3 ? 'degraded' : 'ok')
      vi.advanceTimersByTime(3000)
    }
    await until('open')
    server.last.response.destroy()
    await lost(5)
    expect(meter.total('tokenscope_sse_errors_total', { kind: 'connection' })).toBe(1)
    vi.advanceTimersByTime(3000)
    await until('refused')
    expect(lines.map(([level]) => level).filter(level => level !== 'debug')).toEqual([
      'warn',
      'info',
      'warn',
      'error',
    ])
  })
})
