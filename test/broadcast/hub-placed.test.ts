import { afterEach, describe, expect, it } from 'vitest'
import type { Placed } from '../../broadcast/protocol/view.ts'
import { BIN_SUBPROTOCOL, JSON_SUBPROTOCOL, type Subprotocol } from '../../broadcast/protocol.ts'
import { AskingViewers } from '../support/asking-viewer.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import type { HubServer } from '../support/hub-server.ts'
import { HubStage } from '../support/hub-stage.ts'
import { StandInViews } from '../support/views-stand-in.ts'

const PROTOCOLS: Subprotocol[] = [JSON_SUBPROTOCOL, BIN_SUBPROTOCOL]

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

/** Tokens of these generations, laid out with the entries after `after`, one each. */
function placed(after: number, generations: string[], more: Partial<Placed> = {}): Placed {
  const tokens = generations.map((generation, i) => ({
    generation,
    id: `${generation}:${after + i}`,
    text: ` "${i}"`,
    x: i,
    y: after + 0.5,
  }))
  return { layout: 'flow', after, upto: after + generations.length, tokens, ...more }
}

describe.each(PROTOCOLS)('what was laid out, over %s', protocol => {
  it('is told to those who follow the layout, from `subscribe` or `layout` on', async () => {
    const { server, views } = await startHub()
    const flow = await viewers.watch(server, protocol, { layout: 'flow' })
    const timeline = await viewers.watch(server, protocol, { layout: 'timeline' })
    const map = await viewers.watch(server, protocol)
    const all = [flow, timeline, map]
    views.place(placed(0, ['g_a', 'g_b']))
    views.place(placed(0, ['g_a'], { layout: 'timeline' }))
    await Promise.all(all.map(viewer => viewer.heard()))
    map.send({ type: 'layout', layout: 'flow' })
    flow.send({ type: 'layout', layout: 'map' })
    await Promise.all(all.map(viewer => viewer.heard()))
    views.place(placed(2, ['g_a']))
    await Promise.all(all.map(viewer => viewer.heard()))
    const first = { type: 'token_visualization', layout: 'flow', after: 0, upto: 2 }
    expect(flow.placed).toEqual([
      {
        ...first,
        tokens: [
          { id: 'g_a:0', text: ' "0"', x: 0, y: 0.5 },
          { id: 'g_b:1', text: ' "1"', x: 1, y: 0.5 },
        ],
      },
    ])
    expect(timeline.placed.map(({ layout, after, upto }) => [layout, after, upto])).toEqual([
      ['timeline', 0, 1],
    ])
    expect(map.placed.map(({ layout, after, upto }) => [layout, after, upto])).toEqual([['flow', 2, 3]])
  })

  it('is told of the generations that somebody follows, without holes where there was nothing of them', async () => {
    const { server, views } = await startHub()
    const viewer = await viewers.watch(server, protocol, { layout: 'flow', generations: ['g_a'] })
    views.place(placed(0, ['g_a', 'g_b']))
    views.place(placed(2, ['g_b']))
    views.place(placed(3, ['g_b']))
    views.place(placed(4, ['g_b', 'g_a']))
    views.place(placed(6, ['g_a']))
    await viewer.until(() => viewer.placed.length === 3)
    expect(viewer.placed.map(({ after, upto, tokens }) => [after, upto, tokens.map(({ id }) => id)])).toEqual(
      [
        [0, 2, ['g_a:0']],
        [2, 6, ['g_a:5']],
        [6, 7, ['g_a:6']],
      ],
    )
  })

  it('shows a hole in `after` where nobody was told, whatever a filter had passed over before it', async () => {
    const { server, views } = await startHub()
    const viewer = await viewers.watch(server, protocol, { layout: 'flow', generations: ['g_a'] })
    views.place(placed(0, ['g_a']))
    views.place(placed(1, ['g_b']))
    // What came between was laid out by a process that got it with all that was recorded.
    views.place(placed(9, ['g_b']))
    views.place(placed(10, ['g_a']))
    views.place(placed(20, ['g_a']))
    await viewer.until(() => viewer.placed.length === 3)
    expect(viewer.placed.map(({ after, upto }) => [after, upto])).toEqual([
      [0, 1],
      [9, 11],
      [20, 21],
    ])
  })

  it('is not told to who does not read, which `after` shows later', async () => {
    const { server, views } = await startHub()
    const slow = await viewers.watch(server, protocol, { layout: 'flow' })
    const quick = await viewers.watch(server, protocol, { layout: 'flow' })
    await slow.heard()
    views.place(placed(0, ['g_a']))
    await slow.until(() => slow.placed.length === 1)
    slow.socket.pause()
    server.log.append(stateEvent('g_a'), 0)
    for (let index = 0; index < 100; index++) {
      server.log.append(tokenEvent('g_a', index, 'x'.repeat(5000)), performance.now())
      if (index % 10 === 0) await quick.until(() => quick.seqs.at(-1) === server.log.head)
    }
    const stateOf = (place: number) => server.hub.clients()[place]?.state
    const waitingOf = (place: number) => server.hub.clients()[place]?.unacknowledged_bytes ?? 0
    while (stateOf(0) !== 'held' || waitingOf(1) > 100_000) await new Promise(setImmediate)
    views.place(placed(1, ['g_a']))
    await quick.until(() => quick.placed.length === 2)
    slow.socket.resume()
    await slow.until(() => slow.seqs.at(-1) === server.log.head)
    while (stateOf(0) === 'held' || waitingOf(0) > 100_000) await new Promise(setImmediate)
    views.place(placed(2, ['g_a']))
    await slow.until(() => slow.placed.length === 2)
    expect(slow.placed.map(({ after, upto }) => [after, upto])).toEqual([
      [0, 1],
      [2, 3],
    ])
    await quick.until(() => quick.placed.length === 3)
    expect(slow.seqs).toEqual(quick.seqs)
  })

  it('is left out where it is more than 64 KiB', async () => {
    const { server, views } = await startHub()
    const viewer = await viewers.watch(server, protocol, { layout: 'flow' })
    views.place(placed(0, Array(5000).fill('g_a')))
    views.place(placed(5000, ['g_a']))
    await viewer.until(() => viewer.placed.length === 1)
    expect(viewer.placed[0]).toMatchObject({ after: 5000, upto: 5001 })
  })
})

describe('layouts', () => {
  it('are watched while somebody follows them or asked about them last', async () => {
    const { server, views } = await startHub()
    const viewer = await viewers.watch(server, JSON_SUBPROTOCOL, { layout: 'map' })
    const other = await viewers.watch(server, BIN_SUBPROTOCOL, { layout: 'flow' })
    const watchedAfter = async (...messages: object[]) => {
      for (const message of messages) viewer.send(message)
      await viewer.heard()
      return views.watched.at(-1)
    }
    const pick = { type: 'pick', id: 1, x: 0, y: 0 }
    const viewport = { type: 'viewport', id: 2, x: 0, y: 0, w: 1, h: 1, zoom: 1 }
    expect(views.watched).toEqual([['flow']])
    expect(await watchedAfter({ ...pick, layout: 'map' })).toEqual(['flow', 'map'])
    expect(await watchedAfter({ type: 'subscribe' })).toEqual(['flow', 'map'])
    expect(await watchedAfter({ ...viewport, layout: 'timeline' })).toEqual(['flow', 'timeline'])
    expect(await watchedAfter({ type: 'layout', layout: 'flow' })).toEqual(['flow'])
    expect(await watchedAfter({ ...pick, layout: 'timeline' })).toEqual(['flow', 'timeline'])
    other.close()
    while (server.hub.viewers > 1) await new Promise(setImmediate)
    expect(views.watched.at(-1)).toEqual(['flow', 'timeline'])
    expect(await watchedAfter({ type: 'subscribe', layout: 'map' })).toEqual([])
    expect(await watchedAfter({ ...pick, layout: 'flow' })).toEqual(['flow'])
    viewer.close()
    while (server.hub.viewers > 0) await new Promise(setImmediate)
    expect(views.watched.at(-1)).toEqual([])
    for (const [i, layouts] of views.watched.entries()) expect(layouts).not.toEqual(views.watched[i + 1])
  })
})
