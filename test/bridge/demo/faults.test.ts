import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  DIRECTIVE_NAMES,
  type Faults,
  formatFaults,
  mergeFaults,
  parseFaults,
} from '../../../bridge/demo/faults.ts'
import { TokenscopeError } from '../../../events/errors.ts'
import { codePoints } from '../../support/code-points.ts'

const word = codePoints().map(text => text.toWellFormed())
const ms = fc.oneof(fc.integer({ min: 0, max: 86_400_000 }), fc.constant(Number.POSITIVE_INFINITY))
const count = fc.integer({ min: 2, max: 1_000_000 })
const on = fc.constant(true as const)

/** Any faults, at most one directive of each group. */
const faults: fc.Arbitrary<Faults> = fc
  .tuple(
    fc.record(
      {
        say: word,
        tokens: count,
        seed: count,
        fixed: on,
        rate: fc.oneof(count, fc.constant(Number.POSITIVE_INFINITY), fc.constant(0.5)),
        'slow-load': ms,
        silence: fc.record({ ms, after: fc.nat(1000) }),
        error: fc.nat(1000),
        'no-done': on,
        json: fc.constantFrom('error' as const, 'whole' as const),
        bom: on,
        pings: ms,
        'half-characters': count,
        sentinels: count,
      },
      { requiredKeys: [] },
    ),
    fc.constantFrom<Faults>({}, { drop: 0 }, { cut: 7 }, { end: 1_000_000_000 }),
    fc.constantFrom<Faults>({}, { 429: 1500 }, { 500: true }, { 503: 1000 }, { refuse: 10 }),
    fc.constantFrom<Faults>({}, { crlf: true }, { cr: true }),
    fc.constantFrom<Faults>({}, { split: 3 }, { 'split-utf8': true }),
  )
  .map(parts => Object.assign({}, ...parts) as Faults)

describe('directives', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(faults, some => {
        expect(parseFaults(formatFaults(some))).toEqual(some)
      }),
    )
  })

  it('of any text are read or refused by name', () => {
    const near = fc.array(fc.tuple(fc.constantFrom(...DIRECTIVE_NAMES), fc.string()))
    const text = fc.oneof(
      fc.string(),
      near.map(parts => parts.map(([name, value]) => `${name}=${value}`).join(',')),
    )
    fc.assert(
      fc.property(text, source => {
        try {
          parseFaults(source)
        } catch (error) {
          expect(error).toBeInstanceOf(TokenscopeError)
          expect(error).toMatchObject({ code: 'BAD_REQUEST', param: expect.any(String) })
        }
      }),
    )
  })

  it('have spaces around them and short forms', () => {
    expect(parseFaults(' drop=10 , pings,, silence=2s ')).toEqual({
      drop: 10,
      pings: 1000,
      silence: { ms: 2000, after: 0 },
    })
    expect(parseFaults('silence=forever@3,429=1.5s,json,rate=max,say=a%2Cb')).toEqual({
      silence: { ms: Number.POSITIVE_INFINITY, after: 3 },
      429: 1500,
      json: 'error',
      rate: Number.POSITIVE_INFINITY,
      say: 'a,b',
    })
  })

  it.each([
    ['nonsense', 'there is no directive "nonsense"'],
    ['toString', 'there is no directive "toString"'],
    ['drop', 'drop has no value; it must be a whole number from 0'],
    ['drop=-1', 'drop is "-1"'],
    ['drop=1,drop=2', 'drop is given twice'],
    ['drop=1,cut=2', 'drop and cut exclude each other'],
    ['429,500', '429 and 500 exclude each other'],
    ['crlf=1', 'crlf is "1"; it must be without a value'],
    ['silence=2', 'silence is "2"; it must be a duration as 250ms, 2s or forever'],
    ['silence=2s@', 'silence is "2s@"; it must be'],
    ['slow-load=25h', 'slow-load is "25h"'],
    ['slow-load=90000s', 'at most a day'],
    ['say=%', 'say is "%"; it must be text with each comma'],
    ['say=Fluß', 'say is "Fluß"; it must be text with each comma, percent sign and non-ASCII character'],
    ['error=2,error-done=3', 'error and error-done exclude each other'],
    ['json=half', 'json is "half"; it must be error or whole'],
    ['rate=0', 'rate is "0"'],
    ['split=0', 'split is "0"; it must be a whole number from 1'],
  ])('refuse %s', (source, message) => {
    expect(() => parseFaults(source)).toThrow(message)
  })

  it('of a request beat those of the switch, one by one and group by group', () => {
    const switched = parseFaults('drop=5,say=x,429')
    expect(mergeFaults({}, switched)).toEqual(switched)
    expect(mergeFaults(parseFaults('say=y,cut=3'), switched)).toEqual(parseFaults('say=y,cut=3,429'))
    expect(mergeFaults(parseFaults('none,cr'), switched)).toEqual(parseFaults('none,cr'))
  })
})
