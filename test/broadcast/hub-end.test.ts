import { once } from 'node:events'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Gate } from '../../broadcast/gate.ts'
import type { DrainMessage } from '../../broadcast/protocol.ts'
import { HubStage, say, seqsOf } from '../support/hub-stage.ts'
import { range } from '../support/hub-watching.ts'

const stage = new HubStage()

afterEach(async () => {
  vi.useRealTimers()
  await stage.clear()
})

describe('the end', () => {
  it('is everything so far, a drain message, and a close with 1001', async () => {
    const server = await stage.startHub()
    const pair = [await stage.watch(server), await stage.watch(server)]
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
    const server = await stage.startHub()
    await server.hub.stop()
    const late = stage.reach(server)
    const [, response] = await once(late.socket, 'unexpected-response')
    expect(response.statusCode).toBe(503)
  })

  it('does not wait for one that does not answer', async () => {
    const server = await stage.startHub()
    const spectator = await stage.watch(server)
    spectator.socket.pause()
    await server.hub.stop()
    await server.meter.until(meter => meter.history('tokenscope_broadcast_clients').at(-1) === 0)
    expect(server.hub.viewers).toBe(0)
  })

  it('comes to many, those that do not answer and those without a place, and leaves no socket open', async () => {
    const gate = new Gate({ maxClients: 60 })
    const server = await stage.startHub({ hub: { gate } })
    const viewers = await Promise.all(range(1, 60).map(() => stage.watch(server)))
    // It hears of no close, so it does not answer it.
    const without = stage.reach(server)
    await once(without.socket, 'upgrade')
    without.socket.pause()
    for (const spectator of viewers.slice(0, 20)) spectator.socket.pause()
    expect(await server.connections()).toBe(61)
    await server.hub.stop()
    while ((await server.connections()) > 0) await new Promise(setImmediate)
    for (const spectator of viewers.slice(20)) {
      expect((await spectator.closed).code).toBe(1001)
      expect(spectator.messages.at(-1)?.type).toBe('drain')
    }
    expect(server.hub.viewers).toBe(0)
    expect(gate.inside).toBe(0)
  })

  it('tells many to come back at different times', async () => {
    const server = await stage.startHub()
    const viewers = await Promise.all(range(1, 40).map(() => stage.watch(server)))
    await server.hub.stop()
    await Promise.all(viewers.map(({ closed }) => closed))
    const times = viewers.map(({ messages }) => (messages.at(-1) as DrainMessage).retry_in_ms)
    expect(Math.min(...times)).toBeGreaterThanOrEqual(500)
    expect(Math.max(...times)).toBeLessThanOrEqual(3000)
    expect(new Set(times).size).toBeGreaterThan(20)
  })
})
