import { once } from 'node:events'
import { WebSocket as UndiciSocket } from 'undici'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { ServerMessage, SnapshotMessage } from '../../broadcast/protocol.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { messagesIn } from '../support/hub-socket.ts'
import { framesOf, HubStage, say, seqsOf, servedTo, until } from '../support/hub-stage.ts'
import { range } from '../support/hub-watching.ts'

const stage = new HubStage()

afterEach(async () => {
  vi.useRealTimers()
  await stage.clear()
})

describe('a connection', () => {
  it.each([true, false])('is greeted first, demo: %s', async demo => {
    const server = await stage.startHub({ hub: { demo: () => demo } })
    say(server, 'g_a', 0, 3)
    const spectator = await stage.connect(server)
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
    [['tokenscope.bin.v1'], 'tokenscope.bin.v1'],
    [['tokenscope.bin.v1', 'tokenscope.json.v1'], 'tokenscope.bin.v1'],
    [['tokenscope.json.v1', 'tokenscope.bin.v1'], 'tokenscope.json.v1'],
    [[], ''],
  ])('that offers %j speaks %j', async (offered, spoken) => {
    const server = await stage.startHub()
    const socket = new WebSocket(server.url.replace('http', 'ws'), offered)
    const [data] = (await once(socket, 'message')) as [Buffer]
    expect(socket.protocol).toBe(spoken)
    const protocol = spoken || 'tokenscope.json.v1'
    expect(messagesIn(data)[0]).toMatchObject({ type: 'hello', protocol })
    socket.terminate()
  })

  it('that offers only what is not spoken here comes to nothing', async () => {
    const server = await stage.startHub()
    const socket = new WebSocket(server.url.replace('http', 'ws'), 'tokenscope.bin.v9')
    const [error] = await once(socket, 'error')
    expect(error.message).toMatch(/subprotocol/)
  })

  it('is sent nothing but the greeting until it subscribes', async () => {
    const server = await stage.startHub()
    const spectator = await stage.connect(server)
    say(server, 'g_a', 0, 3)
    expect(await servedTo(spectator)).toBe(0)
    expect(spectator.messages.map(({ type }) => type)).toEqual(['hello', 'pong'])
  })

  it('is greeted again when the demo begins or ends', async () => {
    let demo = true
    const server = await stage.startHub({ hub: { demo: () => demo } })
    const spectator = await stage.connect(server)
    demo = false
    server.hub.greetAll()
    await spectator.until(messages => messages.length === 2)
    expect(spectator.messages[1]).toMatchObject({ type: 'hello', demo: false })
  })
})

describe('a viewer', () => {
  it('gets a snapshot and then the entries after it', async () => {
    const server = await stage.startHub()
    say(server, 'g_a', 0, 3)
    const spectator = await stage.watch(server, { generations: '*', layout: 'map' })
    say(server, 'g_a', 3, 2)
    server.log.append(stateEvent('g_a', 'done'), 0)
    await until(spectator, 7)
    const snapshot = spectator.messages[1] as SnapshotMessage
    expect(snapshot).toMatchObject({ type: 'snapshot', upto: 4, part: 0, last: true })
    expect(snapshot.generations.map(({ generation, text, tokens }) => [generation, text, tokens])).toEqual([
      ['g_a', ' 0 1 2', 3],
    ])
    expect(spectator.entries).toEqual([5, 6, 7].map(seq => server.log.entry(seq)))
  })

  it('gets the same frames as the others', async () => {
    const server = await stage.startHub()
    const pair = [await stage.watch(server), await stage.watch(server)] as const
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
    const server = await stage.startHub()
    const spectator = await stage.watch(server)
    const { log } = server
    for (const event of [
      stateEvent('g_a', 'queued'),
      stateEvent('g_a', 'generating'),
      tokenEvent('g_a', 0),
      tokenEvent('g_a', 1),
      stateEvent('g_a', 'done'),
    ]) {
      const seq = log.append(event, 0)
      await until(spectator, seq)
    }
    expect(seqsOf(spectator)).toEqual([1, 2, 3, 4, 5])
  })

  it('gets what was appended in one go as one array', async () => {
    const server = await stage.startHub()
    const spectator = await stage.watch(server)
    const frames = framesOf(spectator)
    say(server, 'g_a', 0, 5)
    await until(spectator, 6)
    expect(frames.map(frame => messagesIn(frame).length)).toEqual([6])
  })

  it('gets only the generations that it named', async () => {
    const server = await stage.startHub()
    const some = await stage.watch(server, { generations: ['g_b', 'g_c'] })
    const all = await stage.watch(server, { generations: '*' })
    for (const generation of ['g_a', 'g_b', 'g_c']) say(server, generation, 0, 3)
    for (const generation of ['g_c', 'g_b', 'g_a']) say(server, generation, 3, 3)
    await until(all, server.log.head)
    expect(await servedTo(some)).toBe(server.log.head)
    expect(some.entries).toEqual(all.entries.filter(({ generation }) => generation !== 'g_a'))
    expect(some.messages.some(({ type }) => type === 'gap')).toBe(false)
  })

  it('is told by pong up to where it has been served', async () => {
    const server = await stage.startHub()
    say(server, 'g_a', 0, 5)
    const spectator = await stage.watch(server)
    await servedTo(spectator)
    expect(spectator.messages.at(-1)).toEqual({ type: 'pong', epoch: server.log.epoch, seq: 6 })
    say(server, 'g_a', 5, 5)
    await until(spectator, 11)
    expect(await servedTo(spectator)).toBe(11)
  })

  it('may send ack and layout, which are answered by nothing', async () => {
    const server = await stage.startHub()
    const spectator = await stage.watch(server)
    spectator.send({ type: 'ack', seq: 0 })
    spectator.send({ type: 'layout', layout: 'map' })
    await servedTo(spectator)
    expect(spectator.messages.map(({ type }) => type)).toEqual(['hello', 'snapshot', 'pong'])
  })

  it('of the binary protocol gets the same entries', async () => {
    const server = await stage.startHub()
    say(server, 'g_a', 0, 3)
    const text = await stage.watch(server)
    const binary = stage.reachBinary(server)
    await binary.until(messages => messages.length > 0)
    binary.socket.send('{"type":"subscribe"}')
    await binary.until(messages => messages.some(({ type }) => type === 'snapshot'))
    say(server, 'g_a', 3, 3)
    say(server, 'g_b', 0, 3)
    await until(text, server.log.head)
    await binary.until(messages => messages.length === text.messages.length)
    expect(binary.messages.slice(1)).toEqual(text.messages.slice(1))
    const { log, meter } = server
    text.close()
    await meter.until(() => server.hub.viewers === 1)
    // Nobody reads JSON any more, so none is kept.
    expect(log.bytes).toBe(log.bytesAfter(0, 'tokenscope.bin.v1'))
  })

  it('may be undici, whose pongs acknowledge by themselves', async () => {
    const server = await stage.startHub()
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
    expect(messages.slice(2)).toEqual(range(4, 43).map(seq => server.log.entry(seq)))
    await server.meter.until(meter => meter.observations('tokenscope_broadcast_lag_entries').length > 2)
    const closed = new Promise(resolve => socket.addEventListener('close', resolve))
    socket.close()
    await closed
  })
})

describe('what the hub tells about itself', () => {
  it('is how many viewers there are, whenever that changes', async () => {
    const server = await stage.startHub()
    const seen: number[] = []
    server.hub.onViewers(viewers => seen.push(viewers))
    const first = await stage.connect(server)
    const second = await stage.connect(server)
    expect(server.hub.viewers).toBe(2)
    first.close()
    await server.meter.until(() => server.hub.viewers === 1)
    second.close()
    await server.meter.until(() => server.hub.viewers === 0)
    expect(seen).toEqual([1, 2, 1, 0])
    expect(server.meter.history('tokenscope_broadcast_clients')).toEqual([1, 2, 1, 0])
  })

  it('is each delivery to each viewer, and the latency of each entry once', async () => {
    const server = await stage.startHub()
    const three = [await stage.watch(server), await stage.watch(server), await stage.watch(server)]
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
    const server = await stage.startHub()
    say(server, 'g_a', 0, 50)
    const spectator = await stage.watch(server)
    say(server, 'g_a', 50, 1)
    await until(spectator, 52)
    expect(server.meter.observations('tokenscope_pipeline_latency_seconds').length).toBe(1)
  })

  it('is how many tokens a frame had, once for each frame', async () => {
    const server = await stage.startHub()
    const three = [await stage.watch(server), await stage.watch(server), await stage.watch(server)]
    for (const count of [5, 2]) {
      say(server, `g_${count}`, 0, count)
      await Promise.all(three.map(spectator => until(spectator, server.log.head)))
    }
    const frames = server.meter.observations('tokenscope_broadcast_tokens_per_frame')
    expect(frames.map(({ value }) => value)).toEqual([5, 2])
  })

  it('is how each viewer stands', async () => {
    const server = await stage.startHub()
    say(server, 'g_a', 0, 3)
    const first = await stage.watch(server)
    const binary = stage.reachBinary(server)
    await binary.until(messages => messages.length > 0)
    say(server, 'g_a', 3, 2)
    await until(first, 6)
    first.send({ type: 'ack', seq: 5 })
    await servedTo(first)
    expect(server.hub.clients()).toMatchObject([
      {
        protocol: 'tokenscope.json.v1',
        generations: '*',
        state: 'live',
        cursor: 6,
        applied: 5,
        delivered: 2,
        frames: 1,
        snapshots: 1,
      },
      { protocol: 'tokenscope.bin.v1', state: 'connecting', cursor: null, applied: null, delivered: 0 },
    ])
    const [one, other] = server.hub.clients()
    expect(one?.client).not.toBe(other?.client)
    expect(one?.address).toMatch(/^(::ffff:)?127\.0\.0\.1$/)
    expect(one?.connected_at).toBeLessThanOrEqual(other?.connected_at as number)
  })

  it('is that it stands still, if no round comes for what was appended', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const server = await stage.startHub({ following: false })
    await stage.watch(server)
    say(server, 'g_a', 0, 2)
    vi.advanceTimersByTime(2000)
    expect(server.hub.report().status).toBe('ok')
    vi.advanceTimersByTime(1)
    expect(server.hub.report()).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(/^frozen: 1 viewers, 3 entries in epoch .*, .* for 2\.0 s$/),
    })
  })

  it('is not that it stands still while nobody watches', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const server = await stage.startHub()
    say(server, 'g_a', 0, 2)
    vi.advanceTimersByTime(60_000)
    expect(server.hub.report().status).toBe('ok')
    await stage.watch(server)
    expect(server.hub.report().status).toBe('ok')
  })

  it('is a line for /readyz', async () => {
    const server = await stage.startHub()
    await stage.watch(server)
    say(server, 'g_a', 0, 2)
    expect(server.hub.report()).toMatchObject({
      name: 'broadcast',
      status: 'ok',
      facts: { viewers: 1, epoch: server.log.epoch, head: 3 },
    })
  })
})
