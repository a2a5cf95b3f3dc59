import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { WholeView } from '../../broadcast/client/view-assembly.ts'
import { LIMITS } from '../../broadcast/limits.ts'
import { decodeTile } from '../../broadcast/protocol/tile-codec.ts'
import type { ViewAnswer } from '../../broadcast/protocol/view.ts'
import { BIN_SUBPROTOCOL, JSON_SUBPROTOCOL, type Subprotocol } from '../../broadcast/protocol.ts'
import { TokenscopeError } from '../../events/errors.ts'
import { AskingViewers } from '../support/asking-viewer.ts'
import { tokenEvent } from '../support/hub-events.ts'
import type { HubServer } from '../support/hub-server.ts'
import { HubStage, say } from '../support/hub-stage.ts'
import { range } from '../support/hub-watching.ts'
import { rounds } from '../support/rounds.ts'
import { expectSame } from '../support/same.ts'
import { SIDE, StandInViews, tokensOf } from '../support/views-stand-in.ts'

const PROTOCOLS: Subprotocol[] = [JSON_SUBPROTOCOL, BIN_SUBPROTOCOL]
/** A few hundred tiles of cells: megabytes of JSON. */
const ALL = { layout: 'flow', x: 0, y: 0, w: 2048, h: 2048, zoom: 2 } as const
const SMALL = { layout: 'flow', x: 0, y: 0, w: 100, h: 100, zoom: 2 } as const

const stage = new HubStage()
const viewers = new AskingViewers()

afterEach(async () => {
  viewers.clear()
  await stage.clear()
})

async function startHub(): Promise<{ server: HubServer; views: StandInViews }> {
  const views = new StandInViews()
  const server = await stage.startHub({ hub: { views } })
  return { server, views }
}

function wholeOf({ tiles, ...answer }: ViewAnswer): WholeView {
  return {
    ...answer,
    tiles: tiles.map(({ content, ...tile }) =>
      content === null ? tile : { ...tile, ...decodeTile(content) },
    ),
  }
}

describe.each(PROTOCOLS)('a viewport over %s', protocol => {
  it.each([
    ['far', { ...ALL, layout: 'map' as const }],
    ['near, in tiles', { ...SMALL, zoom: 8, color: 'age' as const, have: [] as [] }],
    ['near', { ...SMALL, layout: 'timeline' as const, zoom: 8, zoom_y: 3, t: 5, filter: { models: ['m'] } }],
    ['beyond all that is laid out', { ...SMALL, x: 1e9, y: -1e9 }],
  ])('is answered whole: %s', async (_what, question) => {
    const { server, views } = await startHub()
    const viewer = await viewers.watch(server, protocol)
    viewer.send({ type: 'viewport', id: 7, ...question, mood: 'good' })
    await viewer.until(() => viewer.answers.has(7))
    expect(views.asked).toEqual([question])
    expectSame(viewer.answers.get(7), wholeOf(await views.view(question)))
    for (const { bytes } of viewer.parts) expect(bytes).toBeLessThanOrEqual(64 * 1024)
    expect(viewer.parts.map(({ part }) => part)).toEqual(range(0, viewer.parts.length - 1))
    expect(viewer.errors).toEqual([])
  })

  it('is answered before anything is subscribed to', async () => {
    const { server } = await startHub()
    const viewer = stage.reach(server)
    viewer.send = message => viewer.socket.send(JSON.stringify(message))
    await viewer.until(messages => messages.length > 0)
    viewer.send({ type: 'viewport', id: 1, ...SMALL })
    await viewer.until(messages => messages.some(message => message.type === 'view' && message.last))
  })

  it('that replaces one which waits is answered in its place', async () => {
    const { server, views } = await startHub()
    const viewer = await viewers.watch(server, protocol)
    views.hold()
    for (let id = 1; id <= 20; id++) viewer.send({ type: 'viewport', id, ...SMALL, x: id })
    await viewer.heard()
    expect(views.asked.map(({ x }) => x)).toEqual([1])
    views.release()
    await viewer.until(() => viewer.answers.has(20))
    expect(views.asked.map(({ x }) => x)).toEqual([1, 20])
    await viewer.heard()
    expect(viewer.parts.every(({ id }) => id === 1 || id === 20)).toBe(true)
  })

  it('ends the answer that is still being sent, between two parts', async () => {
    const { server } = await startHub()
    const viewer = await viewers.watch(server, protocol)
    viewer.onPart = ({ id, part }) => {
      if (id === 1 && part === 0) viewer.send({ type: 'viewport', id: 2, ...SMALL })
    }
    viewer.send({ type: 'viewport', id: 1, ...ALL })
    await viewer.until(() => viewer.answers.has(2))
    await viewer.heard()
    const first = viewer.parts.filter(({ id }) => id === 1)
    expect(first.map(({ part }) => part)).toEqual(range(0, first.length - 1))
    expect(first.some(({ last }) => last)).toBe(false)
    expect(viewer.parts.at(-1)).toMatchObject({ id: 2, last: true })
    expect(viewer.answered).toEqual([2])
  })

  it('goes out at the pace at which it is read, and leaves room for entries', async () => {
    const { server } = await startHub()
    const viewer = await viewers.watch(server, protocol)
    await viewer.heard()
    viewer.send({ type: 'viewport', id: 1, ...ALL })
    await viewer.until(() => viewer.parts.length > 0)
    viewer.socket.pause()
    const stuck = () => server.hub.clients()[0]?.unacknowledged_bytes ?? 0
    while (stuck() < LIMITS.answerBytes - LIMITS.frameBytes) await new Promise(setImmediate)
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
    expect(stuck()).toBeLessThanOrEqual(LIMITS.answerBytes)
    say(server, 'g_a', 0, 10)
    while (server.hub.clients()[0]?.cursor !== server.log.head) await new Promise(setImmediate)
    expect(server.hub.clients()[0]).toMatchObject({ state: 'live', skipped: 0, gaps: 0 })
    viewer.socket.resume()
    await viewer.until(() => viewer.answers.has(1) && viewer.seqs.length === 11)
    expect(viewer.seqs).toEqual(range(1, 11))
  })

  it('of megabytes lets every entry of the log through between its parts', async () => {
    const { server } = await startHub()
    const viewer = await viewers.watch(server, protocol)
    say(server, 'g_a', 0, 1)
    /** Entries that were in the log when each part came. */
    const heads: number[] = []
    viewer.onPart = () => {
      heads.push(server.log.head)
      for (let i = 0; i < 5; i++) server.log.append(tokenEvent('g_a', server.log.head), performance.now())
    }
    const bytes = () => viewer.parts.reduce((sum, part) => sum + part.bytes, 0)
    for (let id = 1; bytes() < 5_000_000; id++) {
      viewer.send({ type: 'viewport', id, ...ALL })
      await viewer.until(() => viewer.answers.has(id))
    }
    await viewer.until(() => viewer.seqs.at(-1) === server.log.head)
    expect(viewer.seqs).toEqual(range(1, server.log.head))
    // One part or two later, of 80 at least; more where this process is late, and parts wait in the system's buffers.
    expect(viewer.parts.length).toBeGreaterThan(75)
    for (const [i, head] of heads.entries()) {
      const later = viewer.parts[i + 20]
      if (later !== undefined) expect(later.entriesBefore).toBeGreaterThanOrEqual(head)
    }
    expect(server.hub.clients()[0]).toMatchObject({ skipped: 0, gaps: 0 })
  })

  it('asked by many at once is sent to all of them', async () => {
    const { server, views } = await startHub()
    const all = await Promise.all(range(1, rounds(1000)).map(() => viewers.watch(server, protocol)))
    views.hold()
    for (const [id, viewer] of all.entries()) viewer.send({ type: 'viewport', id, ...SMALL, w: 300 })
    await Promise.all(all.map(viewer => viewer.heard()))
    views.release()
    say(server, 'g_a', 0, 20)
    await Promise.all(
      all.map((viewer, id) => viewer.until(() => viewer.answers.has(id) && viewer.seqs.length === 21)),
    )
    const expected = wholeOf(await views.view({ ...SMALL, w: 300 }))
    for (const [id, viewer] of all.entries()) {
      expectSame(viewer.answers.get(id), expected)
      expect(viewer.seqs).toEqual(range(1, 21))
    }
  })

  it('says what is had by content that does not come, whatever else is claimed', async () => {
    const { server, views } = await startHub()
    const viewer = await viewers.watch(server, protocol)
    const place = fc.oneof(fc.integer({ min: -2, max: 3 }), fc.maxSafeInteger())
    const claim = fc.tuple(place, place, place)
    const [claims = []] = fc.sample(fc.array(claim, { minLength: 1998, maxLength: 1998, size: 'max' }), 1)
    const version = views.version(0, 0, 0)
    const have = [
      ...claims.map(([z, x, y]): number[] => [z, x, y, 5]),
      [0, 0, 0, version],
      [0, 1, 0, version - 1],
    ]
    viewer.had = [{ z: 0, x: 0, y: 0, version, count: 5, cells: [] }]
    viewer.send({ type: 'viewport', id: 1, ...SMALL, w: 300, have })
    await viewer.until(() => viewer.answers.has(1))
    const whole = wholeOf(await views.view({ ...SMALL, w: 300 }))
    expectSame(viewer.answers.get(1)?.tiles, [...viewer.had, ...whole.tiles.slice(1)])
    expect(views.asked[0]?.have).toEqual(have)
  })

  it.each<[Error, string]>([
    [new TokenscopeError('COMPOSITOR_UNAVAILABLE', 'It is not there.'), 'COMPOSITOR_UNAVAILABLE'],
    [new Error('It is not there.'), 'INTERNAL'],
  ])('that cannot be answered gets an error that names it: %s', async (fault, code) => {
    const { server, views } = await startHub()
    const viewer = await viewers.watch(server, protocol)
    views.fault = fault
    viewer.send({ type: 'viewport', id: 3, ...SMALL })
    viewer.send({ type: 'pick', id: 4, layout: 'flow', x: 0, y: 0 })
    await viewer.until(() => viewer.errors.length === 2)
    const error = { type: 'error', code, message: 'It is not there.' }
    expect(viewer.errors.toSorted((a, b) => (a.id ?? 0) - (b.id ?? 0))).toEqual([
      { ...error, id: 3 },
      { ...error, id: 4 },
    ])
    views.fault = null
    viewer.send({ type: 'viewport', id: 5, ...SMALL })
    await viewer.until(() => viewer.answers.has(5))
  })

  it('of a viewer that goes meanwhile is nobody’s', async () => {
    const { server, views } = await startHub()
    const gone = await viewers.watch(server, protocol)
    const other = await viewers.watch(server, protocol)
    views.hold()
    gone.send({ type: 'viewport', id: 1, ...ALL })
    gone.send({ type: 'pick', id: 2, layout: 'flow', x: 0, y: 0 })
    await gone.heard()
    gone.close()
    while (server.hub.viewers > 1) await new Promise(setImmediate)
    expect(views.watched.at(-1)).toEqual([])
    views.release()
    other.send({ type: 'viewport', id: 1, ...SMALL })
    await other.until(() => other.answers.has(1))
  })
})

describe.each(PROTOCOLS)('picks over %s', protocol => {
  it('are answered each, in order, and before the rest of a viewport', async () => {
    const { server, views } = await startHub()
    const viewer = await viewers.watch(server, protocol)
    viewer.send({ type: 'viewport', id: 0, ...ALL })
    for (let id = 1; id <= 8; id++) viewer.send({ type: 'pick', id, layout: 'map', x: id + 0.5, y: 63.25 })
    viewer.send({ type: 'pick', id: 9, layout: 'map', x: SIDE, y: 0 })
    await viewer.until(() => viewer.answers.size === 10)
    expect(viewer.answered.filter(id => id > 0)).toEqual(range(1, 9))
    expect(viewer.answered.at(-1)).toBe(0)
    const row = tokensOf(0, 0).slice(63 * 64)
    for (let id = 1; id <= 8; id++) {
      expect(viewer.answers.get(id)).toMatchObject({ layout: 'map', tokens: [row[id]], tiles: [] })
    }
    expect(viewer.answers.get(9)).toMatchObject({ tokens: [], tiles: [] })
    expect(views.picked.length).toBe(9)
  })

  it('beyond eight that wait are refused', async () => {
    const { server, views } = await startHub()
    const viewer = await viewers.watch(server, protocol)
    views.hold()
    for (let id = 1; id <= 11; id++) viewer.send({ type: 'pick', id, layout: 'map', x: id, y: 0 })
    await viewer.heard()
    expect(viewer.errors.map(({ code, id }) => [code, id])).toEqual([
      ['RATE_LIMITED', 10],
      ['RATE_LIMITED', 11],
    ])
    views.release()
    await viewer.until(() => viewer.answers.size === 9)
    expect(viewer.answered).toEqual(range(1, 9))
  })
})

describe('questions about layouts', () => {
  it.each(['viewport', 'pick', 'layout', 'subscribe'])('of an unknown one are malformed: %s', async type => {
    const { server } = await startHub()
    const viewer = await viewers.watch(server, JSON_SUBPROTOCOL)
    viewer.send({ ...SMALL, type, id: 1, layout: 'sideways' })
    await viewer.until(() => viewer.errors.length === 1)
    expect(viewer.errors[0]?.code).toBe('INVALID_MESSAGE')
    expect(viewer.errors[0]?.message).toContain('"layout"')
  })

  it('are refused where nothing is laid out', async () => {
    const server = await stage.startHub()
    const viewer = await viewers.watch(server, JSON_SUBPROTOCOL)
    expect(viewer.messages[0]).toMatchObject({ type: 'hello', layouts: ['map'] })
    viewer.send({ type: 'viewport', id: 1, ...SMALL })
    viewer.send({ type: 'pick', id: 2, layout: 'map', x: 0, y: 0 })
    viewer.send({ type: 'layout', layout: 'flow' })
    viewer.send({ type: 'layout', layout: 'map' })
    await viewer.heard()
    const code = 'COMPOSITOR_UNAVAILABLE'
    expect(viewer.errors.map(error => [error.code, error.id])).toEqual([
      [code, 1],
      [code, 2],
      [code, undefined],
    ])
    viewer.send({ type: 'subscribe', layout: 'flow' })
    await viewer.until(() => viewer.errors.length === 4)
    say(server, 'g_a', 0, 3)
    await viewer.until(() => viewer.seqs.length === 4)
  })

  it('are offered in all layouts where there is somebody to ask', async () => {
    const { server } = await startHub()
    const viewer = await viewers.watch(server, JSON_SUBPROTOCOL)
    expect(viewer.messages[0]).toMatchObject({ type: 'hello', layouts: ['map', 'flow', 'timeline'] })
  })
})
