import { afterEach, describe, expect, it } from 'vitest'
import {
  createScopeClient,
  type ScopeClient,
  type ScopeMessage,
  type ScopeState,
  ViewError,
} from '../../broadcast/client.ts'
import { TokenLog } from '../../broadcast/token-log.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import { useCompositor } from '../support/composed.ts'
import { stateEvent } from '../support/hub-events.ts'
import type { HubServer } from '../support/hub-server.ts'
import { HubStage } from '../support/hub-stage.ts'
import { keptEntries } from '../support/log-events.ts'
import { RecordedLog, recentToken, recordedOf, StandInPast } from '../support/stand-in-past.ts'
import { StandInViews } from '../support/views-stand-in.ts'

// A client that stays while its server is stopped and another one, which goes on with the log, takes its port.

const FLOW = { layout: 'flow', x: 0, y: 0, w: 300, h: 300, zoom: 2 } as const

const stage = new HubStage()
const compose = useCompositor()
const clients: ScopeClient[] = []

afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await stage.clear()
})

/** A client with what it was told, which can be waited for. */
class Owner {
  readonly messages: ScopeMessage[] = []
  readonly client: ScopeClient
  state: ScopeState = { kind: 'connecting', code: null }
  #stirred = Promise.withResolvers<void>()

  constructor({ url }: HubServer, protocol: 'bin' | 'json') {
    this.client = createScopeClient({
      url: `${url.replace('http', 'ws')}/scope/v1/stream`,
      protocol,
      random: () => 0,
      onMessage: message => {
        this.messages.push(message)
        this.#stir()
      },
      onState: state => {
        this.state = state
        this.#stir()
      },
    })
    clients.push(this.client)
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#stirred.promise
  }

  #stir(): void {
    this.#stirred.resolve()
    this.#stirred = Promise.withResolvers()
  }
}

/** Stops a server and starts another in its place. */
async function replace(
  server: HubServer,
  owner: Owner,
  options: Parameters<HubStage['startHub']>[0],
): Promise<HubServer> {
  const port = Number(new URL(server.url).port)
  await server.stop()
  await owner.until(() => owner.state.kind === 'waiting')
  const next = await stage.startHub({ ...options, port })
  owner.client.wake()
  return next
}

function codeOf(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'answered',
    error => (error instanceof ViewError ? error.code : String(error)),
  )
}

describe.each(['bin', 'json'] as const)(
  'a client that speaks %s and stays while its server is started anew',
  protocol => {
    it('is told that nothing of before holds, gets what ended before, and new cells after the old ones', async () => {
      const first = await stage.startHub({ log: { epoch: 'l0g.1' } })
      const owner = new Owner(first, protocol)
      for (let i = 0; i < 300; i++) first.log.append(recentToken('g_gone', i), 0)
      first.log.append(stateEvent('g_a'), 0)
      for (let i = 0; i < 3; i++) first.log.append(recentToken('g_a', i), 0)
      first.log.append(stateEvent('g_a', 'done'), 0)
      await owner.until(() => owner.client.applied?.seq === first.log.head)
      const { nextBlock } = first.log
      const finished = first.log.generations()
      owner.messages.length = 0
      const second = await replace(first, owner, { log: { epoch: 'l0g.2', nextBlock, finished } })
      await owner.until(() => owner.messages.some(({ type }) => type === 'snapshot'))
      second.log.append(stateEvent('h_a'), 0)
      second.log.append(recentToken('h_a', 0), 0)
      await owner.until(() => owner.messages.some(({ type }) => type === 'token_activation'))
      expect(owner.messages.filter(({ type }) => type !== 'drain')).toMatchObject([
        { type: 'hello', epoch: 'l0g.2', head: 0 },
        { type: 'gap', from: null, to: null, reason: 'epoch' },
        {
          type: 'snapshot',
          upto: 0,
          generations: [{ generation: 'g_a', state: 'done', text: ' 0 1 2', tokens: 3 }],
        },
        { type: 'neural_state', seq: 1 },
        { type: 'token_activation', seq: 2, position: mapPosition(3 * 256) },
      ])
      expect(owner.client.applied).toEqual({ epoch: 'l0g.2', seq: 2 })
    })

    it('asks again, with none of the tiles of before, and not about places that are others now', async () => {
      const before = new StandInViews()
      const first = await stage.startHub({ hub: { views: before } })
      const owner = new Owner(first, protocol)
      const { tiles } = await owner.client.view(FLOW)
      await owner.client.view(FLOW)
      expect(before.asked.map(({ have }) => have?.length)).toEqual([0, tiles.length])
      before.hold()
      const view = owner.client.view({ ...FLOW, w: 200 })
      const picks = (['flow', 'timeline', 'map'] as const).map(layout =>
        codeOf(owner.client.pick({ layout, x: 0, y: 0 })),
      )
      const after = new StandInViews()
      await replace(first, owner, { hub: { views: after } })
      expect((await view).tiles.every(({ cells }) => cells !== undefined)).toBe(true)
      expect(await Promise.all(picks)).toEqual(['RESTARTED', 'RESTARTED', 'answered'])
      expect(after.asked.map(({ w, have }) => [w, have])).toEqual([[200, []]])
      expect(after.picked.map(({ layout }) => layout)).toEqual(['map'])
      await owner.client.view(FLOW)
      expect(after.asked[1]?.have?.length).toBeGreaterThan(0)
      before.release()
    })

    it('keeps the tiles of before where it comes back to the same one', async () => {
      const views = new StandInViews()
      const server = await stage.startHub({ hub: { views } })
      const owner = new Owner(server, protocol)
      const { tiles } = await owner.client.view(FLOW)
      views.hold()
      const pick = codeOf(owner.client.pick({ layout: 'flow', x: 0, y: 0 }))
      await owner.until(() => owner.state.kind === 'open')
      server.cut()
      await owner.until(() => owner.state.kind === 'waiting')
      views.release()
      owner.client.wake()
      await owner.client.view(FLOW)
      expect(views.asked[1]?.have?.length).toBe(tiles.length)
      expect(await pick).toBe('answered')
    })

    it('sees what was there before where it was, and what came since, once each', async () => {
      const run = new RecordedLog()
      run.say('g_a', 300)
      run.say('g_b', 20, 1)
      const one = compose({ log: run.log })
      const first = await stage.startHub({ hub: { log: one.log, views: one.compositor } })
      const owner = new Owner(first, protocol)
      const all = { layout: 'map', x: 0, y: 0, w: 512, h: 512, zoom: 8 } as const
      const tokensIn = async () =>
        (await owner.client.view(all)).tiles
          .flatMap(({ tokens }) => tokens ?? [])
          .map(({ id, x, y }) => `${id} ${x} ${y}`)
          .toSorted()
      const seen = await tokensIn()
      expect(seen.length).toBe(320)
      const epoch = `${run.log.epoch.split('.')[0]}.2`
      const log = new TokenLog({ place: mapPosition, epoch, nextBlock: run.log.nextBlock })
      const two = compose({ log, past: new StandInPast(recordedOf(run.log)) })
      await replace(first, owner, { hub: { log, views: two.compositor } })
      two.say('h_a', 10)
      const now = await tokensIn()
      const added = keptEntries(log).flatMap(entry =>
        entry.type === 'token_activation'
          ? [`${entry.generation}:${entry.index} ${entry.position.join(' ')}`]
          : [],
      )
      expect(now).toEqual([...seen, ...added].toSorted())
      expect((await owner.client.view({ ...all, layout: 'timeline' })).count).toBeGreaterThan(0)
    })
  },
)
