import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { StreamSessions } from '../../../bridge/demo/stream-sessions.ts'
import { Demo, QUESTION } from '../../support/demo.ts'
import { RawExchange } from '../../support/raw-exchange.ts'

const BODY = { messages: QUESTION, stream: true, seed: 5 }

describe.each(['llamacpp', 'demo'] as const)('a stream of %s with a conversation', kind => {
  let demo: Demo
  let conversation = 0
  beforeAll(async () => {
    demo = await new Demo({ kind }).start()
  })
  afterAll(() => demo.stop())
  beforeEach(() => {
    conversation++
  })

  const ask = (directives: string, body: object = {}) =>
    demo.raw(`fixed,tokens=30,${directives}`, body, { headers: { 'x-conversation-id': `c ${conversation}` } })
  const replay = (from: number | string) =>
    fetch(`${demo.url}/v1/stream?conv_id=c%20${conversation}&from=${from}`)
  const stop = () => fetch(`${demo.url}/v1/stream?conv_id=c%20${conversation}`, { method: 'DELETE' })
  const lookUp = async () => {
    const ids = { conversation_ids: [`c ${conversation}`, 'nobody’s'] }
    return (await demo.post('/v1/streams/lookup', ids)).json()
  }
  const whole = async () => {
    const exchange = demo.raw('fixed,tokens=30,bom', BODY)
    await exchange.ended
    return exchange.body
  }

  it.each(['drop=300', 'cut=300', 'end=300', 'cut=0'])(
    'is whole in the ring when its own is broken by %s',
    async way => {
      const exchange = ask(`bom,${way}`)
      await exchange.ended
      const answer = await replay(exchange.body.length)
      expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/)
      const rest = Buffer.from(await answer.arrayBuffer())
      expect(Buffer.concat([exchange.body, rest]).equals(await whole())).toBe(true)
    },
  )

  it('goes on without its client, and is followed live from any byte', async () => {
    const exchange = ask('silence=forever@5')
    await exchange.until(({ received }) => received.includes('data'))
    exchange.close()
    const following = replay(0)
    const reader = ((await following).body as ReadableStream<Uint8Array>).getReader()
    expect((await reader.read()).done).toBe(false)
    expect(demo.server.active).toBe(1)
    const [{ is_done, total_bytes }] = await lookUp()
    expect([is_done, total_bytes > 0]).toEqual([false, true])
    demo.server.goOn()
    while (!(await reader.read()).done) {}
    const [found, ...others] = await lookUp()
    expect(found).toMatchObject({ conversation_id: `c ${conversation}`, is_done: true })
    expect(found.completed_at).toBeGreaterThanOrEqual(found.started_at)
    expect(others).toEqual([])
    expect((await (await replay(0)).arrayBuffer()).byteLength).toBe(found.total_bytes)
  })

  it('is stopped by DELETE, by a new one of its conversation and by nothing else', async () => {
    const first = ask('silence=forever@5')
    await first.until(({ received }) => received.includes('data'))
    expect((await stop()).status).toBe(204)
    expect(await first.ended).toBe('fin')
    while (demo.server.active > 0) await setImmediate()
    expect((await replay(0)).status).toBe(404)
    expect((await stop()).status).toBe(204)

    const second = ask('silence=forever@5')
    await second.until(({ received }) => received.includes('data'))
    second.close()
    const third = ask('silence=forever@2')
    await third.until(({ received }) => received.includes('data'))
    while (demo.server.active > 1) await setImmediate()
    expect((await stop()).status).toBe(204)
    await third.ended
  })

  it('goes on unseen even before its headers', async () => {
    const exchange = ask('slow-headers=forever')
    while (demo.server.active === 0) await setImmediate()
    exchange.close()
    expect((await lookUp()).length).toBe(1)
    expect(demo.server.active).toBe(1)
    await stop()
    while (demo.server.active > 0) await setImmediate()
  })

  it('leaves nothing behind where it was no stream or an error', async () => {
    const plain = ask('', { stream: false })
    await plain.ended
    const refused = ask('503')
    await refused.ended
    while (demo.server.active > 0) await setImmediate()
    expect(await lookUp()).toEqual([])
  })

  it('tells what it cannot give', async () => {
    expect((await replay(0)).status).toBe(404)
    const exchange = ask('')
    await exchange.ended
    expect((await replay('one')).status).toBe(400)
    expect((await fetch(`${demo.url}/v1/stream`)).status).toBe(400)
    expect(await (await demo.post('/v1/streams/lookup', {})).json()).toEqual([])
  })
})

it('is not kept by the other servers', async () => {
  const demo = await new Demo({ kind: 'vllm' }).start()
  const exchange = new RawExchange(demo.url, {
    headers: { 'x-conversation-id': 'one', 'x-demo': 'silence=forever@2' },
    body: BODY,
  })
  await exchange.until(({ received }) => received.includes('data'))
  exchange.close()
  while (demo.server.active > 0) await setImmediate()
  await demo.stop()
})

describe('the ring', () => {
  it('keeps its last bytes, says what it lost, and has a way back for 300 s', () => {
    vi.useFakeTimers()
    try {
      const sessions = new StreamSessions(10)
      const session = sessions.open('one')
      session.append(Buffer.from('abcdef'))
      session.append(Buffer.from('ghijkl'))
      expect([session.total, session.dropped]).toEqual([12, 2])
      expect([
        session.read(1),
        String(session.read(2)),
        String(session.read(7)),
        String(session.read(12)),
      ]).toEqual([null, 'cdefghijkl', 'hijkl', ''])
      session.append(Buffer.from('0123456789ABC'))
      expect([session.dropped, String(session.read(15))]).toEqual([15, '3456789ABC'])
      sessions.finish(session)
      vi.advanceTimersByTime(299_999)
      expect(sessions.get('one')).toBe(session)
      vi.advanceTimersByTime(1)
      expect(sessions.get('one')).toBeUndefined()
    } finally {
      vi.useRealTimers()
    }
  })
})
