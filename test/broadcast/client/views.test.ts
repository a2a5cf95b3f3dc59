import { afterEach, describe, expect, it } from 'vitest'
import {
  createScopeClient,
  type ScopeClient,
  type ScopeClientOptions,
  ViewError,
} from '../../../broadcast/client.ts'
import { decodeTile } from '../../../broadcast/protocol/tile-codec.ts'
import { TokenscopeError } from '../../../events/errors.ts'
import type { HubServer } from '../../support/hub-server.ts'
import { HubStage } from '../../support/hub-stage.ts'
import { StandInViews, tokensOf } from '../../support/views-stand-in.ts'

const VIEW = { layout: 'flow', x: 0, y: 0, w: 300, h: 300, zoom: 2 } as const

const stage = new HubStage()
const clients: ScopeClient[] = []

afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await stage.clear()
})

async function startHub(): Promise<{ server: HubServer; views: StandInViews }> {
  const views = new StandInViews()
  const server = await stage.startHub({ hub: { views } })
  return { server, views }
}

function connect({ url }: HubServer, options: Partial<ScopeClientOptions> = {}): ScopeClient {
  const client = createScopeClient({
    url: `${url.replace('http', 'ws')}/scope/v1/stream`,
    random: () => 0,
    onMessage: () => {},
    ...options,
  })
  clients.push(client)
  return client
}

/** The code that a question is refused with. */
function codeOf(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'answered',
    error => (error instanceof ViewError ? error.code : String(error)),
  )
}

async function openedHub(protocol: 'bin' | 'json') {
  const { server, views } = await startHub()
  const opened = Promise.withResolvers<void>()
  const client = connect(server, { protocol, onState: ({ kind }) => kind === 'open' && opened.resolve() })
  await opened.promise
  return { server, views, client }
}

describe.each(['bin', 'json'] as const)('a client that speaks %s', protocol => {
  it('asks once it is connected, and gets the whole answer', async () => {
    const { server, views } = await startHub()
    const client = connect(server, { protocol })
    const answer = await client.view(VIEW)
    const { tiles, ...head } = await views.view(VIEW)
    expect(answer).toEqual({
      ...head,
      tiles: tiles.map(({ content, ...tile }) => ({ ...tile, ...decodeTile(content as Uint8Array) })),
    })
    const { tokens } = await client.pick({ layout: 'map', x: 3, y: 0 })
    expect(tokens).toEqual([tokensOf(0, 0)[3]])
  })

  it('gets tiles that it has without their content, and fills that in', async () => {
    const { views, client } = await openedHub(protocol)
    const first = await client.view(VIEW)
    const second = await client.view({ ...VIEW, w: 400 })
    expect(second.tiles.slice(0, 2)).toEqual(first.tiles.slice(0, 2))
    const have = first.tiles.map(({ z, x, y, version }) => [z, x, y, version])
    expect(views.asked[1]?.have?.toSorted()).toEqual(have.toSorted())
    views.change(0, 1, 0)
    const third = await client.view({ ...VIEW })
    expect(third.tiles[1]?.version).toBe((first.tiles[1]?.version ?? 0) + 1)
    expect(third.tiles[1]?.cells).not.toEqual(first.tiles[1]?.cells)
    expect(third.tiles[0]).toEqual(first.tiles[0])
  })

  it('says nothing of tiles of another layout, colour, filter or time, or from elsewhere', async () => {
    const { views, client } = await openedHub(protocol)
    await client.view(VIEW)
    for (const more of [
      { layout: 'map' as const },
      { color: 'age' as const },
      { filter: { models: ['m'] } },
      { t: 5 },
      { x: 600 },
    ]) {
      await client.view({ ...VIEW, ...more })
      expect(views.asked.at(-1)?.have).toEqual([])
    }
    await client.view(VIEW)
    expect(views.asked.at(-1)?.have?.length).toBe(9)
  })

  it('is refused what is asked before something newer, the newest of which is answered', async () => {
    const { views, client } = await openedHub(protocol)
    views.hold()
    const codes = Array.from({ length: 50 }, (_, x) => codeOf(client.view({ ...VIEW, x })))
    while (views.asked.length === 0) await new Promise(setImmediate)
    views.release()
    expect(await Promise.all(codes)).toEqual([...Array(49).fill('SUPERSEDED'), 'answered'])
    expect(views.asked.map(({ x }) => x)).toEqual([0, 1, 49])
  })

  it('has every pick answered, however many', async () => {
    const { views, client } = await openedHub(protocol)
    const answers = Array.from({ length: 60 }, (_, x) => client.pick({ layout: 'map', x, y: 0 }))
    const tokens = (await Promise.all(answers)).map(answer => answer.tokens[0])
    expect(tokens).toEqual(tokensOf(0, 0).slice(0, 60))
    expect(views.picked.map(({ x }) => x)).toEqual(Array.from({ length: 60 }, (_, x) => x))
  })

  it('is told why something is not answered', async () => {
    const { views, client } = await openedHub(protocol)
    views.fault = new TokenscopeError('COMPOSITOR_UNAVAILABLE', 'It is not there.')
    expect(await codeOf(client.view(VIEW))).toBe('COMPOSITOR_UNAVAILABLE')
    expect(await codeOf(client.pick({ layout: 'map', x: 0, y: 0 }))).toBe('COMPOSITOR_UNAVAILABLE')
    views.fault = null
    expect(await codeOf(client.view({ ...VIEW, w: -1 }))).toBe('INVALID_MESSAGE')
    expect(await codeOf(client.view(VIEW))).toBe('answered')
  })

  it('asks again after a break, with the tiles that came before it', async () => {
    const { server, views, client } = await openedHub(protocol)
    await client.view(VIEW)
    views.hold()
    const view = client.view(VIEW)
    const pick = client.pick({ layout: 'map', x: 7, y: 0 })
    while (views.asked.length < 2 || views.picked.length < 1) await new Promise(setImmediate)
    server.cut()
    while (views.picked.length < 2 || server.hub.viewers > 1) await new Promise(setImmediate)
    views.release()
    expect((await view).tiles.length).toBe(9)
    expect((await pick).tokens).toEqual([tokensOf(0, 0)[7]])
    expect(views.asked.at(-1)?.have?.length).toBe(9)
  })

  it('refuses what is open when it is closed, and all after that', async () => {
    const { views, client } = await openedHub(protocol)
    views.hold()
    const codes = [codeOf(client.view(VIEW)), codeOf(client.pick({ layout: 'map', x: 0, y: 0 }))]
    client.close()
    codes.push(codeOf(client.view(VIEW)))
    expect(await Promise.all(codes)).toEqual(['CLOSED', 'CLOSED', 'CLOSED'])
    views.release()
  })

  it('tells what is laid out in the layout that it follows', async () => {
    const { server, views } = await startHub()
    const told: string[] = []
    const client = connect(server, { protocol, layout: 'flow', onPlaced: ({ layout }) => told.push(layout) })
    const watched = async (layout: string) => {
      while (views.watched.at(-1)?.join() !== layout) await new Promise(setImmediate)
    }
    await watched('flow')
    views.place({
      layout: 'flow',
      after: 0,
      upto: 1,
      tokens: [{ generation: 'g', id: 'g:0', text: 'a', x: 0, y: 0 }],
    })
    while (told.length === 0) await new Promise(setImmediate)
    client.follow('timeline')
    await watched('timeline')
    server.cut()
    await watched('')
    await watched('timeline')
    expect(told).toEqual(['flow'])
  })
})
