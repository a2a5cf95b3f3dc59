import { afterEach, describe, expect, it, vi } from 'vitest'
import type { HubOptions } from '../../broadcast/hub.ts'
import { TokenscopeError } from '../../events/errors.ts'
import { errorsOf, HubStage, say, seqsOf, servedTo, until } from '../support/hub-stage.ts'

const KIB = 1024
const stage = new HubStage()

afterEach(async () => {
  vi.useRealTimers()
  await stage.clear()
})

describe('stop', () => {
  it('is passed on', async () => {
    const stopped: string[] = []
    const server = await stage.startHub({ hub: { stop: generation => void stopped.push(generation) } })
    const spectator = await stage.watch(server)
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
      const server = await stage.startHub({ hub: { stop } })
      const spectator = await stage.watch(server)
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
    const server = await stage.startHub()
    const spectator = await stage.watch(server)
    spectator.socket.send(data)
    say(server, 'g_a', 0, 2)
    await until(spectator, 3)
    await servedTo(spectator)
    expect(errorsOf(spectator).map(({ code }) => code)).toEqual(['INVALID_MESSAGE'])
    expect(seqsOf(spectator)).toEqual([1, 2, 3])
  })

  it('ten times closes with 4508', async () => {
    const server = await stage.startHub()
    const spectator = await stage.watch(server)
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
    const server = await stage.startHub({ following: false })
    const spectator = await stage.watch(server)
    for (let minute = 0; minute < 4; minute++) {
      for (let i = 0; i < 9; i++) spectator.send('nonsense')
      await servedTo(spectator)
      vi.advanceTimersByTime(60_001)
    }
    expect(errorsOf(spectator).length).toBe(36)
  })

  it('of more than 64 KiB closes with 1009; 64 KiB are taken', async () => {
    const server = await stage.startHub()
    const spectator = await stage.watch(server)
    const ping = '{"type":"ping"}'
    spectator.send(ping.padEnd(64 * KIB))
    await spectator.until(messages => messages.some(({ type }) => type === 'pong'))
    spectator.send(ping.padEnd(65 * KIB))
    expect((await spectator.closed).code).toBe(1009)
    await server.meter.until(meter => meter.total('tokenscope_broadcast_closed_total') === 1)
    expect(server.meter.total('tokenscope_broadcast_closed_total', { code: '1009' })).toBe(1)
    expect(spectator.messages.filter(({ type }) => type === 'pong').length).toBe(1)
  })
})

describe('messages that come too fast', () => {
  it('close with 4029', async () => {
    const server = await stage.startHub()
    const spectator = await stage.watch(server)
    // Over the burst and all that is granted while they are being sent.
    for (let i = 0; i < 2000; i++) spectator.send({ type: 'layout', layout: 'map' })
    expect((await spectator.closed).code).toBe(4029)
  })
})

describe('a close code that is none of ours', () => {
  it('is counted as other', async () => {
    const server = await stage.startHub()
    const spectator = await stage.watch(server)
    spectator.socket.close(3999)
    await server.meter.until(meter => meter.total('tokenscope_broadcast_closed_total') === 1)
    expect(server.meter.total('tokenscope_broadcast_closed_total', { code: 'other' })).toBe(1)
  })
})
