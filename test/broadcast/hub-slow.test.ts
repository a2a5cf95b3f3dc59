import { afterEach, describe, expect, it, vi } from 'vitest'
import { Viewer } from '../../broadcast/viewer.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { HubStage, say, seqsOf, until } from '../support/hub-stage.ts'
import { range } from '../support/hub-watching.ts'

const KIB = 1024
const stage = new HubStage()

afterEach(async () => {
  vi.useRealTimers()
  await stage.clear()
})

describe('a viewer that stands still', () => {
  it('takes nothing from the others, and comes back to a gap and a snapshot', async () => {
    const server = await stage.startHub()
    const [slow, quick] = [await stage.watch(server), await stage.watch(server)]
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

describe('half of the viewers that stand still', () => {
  it('cost no more than their windows, and the others nothing', async () => {
    const server = await stage.startHub()
    const { log, hub } = server
    const slow = await Promise.all(range(1, 10).map(() => stage.watch(server)))
    const quick = await Promise.all(range(1, 10).map(() => stage.watch(server)))
    for (const spectator of slow) spectator.socket.pause()
    log.append(stateEvent('g_a'), 0)
    // 3 MiB: beyond every window, and not so far that anybody is moved past anything.
    for (let index = 0; index < 600; index++) {
      const token = { ...tokenEvent('g_a', index, 'x'.repeat(5000)), timestamp: 1_700_000_000 + index / 100 }
      log.append(token, performance.now())
      if (index % 10 === 9) await Promise.all(quick.map(spectator => until(spectator, log.head)))
    }
    for (const spectator of quick) {
      expect(seqsOf(spectator)).toEqual(range(1, log.head))
      const times = spectator.tokens.map(({ timestamp }) => timestamp)
      expect(times).toEqual(times.toSorted((a, b) => a - b))
    }
    const stalled = hub.clients().slice(0, 10)
    for (const client of stalled) {
      expect(client.state).toBe('held')
      expect(client.unacknowledged_bytes).toBeLessThanOrEqual(256 * KIB)
      expect(client.unacknowledged_bytes).toBeGreaterThan(128 * KIB)
      expect(client.skipped).toBe(0)
    }
    expect(server.meter.total('tokenscope_broadcast_skipped_total')).toBe(0)

    for (const spectator of slow) spectator.socket.resume()
    await Promise.all(slow.map(spectator => until(spectator, log.head)))
    for (const spectator of slow) expect(seqsOf(spectator)).toEqual(range(1, log.head))
  })
})

describe('a viewer that does not answer', () => {
  it.each([
    ['with data outstanding', 0],
    // Then the first ping is what was left unanswered.
    ['though it was sent nothing', 1000],
  ])('is closed with 4008 after 60 s, %s', async (_what, quietMs) => {
    vi.useFakeTimers({
      toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance'],
    })
    const server = await stage.startHub()
    const spectator = await stage.watch(server)
    // All that it was sent up to here is acknowledged.
    while (server.hub.clients()[0]?.unacknowledged_bytes !== 0) await new Promise(setImmediate)
    spectator.socket.pause()
    if (quietMs === 0) say(server, 'g_a', 0, 3)
    await new Promise(setImmediate)
    vi.advanceTimersByTime(61_000 + quietMs)
    spectator.socket.resume()
    expect((await spectator.closed).code).toBe(4008)
    await server.meter.until(meter => meter.total('tokenscope_broadcast_closed_total') === 1)
    expect(server.meter.total('tokenscope_broadcast_closed_total', { code: '4008' })).toBe(1)
  })
})

describe('viewers of a process that stood still for over a minute', () => {
  it('are not blamed for that', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const server = await stage.startHub()
    const spectator = await stage.watch(server)
    while (server.hub.clients()[0]?.unacknowledged_bytes !== 0) await new Promise(setImmediate)
    say(server, 'g_a', 0, 3)
    await until(spectator, server.log.head)
    const pinged = new Promise<string>(resolve => {
      spectator.socket.once('ping', () => resolve('asked'))
    })
    vi.advanceTimersByTime(100_000)
    expect(await Promise.race([pinged, spectator.closed])).toBe('asked')
    say(server, 'g_a', 3, 3)
    await until(spectator, server.log.head)
  })
})

describe('a viewer that cannot be served', () => {
  it('is cut off, which is said, and the others get what they get', async () => {
    const said: string[] = []
    const server = await stage.startHub({ hub: { say: sentence => said.push(sentence) } })
    const broken = await stage.watch(server)
    const whole = await stage.watch(server)
    const pump = vi.spyOn(Viewer.prototype, 'pump').mockImplementationOnce(() => {
      throw new Error('no frame for it')
    })
    say(server, 'g_a', 0, 3)
    expect((await broken.closed).code).toBe(1006)
    pump.mockRestore()
    await until(whole, server.log.head)
    say(server, 'g_a', 3, 3)
    await until(whole, server.log.head)
    expect(seqsOf(whole)).toEqual(range(1, 7))
    expect(said).toEqual(['A viewer was cut off, for it could not be served: no frame for it.'])
    expect(server.meter.total('tokenscope_broadcast_closed_total', { code: '1006' })).toBe(1)
  })
})
