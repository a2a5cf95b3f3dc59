import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readClientMessages } from '../../broadcast/client-message.ts'
import { TokenscopeError } from '../../events/errors.ts'

const VIEWPORT = { type: 'viewport', id: 1, layout: 'flow', x: 0, y: 0, w: 100, h: 100, zoom: 1 }

function read(value: unknown): unknown {
  const [message] = readClientMessages(Buffer.from(JSON.stringify(value)), false)
  return message
}

/** The sentence that a message is refused with. */
function refusal(data: Buffer, isBinary = false): string {
  try {
    readClientMessages(data, isBinary)
  } catch (error) {
    expect(error).toBeInstanceOf(TokenscopeError)
    expect((error as TokenscopeError).code).toBe('INVALID_MESSAGE')
    return (error as TokenscopeError).message
  }
  throw new Error('it was taken')
}

describe('a message that is well formed', () => {
  it.each([
    { type: 'subscribe' },
    { type: 'subscribe', generations: '*' },
    { type: 'subscribe', generations: ['g_a', 'g_b'], layout: 'map' },
    { type: 'subscribe', generations: '*', layout: 'map', since: { epoch: 'k3v9x1.7', seq: 1042 } },
    { type: 'subscribe', since: { epoch: '', seq: 0 } },
    { type: 'layout', layout: 'map' },
    { type: 'layout', layout: 'timeline' },
    { type: 'subscribe', layout: 'flow' },
    { type: 'viewport', id: 7, layout: 'flow', x: 0, y: 0, w: 1600, h: 900, zoom: 1, t: null, filter: null },
    { type: 'viewport', id: 0, layout: 'map', x: -5.5, y: 1e9, w: 1, h: 16_384, zoom: 1e-9 },
    {
      type: 'viewport',
      id: 2 ** 53 - 1,
      layout: 'timeline',
      x: 0,
      y: 0,
      w: 16_384,
      h: 1,
      zoom: 1e300,
      zoom_y: 0.5,
      color: 'age',
      t: 1_707_345_600.5,
      filter: { generations: ['g_a'], models: ['m'], kinds: ['reasoning'], since: 0, until: 1 },
      have: [[-1, -5, 0, 1_763_728_000_000]],
    },
    { type: 'pick', id: 8, layout: 'map', x: 100, y: 200 },
    { type: 'pick', id: 8, layout: 'map', x: 100, y: 200, t: 5, filter: {} },
    { type: 'stop', generation: 'g_01J' },
    { type: 'ack', seq: 1100 },
    { type: 'ping' },
    { type: 'auth', token: 'eyJhbGciOiJIUzI1NiJ9.e30.x' },
    { type: 'auth', token: 'x'.repeat(16_384) },
  ])('is read as it is: %j', message => {
    expect(read(message)).toEqual(message)
  })

  it('may have fields that nobody knows', () => {
    expect(read({ type: 'ping', mood: 'good', since: 5 })).toMatchObject({ type: 'ping' })
  })
})

describe('several at once', () => {
  it('come as an array, in order', () => {
    const list = [{ type: 'ping' }, { type: 'ack', seq: 3 }, { type: 'ping' }]
    expect(readClientMessages(Buffer.from(JSON.stringify(list)), false)).toEqual(list)
    expect(readClientMessages(Buffer.from('[]'), false)).toEqual([])
  })
})

describe('a type that is not known', () => {
  it.each(['dance', 'toString', '__proto__', 'vista', 'x'.repeat(60_000)])('is ignored: %s', type => {
    const list = [{ type, whatever: 5 }, { type: 'ping' }]
    expect(readClientMessages(Buffer.from(JSON.stringify(list)), false)).toEqual([{ type: 'ping' }])
  })
})

describe('a malformed message', () => {
  it.each<[unknown, RegExp]>([
    [null, /"type"/],
    [5, /"type"/],
    ['ping', /"type"/],
    [[5], /"type"/],
    [[{ type: 'ping' }, { type: 'ack' }], /ack.*seq/],
    [Array(101).fill({ type: 'ping' }), /over 100 messages/],
    [{}, /"type"/],
    [{ type: 7 }, /"type"/],
    [{ type: 'subscribe', generations: 5 }, /generations/],
    [{ type: 'subscribe', generations: [] }, /generations/],
    [{ type: 'subscribe', generations: [''] }, /generations/],
    [{ type: 'subscribe', generations: ['x'.repeat(65)] }, /generations/],
    [{ type: 'subscribe', layout: 'sideways' }, /layout/],
    [{ type: 'subscribe', since: 5 }, /since/],
    [{ type: 'subscribe', since: {} }, /since.*epoch/],
    [{ type: 'subscribe', since: { epoch: 'a.1', seq: -1 } }, /since\.seq/],
    [{ type: 'subscribe', since: { epoch: 'a.1', seq: 1.5 } }, /since\.seq/],
    [{ type: 'subscribe', since: { epoch: 'a.1', seq: 2 ** 53 } }, /since\.seq/],
    [{ type: 'subscribe', since: { epoch: 1, seq: 1 } }, /since\.epoch/],
    [{ type: 'layout' }, /layout/],
    [{ type: 'layout', layout: 'sideways' }, /layout/],
    [{ ...VIEWPORT, layout: 'sideways' }, /layout/],
    [{ ...VIEWPORT, layout: undefined }, /layout/],
    [{ ...VIEWPORT, id: -1 }, /id/],
    [{ ...VIEWPORT, id: 1.5 }, /id/],
    [{ ...VIEWPORT, id: undefined }, /id/],
    [{ ...VIEWPORT, x: '0' }, /x/],
    [{ ...VIEWPORT, y: null }, /y/],
    [{ ...VIEWPORT, w: 0 }, /w/],
    [{ ...VIEWPORT, w: 16_385 }, /w/],
    [{ ...VIEWPORT, h: 0.5 }, /h/],
    [{ ...VIEWPORT, zoom: 0 }, /zoom/],
    [{ ...VIEWPORT, zoom: -1 }, /zoom/],
    [{ ...VIEWPORT, zoom: undefined }, /zoom/],
    [{ ...VIEWPORT, zoom_y: 0 }, /zoom_y/],
    [{ ...VIEWPORT, color: 'mood' }, /color/],
    [{ ...VIEWPORT, t: 'now' }, /"t"/],
    [{ ...VIEWPORT, filter: 5 }, /filter/],
    [{ ...VIEWPORT, filter: { kinds: ['sigh'] } }, /filter/],
    [{ ...VIEWPORT, filter: { generations: [''] } }, /filter/],
    [{ ...VIEWPORT, filter: { since: 'x' } }, /filter/],
    [{ ...VIEWPORT, have: 5 }, /have/],
    [{ ...VIEWPORT, have: [5] }, /have/],
    [{ ...VIEWPORT, have: [[0, 0, 0]] }, /have/],
    [{ ...VIEWPORT, have: [[0, 0, 0, -1]] }, /have/],
    [{ ...VIEWPORT, have: [[0, 0.5, 0, 1]] }, /have/],
    [{ ...VIEWPORT, have: [[0, 0, 0, 1, 2]] }, /have/],
    [{ ...VIEWPORT, have: Array(2001).fill([0, 0, 0, 1]) }, /have/],
    [{ type: 'pick', id: 1, layout: 'map', x: 0 }, /y/],
    [{ type: 'pick', layout: 'map', x: 0, y: 0 }, /id/],
    [{ type: 'stop' }, /generation/],
    [{ type: 'stop', generation: '' }, /generation/],
    [{ type: 'stop', generation: ['g_a'] }, /generation/],
    [{ type: 'ack' }, /seq/],
    [{ type: 'ack', seq: '7' }, /seq/],
    [{ type: 'auth' }, /auth.*token/],
    [{ type: 'auth', token: '' }, /token/],
    [{ type: 'auth', token: 5 }, /token/],
    [{ type: 'auth', token: 'x'.repeat(16_385) }, /token/],
  ])('is refused with what is wrong in it: %j', (message, names) => {
    expect(refusal(Buffer.from(JSON.stringify(message)))).toMatch(names)
  })

  it.each(['x', 'y', 'zoom', 'zoom_y', 't'])('is refused where %s is a number beyond all', field => {
    const json = JSON.stringify({ ...VIEWPORT, zoom_y: 1, t: 1, [field]: 0.125 }).replace('0.125', '1e999')
    expect(refusal(Buffer.from(json))).toMatch(new RegExp(field))
  })

  it('is refused without the token that it holds', () => {
    const secret = 'secret'.repeat(5000)
    expect(refusal(Buffer.from(JSON.stringify({ type: 'auth', token: secret })))).not.toContain('secret')
  })

  it('may be no JSON, or cut off', () => {
    expect(refusal(Buffer.from('hello'))).toMatch(/not JSON/)
    expect(refusal(Buffer.from('{"type":"pi'))).toMatch(/not JSON/)
    expect(refusal(Buffer.alloc(0))).toMatch(/not JSON/)
  })

  it('may be binary, whatever is in it', () => {
    expect(refusal(Buffer.from('{"type":"ping"}'), true)).toMatch(/binary/)
  })
})

describe('whatever comes', () => {
  const known = ['subscribe', 'layout', 'viewport', 'pick', 'stop', 'ack', 'ping', 'auth']

  /** Read, or refused with INVALID_MESSAGE and a sentence. */
  function isTakenOrRefused(data: Buffer, isBinary = false): boolean {
    try {
      return readClientMessages(data, isBinary).every(({ type }) => known.includes(type))
    } catch (error) {
      if (!(error instanceof TokenscopeError)) throw error
      return error.code === 'INVALID_MESSAGE' && /\w{2,} .*\w/.test(error.message)
    }
  }

  it('is taken or refused by a sentence: any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isBinary) =>
        isTakenOrRefused(Buffer.from(bytes), isBinary),
      ),
    )
  })

  it('is taken or refused by a sentence: any JSON', () => {
    fc.assert(fc.property(fc.json(), json => isTakenOrRefused(Buffer.from(json))))
  })

  it('is taken or refused by a sentence: any fields of a known message', () => {
    const field = fc.oneof(fc.jsonValue(), fc.constant('*'), fc.constant('map'))
    const since = fc.oneof(field, fc.record({ epoch: field, seq: field }, { requiredKeys: [] }))
    const message = fc.record(
      {
        type: fc.constantFrom(...known),
        generations: field,
        generation: field,
        layout: field,
        seq: field,
        id: field,
        x: field,
        zoom: field,
        filter: field,
        have: field,
        token: field,
        since,
      },
      { requiredKeys: ['type'] },
    )
    fc.assert(
      fc.property(message, value => isTakenOrRefused(Buffer.from(JSON.stringify(value)))),
      { numRuns: 1000 },
    )
  })
})
