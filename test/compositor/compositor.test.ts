import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { type LogRecord, TokenLog } from '../../broadcast/token-log.ts'
import { Compositor } from '../../compositor/compositor.ts'
import { mapPlace, mapPosition } from '../../compositor/map.ts'
import type { TokenEntry } from '../../events/generation.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { RecordingMeter } from '../support/hub-meter.ts'

const PAGE = 65_536
const started: Compositor[] = []

afterEach(() => {
  for (const compositor of started.splice(0)) compositor.stop()
})

function compose(options: { maxEntries?: number } = {}) {
  const log = new TokenLog({ place: mapPosition, ...options })
  const meter = new RecordingMeter()
  const compositor = new Compositor({ log, meter })
  compositor.start()
  started.push(compositor)
  const positions = new Map<number, [number, number]>()
  const say = (generation: string, count: number, from = 0) => {
    if (from === 0) log.append(stateEvent(generation), 0)
    for (let index = from; index < from + count; index++) {
      const entry = log.append(tokenEvent(generation, index), 0) as TokenEntry
      positions.set(entry.seq, entry.position)
    }
  }
  return { log, meter, compositor, positions, say }
}

/** What is laid out, as seq → position. */
function laidOut(compositor: Compositor): Map<number, [number, number]> {
  const found = new Map<number, [number, number]>()
  for (const { seqs, places, laidOut } of compositor.pages) {
    for (let i = 0; i < laidOut; i++) {
      const place = places[i] as number
      found.set(seqs[i] as number, [place & 0xffff, place >>> 16])
    }
  }
  return found
}

describe('the compositor', () => {
  it('lays out every token where the log put it', async () => {
    const { compositor, positions, say } = compose()
    compositor.watch(true)
    say('g_a', 300)
    say('g_b', 10)
    say('g_a', 300, 300)
    await turn()
    expect(laidOut(compositor)).toEqual(positions)
  })

  it('does nothing while nobody watches', async () => {
    const { compositor, meter, say } = compose()
    say('g_a', 10)
    await turn()
    expect(compositor.pages.length).toBe(0)
    expect(meter.observed).toEqual([])
  })

  it('catches up with what came meanwhile once somebody watches', async () => {
    const { compositor, positions, say } = compose()
    compositor.watch(true)
    say('g_a', 5)
    await turn()
    compositor.watch(false)
    say('g_a', 5, 5)
    await turn()
    expect(laidOut(compositor).size).toBe(5)
    compositor.watch(true)
    await turn()
    expect(laidOut(compositor)).toEqual(positions)
  })

  it('does not lay out what was about to be when the last watcher left', async () => {
    const { compositor, say } = compose()
    compositor.watch(true)
    say('g_a', 5)
    compositor.watch(false)
    await turn()
    expect(compositor.pages.length).toBe(0)
  })

  it('takes up where the log begins when it was away for too long', async () => {
    const { compositor, log, positions, say } = compose({ maxEntries: 100 })
    say('g_a', 250)
    compositor.watch(true)
    await turn()
    const kept = new Map([...positions].filter(([seq]) => seq >= log.tail))
    expect(laidOut(compositor)).toEqual(kept)
    expect(kept.size).toBe(100)
  })

  it('does nothing after it was stopped', async () => {
    const { compositor, say } = compose()
    compositor.watch(true)
    say('g_a', 5)
    compositor.stop()
    say('g_a', 5, 5)
    await turn()
    expect(compositor.pages.length).toBe(0)
  })

  it('fills a page before it begins the next, and lays out both', async () => {
    const { compositor, positions, say } = compose({ maxEntries: 100_000 })
    compositor.watch(true)
    say('g_a', PAGE - 1)
    await turn()
    expect(compositor.pages.map(({ used }) => used)).toEqual([PAGE - 1])
    say('g_a', 1, PAGE - 1)
    await turn()
    expect(compositor.pages.map(({ used }) => used)).toEqual([PAGE])
    say('g_a', 10, PAGE)
    await turn()
    expect(compositor.pages.map(({ used }) => used)).toEqual([PAGE, 10])
    const found = laidOut(compositor)
    expect(found.size).toBe(PAGE + 10)
    const astray = [...positions].filter(([seq, [x, y]]) => {
      const place = found.get(seq)
      return place?.[0] !== x || place[1] !== y
    })
    expect(astray).toEqual([])
  })

  it('lets the oldest page go when there are more than 16', () => {
    // A log of a million entries, without the cost of encoding them.
    const head = 16 * PAGE + 1
    const log = {
      head,
      tail: 1,
      record: (seq: number) => ({ cell: seq - 1 }) as LogRecord,
      onAppend: () => () => {},
    } as unknown as TokenLog
    const compositor = new Compositor({ log, meter: new RecordingMeter() })
    compositor.step()
    expect(compositor.pages.map(({ used, laidOut }) => [used, laidOut])).toEqual([
      ...Array.from({ length: 15 }, () => [PAGE, PAGE]),
      [1, 1],
    ])
    expect(compositor.pages[0]?.seqs[0]).toBe(PAGE + 1)
    expect(compositor.pages.at(-1)?.places[0]).toBe(mapPlace(head - 1))
  })

  it('observes each step that laid something out, as CPU and map', async () => {
    const { compositor, meter, log, say } = compose()
    compositor.watch(true)
    say('g_a', 3)
    await turn()
    say('g_a', 3, 3)
    await turn()
    log.append(stateEvent('g_a', 'done'), 0)
    await turn()
    expect(meter.observed.map(({ name, labels }) => [name, labels])).toEqual([
      ['tokenscope_layout_seconds', { backend: 'cpu', layout: 'map' }],
      ['tokenscope_layout_seconds', { backend: 'cpu', layout: 'map' }],
    ])
  })

  it('reports what it holds', async () => {
    const { compositor, say } = compose()
    expect(compositor.report()).toMatchObject({ name: 'compositor', status: 'ok', facts: { tokens: 0 } })
    compositor.watch(true)
    say('g_a', 3)
    await turn()
    expect(compositor.report().facts).toEqual({ backend: 'cpu', layouts: ['map'], tokens: 3 })
  })
})
