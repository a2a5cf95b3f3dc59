import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chunksOf, Demo } from '../../support/demo.ts'
import type { RawExchange } from '../../support/raw-exchange.ts'

let demo: Demo
let stamps = 0
beforeEach(async () => {
  demo = await new Demo().start()
})
afterEach(() => demo.stop())

const tokensOf = (exchange: RawExchange): string[] =>
  chunksOf(exchange.body.toString())
    .filter(({ choices }) => choices?.[0]?.delta.content)
    .map(({ choices }) => choices[0].delta.content)

describe('a program with a demo server of its own', () => {
  it('says how far a silent answer goes, and it comes so far and no further', async () => {
    const answers = ['silence=forever@3,tokens=40', 'silence=forever@3,tokens=9'].map(one => demo.raw(one))
    const have = (...counts: number[]) =>
      Promise.all(answers.map((one, i) => one.until(() => tokensOf(one).length === counts[i])))
    await have(3, 3)
    demo.server.goOn(5)
    await have(8, 8)
    // What is not silent yet is so much later.
    demo.server.goOn(20)
    demo.server.goOn(1)
    await have(29, 9)
    expect(await answers[1]?.ended).toBe('fin')
    demo.server.goOn()
    expect(await answers[0]?.ended).toBe('fin')
    expect(tokensOf(answers[0] as RawExchange).length).toBe(40)
  })

  it('leaves alone what has no silence, and what is silent goes when its client does', async () => {
    const silent = demo.raw('silence=forever@1')
    await silent.until(() => tokensOf(silent).length === 1)
    const other = demo.raw('tokens=5')
    demo.server.goOn(1)
    await other.ended
    expect(tokensOf(other).length).toBe(5)
    await silent.until(() => tokensOf(silent).length === 2)
    silent.close()
    while (demo.server.active > 0) await new Promise(setImmediate)
  })

  it('sees requests as they came, those to paths that are not there too', async () => {
    const headers = { 'X-Twice': 'a', 'content-type': 'application/json' }
    await demo.raw('', { odd: '  é  ' }, { path: '/v1/chat/completions?x=%2F&y', headers }).ended
    await demo.raw('', {}, { method: 'PUT', path: '/nowhere', body: [1] }).ended
    const [first, second] = demo.seen
    expect(first).toMatchObject({ method: 'POST', url: '/v1/chat/completions?x=%2F&y' })
    expect(first?.rawHeaders.slice(first.rawHeaders.indexOf('X-Twice'))[1]).toBe('a')
    expect(first?.body.toString()).toContain('"odd":"  é  "')
    expect([second?.method, second?.url, second?.body.toString()]).toEqual(['PUT', '/nowhere', '[1]'])
  })

  it('puts text of its own in place of the tokens’, each asked for when it is told', async () => {
    stamps = 0
    const stamped = await new Demo({ tokenText: index => ` ${index}@${stamps++}` }).start()
    const exchange = stamped.raw('tokens=6,silence=forever@2', { logprobs: true, top_logprobs: 2 })
    await exchange.until(() => tokensOf(exchange).length === 2)
    expect(stamps).toBe(2)
    stamped.server.goOn()
    await exchange.ended
    expect(tokensOf(exchange)).toEqual([' 0@0', ' 1@1', ' 2@2', ' 3@3', ' 4@4', ' 5@5'])
    const plain = demo.raw('tokens=6', { logprobs: true, top_logprobs: 2 })
    await plain.ended
    const logprobs = ({ body }: RawExchange) =>
      [...body.toString().matchAll(/"logprob":(-[\d.e-]+)/g)].map(([, number]) => number)
    expect(logprobs(exchange)).toEqual(logprobs(plain))
    expect(logprobs(plain).length).toBe(18)
    await stamped.stop()
  })
})
