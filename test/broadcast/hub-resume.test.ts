import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { HubStage, say, seqsOf, until } from '../support/hub-stage.ts'
import { range } from '../support/hub-watching.ts'

const stage = new HubStage()

afterEach(async () => {
  vi.useRealTimers()
  await stage.clear()
})

describe('a viewer that comes back', () => {
  it('gets each entry once, in order, over 100 cuts at any place', async () => {
    const plan = fc.record({
      before: fc.nat(30),
      during: fc.array(fc.nat(12), { maxLength: 4 }),
      long: fc.boolean(),
      take: fc.nat(40),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(plan, { minLength: 100, maxLength: 100 }), async rounds => {
        const server = await stage.startHub()
        const { log } = server
        let index = 0
        const append = (count: number, long: boolean) => {
          for (let i = 0; i < count; i++) {
            if (index % 17 === 0) log.append(stateEvent('g_a'), 0)
            log.append(tokenEvent('g_a', index++, long ? 'x'.repeat(3000) : undefined), 0)
          }
        }
        const received: number[] = []
        const snapshots: string[] = []
        for (const { before, during, long, take } of rounds) {
          append(before, long)
          const since = { epoch: log.epoch, seq: received.at(-1) ?? 0 }
          const spectator = await stage.connect(server)
          spectator.send({ type: 'subscribe', since })
          for (const count of during) {
            append(count, long)
            await new Promise(setImmediate)
          }
          const there = Math.min(take, log.head - since.seq)
          await spectator.until(() => spectator.entries.length >= there)
          spectator.close()
          received.push(...seqsOf(spectator))
          snapshots.push(
            ...spectator.messages.map(({ type }) => type).filter(type => /snapshot|gap/.test(type)),
          )
        }
        const last = await stage.connect(server)
        last.send({ type: 'subscribe', since: { epoch: log.epoch, seq: received.at(-1) ?? 0 } })
        append(1, false)
        await until(last, log.head)
        received.push(...seqsOf(last))
        expect(received).toEqual(range(1, log.head))
        expect(snapshots).toEqual([])
      }),
      { numRuns: 1, endOnFailure: true },
    )
  })

  it('too late is told so, and begins anew', async () => {
    const server = await stage.startHub({ log: { maxEntries: 20 } })
    say(server, 'g_a', 0, 50)
    const spectator = await stage.connect(server)
    spectator.send({ type: 'subscribe', since: { epoch: server.log.epoch, seq: 7 } })
    await spectator.until(messages => messages.some(({ type }) => type === 'snapshot'))
    say(server, 'g_a', 50, 1)
    await until(spectator, 52)
    expect(spectator.messages.slice(1)).toMatchObject([
      { type: 'gap', from: 8, to: 51, reason: 'expired' },
      { type: 'snapshot', upto: 51, last: true },
      { type: 'token_activation', seq: 52 },
    ])
    expect(server.meter.total('tokenscope_broadcast_skipped_total', { reason: 'expired' })).toBe(44)
  })

  it('from another epoch is told so, and begins anew', async () => {
    const server = await stage.startHub()
    say(server, 'g_a', 0, 2)
    const spectator = await stage.watch(server, { since: { epoch: 'gone.1', seq: 2 } })
    expect(spectator.messages.slice(1)).toMatchObject([
      { type: 'gap', from: null, to: null, reason: 'epoch' },
      { type: 'snapshot', upto: 3, last: true },
    ])
  })
})
