import type { IncomingMessage } from 'node:http'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Admission, Authentication, type Authenticator } from '../../broadcast/authentication.ts'
import type { ServerMessage } from '../../broadcast/protocol.ts'
import { CLOSE_CODES } from '../../events/close-codes.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { HubServer } from '../support/hub-server.ts'
import { Spectator } from '../support/spectator.ts'

const REQUEST = { headers: {} } as IncomingMessage
const FOR_EVER: Admission = { until: null }
const PING = { type: 'ping' } as const

/** Looks at tokens when the test says so. */
class Desk implements Authenticator {
  /** Answer to the upgrade; an Error is thrown. */
  upgrade: Admission | null | Error = null
  /** Tokens that wait to be looked at, oldest first. */
  readonly waiting: { token: string; settle: PromiseWithResolvers<Admission | null> }[] = []
  readonly tokens: string[] = []

  atUpgrade(): Admission | null {
    if (this.upgrade instanceof Error) throw this.upgrade
    return this.upgrade
  }

  byToken(token: string): Promise<Admission | null> {
    this.tokens.push(token)
    const settle = Promise.withResolvers<Admission | null>()
    this.waiting.push({ token, settle })
    return settle.promise
  }

  /** Answers for the oldest token; what follows from it has happened when this resolves. */
  async answer(answer: Admission | null | Error): Promise<void> {
    const settle = this.waiting.shift()?.settle
    if (settle === undefined) throw new Error('nobody asked')
    if (answer instanceof Error) settle.reject(answer)
    else settle.resolve(answer)
    await settle.promise.catch(() => {})
    for (let i = 0; i < 5; i++) await Promise.resolve()
  }
}

let desk: Desk
let events: string[]
let told: ServerMessage[]
let faults: unknown[]
let authentication: Authentication

/** A viewer that comes; nothing has been asked yet. */
function arrive(authenticator: Authenticator | undefined): void {
  events = []
  told = []
  faults = []
  authentication = new Authentication({
    authenticator,
    onAdmitted: () => events.push('admitted'),
    tell: message => {
      told.push(message)
      events.push(`told ${message.type === 'error' ? message.code : message.type}`)
    },
    fault: error => faults.push(error),
    close: code => events.push(code),
  })
}

const auth = (token: string) => authentication.take({ type: 'auth', token })
const inMs = (ms: number): Admission => ({ until: Date.now() + ms })

describe('one viewer’s admission', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    desk = new Desk()
    arrive(desk)
  })
  afterEach(() => {
    authentication.end()
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  it('needs nothing where nobody asks, and a token does no harm', async () => {
    arrive(undefined)
    expect(authentication.admitted).toBe(false)
    authentication.begin(REQUEST)
    expect([authentication.admitted, events]).toEqual([true, ['admitted']])
    expect([auth('any'), authentication.take(PING)]).toEqual([true, false])
    await vi.advanceTimersByTimeAsync(1e9)
    expect([authentication.admitted, events]).toEqual([true, ['admitted']])
  })

  it('comes with the upgrade, by what the request carries', () => {
    const asked = vi.spyOn(desk, 'atUpgrade')
    desk.upgrade = FOR_EVER
    authentication.begin(REQUEST)
    expect(asked).toHaveBeenCalledExactlyOnceWith(REQUEST)
    expect([authentication.admitted, events]).toEqual([true, ['admitted']])
    expect(authentication.take(PING)).toBe(false)
  })

  it('comes by a token within 10 s; nothing else is heard before', async () => {
    authentication.begin(REQUEST)
    expect(authentication.take({ type: 'subscribe' })).toBe(true)
    expect(authentication.take({ type: 'stop', generation: 'g_1' })).toBe(true)
    expect(told).toMatchObject([
      { code: 'UNAUTHORIZED', message: expect.stringMatching(/^subscribe was not read/) },
      { code: 'UNAUTHORIZED', message: expect.stringMatching(/^stop was not read/) },
    ])
    vi.advanceTimersByTime(9999)
    expect(auth('good')).toBe(true)
    // It is looked at, which is not yet an answer.
    expect([authentication.admitted, authentication.take(PING)]).toEqual([false, true])
    await desk.answer(FOR_EVER)
    expect(events.slice(3)).toEqual(['admitted'])
    expect([authentication.admitted, authentication.take(PING)]).toEqual([true, false])
    await vi.advanceTimersByTimeAsync(1e9)
    expect(events.slice(3)).toEqual(['admitted'])
  })

  it('does not come by itself: after 10 s it is UNAUTHORIZED', () => {
    authentication.begin(REQUEST)
    vi.advanceTimersByTime(9999)
    expect(events).toEqual([])
    vi.advanceTimersByTime(1)
    expect(events).toEqual(['UNAUTHORIZED'])
    // Whatever comes after that is for nobody.
    expect([auth('late'), authentication.take(PING), desk.tokens, events]).toEqual([
      true,
      true,
      [],
      ['UNAUTHORIZED'],
    ])
  })

  it('is refused for a wrong token at once, whoever asks again', async () => {
    authentication.begin(REQUEST)
    auth('wrong')
    await desk.answer(null)
    auth('right')
    expect([events, desk.tokens, authentication.admitted]).toEqual([['UNAUTHORIZED'], ['wrong'], false])
  })

  it('is not had by one that has ended already', async () => {
    desk.upgrade = inMs(0)
    authentication.begin(REQUEST)
    expect([authentication.admitted, events]).toEqual([false, []])
    auth('stale')
    await desk.answer(inMs(-1))
    expect(events).toEqual(['UNAUTHORIZED'])
  })

  it('ends with TOKEN_EXPIRED, to the millisecond', () => {
    desk.upgrade = inMs(150_000)
    authentication.begin(REQUEST)
    vi.advanceTimersByTime(149_999)
    expect([authentication.admitted, events]).toEqual([true, ['admitted']])
    vi.advanceTimersByTime(1)
    expect([authentication.admitted, events]).toEqual([false, ['admitted', 'TOKEN_EXPIRED']])
    expect(authentication.take(PING)).toBe(true)
  })

  it('may end further away than a timer reaches', () => {
    const month = 30 * 86_400_000
    desk.upgrade = inMs(month)
    authentication.begin(REQUEST)
    vi.advanceTimersByTime(month - 1)
    expect(events).toEqual(['admitted'])
    vi.advanceTimersByTime(1)
    expect(events).toEqual(['admitted', 'TOKEN_EXPIRED'])
  })

  it('ends while the machine sleeps, whatever the timers say', () => {
    desk.upgrade = inMs(150_000)
    authentication.begin(REQUEST)
    vi.setSystemTime(Date.now() + 1e7)
    expect([authentication.admitted, authentication.take(PING), events]).toEqual([
      false,
      true,
      ['admitted', 'TOKEN_EXPIRED'],
    ])
    desk.upgrade = inMs(150_000)
    arrive(desk)
    authentication.begin(REQUEST)
    vi.setSystemTime(Date.now() + 1e7)
    vi.advanceTimersByTime(60_000)
    expect(events).toEqual(['admitted', 'TOKEN_EXPIRED'])
  })

  it('is renewed by another token, without a second greeting', async () => {
    desk.upgrade = inMs(10_000)
    authentication.begin(REQUEST)
    vi.advanceTimersByTime(9000)
    auth('next')
    await desk.answer(inMs(10_000))
    vi.advanceTimersByTime(9999)
    expect([authentication.admitted, events]).toEqual([true, ['admitted']])
    auth('last')
    await desk.answer(FOR_EVER)
    vi.advanceTimersByTime(1e9)
    expect([authentication.admitted, events]).toEqual([true, ['admitted']])
  })

  it('is shortened by another token, if that one ends sooner', async () => {
    desk.upgrade = FOR_EVER
    authentication.begin(REQUEST)
    auth('short')
    await desk.answer(inMs(1000))
    vi.advanceTimersByTime(1000)
    expect(events).toEqual(['admitted', 'TOKEN_EXPIRED'])
  })

  it('holds until it ends if what should renew it is wrong', async () => {
    desk.upgrade = inMs(10_000)
    authentication.begin(REQUEST)
    auth('wrong')
    await desk.answer(null)
    expect([authentication.admitted, events]).toEqual([true, ['admitted', 'told UNAUTHORIZED']])
    vi.advanceTimersByTime(10_000)
    expect(events.slice(2)).toEqual(['TOKEN_EXPIRED'])
  })

  it('is not renewed by an answer that comes too late', async () => {
    desk.upgrade = inMs(10_000)
    authentication.begin(REQUEST)
    auth('next')
    vi.advanceTimersByTime(10_000)
    await desk.answer(FOR_EVER)
    expect([authentication.admitted, events]).toEqual([false, ['admitted', 'TOKEN_EXPIRED']])
  })

  it('is looked at one token at a time, and of those that come meanwhile only the last', async () => {
    authentication.begin(REQUEST)
    for (const token of ['a', 'b', 'c', 'd']) auth(token)
    expect(desk.tokens).toEqual(['a'])
    // The first was wrong, but it is not what counts any more.
    await desk.answer(null)
    expect([desk.tokens, events]).toEqual([['a', 'd'], []])
    await desk.answer(FOR_EVER)
    expect(events).toEqual(['admitted'])
  })

  it('does not depend on how long looking takes, but looking does not take for ever', async () => {
    authentication.begin(REQUEST)
    vi.advanceTimersByTime(9000)
    auth('slow')
    vi.advanceTimersByTime(10_999)
    expect(events).toEqual([])
    await desk.answer(FOR_EVER)
    expect(events).toEqual(['admitted'])
    vi.advanceTimersByTime(1e9)
    expect(events).toEqual(['admitted'])
    arrive(desk)
    authentication.begin(REQUEST)
    auth('never')
    vi.advanceTimersByTime(20_000)
    expect(events).toEqual(['UNAUTHORIZED'])
    await desk.answer(FOR_EVER)
    expect(events).toEqual(['UNAUTHORIZED'])
  })

  it('does nothing any more once the viewer has gone, whatever the answer', async () => {
    for (const answer of [FOR_EVER, null, new Error('broken')]) {
      arrive(desk)
      authentication.begin(REQUEST)
      auth('a')
      auth('b')
      authentication.end()
      await desk.answer(answer)
      vi.advanceTimersByTime(1e9)
      expect([events, authentication.admitted]).toEqual([[], false])
    }
    expect(desk.tokens).toEqual(['a', 'a', 'a'])
  })

  it('is not had from an authenticator that throws, which is a fault and told without its words', async () => {
    const secret = new Error('key 8 at https://keys.example is gone')
    desk.upgrade = secret
    authentication.begin(REQUEST)
    expect([events, faults]).toEqual([['told INTERNAL'], [secret]])
    auth('good')
    await desk.answer(secret)
    expect([events, faults]).toEqual([
      ['told INTERNAL', 'told INTERNAL'],
      [secret, secret],
    ])
    expect(JSON.stringify(told)).not.toContain('keys.example')
    // It may be sent again; the 10 s go on.
    auth('good')
    await desk.answer(FOR_EVER)
    expect(events.slice(2)).toEqual(['admitted'])
    arrive(desk)
    authentication.begin(REQUEST)
    vi.advanceTimersByTime(10_000)
    expect(events).toEqual(['told INTERNAL', 'UNAUTHORIZED'])
  })

  it('is not lost by an authenticator that throws when it should be renewed', async () => {
    desk.upgrade = inMs(10_000)
    authentication.begin(REQUEST)
    vi.spyOn(desk, 'byToken').mockImplementationOnce(() => {
      throw new Error('at once')
    })
    auth('next')
    await vi.advanceTimersByTimeAsync(0)
    expect([authentication.admitted, events, faults.length]).toEqual([true, ['admitted', 'told INTERNAL'], 1])
    auth('next')
    await desk.answer(FOR_EVER)
    vi.advanceTimersByTime(10_000)
    expect(authentication.admitted).toBe(true)
  })
})

describe('at a hub with an authenticator', () => {
  let server: HubServer
  let viewer: Spectator
  const said: string[] = []

  beforeEach(async () => {
    desk = new Desk()
    said.length = 0
    server = await HubServer.start({ hub: { authenticator: desk, say: sentence => said.push(sentence) } })
    server.log.append(stateEvent('g_secret'), 0)
    viewer = Spectator.connect(server.url)
  })
  afterEach(async () => {
    viewer.close()
    await server.stop()
  })

  const asked = () => vi.waitUntil(() => desk.waiting.length > 0)

  it('a viewer gets nothing of the log before it is admitted, and then all of it', async () => {
    await new Promise(resolve => viewer.socket.once('open', resolve))
    server.hub.greetAll()
    for (let i = 0; i < 100; i++) server.log.append(tokenEvent('g_secret', i), 0)
    viewer.send([{ type: 'subscribe' }, { type: 'ping' }])
    await viewer.until(messages => messages.length >= 2)
    viewer.send({ type: 'auth', token: 'good' })
    await asked()
    server.hub.greetAll()
    server.log.append(tokenEvent('g_secret', 100), 0)
    expect(viewer.messages).toMatchObject([
      { type: 'error', code: 'UNAUTHORIZED' },
      { type: 'error', code: 'UNAUTHORIZED' },
    ])
    await desk.answer(FOR_EVER)
    await viewer.until(messages => messages.length >= 3)
    expect(viewer.messages[2]).toMatchObject({ type: 'hello', head: 102 })
    viewer.send({ type: 'subscribe' })
    await viewer.until(messages => messages.some(({ type }) => type === 'snapshot'))
    expect(viewer.messages[3]).toMatchObject({
      upto: 102,
      generations: [{ generation: 'g_secret', tokens: 101 }],
    })
  })

  it('a wrong token closes with 4501, and nothing was said of the log', async () => {
    await new Promise(resolve => viewer.socket.once('open', resolve))
    viewer.send({ type: 'auth', token: 'wrong' })
    await asked()
    await desk.answer(null)
    expect(await viewer.closed).toEqual({ code: 4501, reason: CLOSE_CODES.UNAUTHORIZED.reason })
    expect(viewer.messages).toEqual([])
    await server.meter.until(
      meter => meter.total('tokenscope_broadcast_closed_total', { code: '4501' }) === 1,
    )
  })

  it('an admission that has ended closes with 4001, in the middle of what is sent', async () => {
    await new Promise(resolve => viewer.socket.once('open', resolve))
    viewer.send({ type: 'auth', token: 'short' })
    await asked()
    await desk.answer(inMs(300))
    await viewer.until(messages => messages.some(({ type }) => type === 'hello'))
    viewer.send({ type: 'subscribe' })
    expect(await viewer.closed).toEqual({ code: 4001, reason: CLOSE_CODES.TOKEN_EXPIRED.reason })
  })

  it('a fault of the authenticator is told to the viewer as one, and said in full here', async () => {
    await new Promise(resolve => viewer.socket.once('open', resolve))
    viewer.send({ type: 'auth', token: 'any' })
    await asked()
    await desk.answer(new Error('no keys'))
    await viewer.until(messages => messages.length > 0)
    expect(viewer.messages).toMatchObject([{ type: 'error', code: 'INTERNAL' }])
    expect(said).toEqual([expect.stringMatching(/no keys/)])
  })
})
