import { once } from 'node:events'
import fc from 'fast-check'
import { WebSocket as UndiciSocket } from 'undici'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { HubOptions } from '../../broadcast/hub.ts'
import type { ErrorMessage, PongMessage, ServerMessage, SnapshotMessage } from '../../broadcast/protocol.ts'
import { TokenscopeError } from '../../events/errors.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { HubServer } from '../support/hub-server.ts'
import { messagesIn } from '../support/hub-socket.ts'
import { Spectator } from '../support/spectator.ts'

const KIB = 1024
const servers: HubServer[] = []
const spectators: Spectator[] = []

afterEach(async () => {
  vi.useRealTimers()
  for (const spectator of spectators.splice(0)) spectator.close()
  for (const server of servers.splice(0)) await server.stop()
})

async function startHub(options: Parameters<typeof HubServer.start>[0] = {}): Promise<HubServer> {
  const server = await HubServer.start(options)
  servers.push(server)
  return server
}

/** A viewer that has been greeted. */
async function connect({ url }: HubServer): Promise<Spectator> {
  const spectator = Spectator.connect(url)
  spectators.push(spectator)
  await spectator.until(messages => messages.some(({ type }) => type === 'hello'))
  return spectator
}

/** A viewer that has its snapshot. */
async function watch(server: HubServer, subscribe: object = {}): Promise<Spectator> {
  const spectator = await connect(server)
  spectator.send({ type: 'subscribe', ...subscribe })
  await spectator.until(messages => messages.some(message => message.type === 'snapshot' && message.last))
  return spectator
}

/** The raw frames from now on. */
function framesOf(spectator: Spectator): Buffer[] {
  const frames: Buffer[] = []
  spectator.socket.on('message', data => frames.push(data as Buffer))
  return frames
}

/** Appends `count` tokens of a generation in one go, and its state before the first. */
function say(server: HubServer, generation: string, from: number, count: number): void {
  if (from === 0) server.log.append(stateEvent(generation), performance.now())
  for (let index = from; index < from + count; index++) {
    server.log.append(tokenEvent(generation, index), performance.now())
  }
}

function until(spectator: Spectator, seq: number): Promise<void> {
  return spectator.until(() => (spectator.entries.at(-1)?.seq ?? 0) >= seq)
}

function seqsOf(spectator: Spectator): number[] {
  return spectator.entries.map(({ seq }) => seq)
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
}

/** Up to where a viewer has been served, by its own question. */
async function servedTo(spectator: Spectator): Promise<number> {
  const pongs = () => spectator.messages.filter((message): message is PongMessage => message.type === 'pong')
  const before = pongs().length
  spectator.send({ type: 'ping' })
  await spectator.until(() => pongs().length > before)
  return (pongs().at(-1) as PongMessage).seq
}

function errorsOf(spectator: Spectator): ErrorMessage[] {
  return spectator.messages.filter((message): message is ErrorMessage => message.type === 'error')
}

describe('a connection', () => {
  it.each([true, false])('is greeted first, demo: %s', async demo => {
    const server = await startHub({ hub: { demo: () => demo } })
    say(server, 'g_a', 0, 3)
    const spectator = await connect(server)
    expect(spectator.messages[0]).toEqual({
      type: 'hello',
      epoch: server.log.epoch,
      head: 4,
      protocol: 'tokenscope.json.v1',
      layouts: ['map'],
      demo,
    })
  })

  it.each<[string[], string]>([
    [['tokenscope.json.v1'], 'tokenscope.json.v1'],
    [['tokenscope.bin.v9', 'tokenscope.json.v1'], 'tokenscope.json.v1'],
    [[], ''],
  ])('that offers %j speaks %j', async (offered, spoken) => {
    const server = await startHub()
    const socket = new WebSocket(server.url.replace('http', 'ws'), offered)
    const [data] = (await once(socket, 'message')) as [Buffer]
    expect(socket.protocol).toBe(spoken)
    expect(messagesIn(data)[0]).toMatchObject({ type: 'hello', protocol: 'tokenscope.json.v1' })
    socket.terminate()
  })

  it('is sent nothing but the greeting until it subscribes', async () => {
    const server = await startHub()
    const spectator = await connect(server)
    say(server, 'g_a', 0, 3)
    expect(await servedTo(spectator)).toBe(0)
    expect(spectator.messages.map(({ type }) => type)).toEqual(['hello', 'pong'])
  })

  it('is greeted again when the demo begins or ends', async () => {
    let demo = true
    const server = await startHub({ hub: { demo: () => demo } })
    const spectator = await connect(server)
    demo = false
    server.hub.greetAll()
    await spectator.until(messages => messages.length === 2)
    expect(spectator.messages[1]).toMatchObject({ type: 'hello', demo: false })
  })
})

describe('a viewer', () => {
  it('gets a snapshot and then the entries after it', async () => {
    const server = await startHub()
    say(server, 'g_a', 0, 3)
    const spectator = await watch(server, { generations: '*', layout: 'map' })
    say(server, 'g_a', 3, 2)
    server.log.append(stateEvent('g_a', 'done'), 0)
    await until(spectator, 7)
    const snapshot = spectator.messages[1] as SnapshotMessage
    expect(snapshot).toMatchObject({ type: 'snapshot', upto: 4, part: 0, last: true })
    expect(snapshot.generations.map(({ generation, text, tokens }) => [generation, text, tokens])).toEqual([
      ['g_a', ' 0 1 2', 3],
    ])
    expect(spectator.entries).toEqual([5, 6, 7].map(seq => server.log.record(seq)?.entry))
  })

  it('gets the same frames as the others', async () => {
    const server = await startHub()
    const pair = [await watch(server), await watch(server)] as const
    const frames = pair.map(framesOf)
    for (let round = 0; round < 30; round++) {
      say(server, `g_${round}`, 0, 20)
      await Promise.all(pair.map(spectator => until(spectator, server.log.head)))
    }
    expect(frames[0]?.length).toBeGreaterThanOrEqual(30)
    expect(Buffer.concat(frames[0] as Buffer[]).equals(Buffer.concat(frames[1] as Buffer[]))).toBe(true)
    expect(frames[0]?.map(({ length }) => length)).toEqual(frames[1]?.map(({ length }) => length))
  })

  it('gets a state, a first token and a later token without another append or a timer', async () => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    })
    const server = await startHub()
    const spectator = await watch(server)
    const { log } = server
    for (const event of [
      stateEvent('g_a', 'queued'),
      stateEvent('g_a', 'generating'),
      tokenEvent('g_a', 0),
      tokenEvent('g_a', 1),
      stateEvent('g_a', 'done'),
    ]) {
      const { seq } = log.append(event, 0)
      await until(spectator, seq)
    }
    expect(seqsOf(spectator)).toEqual([1, 2, 3, 4, 5])
  })

  it('gets what was appended in one go as one array', async () => {
    const server = await startHub()
    const spectator = await watch(server)
    const frames = framesOf(spectator)
    say(server, 'g_a', 0, 5)
    await until(spectator, 6)
    expect(frames.map(frame => messagesIn(frame).length)).toEqual([6])
  })

  it('gets only the generations that it named', async () => {
    const server = await startHub()
    const some = await watch(server, { generations: ['g_b', 'g_c'] })
    const all = await watch(server, { generations: '*' })
    for (const generation of ['g_a', 'g_b', 'g_c']) say(server, generation, 0, 3)
    for (const generation of ['g_c', 'g_b', 'g_a']) say(server, generation, 3, 3)
    await until(all, server.log.head)
    expect(await servedTo(some)).toBe(server.log.head)
    expect(some.entries).toEqual(all.entries.filter(({ generation }) => generation !== 'g_a'))
    expect(some.messages.some(({ type }) => type === 'gap')).toBe(false)
  })

  it('is told by pong up to where it has been served', async () => {
    const server = await startHub()
    say(server, 'g_a', 0, 5)
    const spectator = await watch(server)
    await servedTo(spectator)
    expect(spectator.messages.at(-1)).toEqual({ type: 'pong', epoch: server.log.epoch, seq: 6 })
    say(server, 'g_a', 5, 5)
    await until(spectator, 11)
    expect(await servedTo(spectator)).toBe(11)
  })

  it('may send ack and layout, which are answered by nothing', async () => {
    const server = await startHub()
    const spectator = await watch(server)
    spectator.send({ type: 'ack', seq: 0 })
    spectator.send({ type: 'layout', layout: 'map' })
    await servedTo(spectator)
    expect(spectator.messages.map(({ type }) => type)).toEqual(['hello', 'snapshot', 'pong'])
  })

  it('may be undici, whose pongs acknowledge by themselves', async () => {
    const server = await startHub()
    say(server, 'g_a', 0, 2)
    const socket = new UndiciSocket(server.url.replace('http', 'ws'), 'tokenscope.json.v1')
    const messages: ServerMessage[] = []
    let wake = () => {}
    socket.addEventListener('message', event => {
      messages.push(...messagesIn(Buffer.from(event.data as string)))
      wake()
    })
    const received = async (count: number) => {
      while (messages.length < count) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    }
    await received(1)
    expect(socket.protocol).toBe('tokenscope.json.v1')
    socket.send('{"type":"subscribe"}')
    await received(2)
    // More than the window: it comes through only if its pongs do.
    for (let index = 2; index < 42; index++)
      server.log.append(tokenEvent('g_a', index, 'x'.repeat(20_000)), 0)
    await received(42)
    expect(messages.slice(2)).toEqual(range(4, 43).map(seq => server.log.record(seq)?.entry))
    await server.meter.until(meter => meter.observations('tokenscope_broadcast_lag_entries').length > 2)
    const closed = new Promise(resolve => socket.addEventListener('close', resolve))
    socket.close()
    await closed
  })
})

describe('a viewer that comes back', () => {
  it('gets each entry once, in order, over 100 cuts at any place', async () => {
    const plan = fc.record({
      before: fc.nat(30),
      during: fc.array(fc.nat(12), { maxLength: 4 }),
      long: fc.boolean(),
      take: fc.nat(40),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(plan, { minLength: 100, maxLength: 100 }), async rounds => {
        const server = await startHub()
        const { log } = server
        let index = 0
        const append = (count: number, long: boolean) => {
          for (let i = 0; i < count; i++) {
            if (index % 17 === 0) log.append(stateEvent('g_a'), 0)
            log.append(tokenEvent('g_a', index++, long ? 'x'.repeat(3000) : undefined), 0)
          }
        }
        const received: number[] = []
        const snapshots: string[] = []
        for (const { before, during, long, take } of rounds) {
          append(before, long)
          const since = { epoch: log.epoch, seq: received.at(-1) ?? 0 }
          const spectator = await connect(server)
          spectator.send({ type: 'subscribe', since })
          for (const count of during) {
            append(count, long)
            await new Promise(setImmediate)
          }
          const there = Math.min(take, log.head - since.seq)
          await spectator.until(() => spectator.entries.length >= there)
          spectator.close()
          received.push(...seqsOf(spectator))
          snapshots.push(
            ...spectator.messages.map(({ type }) => type).filter(type => /snapshot|gap/.test(type)),
          )
        }
        const last = await connect(server)
        last.send({ type: 'subscribe', since: { epoch: log.epoch, seq: received.at(-1) ?? 0 } })
        append(1, false)
        await until(last, log.head)
        received.push(...seqsOf(last))
        expect(received).toEqual(range(1, log.head))
        expect(snapshots).toEqual([])
      }),
      { numRuns: 1, endOnFailure: true },
    )
  })

  it('too late is told so, and begins anew', async () => {
    const server = await startHub({ log: { maxEntries: 20 } })
    say(server, 'g_a', 0, 50)
    const spectator = await connect(server)
    spectator.send({ type: 'subscribe', since: { epoch: server.log.epoch, seq: 7 } })
    await spectator.until(messages => messages.some(({ type }) => type === 'snapshot'))
    say(server, 'g_a', 50, 1)
    await until(spectator, 52)
    expect(spectator.messages.slice(1)).toMatchObject([
      { type: 'gap', from: 8, to: 51, reason: 'expired' },
      { type: 'snapshot', upto: 51, last: true },
      { type: 'token_activation', seq: 52 },
    ])
    expect(server.meter.total('tokenscope_broadcast_skipped_total', { reason: 'expired' })).toBe(44)
  })

  it('from another epoch is told so, and begins anew', async () => {
    const server = await startHub()
    say(server, 'g_a', 0, 2)
    const spectator = await watch(server, { since: { epoch: 'gone.1', seq: 2 } })
    expect(spectator.messages.slice(1)).toMatchObject([
      { type: 'gap', from: null, to: null, reason: 'epoch' },
      { type: 'snapshot', upto: 3, last: true },
    ])
  })
})

describe('a viewer that stands still', () => {
  it('takes nothing from the others, and comes back to a gap and a snapshot', async () => {
    const server = await startHub()
    const [slow, quick] = [await watch(server), await watch(server)]
    slow.socket.pause()
    const { log } = server
    log.append(stateEvent('g_a'), 0)
    for (let index = 0; index < 1200; index++) {
      log.append(tokenEvent('g_a', index, 'x'.repeat(10_000)), 0)
      if (index % 20 === 19) await until(quick, log.head)
    }
    expect(seqsOf(quick)).toEqual(range(1, log.head))
    expect(server.meter.total('tokenscope_broadcast_skipped_total')).toBe(0)

    const stopped = log.head
    slow.socket.resume()
    await slow.until(
      messages => messages.filter(message => message.type === 'snapshot' && message.last).length > 1,
    )
    log.append(stateEvent('g_a', 'done'), 0)
    await until(slow, log.head)
    const gaps = slow.messages.filter(({ type }) => type === 'gap')
    const served = slow.entries.filter(({ seq }) => seq <= stopped).length
    expect(seqsOf(slow)).toEqual([...range(1, served), log.head])
    expect(gaps).toEqual([{ type: 'gap', from: served + 1, to: stopped, reason: 'slow_consumer' }])
    expect(served * 10_000).toBeLessThan(256 * KIB)
    expect(server.meter.total('tokenscope_broadcast_skipped_total')).toBe(stopped - served)
  })
})

describe('under load', () => {
  it('later tokens are gathered for at most 40 ms; a state takes them along at once', async () => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    })
    const server = await startHub()
    const { log, meter } = server
    const spectator = await watch(server)
    // The pong for the snapshot would let out what is being gathered.
    await meter.until(() => meter.observations('tokenscope_broadcast_lag_entries').length === 1)
    const second = vi.getTimerCount()
    const frames = framesOf(spectator)
    // Writing to this viewer takes 100 ms, it seems.
    let burning = true
    meter.onCount = name => {
      if (burning && name === 'tokenscope_broadcast_messages_total') vi.advanceTimersByTime(100)
    }
    // One such flush may have been a pause of the process; of the last five, three must have been so.
    log.append(stateEvent('g_a'), 0)
    await until(spectator, 1)
    log.append(tokenEvent('g_a', 1), 0)
    await until(spectator, 2)
    log.append(stateEvent('g_a', 'generating'), 0)
    await until(spectator, 3)
    burning = false

    log.append(tokenEvent('g_a', 2), 0)
    log.append(tokenEvent('g_a', 3), 0)
    await new Promise(setImmediate)
    expect(await servedTo(spectator)).toBe(3)
    vi.advanceTimersByTime(39)
    log.append(tokenEvent('g_a', 4), 0)
    expect(await servedTo(spectator)).toBe(3)
    vi.advanceTimersByTime(1)
    await until(spectator, 6)
    expect(frames.map(frame => messagesIn(frame)).at(-1)).toEqual(
      [4, 5, 6].map(seq => log.record(seq)?.entry),
    )

    burning = true
    log.append(stateEvent('g_b'), 0)
    await until(spectator, 7)
    burning = false
    log.append(tokenEvent('g_a', 5), 0)
    expect(await servedTo(spectator)).toBe(7)
    log.append(tokenEvent('g_b', 0), 0)
    await until(spectator, 9)
    expect(seqsOf(spectator)).toEqual(range(1, 9))
    expect(vi.getTimerCount()).toBe(second)
  })
})

describe('stop', () => {
  it('is passed on', async () => {
    const stopped: string[] = []
    const server = await startHub({ hub: { stop: generation => void stopped.push(generation) } })
    const spectator = await watch(server)
    spectator.send({ type: 'stop', generation: 'g_a' })
    await servedTo(spectator)
    expect(stopped).toEqual(['g_a'])
    expect(errorsOf(spectator)).toEqual([])
  })

  const refusals: [HubOptions['stop'], object][] = [
    [
      () => {
        throw new TokenscopeError('NOT_FOUND', 'no generation g_a runs')
      },
      { type: 'error', code: 'NOT_FOUND', message: 'no generation g_a runs' },
    ],
    [
      () => {
        throw new Error('oops')
      },
      { type: 'error', code: 'INTERNAL', message: 'oops' },
    ],
  ]
  it.each(refusals)(
    'comes back as an error message, however often, and closes nothing (%#)',
    async (stop, error) => {
      const server = await startHub({ hub: { stop } })
      const spectator = await watch(server)
      for (let i = 0; i < 12; i++) spectator.send({ type: 'stop', generation: 'g_a' })
      await servedTo(spectator)
      expect(errorsOf(spectator)).toEqual(Array.from({ length: 12 }, () => error))
    },
  )
})

describe('a malformed message', () => {
  it.each<[string, string | Buffer]>([
    ['no JSON', 'hello'],
    ['no type', '{"kind":"dance"}'],
    ['a bad field', '{"type":"ack","seq":-1}'],
    ['binary', Buffer.from('{"type":"ping"}')],
  ])('gets INVALID_MESSAGE and does no harm: %s', async (_what, data) => {
    const server = await startHub()
    const spectator = await watch(server)
    spectator.socket.send(data)
    say(server, 'g_a', 0, 2)
    await until(spectator, 3)
    await servedTo(spectator)
    expect(errorsOf(spectator).map(({ code }) => code)).toEqual(['INVALID_MESSAGE'])
    expect(seqsOf(spectator)).toEqual([1, 2, 3])
  })

  it('ten times closes with 4508', async () => {
    const server = await startHub()
    const spectator = await watch(server)
    for (let i = 0; i < 9; i++) spectator.send('nonsense')
    await servedTo(spectator)
    expect(errorsOf(spectator).length).toBe(9)
    spectator.send('nonsense')
    expect(await spectator.closed).toEqual({ code: 4508, reason: 'ten malformed messages within a minute' })
    expect(errorsOf(spectator).length).toBe(10)
  })

  it('ten times, but not within a minute, closes nothing', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    // Not started, so that the minutes are not also minutes of silence.
    const server = await startHub({ following: false })
    const spectator = await watch(server)
    for (let minute = 0; minute < 4; minute++) {
      for (let i = 0; i < 9; i++) spectator.send('nonsense')
      await servedTo(spectator)
      vi.advanceTimersByTime(60_001)
    }
    expect(errorsOf(spectator).length).toBe(36)
  })

  it('of more than 64 KiB closes with 1009; 64 KiB are taken', async () => {
    const server = await startHub()
    const spectator = await watch(server)
    const ping = '{"type":"ping"}'
    spectator.send(ping.padEnd(64 * KIB))
    await spectator.until(messages => messages.some(({ type }) => type === 'pong'))
    spectator.send(ping.padEnd(65 * KIB))
    expect((await spectator.closed).code).toBe(1009)
    expect(spectator.messages.filter(({ type }) => type === 'pong').length).toBe(1)
  })
})

describe('the end', () => {
  it('is everything so far, a drain message, and a close with 1001', async () => {
    const server = await startHub()
    const pair = [await watch(server), await watch(server)]
    say(server, 'g_a', 0, 3)
    await server.hub.stop()
    for (const spectator of pair) {
      expect(await spectator.closed).toEqual({ code: 1001, reason: 'server is stopping' })
      expect(seqsOf(spectator)).toEqual([1, 2, 3, 4])
      const last = spectator.messages.at(-1)
      expect(last).toEqual({ type: 'drain', retry_in_ms: expect.any(Number) })
      const { retry_in_ms } = last as { retry_in_ms: number }
      expect(Number.isInteger(retry_in_ms) && retry_in_ms > 0).toBe(true)
    }
    expect(server.hub.viewers).toBe(0)
    expect(server.hub.report().status).toBe('failed')
  })

  it('lets nobody in any more: 503', async () => {
    const server = await startHub()
    await server.hub.stop()
    const late = Spectator.connect(server.url)
    spectators.push(late)
    const [, response] = await once(late.socket, 'unexpected-response')
    expect(response.statusCode).toBe(503)
  })

  it('does not wait for one that does not answer', async () => {
    const server = await startHub()
    const spectator = await watch(server)
    spectator.socket.pause()
    await server.hub.stop()
    await server.meter.until(meter => meter.history('tokenscope_broadcast_clients').at(-1) === 0)
    expect(server.hub.viewers).toBe(0)
  })
})

describe('what the hub tells about itself', () => {
  it('is how many viewers there are, whenever that changes', async () => {
    const server = await startHub()
    const seen: number[] = []
    server.hub.onViewers(viewers => seen.push(viewers))
    const first = await connect(server)
    const second = await connect(server)
    expect(server.hub.viewers).toBe(2)
    first.close()
    await server.meter.until(() => server.hub.viewers === 1)
    second.close()
    await server.meter.until(() => server.hub.viewers === 0)
    expect(seen).toEqual([1, 2, 1, 0])
    expect(server.meter.history('tokenscope_broadcast_clients')).toEqual([1, 2, 1, 0])
  })

  it('is each delivery to each viewer, and the latency of each entry once', async () => {
    const server = await startHub()
    const three = [await watch(server), await watch(server), await watch(server)]
    for (let round = 0; round < 10; round++) {
      say(server, `g_${round}`, 0, 9)
      await Promise.all(three.map(spectator => until(spectator, server.log.head)))
    }
    expect(server.meter.total('tokenscope_broadcast_messages_total')).toBe(3 * 100)
    const latencies = server.meter.observations('tokenscope_pipeline_latency_seconds')
    expect(latencies.length).toBe(100)
    expect(latencies.every(({ value }) => value >= 0)).toBe(true)
    expect(server.meter.total('tokenscope_broadcast_skipped_total')).toBe(0)
    const lags = server.meter.observations('tokenscope_broadcast_lag_entries')
    expect(lags.every(({ value }) => value >= 0 && value <= 100)).toBe(true)
  })

  it('is no latency for what nobody watched', async () => {
    const server = await startHub()
    say(server, 'g_a', 0, 50)
    const spectator = await watch(server)
    say(server, 'g_a', 50, 1)
    await until(spectator, 52)
    expect(server.meter.observations('tokenscope_pipeline_latency_seconds').length).toBe(1)
  })

  it('is a line for /readyz', async () => {
    const server = await startHub()
    await watch(server)
    say(server, 'g_a', 0, 2)
    expect(server.hub.report()).toMatchObject({
      name: 'broadcast',
      status: 'ok',
      facts: { viewers: 1, epoch: server.log.epoch, head: 3 },
    })
  })
})
