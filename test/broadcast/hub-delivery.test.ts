import { once } from 'node:events'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { messagesIn } from '../support/hub-socket.ts'
import { framesOf, HubStage, seqsOf, servedTo, until } from '../support/hub-stage.ts'
import { range } from '../support/hub-watching.ts'

const stage = new HubStage()

afterEach(async () => {
  vi.useRealTimers()
  await stage.clear()
})

describe('under load', () => {
  it('later tokens are gathered for at most 40 ms; a state takes them along at once', async () => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    })
    const server = await stage.startHub()
    const { log, meter } = server
    const spectator = await stage.watch(server)
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
    expect(frames.map(frame => messagesIn(frame)).at(-1)).toEqual([4, 5, 6].map(seq => log.entry(seq)))

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

describe('pings', () => {
  it('come once a second to each viewer, spread over it', async () => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    })
    const server = await stage.startHub()
    const viewers = await Promise.all(range(1, 40).map(() => stage.watch(server)))
    // Each has answered the ping behind its snapshot.
    await server.meter.until(meter => meter.observations('tokenscope_broadcast_lag_entries').length === 40)
    const pings = viewers.map(() => 0)
    viewers.forEach((spectator, i) => {
      spectator.socket.on('ping', () => {
        pings[i] = (pings[i] as number) + 1
      })
    })
    const total = () => pings.reduce((sum, count) => sum + count, 0)
    for (let slot = 1; slot <= 20; slot++) {
      vi.advanceTimersByTime(50)
      while (total() < slot * 2) await new Promise(setImmediate)
    }
    expect(pings).toEqual(viewers.map(() => 1))
  })

  it('of a wheel that was held up are caught up on', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const server = await stage.startHub()
    const spectator = await stage.watch(server)
    await server.meter.until(meter => meter.observations('tokenscope_broadcast_lag_entries').length === 1)
    const pinged = once(spectator.socket, 'ping')
    // The clock goes on, and only then the timers do.
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 1000)
    vi.advanceTimersByTime(50)
    await pinged
    vi.restoreAllMocks()
  })
})
