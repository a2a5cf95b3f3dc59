import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { EventSourceClient } from '../../../bridge/source/event-source.ts'
import { EVENT_STREAM, FeedServer } from '../../support/feed-server.ts'

type Told =
  | { what: 'open' | 'oversized' }
  | { what: 'event'; type: string | undefined; data: string; lastEventId: string }
  | { what: 'lost'; trouble: string | null; waitMs: number; wasOpen: boolean }
  | { what: 'closed'; trouble: string | null }

/** A client whose every word is kept. Jitter is the whole back-off if nothing else is said. */
class Listener {
  readonly told: Told[] = []
  readonly client: EventSourceClient
  #wake: (() => void)[] = []

  constructor(url: string, random: () => number = () => 1) {
    this.client = new EventSourceClient({
      url: new URL(url),
      random,
      listener: {
        onOpen: () => this.#tell({ what: 'open' }),
        onEvent: event => this.#tell({ what: 'event', ...event }),
        onOversized: () => this.#tell({ what: 'oversized' }),
        onLost: (trouble, waitMs, wasOpen) => this.#tell({ what: 'lost', trouble, waitMs, wasOpen }),
        onClosed: trouble => this.#tell({ what: 'closed', trouble }),
      },
    })
  }

  all<W extends Told['what']>(what: W): Extract<Told, { what: W }>[] {
    return this.told.filter(one => one.what === what) as Extract<Told, { what: W }>[]
  }

  get data(): string[] {
    return this.all('event').map(({ data }) => data)
  }

  /** Waits for the nth word of a sort, from 0. */
  async heard<W extends Told['what']>(what: W, nth = 0): Promise<Extract<Told, { what: W }>> {
    while (this.all(what).length <= nth) await new Promise<void>(resolve => this.#wake.push(resolve))
    return this.all(what)[nth] as Extract<Told, { what: W }>
  }

  #tell(told: Told): void {
    this.told.push(told)
    for (const wake of this.#wake.splice(0)) wake()
  }
}

const listeners: Listener[] = []
const servers: FeedServer[] = []

// The clock of waits is ours; sockets go on by themselves.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(async () => {
  for (const { client } of listeners.splice(0)) await client.stop()
  for (const server of servers.splice(0)) await server.stop()
  vi.useRealTimers()
})

async function serve(answer?: FeedServer['answer']): Promise<FeedServer> {
  const server = await new FeedServer(answer).start()
  servers.push(server)
  return server
}

function listen(url: string, random?: () => number): Listener {
  const listener = new Listener(url, random)
  listeners.push(listener)
  listener.client.start()
  return listener
}

/** Answers the nth request with the nth of these, and every later one with a stream that stays open. */
const inTurn =
  (...answers: ((response: ServerResponse) => void)[]): FeedServer['answer'] =>
  (response, nth) => {
    const answer = answers[nth]
    if (answer === undefined) response.writeHead(200, EVENT_STREAM).flushHeaders()
    else answer(response)
  }

/** A stream that says this and ends. */
const stream = (text: string) => (response: ServerResponse) =>
  void response.writeHead(200, EVENT_STREAM).end(text)
const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(code, headers).end()

describe('what is asked', () => {
  it('is what the standard says, without fragment and without an id at first', async () => {
    const server = await serve()
    const listener = listen(`${server.url}/feed/a?key=1#here`)
    await listener.heard('open')
    const { method, url, headers } = server.last
    expect({ method, url }).toEqual({ method: 'GET', url: '/feed/a?key=1' })
    expect(headers).toMatchObject({
      accept: 'text/event-stream',
      'cache-control': 'no-store',
      'accept-encoding': 'identity',
      host: server.host,
    })
    expect(headers).not.toHaveProperty('last-event-id')
    expect(headers).not.toHaveProperty('authorization')
  })

  it.each([
    ['m%C3%A9:p%40ss', 'mé:p@ss'],
    ['me:100%', 'me:100%'],
    [':word', ':word'],
    ['me', 'me:'],
  ])('has %s before the host as Basic authorization', async (written, pair) => {
    const server = await serve()
    const listener = listen(`http://${written}@${server.host}/`)
    await listener.heard('open')
    expect(server.last.headers.authorization).toBe(`Basic ${Buffer.from(pair).toString('base64')}`)
  })
})

describe('events', () => {
  it('come with type, data and the last id, as soon as they are complete', async () => {
    const server = await serve()
    const listener = listen(server.url)
    await listener.heard('open')
    const { response } = server.last
    response.write('\uFEFFevent: a\nid: 1\ndata: x\ndata: y\n\n: nothing\n\ndata')
    await listener.heard('event')
    response.write(':z\r\rid\n')
    await listener.heard('event', 1)
    response.write('data: w\n\n')
    await listener.heard('event', 2)
    expect(listener.all('event')).toEqual([
      { what: 'event', type: 'a', data: 'x\ny', lastEventId: '1' },
      { what: 'event', type: undefined, data: 'z', lastEventId: '1' },
      { what: 'event', type: undefined, data: 'w', lastEventId: '' },
    ])
  })

  it('may be a day apart', async () => {
    const server = await serve()
    const listener = listen(server.url)
    await listener.heard('open')
    await vi.advanceTimersByTimeAsync(24 * 60 * 60 * 1000)
    server.last.response.write('data: still here\n\n')
    await listener.heard('event')
    expect(listener.told.map(({ what }) => what)).toEqual(['open', 'event'])
  })

  it('that are too large are passed over, and the next is told', async () => {
    const server = await serve(inTurn(stream(`data: 1\n\ndata: ${'x'.repeat(1_100_000)}\n\ndata: 2\n\n`)))
    const listener = listen(server.url)
    await listener.heard('lost')
    expect(listener.told.map(one => (one.what === 'event' ? one.data : one.what))).toEqual([
      'open',
      '1',
      'oversized',
      '2',
      'lost',
    ])
  })
})

describe('a stream that ended', () => {
  it('is asked for again after 3 s, not before, from its last id on', async () => {
    const server = await serve(inTurn(stream('id: 7\ndata: x\n\n')))
    const listener = listen(server.url)
    expect(await listener.heard('lost')).toEqual({ what: 'lost', trouble: null, waitMs: 3000, wasOpen: true })
    vi.advanceTimersByTime(2999)
    // Whatever had been sent by now would be there before this is.
    await fetch(`${server.url}/fence`).then(answer => answer.body?.cancel())
    expect(server.seen.map(({ url }) => url)).toEqual(['/', '/fence'])
    vi.advanceTimersByTime(1)
    expect((await server.request(2)).headers['last-event-id']).toBe('7')
  })

  it('and whose connection broke, too', async () => {
    const server = await serve()
    const listener = listen(server.url)
    await listener.heard('open')
    server.last.response.write('id: 7\ndata: x\n\nid: 8\ndata: unfinished')
    await listener.heard('event')
    server.last.response.destroy()
    const lost = await listener.heard('lost')
    expect(lost).toMatchObject({ waitMs: 3000, wasOpen: true })
    expect(lost.trouble).not.toBeNull()
    vi.advanceTimersByTime(3000)
    // Of an event that was not finished neither data nor id count.
    expect((await server.request(1)).headers['last-event-id']).toBe('7')
    expect(listener.data).toEqual(['x'])
  })

  it.each([
    ['the time that it gave', 'retry: 250\n\n', 250],
    ['the last one if it gave several', 'retry: 250\nretry: 400\n\n', 400],
    ['the time before if it is no number', 'retry: 250\nretry: 1.5\nretry: -1\nretry:\n\n', 250],
    ['at least 100 ms', 'retry: 0\n\n', 100],
    ['at most a day', 'retry: 99999999999999\n\n', 86_400_000],
  ])('is asked for again after %s', async (_name, text, waitMs) => {
    const server = await serve(inTurn(stream(text), stream('data: again\n\n')))
    const listener = listen(server.url)
    expect((await listener.heard('lost')).waitMs).toBe(waitMs)
    vi.advanceTimersByTime(waitMs)
    // And after the next connection, which gave none.
    expect((await listener.heard('lost', 1)).waitMs).toBe(waitMs)
  })

  it('keeps its id until another is given: over connections without one, without data, until it is emptied', async () => {
    const ids: (string | undefined)[] = []
    const texts = [
      'id: é→1\ndata: x\n\n',
      'data: y\n\n',
      'id: 2\n\n',
      'id: a\0b\ndata: z\n\n',
      'id\ndata: w\n\n',
    ]
    const server = await serve((response, nth, { headers }) => {
      const header = headers['last-event-id'] as string | undefined
      ids.push(header === undefined ? undefined : Buffer.from(header, 'latin1').toString('utf8'))
      if (nth < texts.length) stream(`retry: 100\n${texts[nth]}`)(response)
      else response.writeHead(204).end()
    })
    const listener = listen(server.url)
    for (let i = 0; i < texts.length; i++) {
      await listener.heard('lost', i)
      vi.advanceTimersByTime(100)
    }
    await listener.heard('closed')
    expect(ids).toEqual([undefined, 'é→1', 'é→1', '2', '2', undefined])
    expect(listener.all('event').map(({ data, lastEventId }) => [data, lastEventId])).toEqual([
      ['x', 'é→1'],
      ['y', 'é→1'],
      ['z', '2'],
      ['w', ''],
    ])
  })

  it('with an id that no header can hold is asked for again without', async () => {
    const server = await serve(inTurn(stream('id: a\x01b\ndata: x\n\n')))
    const listener = listen(server.url)
    await listener.heard('lost')
    vi.advanceTimersByTime(3000)
    expect((await server.request(1)).headers).not.toHaveProperty('last-event-id')
    await listener.heard('open', 1)
  })
})

describe('a stream that is cut', () => {
  it('at whatever byte loses nothing and tells nothing twice, from a server that goes on from the last id', async () => {
    const texts = ['a', 'é', '😀 b', '', 'c']
    const eventOf = (text: string, i: number) =>
      Buffer.from(`id: ${i + 1}\r\ndata: ${text}\r\ndata: ${i}\r\n\r\n`)
    const events = texts.map(eventOf)
    const length = Buffer.concat(events).length
    let cut = 0
    const server = await serve((response, nth, { headers }) => {
      const rest = Buffer.concat(events.slice(Number(headers['last-event-id'] ?? 0)))
      response.writeHead(200, EVENT_STREAM)
      if (nth % 2 === 1) response.end(rest)
      else response.write(rest.subarray(0, cut), () => response.destroy())
    })
    for (cut = 1; cut < length; cut++) {
      const listener = listen(server.url)
      vi.advanceTimersByTime((await listener.heard('lost')).waitMs)
      await listener.heard('lost', 1)
      await listener.client.stop()
      expect(listener.data, `cut at ${cut}`).toEqual(texts.map((text, i) => `${text}\n${i}`))
    }
  })
})

describe('a server that has no stream', () => {
  it('with 204 has nothing more to tell: that is the end, and no trouble', async () => {
    const server = await serve(inTurn(stream('data: x\n\n'), status(204)))
    const listener = listen(server.url)
    await listener.heard('lost')
    vi.advanceTimersByTime(3000)
    expect(await listener.heard('closed')).toEqual({ what: 'closed', trouble: null })
    await server.until(() => server.sockets === 0)
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each([201, 205, 206, 300, 304, 400, 401, 403, 404, 408, 410, 422])(
    'with %i is given up, and it is said why',
    async code => {
      const server = await serve(inTurn(status(code, EVENT_STREAM)))
      const listener = listen(server.url)
      expect(await listener.heard('closed')).toEqual({ what: 'closed', trouble: `HTTP ${code}` })
      await server.until(() => server.sockets === 0)
    },
  )

  it.each([
    ['another type', { 'content-type': 'application/json' }, /application\/json, not text\/event-stream/],
    ['no type', {}, /of no content type/],
    ['a type that only begins like it', { 'content-type': 'text/event-streams' }, /text\/event-streams/],
  ] as const)('with %s is given up', async (_name, headers, trouble) => {
    const server = await serve(inTurn(response => void response.writeHead(200, headers).end('data: x\n\n')))
    const listener = listen(server.url)
    expect((await listener.heard('closed')).trouble).toMatch(trouble)
    expect(listener.data).toEqual([])
  })

  it('but a compressed one is given up', async () => {
    const headers = { ...EVENT_STREAM, 'content-encoding': 'gzip' }
    const server = await serve(
      inTurn(response => void response.writeHead(200, headers).end(gzipSync('data: x\n\n'))),
    )
    const listener = listen(server.url)
    expect((await listener.heard('closed')).trouble).toMatch(/compressed \(gzip\)/)
  })

  it.each(['text/event-stream; charset=utf-8', 'Text/Event-Stream ;x=y'])(
    'is not one with %s',
    async type => {
      const server = await serve(
        inTurn(response => void response.writeHead(200, { 'content-type': type }).end('data: x\n\n')),
      )
      const listener = listen(server.url)
      expect((await listener.heard('event')).data).toBe('x')
    },
  )

  it.each([429, 500, 502, 503, 504])('with %i is asked again, until it has one', async code => {
    const server = await serve(inTurn(status(code), status(code)))
    const listener = listen(server.url)
    for (let i = 0; i < 2; i++) {
      const lost = await listener.heard('lost', i)
      expect(lost).toMatchObject({ trouble: `HTTP ${code}`, wasOpen: false })
      vi.advanceTimersByTime(lost.waitMs)
    }
    await listener.heard('open')
  })

  it('because it is not there is asked again, until it is', async () => {
    const server = await serve()
    await server.stop()
    const listener = listen(server.url)
    const lost = await listener.heard('lost')
    expect(lost.trouble).toMatch(/ECONNREFUSED/)
    await server.start()
    vi.advanceTimersByTime(lost.waitMs)
    await listener.heard('open')
  })

  it('because it is no HTTP server is asked again', async () => {
    const server = await serve(inTurn(response => void response.socket?.end('SSH-2.0-x\r\n')))
    const listener = listen(server.url)
    const lost = await listener.heard('lost')
    expect(lost.trouble).not.toBeNull()
    vi.advanceTimersByTime(lost.waitMs)
    await listener.heard('open')
  })
})

describe('the wait for a server that keeps failing', () => {
  /** The waits of so many failures, then of a stream that ended. */
  async function waits(failures: number, random: () => number, headers: Record<string, string> = {}) {
    const answers = Array.from({ length: failures }, () => status(503, headers))
    const server = await serve(inTurn(...answers, stream('data: x\n\n'), status(503, headers)))
    const listener = listen(server.url, random)
    const seen: number[] = []
    for (let i = 0; i < failures + 2; i++) {
      const { waitMs } = await listener.heard('lost', i)
      seen.push(waitMs)
      vi.advanceTimersByTime(waitMs)
    }
    return seen
  }

  it('grows by up to a doubling with each, to 30 s more, and begins anew after a stream', async () => {
    const grown = [1, 2, 4, 8, 16, 30, 30].map(s => 3000 + s * 1000)
    expect(await waits(7, () => 1)).toEqual([...grown, 3000, 4000])
  })

  it('has full jitter, and is never shorter than the reconnection time', async () => {
    expect(await waits(3, () => 0)).toEqual([3000, 3000, 3000, 3000, 3000])
    expect(await waits(3, () => 0.5)).toEqual([3500, 4000, 5000, 3000, 3500])
  })

  it('is what Retry-After says where that is longer', async () => {
    expect(await waits(2, () => 1, { 'retry-after': '120' })).toEqual([120_000, 120_000, 3000, 120_000])
    expect(await waits(2, () => 1, { 'retry-after': '1' })).toEqual([4000, 5000, 3000, 4000])
    expect(await waits(1, () => 1, { 'retry-after': '999999999' })).toEqual([86_400_000, 3000, 86_400_000])
  })

  it('is until the date that Retry-After says', async () => {
    const at = new Date(Date.now() + 600_000).toUTCString()
    const [waitMs] = await waits(1, () => 0, { 'retry-after': at })
    expect(waitMs).toBeGreaterThan(500_000)
    expect(waitMs).toBeLessThanOrEqual(600_000)
  })
})

describe('redirects', () => {
  /** Answers `/from` with this status and location, everything else with a stream that ends. */
  const redirect =
    (code: number, location: string): FeedServer['answer'] =>
    (response, _nth, { url }) => {
      if (url === '/from') response.writeHead(code, { location }).end('moved')
      else stream('id: 5\ndata: x\n\n')(response)
    }

  it.each([302, 303, 307])('with %i are followed each time', async code => {
    const server = await serve(redirect(code, '/to?a=1#b'))
    const listener = listen(`${server.url}/from`)
    await listener.heard('lost')
    vi.advanceTimersByTime(3000)
    await listener.heard('lost', 1)
    expect(server.seen.map(({ url }) => url)).toEqual(['/from', '/to?a=1', '/from', '/to?a=1'])
    expect(server.last.headers['last-event-id']).toBe('5')
  })

  it.each([301, 308])('with %i are for good', async code => {
    const server = await serve(redirect(code, 'to'))
    const listener = listen(`${server.url}/from`)
    await listener.heard('lost')
    vi.advanceTimersByTime(3000)
    await listener.heard('lost', 1)
    expect(server.seen.map(({ url }) => url)).toEqual(['/from', '/to', '/to'])
  })

  it('that are permanent only at first are so only up to there', async () => {
    const server = await serve((response, _nth, { url }) => {
      if (url === '/a') response.writeHead(301, { location: '/b' }).end()
      else if (url === '/b') response.writeHead(302, { location: '/c' }).end()
      else if (url === '/c') response.writeHead(301, { location: '/d' }).end()
      else stream('data: x\n\n')(response)
    })
    const listener = listen(`${server.url}/a`)
    await listener.heard('lost')
    vi.advanceTimersByTime(3000)
    await listener.heard('lost', 1)
    expect(server.seen.map(({ url }) => url)).toEqual(['/a', '/b', '/c', '/d', '/b', '/c', '/d'])
  })

  it('to another server carry no credentials there, nor from there to anywhere', async () => {
    const home = await serve((response, _nth, { url }) => {
      if (url === '/from') response.writeHead(302, { location: `${away.url}/way` }).end()
      else stream('data: x\n\n')(response)
    })
    const away: FeedServer = await serve((response, _nth, { url }) => {
      const to = `http://other:word@${home.host}/back`
      if (url === '/way') response.writeHead(308, { location: to }).end()
    })
    const listener = listen(`http://me:secret@${home.host}/from`)
    await listener.heard('lost')
    const keys = (server: FeedServer) => server.seen.map(({ url, headers }) => [url, headers.authorization])
    const mine = `Basic ${Buffer.from('me:secret').toString('base64')}`
    expect(keys(home)).toEqual([
      ['/from', mine],
      ['/back', undefined],
    ])
    expect(keys(away)).toEqual([['/way', undefined]])
    vi.advanceTimersByTime(3000)
    await listener.heard('lost', 1)
    expect(keys(home)[2]).toEqual(['/from', mine])
  })

  it('that moved it to another server for good leave the credentials behind for good', async () => {
    const away = await serve((response, nth) => {
      if (nth === 0) stream('data: x\n\n')(response)
      else response.writeHead(307, { location: `${home.url}/trap` }).end()
    })
    const home: FeedServer = await serve((response, _nth, { url }) => {
      if (url === '/from') response.writeHead(301, { location: `${away.url}/to` }).end()
      else stream('data: x\n\n')(response)
    })
    const listener = listen(`http://me:secret@${home.host}/from`)
    await listener.heard('lost')
    vi.advanceTimersByTime(3000)
    await listener.heard('lost', 1)
    expect(home.seen.map(({ url, headers }) => [url, headers.authorization !== undefined])).toEqual([
      ['/from', true],
      ['/trap', false],
    ])
    expect(away.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
  })

  it('within a server keep the credentials', async () => {
    const server = await serve(redirect(302, '/to'))
    const listener = listen(`http://me:secret@${server.host}/from`)
    await listener.heard('open')
    expect(server.last).toMatchObject({
      url: '/to',
      headers: { authorization: expect.stringMatching(/^Basic /) },
    })
  })

  it.each([
    ['in a circle', 302, '/from', /redirects more than 20 times/],
    ['to another protocol', 302, 'ftp://127.0.0.1/x', /no http\(s\) URL/],
    ['to what is no URL', 308, 'http://', /no http\(s\) URL/],
  ] as const)('%s are given up', async (_name, code, location, trouble) => {
    const server = await serve(redirect(code, location))
    const listener = listen(`${server.url}/from`)
    expect((await listener.heard('closed')).trouble).toMatch(trouble)
    expect(server.seen.length).toBeLessThanOrEqual(21)
  })

  it('to nowhere are given up', async () => {
    const server = await serve(inTurn(status(307)))
    const listener = listen(server.url)
    expect((await listener.heard('closed')).trouble).toMatch(/\(HTTP 307\) without saying where to/)
  })
})

describe('after a stop', () => {
  it('no socket is left of an open stream, and nothing is told', async () => {
    const server = await serve()
    const listener = listen(server.url)
    await listener.heard('open')
    const { response } = server.last
    const before = listener.told.length
    const stopped = listener.client.stop()
    response.write('data: too late\n\n')
    await stopped
    await server.until(() => server.sockets === 0)
    expect(listener.told.length).toBe(before)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('no timer is left of a wait', async () => {
    const server = await serve(inTurn(stream('data: x\n\n')))
    const listener = listen(server.url)
    await listener.heard('lost')
    await listener.client.stop()
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(60_000)
    await server.until(() => server.sockets === 0)
    expect(server.seen.length).toBe(1)
  })

  it('no socket is left of a request that is not answered yet', async () => {
    const server = await serve(() => {})
    const listener = listen(server.url)
    await server.request(0)
    await listener.client.stop()
    await server.until(() => server.sockets === 0)
    expect(listener.told).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })
})
