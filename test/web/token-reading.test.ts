import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scaleColour } from '../../compositor/draw/colour-scale.ts'
import { cssOfRgba } from '../../compositor/draw/rgba.ts'
import { UPSTREAM_KINDS } from '../../events/upstream-spec.ts'
import { codePointsOf, namedSigns } from '../../web/inspector/character-names.ts'
import { hesitationBeside } from '../../web/inspector/hesitation.ts'
import { candidatesOf, perplexityOf, surpriseOf } from '../../web/inspector/likelihood.ts'
import { LOGPROBS_HELP, logprobsHelp } from '../../web/inspector/logprobs-help.ts'
import { tokenColour } from '../../web/inspector/token-colour.ts'
import { TokenColumns } from '../../web/token-columns.ts'
import { codePoints } from '../support/code-points.ts'
import { rounds } from '../support/rounds.ts'

/** Tokens with these probabilities, null where unknown; undefined leaves a hole. */
function columns(probabilities: readonly (number | null | undefined)[]): TokenColumns {
  const tokens = new TokenColumns()
  for (const [index, p] of probabilities.entries()) {
    if (p === undefined) continue
    tokens.put({
      index,
      token_id: null,
      token_text: ` w${index}`,
      kind: 'message',
      timestamp: 1000 + index / 10,
      position: [index, 0],
      logprob: p === null ? null : Math.log(p),
      confidence: p,
      entropy: null,
      top: [],
    })
  }
  return tokens
}

const candidate = (text: string, p: number) => ({ text, logprob: Math.log(p) })

describe('the candidates for a token', () => {
  const token = (p: number, top: [string, number][]) => ({
    text: ' tea',
    logprob: Math.log(p),
    confidence: p,
    top: top.map(([text, p]) => candidate(text, p)),
  })

  it('come likeliest first, the one that came marked, and the rest as one', () => {
    const { rows, rest } = candidatesOf(
      token(0.2, [
        [' tea', 0.2],
        [' ale', 0.5],
        [' gin', 0.1],
      ]),
      20,
    )
    expect(rows.map(row => [row.text, row.chosen])).toEqual([
      [' ale', false],
      [' tea', true],
      [' gin', false],
    ])
    expect(rest).toBeCloseTo(0.2)
  })

  it('have the one that came although others were likelier, and no room is left', () => {
    const { rows, rest } = candidatesOf(
      token(0.01, [
        [' ale', 0.5],
        [' gin', 0.3],
      ]),
      2,
    )
    expect(rows.map(row => row.text)).toEqual([' ale', ' tea'])
    expect(rest).toBeCloseTo(0.49)
  })

  it('are known by their probability where two read the same', () => {
    const { rows } = candidatesOf(
      token(0.1, [
        [' tea', 0.6],
        [' tea', 0.1],
      ]),
      5,
    )
    expect(rows.map(row => row.chosen)).toEqual([false, true])
  })

  it('are none where nothing is given', () => {
    const none = candidatesOf({ text: 'x', logprob: null, confidence: null, top: [] }, 5)
    expect(none).toEqual({ rows: [], rest: null })
  })

  it('make up the whole with the rest, however many are shown', () => {
    const shares = fc.array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(shares, fc.nat(7), fc.integer({ min: 1, max: 9 }), (weights, own, most) => {
        const sum = weights.reduce((a, b) => a + b, 0.01)
        const top = weights.map((weight, i) => candidate(`t${i}`, weight / sum))
        const { text, logprob } = top[own % top.length] as (typeof top)[0]
        const { rows, rest } = candidatesOf({ text, logprob, confidence: Math.exp(logprob), top }, most)
        expect(rows.length).toBeLessThanOrEqual(most)
        expect(rows.filter(row => row.chosen)).toHaveLength(1)
        expect(rows.reduce((all, { p }) => all + p, rest as number)).toBeCloseTo(1)
      }),
      { numRuns: rounds(2000) },
    )
  })
})

describe('numbers about a token and a text', () => {
  it('are −ln p for the surprise', () => {
    expect(surpriseOf({ logprob: Math.log(0.5), confidence: 0.5 })).toBeCloseTo(Math.LN2)
    expect(surpriseOf({ logprob: null, confidence: 0.25 })).toBeCloseTo(2 * Math.LN2)
    expect(surpriseOf({ logprob: null, confidence: null })).toBeNull()
  })

  it('are the number of equally likely tokens for the perplexity', () => {
    expect(perplexityOf(columns([0.25, 0.25, null, undefined, 0.25]))?.value).toBeCloseTo(4, 4)
    expect(perplexityOf(columns([0.25, 0.25, null, undefined, 0.25]))?.known).toBe(3)
    expect(perplexityOf(columns([null, null]))).toBeNull()
  })
})

describe('tokens that were hard to choose', () => {
  it('are gone to in both directions', () => {
    const tokens = columns([0.99, 0.3, 0.99, 0.95, 0.4, 0.99])
    expect(hesitationBeside(tokens, -1, 1)).toBe(1)
    expect(hesitationBeside(tokens, 1, 1)).toBe(4)
    expect(hesitationBeside(tokens, 4, 1)).toBeNull()
    expect(hesitationBeside(tokens, 4, -1)).toBe(1)
    expect(hesitationBeside(tokens, 1, -1)).toBeNull()
  })

  it('are a tenth of a long text', () => {
    const tokens = columns(Array.from({ length: 200 }, (_, i) => 0.05 + ((i * 37) % 200) / 250))
    let count = -1
    for (let i: number | null = -1; i !== null; i = hesitationBeside(tokens, i, 1)) count++
    expect(count).toBe(20)
  })

  it('are none where the model was sure, or nobody says', () => {
    expect(hesitationBeside(columns([0.99, 0.95, 1]), -1, 1)).toBeNull()
    expect(hesitationBeside(columns([null, undefined, null]), -1, 1)).toBeNull()
    expect(hesitationBeside(columns([]), -1, 1)).toBeNull()
  })
})

describe('characters', () => {
  it('that one would not see have names', () => {
    expect(namedSigns('  a\u200b\n\u202e')).toEqual([
      { sign: '·', name: 'space', count: 2 },
      { sign: '⟨ZWSP⟩', name: 'zero width space', count: 1 },
      { sign: '↵', name: 'line feed', count: 1 },
      { sign: '⟨U+202E⟩', name: 'right-to-left override', count: 1 },
    ])
    expect(namedSigns('plain')).toEqual([])
  })

  it.each([
    ['A', 'U+0041', 'capital letter'],
    ['é', 'U+00E9', 'small letter'],
    ['7', 'U+0037', 'digit'],
    ['日', 'U+65E5', 'Han character'],
    ['🚀', 'U+1F680', 'pictograph'],
    ['\u0301', 'U+0301', 'combining mark'],
    ['\ud83d', 'U+D83D', 'half of a pair'],
    ['\ufffd', 'U+FFFD', 'replacement character'],
    ['\u0001', 'U+0001', 'control'],
  ])('%j is %s, a %s', (text, code, name) => {
    expect(codePointsOf(text)).toMatchObject([{ code, name }])
  })

  it('are told one by one, whatever the text', () => {
    fc.assert(
      fc.property(codePoints({ maxLength: 30 }), text => {
        const points = codePointsOf(text)
        expect(
          points.map(({ code }) => String.fromCodePoint(Number.parseInt(code.slice(2), 16))).join(''),
        ).toBe(text)
        expect(points.flatMap(({ name, shown }) => [name, shown])).not.toContain('')
      }),
      { numRuns: rounds(2000) },
    )
  })
})

describe('how to ask for probabilities', () => {
  it('is known for every kind of server, as valid JSON', () => {
    expect(Object.keys(LOGPROBS_HELP).sort()).toEqual([...UPSTREAM_KINDS].sort())
    for (const { fields, path } of Object.values(LOGPROBS_HELP)) {
      expect(JSON.parse(`{${fields}}`)).toMatchObject({ top_logprobs: 5 })
      expect(path).toMatch(/^\//)
    }
  })

  it('is what most servers take where the kind is not known', () => {
    expect(logprobsHelp(null)).toBe(LOGPROBS_HELP.openai)
    expect(logprobsHelp('something new')).toBe(LOGPROBS_HELP.openai)
    expect(logprobsHelp('lmstudio').path).toBe('/v1/responses')
  })
})

describe('the colour of a token', () => {
  const ink = { scale: 'viridis', now: 1001, model: 1 } as const
  const tokens = columns([0.5, null])

  it('is that of the map, by what it stands for', () => {
    expect(tokenColour(tokens, 0, { ...ink, color: 'confidence' })).toBe(
      cssOfRgba(scaleColour(0.5, 'viridis')),
    )
    expect(tokenColour(tokens, 1, { ...ink, color: 'kind' })).not.toBeNull()
    expect(tokenColour(tokens, 1, { ...ink, color: 'interval' })).toBe(
      tokenColour(tokens, 1, { ...ink, color: 'interval', model: null }),
    )
    expect(tokenColour(tokens, 0, { ...ink, color: 'model' })).not.toBe(
      tokenColour(tokens, 0, { ...ink, color: 'model', model: 0 }),
    )
    expect(tokenColour(tokens, 0, { ...ink, color: 'age' })).not.toBeNull()
  })

  it('is none where that is not known', () => {
    expect(tokenColour(tokens, 1, { ...ink, color: 'confidence' })).toBeNull()
    expect(tokenColour(tokens, 0, { ...ink, color: 'entropy' })).toBeNull()
    expect(tokenColour(tokens, 0, { ...ink, color: 'interval' })).toBeNull()
    expect(tokenColour(tokens, 0, { ...ink, color: 'model', model: null })).toBeNull()
  })
})
