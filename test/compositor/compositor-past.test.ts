import { describe, expect, it, vi } from 'vitest'
import type { LayoutName, Placed, ViewToken } from '../../broadcast/protocol/view.ts'
import { TokenLog } from '../../broadcast/token-log.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import type { Past } from '../../compositor/past.ts'
import { LANE_GAP } from '../../compositor/tokens/lanes.ts'
import type { TokenEntry } from '../../events/generation.ts'
import { type Composed, caughtUp, pidOf, readAll, useCompositor } from '../support/composed.ts'
import { noGpu } from '../support/gpu.ts'
import { stateEvent } from '../support/hub-events.ts'
import { keptEntries } from '../support/log-events.ts'
import { untilGone } from '../support/processes.ts'
import { rounds } from '../support/rounds.ts'
import { messagesOf, RecordedLog, recentToken, recordedOf, StandInPast } from '../support/stand-in-past.ts'

const LAYOUTS: LayoutName[] = ['map', 'flow', 'timeline']
const ALL = { x: 0, y: 0, w: 1, h: 1, zoom: 1e-9, zoom_y: 1e-9, have: [] }
/** For what another process does. */
const WAIT_MS = 20_000
const compose = useCompositor()

/** An earlier run: two generations at the same time, a third that broke off, and one without a token. */
function earlierRun(): RecordedLog {
  const run = new RecordedLog()
  run.append(stateEvent('g_a'), stateEvent('g_b'), stateEvent('g_none'))
  for (let i = 0; i < 300; i++) {
    // The one that began later has its first token earlier.
    run.append(recentToken('g_a', i, 5 + i / 10), recentToken('g_b', i, i / 10))
  }
  run.append(stateEvent('g_b', 'done'), stateEvent('g_a', 'done'), stateEvent('g_none', 'failed'))
  run.append(stateEvent('g_c'), recentToken('g_c', 0, 100))
  run.append(stateEvent('g_c', 'interrupted'))
  return run
}

function tokensOf(...logs: TokenLog[]): TokenEntry[] {
  return logs.flatMap(log => keptEntries(log).filter(entry => entry.type === 'token_activation'))
}

/** Each of these tokens is there once in each layout and nothing else, on the map where its log put it. */
async function expectAll(composed: Composed, tokens: readonly TokenEntry[]): Promise<void> {
  const ids = tokens.map(({ generation, index }) => `${generation}:${index}`).toSorted()
  for (const layout of LAYOUTS) {
    expect((await composed.compositor.view({ layout, ...ALL })).count).toBe(tokens.length)
  }
  const seen = await readAll(composed, 'map')
  expect(seen.map(({ id }) => id)).toEqual(ids)
  const places = new Map(seen.map(({ id, x, y }) => [id, [x, y]]))
  for (const { generation, index, position } of tokens)
    expect(places.get(`${generation}:${index}`)).toEqual(position)
  expect((await readAll(composed, 'flow')).map(({ id }) => id)).toEqual(ids)
}

/** Every token of the timeline by its id. */
async function onTimeline({ compositor }: Composed): Promise<Map<string, ViewToken>> {
  const seen = new Map<string, ViewToken>()
  const window = { layout: 'timeline' as const, y: 0, w: 8192, h: 4096, zoom: 1 }
  const { bounds } = await compositor.view({ ...window, ...ALL })
  for (let x = 0; x < (bounds?.[2] ?? 0); x += window.w) {
    for (const token of (await compositor.view({ ...window, x })).tokens) seen.set(token.id, token)
  }
  return seen
}

describe.each(['cpu', 'webgpu'] as const)('what was recorded, %s', backend => {
  describe.skipIf(backend === 'webgpu' && noGpu)(`${noGpu ?? ''}`, () => {
    it('is laid out with what the log has, each token once and at its cell of before', async () => {
      const { log: earlier } = earlierRun()
      const log = new TokenLog({ place: mapPosition, nextBlock: earlier.nextBlock })
      const past = new StandInPast(recordedOf(earlier))
      const composed = compose({ backend, log, past })
      composed.say('h_a', 300)
      await expectAll(composed, tokensOf(earlier, log))
      composed.say('h_b', 20)
      composed.watch('map')
      await caughtUp(composed)
      await expectAll(composed, tokensOf(earlier, log))
      expect([past.opened, past.closed, composed.said]).toEqual([1, 1, []])
    })
  })
})

describe('what was recorded', () => {
  it('goes up to an entry of the log as it is now, and the log goes on from there', async () => {
    const { log: earlier } = earlierRun()
    const now = new RecordedLog(earlier.nextBlock)
    now.say('h_a', 300)
    now.append(stateEvent('h_b'), stateEvent('h_c'))
    for (let i = 0; i < 300; i++) now.append(recentToken('h_b', i), recentToken('h_c', i))
    for (const seq of [0, 1, 300, 303, 500, now.log.head]) {
      const past = new StandInPast([...recordedOf(earlier), ...recordedOf(now.log, seq)], seq)
      const composed = compose({ log: now.log, past })
      await expectAll(composed, tokensOf(earlier, now.log))
      const { upto } = await composed.compositor.view({ layout: 'map', ...ALL })
      expect(upto).toBe(now.log.head)
      expect(composed.compositor.laidOutTo).toBe(now.log.head)
      expect(composed.compositor.report().facts?.dropped).toBe(0)
    }
  })

  it('has what the log has let go of', async () => {
    const now = new RecordedLog()
    now.say('h_a', 1000)
    const log = new TokenLog({ place: mapPosition, maxEntries: 300 })
    for (const { seq: _seq, ...event } of keptEntries(now.log)) log.append(event, 0)
    const seq = 900
    const composed = compose({ log, past: new StandInPast(recordedOf(now.log, seq), seq) })
    await expectAll(composed, tokensOf(now.log))
  })

  it('tells the times of before, whichever token came first, in lanes that nobody shares', async () => {
    const { log: earlier } = earlierRun()
    const now = new RecordedLog(earlier.nextBlock)
    now.say('h_a', 300, 100.1)
    now.say('h_b', 300, 101)
    const composed = compose({ log: now.log, past: new StandInPast(recordedOf(earlier)) })
    const seen = await onTimeline(composed)
    const tokens = tokensOf(earlier, now.log)
    expect(seen.size).toBe(tokens.length)
    for (const { generation, index, timestamp } of tokens) {
      expect(seen.get(`${generation}:${index}`)?.timestamp).toBe(timestamp)
    }
    const lanes = Map.groupBy(seen.values(), ({ y }) => y)
    expect(lanes.size).toBe(2)
    for (const inLane of lanes.values()) {
      const sorted = inLane.toSorted((a, b) => a.x - b.x)
      for (const [i, token] of sorted.entries()) {
        const before = sorted[i - 1]
        if (before === undefined || before.id.split(':')[0] === token.id.split(':')[0]) continue
        expect(token.x - before.x).toBeGreaterThanOrEqual(LANE_GAP)
      }
    }
  })

  it('is not told as laid out just now, and what comes after it is told once', async () => {
    const { log: earlier } = earlierRun()
    const now = new RecordedLog(earlier.nextBlock)
    now.say('h_a', 300)
    const past = new StandInPast([...recordedOf(earlier), ...recordedOf(now.log)], now.log.head)
    const composed = compose({ log: now.log, past })
    const placed: Placed[] = []
    composed.compositor.onPlaced(each => placed.push(each))
    composed.watch('flow')
    await caughtUp(composed)
    expect(placed).toEqual([])
    const after = now.log.head
    now.append(stateEvent('h_b'), recentToken('h_b', 0))
    await caughtUp(composed)
    process.kill(pidOf(composed) as number, 'SIGKILL')
    now.append(recentToken('h_b', 1))
    past.messages = [...recordedOf(earlier), ...recordedOf(now.log, after + 2)]
    past.seq = after + 2
    await vi.waitFor(() => expect(composed.compositor.report().facts?.restarts).toBe(1), WAIT_MS)
    await caughtUp(composed)
    expect(placed.map(({ after, upto }) => [after, upto])).toEqual([
      [after, after + 2],
      [after + 2, after + 3],
    ])
    expect(placed.flatMap(({ tokens }) => tokens.map(({ id }) => id))).toEqual(['h_b:0', 'h_b:1'])
    await expectAll(composed, tokensOf(earlier, now.log))
  })

  it('is waited for by questions and by who is to be shown something', async () => {
    const { log: earlier } = earlierRun()
    const past = new StandInPast(recordedOf(earlier))
    const held = Promise.withResolvers<void>()
    past.before = message => (message === 2 ? held.promise : undefined)
    const log = new TokenLog({ place: mapPosition, nextBlock: earlier.nextBlock })
    const composed = compose({ log, past })
    const { compositor } = composed
    composed.say('h_a', 10)
    const asked = [
      compositor.shows('g_c', 'flow'),
      compositor.shows('h_a', 'map'),
      compositor.view({ layout: 'timeline', ...ALL }).then(({ count }) => count),
    ]
    await vi.waitFor(() => expect(past.opened).toBe(1), WAIT_MS)
    expect(compositor.laidOutTo).toBe(0)
    held.resolve()
    expect(await Promise.all(asked)).toEqual([true, true, tokensOf(earlier, composed.log).length])
    expect(compositor.laidOutTo).toBe(composed.log.head)
  })

  it('keeps nobody waiting for longer than they wait', async () => {
    const past = new StandInPast(recordedOf(earlierRun().log))
    const held = Promise.withResolvers<void>()
    past.before = () => held.promise
    const composed = compose({ past, waitMs: 100 })
    composed.say('h_a', 10)
    composed.watch('map')
    await vi.waitFor(() => expect(past.opened).toBe(1), WAIT_MS)
    const why = 'The compositor has nothing to show yet: its process is still reading what was recorded.'
    await expect(composed.compositor.view({ layout: 'map', ...ALL })).rejects.toThrow(why)
    await expect(composed.compositor.shows('g_a', 'flow')).rejects.toThrow(why)
    held.resolve()
    await caughtUp(composed)
  })

  it('is told anew to each process, however far the one before it had come', async () => {
    const { log: earlier } = earlierRun()
    const past = new StandInPast(recordedOf(earlier))
    const log = new TokenLog({ place: mapPosition, nextBlock: earlier.nextBlock })
    const composed = compose({ log, past })
    composed.say('h_a', 10)
    composed.watch('map')
    // Before the first, between two, and before the end.
    for (const message of [0, 2, past.messages.length]) {
      const reached = Promise.withResolvers<void>()
      const held = Promise.withResolvers<void>()
      past.before = async at => {
        if (at !== message) return
        reached.resolve()
        await held.promise
      }
      if (pidOf(composed) !== null) process.kill(pidOf(composed) as number, 'SIGKILL')
      await reached.promise
      const pid = pidOf(composed) as number
      process.kill(pid, 'SIGKILL')
      await untilGone(pid)
      past.before = () => {}
      held.resolve()
      await caughtUp(composed)
    }
    await expectAll(composed, tokensOf(earlier, log))
    expect(past.closed).toBe(past.opened)
    expect(past.opened).toBeGreaterThan(5)
  })

  it('is told to the process that takes over from one that had its time', async () => {
    const { log: earlier } = earlierRun()
    const past = new StandInPast(recordedOf(earlier))
    const log = new TokenLog({ place: mapPosition, nextBlock: earlier.nextBlock })
    const life: { lifeMs?: number } = { lifeMs: 2000 }
    const composed = compose({ log, past, process: life })
    composed.say('h_a', 10)
    composed.watch('map')
    const pid = pidOf(composed)
    // The next one has all the time of the world.
    delete life.lifeMs
    await vi.waitFor(() => expect([pid, null]).not.toContain(pidOf(composed)), WAIT_MS)
    await caughtUp(composed)
    await expectAll(composed, tokensOf(earlier, log))
    expect(composed.said).toEqual([])
  })

  it.each([0, 3])(
    'that cannot be read from message %i on leaves the log by itself, which is said once',
    async at => {
      const { log: earlier } = earlierRun()
      const now = new RecordedLog(earlier.nextBlock)
      now.append(stateEvent('h_a'))
      for (let i = 0; i < 20; i++) now.append(recentToken('h_a', i))
      const past = new StandInPast([...recordedOf(now.log, 10), ...recordedOf(earlier)], now.log.head)
      past.before = message => (message === at ? Promise.reject(new Error('the disk is gone')) : undefined)
      const composed = compose({ log: now.log, past })
      const read = new Set(recordedOf(earlier).slice(0, Math.max(0, at - 1)))
      composed.watch('map')
      await caughtUp(composed)
      const seen = (await readAll(composed, 'map')).map(({ id }) => id)
      expect(seen.filter(id => id.startsWith('h_a')).length).toBe(20)
      expect(new Set(seen).size).toBe(seen.length)
      expect(seen.length > 20).toBe(read.size > 0)
      process.kill(pidOf(composed) as number, 'SIGKILL')
      await vi.waitFor(() => expect(past.opened).toBe(2), WAIT_MS)
      await caughtUp(composed)
      expect(composed.said).toEqual([
        'warn: compositor: what was recorded is not shown, or not all of it, since it cannot be read: the disk is gone',
        'warn: compositor: its process was ended by SIGKILL',
      ])
      expect(past.closed).toBe(2)
    },
  )

  it('that cannot be opened leaves the log by itself', async () => {
    const past: Past = { open: () => Promise.reject(new Error('it is not there')) }
    const composed = compose({ past })
    composed.say('h_a', 10)
    await expectAll(composed, tokensOf(composed.log))
    expect(composed.said).toEqual([expect.stringMatching(/^warn: .* cannot be read: it is not there$/)])
  })

  it('over which one process after the other ends is left out, which is said', async () => {
    const { log: earlier } = earlierRun()
    const past = new StandInPast([...recordedOf(earlier), Uint8Array.of(2, 5, 0, 0, 0, 1, 2, 3, 4, 5)])
    const composed = compose({ past })
    composed.say('h_a', 10)
    composed.watch('map')
    await caughtUp(composed)
    expect((await readAll(composed, 'map')).length).toBe(10)
    expect([past.opened, past.closed]).toEqual([3, 3])
    const ended = expect.stringMatching(/^error: compositor: its process failed: entry 1 /)
    const leftOut =
      'warn: compositor: what was recorded is not shown until Tokenscope restarts: the process that lays out ended 3 times over it'
    expect(composed.said).toEqual([ended, ended, leftOut, ended])
  })

  it('is let go of when the compositor stops', async () => {
    const past = new StandInPast(recordedOf(earlierRun().log))
    const held = Promise.withResolvers<void>()
    past.before = () => held.promise
    const composed = compose({ past })
    composed.watch('map')
    await vi.waitFor(() => expect(past.opened).toBe(1), WAIT_MS)
    await composed.compositor.stop()
    held.resolve()
    await vi.waitFor(() => expect(past.closed).toBe(1), WAIT_MS)
    expect(composed.said).toEqual([])
  })

  it('may be a million tokens', async () => {
    const count = rounds(1_000_000)
    const run = new RecordedLog()
    for (let n = 0; n < count; n += 500) run.say(`g_${n}`, 500, n / 1000)
    const messages = messagesOf(run.log)
    const composed = compose({ past: new StandInPast(messages) })
    composed.watch('map')
    for (const layout of LAYOUTS) {
      expect((await composed.compositor.view({ layout, ...ALL })).count).toBe(count)
    }
  })

  it('goes over the end of the map to its beginning', async () => {
    const run = new RecordedLog(2 ** 24 - 3)
    run.say('g_a', 300)
    run.say('g_b', 200)
    const now = new RecordedLog(run.log.nextBlock)
    now.say('h_a', 300)
    expect(now.log.nextBlock).toBe(2)
    const composed = compose({ log: now.log, past: new StandInPast(recordedOf(run.log)) })
    for (const layout of LAYOUTS) {
      expect((await composed.compositor.view({ layout, ...ALL })).count).toBe(800)
    }
    for (const token of tokensOf(run.log, now.log)) {
      const [x, y] = token.position
      const { tokens } = await composed.compositor.pick({ layout: 'map', x, y })
      expect(tokens.map(({ id }) => id)).toEqual([`${token.generation}:${token.index}`])
    }
  })
})
