import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SourceFeed } from '../../../bridge/source/source-feed.ts'
import type { GenerationEvent, NeuralStateEvent, TokenEvent } from '../../../events/generation.ts'
import { RecordingMeter } from '../../support/hub-meter.ts'
import { rounds } from '../../support/rounds.ts'

/** A feed, and all that it tells. */
class Feed {
  readonly meter = new RecordingMeter()
  readonly told: GenerationEvent[] = []
  readonly feed = new SourceFeed({
    upstream: 'feed.test:9000',
    emit: event => this.told.push(event),
    meter: this.meter,
    modelLabel: model => (model === 'listed' ? model : 'other'),
  })
  #at = 1000

  /** Gives it events, 10 ms apart: objects, or texts as they are. */
  give(...events: unknown[]): this {
    for (const event of events) {
      const data = typeof event === 'string' ? event : JSON.stringify(event)
      this.#at += 10
      this.feed.take({ type: undefined, data, lastEventId: '' }, this.#at)
    }
    return this
  }

  get states(): NeuralStateEvent[] {
    return this.told.filter(event => event.type === 'neural_state')
  }

  get tokens(): TokenEvent[] {
    return this.told.filter(event => event.type === 'token_activation')
  }

  /** The text and the states of each generation, in order of appearance. */
  get generations(): { text: string; states: string[]; last: NeuralStateEvent }[] {
    const ids = [...new Set(this.told.map(({ generation }) => generation))]
    return ids.map(id => {
      const states = this.states.filter(({ generation }) => generation === id)
      const text = this.tokens.filter(({ generation }) => generation === id).map(token => token.token_text)
      return {
        text: text.join(''),
        states: states.map(({ state }) => state),
        last: states.at(-1) as NeuralStateEvent,
      }
    })
  }

  get errors(): Record<string, number> {
    const kinds: Record<string, number> = {}
    for (const { name, labels, value } of this.meter.counted) {
      if (name !== 'tokenscope_sse_errors_total') continue
      kinds[labels.kind as string] = (kinds[labels.kind as string] ?? 0) + value
    }
    return kinds
  }
}

const token = (generation: string, token_text: string, more: object = {}) => ({
  type: 'token_activation',
  generation,
  token_text,
  ...more,
})
const state = (generation: string, name: string, more: object = {}) => ({
  type: 'neural_state',
  generation,
  state: name,
  ...more,
})
const chunk = (id: string, content: string | null, more: object = {}, index = 0) => ({
  id,
  object: 'chat.completion.chunk',
  model: 'listed',
  choices: [{ index, delta: content === null ? {} : { content }, finish_reason: null, ...more }],
})
const finish = (id: string, finish_reason: string, index = 0) => chunk(id, null, { finish_reason }, index)
const usage = (id: string, completion_tokens: number) => ({
  id,
  object: 'chat.completion.chunk',
  choices: [],
  usage: { prompt_tokens: 4, completion_tokens, total_tokens: 4 + completion_tokens },
})

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

describe('Tokenscope’s own form', () => {
  it('needs a name and a text only; what it does not say is null', () => {
    const feed = new Feed().give(token('any name ☃', 'Hel'), token('any name ☃', 'lo'))
    expect(feed.tokens).toEqual(
      ['Hel', 'lo'].map((token_text, index) => ({
        type: 'token_activation',
        generation: expect.stringMatching(/^g_[0-9A-Z]{26}$/),
        index,
        token_id: null,
        token_text,
        kind: 'message',
        timestamp: expect.any(Number),
        logprob: null,
        confidence: null,
        entropy: null,
        top: [],
      })),
    )
    expect(feed.generations).toHaveLength(1)
    expect(feed.states.map(one => one.state)).toEqual(['queued', 'generating'])
    expect(feed.states.at(-1)).toMatchObject({
      model: null,
      upstream: 'feed.test:9000',
      ttft_ms: null,
      error: null,
    })
  })

  it('is passed on with all that it says', () => {
    const top = [
      { text: 'a', logprob: -0.1 },
      { text: 'b', logprob: -3 },
    ]
    const feed = new Feed().give(
      state('1', 'queued', { model: 'm', cached: true }),
      state('1', 'loading_model', { progress: 0.5 }),
      state('1', 'processing_prompt', { progress: 0.25 }),
      token('1', 'a', {
        kind: 'reasoning',
        token_id: 7,
        logprob: -0.1,
        top,
        position: [1, 2],
        seq: 9,
        extra: {},
      }),
      state('1', 'done', {
        ending: 'length',
        ttft_ms: 123.4,
        tokens_processed: 40,
        total_tokens: 50,
        estimated: false,
      }),
    )
    expect(feed.tokens[0]).toMatchObject({ kind: 'reasoning', token_id: 7, logprob: -0.1, top })
    expect(feed.tokens[0]?.confidence).toBeCloseTo(Math.exp(-0.1), 12)
    expect(feed.tokens[0]?.entropy).toBeGreaterThan(0)
    expect(feed.states[0]).toMatchObject({ state: 'queued', model: 'm', cached: true })
    expect(feed.states.map(one => [one.state, one.progress])).toEqual([
      ['queued', null],
      ['loading_model', 0.5],
      ['processing_prompt', 0.25],
      ['generating', null],
      ['done', null],
    ])
    expect(feed.states.at(-1)).toMatchObject({
      ending: 'length',
      ttft_ms: 123.4,
      tokens_processed: 40,
      total_tokens: 50,
      estimated: false,
    })
  })

  it.each([
    [
      { kind: 'timeout', code: 'E1', message: 'slow', retryable: true },
      { kind: 'timeout', code: 'E1', message: 'slow', retryable: true },
    ],
    [{ kind: 'send' }, { kind: 'send', code: null, message: expect.any(String), retryable: false }],
    ['no more memory', { kind: 'unknown', code: null, message: 'no more memory', retryable: false }],
    [
      { kind: 'odd', message: 'x' },
      { kind: 'unknown', message: 'x' },
    ],
  ])('passes on the error %j', (error, expected) => {
    const feed = new Feed().give(token('1', 'a'), state('1', 'failed', { ending: 'error', error }))
    expect(feed.states.at(-1)).toMatchObject({ state: 'failed', ending: 'error', error: expected })
  })

  it('begins another generation with a name whose generation has ended', () => {
    const feed = new Feed().give(
      token('1', 'a'),
      token('2', 'x'),
      state('1', 'done', { ending: 'stop' }),
      token('1', 'b'),
      token('2', 'y'),
      state('1', 'cancelled'),
    )
    expect(feed.generations.map(({ text, last }) => [text, last.state])).toEqual([
      ['a', 'done'],
      ['xy', 'generating'],
      ['b', 'cancelled'],
    ])
    expect(feed.feed.open).toBe(1)
  })

  it('says nothing with the end of what began before anybody listened, unless it says why', () => {
    const error = { kind: 'connection', message: 'gone' }
    const feed = new Feed().give(state('1', 'done'), state('2', 'cancelled'), state('3', 'failed', { error }))
    expect(feed.generations.map(({ states, last }) => [states, last.error?.message])).toEqual([
      [['queued', 'failed'], 'gone'],
    ])
    expect(feed.feed.open).toBe(0)
    expect(feed.errors).toEqual({})
  })

  it('keeps what is named alike in the other form apart', () => {
    const feed = new Feed().give(token('1', 'a'), chunk('1', 'b'))
    expect(feed.generations.map(({ text }) => text)).toEqual(['a', 'b'])
    feed.feed.end('shutdown', null, 2000)
  })

  it('does not time what was asked for elsewhere', () => {
    const feed = new Feed().give(token('1', 'a'), token('1', 'b'), state('1', 'done'))
    expect(feed.meter.observations('tokenscope_time_to_first_token_seconds')).toEqual([])
    expect(feed.states.at(-1)).toMatchObject({ ttft_ms: null, elapsed_ms: 20 })
    expect(feed.meter.total('tokenscope_tokens_total', { upstream: 'feed.test:9000', model: 'other' })).toBe(
      2,
    )
  })
})

describe('OpenAI’s form', () => {
  it('tells answers apart by id and choice', () => {
    const feed = new Feed().give(
      chunk('a', ''),
      chunk('a', 'one '),
      chunk('b', 'eins '),
      chunk('a', 'uno ', {}, 1),
      chunk('b', 'zwei'),
      chunk('a', 'two'),
      chunk('a', 'due', {}, 1),
      finish('a', 'stop'),
      finish('a', 'length', 1),
      finish('b', 'stop'),
      '[DONE]',
    )
    expect(feed.generations.map(({ text, last }) => [text, last.state, last.ending])).toEqual([
      ['one two', 'done', 'stop'],
      ['eins zwei', 'done', 'stop'],
      ['uno due', 'done', 'length'],
    ])
    expect(feed.states.every(({ model }) => model === 'listed')).toBe(true)
    expect(feed.generations[0]?.states).toEqual(['queued', 'processing_prompt', 'generating', 'done'])
    expect(feed.meter.total('tokenscope_tokens_total', { model: 'listed' })).toBe(6)
  })

  it('reads completions, and the tokens that are listed', () => {
    const logprobs = { tokens: [' a', ' b'], token_logprobs: [-0.5, -1], top_logprobs: [] }
    const choices = [{ index: 0, text: ' a b', logprobs, finish_reason: 'stop' }]
    const feed = new Feed().give({ id: 'c', object: 'text_completion', model: 'm', choices }, '[DONE]')
    expect(feed.tokens.map(one => [one.token_text, one.logprob])).toEqual([
      [' a', -0.5],
      [' b', -1],
    ])
    expect(feed.states.at(-1)).toMatchObject({ state: 'done', tokens_processed: 2, estimated: false })
  })

  it('takes the count that comes after the end, as of the time of the end', () => {
    const feed = new Feed().give(chunk('a', 'one two three'), finish('a', 'stop'))
    expect(feed.states.at(-1)?.state).toBe('generating')
    feed.give(usage('a', 3))
    expect(feed.states.at(-1)).toMatchObject({
      state: 'done',
      tokens_processed: 3,
      total_tokens: 7,
      estimated: false,
      elapsed_ms: 10,
    })
  })

  it('waits half a second for that, and not for another', () => {
    const feed = new Feed().give(chunk('a', 'one'), finish('a', 'stop'))
    vi.advanceTimersByTime(499)
    expect(feed.states.at(-1)?.state).toBe('generating')
    vi.advanceTimersByTime(1)
    expect(feed.states.at(-1)).toMatchObject({ state: 'done', estimated: true, elapsed_ms: 10 })
    feed.give(usage('a', 3))
    expect(feed.generations).toHaveLength(1)
    expect(feed.feed.open).toBe(0)
  })

  it('waits for no count that there was before, or that would be one of several choices', () => {
    const counted = {
      ...chunk('a', 'one'),
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    }
    const feed = new Feed().give(counted, finish('a', 'stop'))
    expect(feed.states.at(-1)?.state).toBe('done')
    feed.give(chunk('b', 'x'), chunk('b', 'y', {}, 1), finish('b', 'stop'))
    expect(feed.states.at(-1)?.state).toBe('done')
    // What is left of it is not the only one it had.
    feed.give(usage('b', 5), finish('b', 'stop', 1))
    expect(feed.states.at(-1)).toMatchObject({ state: 'done', tokens_processed: 1, estimated: true })
  })

  it('takes back a count that came before there were several choices', () => {
    const counted = (content: string, index: number) => ({
      ...chunk('a', content, {}, index),
      usage: usage('', 1).usage,
    })
    const feed = new Feed().give(counted('one', 0), counted('eins', 1), chunk('a', ' two'))
    feed.give(finish('a', 'stop'), finish('a', 'stop', 1))
    expect(
      feed.generations.map(({ last }) => [last.tokens_processed, last.total_tokens, last.estimated]),
    ).toEqual([
      [2, null, true],
      [1, null, true],
    ])
  })

  it('takes the count of llama.cpp’s timings where there is no other', () => {
    const timings = {
      cache_n: 2,
      prompt_n: 3,
      prompt_ms: 5,
      predicted_n: 2,
      predicted_ms: 40,
      predicted_per_second: 50,
    }
    const feed = new Feed().give(chunk('a', 'one two'), { ...finish('a', 'stop'), timings }, '[DONE]')
    expect(feed.states.at(-1)).toMatchObject({
      state: 'done',
      tokens_processed: 2,
      total_tokens: 7,
      estimated: false,
      timings: { prompt_ms: 5, generation_ms: 40, tokens_per_second: 50 },
    })
  })

  it('knows an answer without content as empty, and an end of what it never saw as none', () => {
    const feed = new Feed().give(finish('never', 'stop'), chunk('a', ''), finish('a', 'stop'), '[DONE]')
    expect(feed.generations.map(({ last }) => [last.state, last.ending])).toEqual([['done', 'empty']])
  })

  it('fails every choice of an answer that has an error', () => {
    const feed = new Feed().give(chunk('a', 'x'), chunk('a', 'y', {}, 1), chunk('b', 'z'), {
      ...chunk('a', null),
      error: { message: 'out of memory', code: 500 },
    })
    expect(feed.generations.map(({ text, last }) => [text, last.state, last.error?.message])).toEqual([
      ['x', 'failed', 'out of memory'],
      ['y', 'failed', 'out of memory'],
      ['z', 'generating', undefined],
    ])
    expect(feed.errors).toEqual({ upstream: 1 })
    feed.feed.end('shutdown', null, 2000)
  })

  it('is one answer where there are no ids', () => {
    const { id: _id, ...bare } = chunk('', 'x')
    const feed = new Feed().give(bare, bare)
    expect(feed.generations.map(({ text }) => text)).toEqual(['xx'])
    feed.feed.end('shutdown', null, 2000)
  })
})

describe('what cannot be read', () => {
  it.each([
    ['no JSON', '{"type":'],
    ['nothing', ''],
    ['no object', '[{"type":"token_activation","generation":"1","token_text":"x"}]'],
    ['an object without a form', '{"text":"x"}'],
    ['a token without a name', JSON.stringify(token('', 'x'))],
    ['a token without a text', JSON.stringify({ ...token('1', ''), token_text: null })],
    ['a state that is none', JSON.stringify(state('1', 'dreaming'))],
    ['a state without a name', JSON.stringify({ type: 'neural_state', state: 'done' })],
  ])('as %s is counted, and the feed goes on', (_name, data) => {
    const feed = new Feed().give(token('1', 'a'), data, token('1', 'b'))
    expect(feed.generations.map(({ text }) => text)).toEqual(['ab'])
    expect(feed.errors).toEqual({ parse: 1 })
    expect(feed.feed.counts).toEqual({ read: 2, ignored: 0, unreadable: 1 })
  })

  it('as an error that is of no answer in particular is counted as one', () => {
    const feed = new Feed().give(chunk('a', 'x'), { error: { message: 'overloaded' } })
    expect(feed.errors).toEqual({ upstream: 1 })
    expect(feed.states.at(-1)?.state).toBe('generating')
  })

  it('is not what has a form that is not followed', () => {
    const feed = new Feed().give({ type: 'hello', epoch: 'x.1' }, { object: 'chat.completion', choices: [] })
    expect(feed.feed.counts).toEqual({ read: 0, ignored: 2, unreadable: 0 })
    expect(feed.errors).toEqual({})
    expect(feed.told).toEqual([])
  })
})

describe('the end of a feed', () => {
  it('interrupts what is open, and not what had come to its end', () => {
    const error = { kind: 'connection', code: null, message: 'gone', retryable: false } as const
    const feed = new Feed().give(token('1', 'a'), chunk('a', 'x'), finish('a', 'stop'), chunk('b', 'y'))
    feed.feed.end('connection', error, 2000)
    expect(feed.generations.map(({ last }) => [last.state, last.ending, last.error])).toEqual([
      ['interrupted', 'connection', error],
      ['done', 'stop', null],
      ['interrupted', 'connection', error],
    ])
    expect(feed.feed.open).toBe(0)
  })
})

describe('bounds', () => {
  it('1,000 generations are open at most: beyond, the oldest is interrupted', () => {
    const feed = new Feed()
    for (let i = 0; i < 1003; i++) feed.give(token(String(i), 'x'))
    expect(feed.feed.open).toBe(1000)
    const ended = feed.generations.filter(({ last }) => last.state !== 'generating')
    expect(ended.map(({ last }) => [last.state, last.ending])).toEqual(
      Array.from({ length: 3 }, () => ['interrupted', 'overflow']),
    )
    expect(ended[0]?.last.generation).toBe(feed.states[0]?.generation)
    // One that is cut off and goes on is another generation.
    feed.give(token('0', 'y'))
    expect(feed.generations.at(-1)?.text).toBe('y')
    expect(feed.feed.open).toBe(1000)
  })

  it('an answer has 128 choices at most, and does not interrupt itself', () => {
    const feed = new Feed()
    for (let i = 0; i < 900; i++) feed.give(token(String(i), 'x'))
    for (let i = 0; i < 200; i++) feed.give(chunk('a', 'y', {}, i))
    expect(feed.feed.open).toBe(1000)
    expect(feed.generations.filter(({ text }) => text === 'y')).toHaveLength(128)
    expect(feed.states.filter(one => one.state === 'interrupted')).toHaveLength(28)
    feed.feed.end('shutdown', null, 9000)
    expect(feed.feed.open).toBe(0)
  })

  it('16 Mi characters are open at most, in one that never ends as well as in many', () => {
    const text = 'x'.repeat(1024 * 1024)
    const feed = new Feed()
    for (let i = 0; i < 16; i++) feed.give(token(i < 8 ? 'first' : 'second', text))
    expect(feed.generations.map(({ last }) => last.state)).toEqual(['generating', 'generating'])
    feed.give(token('second', 'y'))
    expect(feed.generations.map(({ last }) => last.state)).toEqual(['interrupted', 'generating'])
    for (let i = 0; i < 9; i++) feed.give(token('second', text))
    expect(feed.generations.map(({ last }) => last.state)).toEqual([
      'interrupted',
      'interrupted',
      'generating',
    ])
    expect(feed.generations.map(one => one.text.length)).toEqual(
      [8, 16, 1].map((n, i) => n * 1024 * 1024 + (i === 1 ? 1 : 0)),
    )
  })

  it('a long name is a name like others', () => {
    const long = 'n'.repeat(100_000)
    const feed = new Feed().give(token(`${long}1`, 'a'), token(`${long}2`, 'b'), token(`${long}1`, 'c'))
    expect(feed.generations.map(({ text }) => text)).toEqual(['ac', 'b'])
  })
})

describe('anything at all', () => {
  const name = fc.constantFrom('1', '2', '')
  const odd = fc.oneof(fc.jsonValue(), fc.constantFrom(null, -1, 0, 1e308, '', 'x', [], {}))
  const words = fc.constantFrom('queued', 'generating', 'cancelling', 'done', 'failed', 'loading_model', 'x')
  const own = fc.record(
    {
      type: fc.constantFrom('token_activation', 'neural_state', 'x'),
      generation: fc.oneof(name, odd),
      token_text: fc.oneof(fc.string(), odd),
      token_id: odd,
      kind: odd,
      logprob: odd,
      top: fc.oneof(odd, fc.array(fc.record({ text: odd, logprob: odd }))),
      state: fc.oneof(words, odd),
      progress: odd,
      tokens_processed: odd,
      estimated: fc.oneof(fc.boolean(), odd),
      model: odd,
      ending: odd,
      error: odd,
    },
    { requiredKeys: [] },
  )
  const foreign = fc.record(
    {
      object: fc.constantFrom('chat.completion.chunk', 'text_completion', 'x'),
      id: fc.oneof(name, odd),
      model: odd,
      choices: fc.oneof(
        odd,
        fc.array(
          fc.record(
            {
              index: fc.oneof(fc.nat(3), odd),
              delta: fc.oneof(odd, fc.record({ content: fc.oneof(fc.string(), odd) })),
              text: odd,
              logprobs: odd,
              finish_reason: fc.constantFrom('stop', 'length', null, undefined),
            },
            { requiredKeys: [] },
          ),
          { maxLength: 3 },
        ),
      ),
      usage: fc.oneof(odd, fc.record({ completion_tokens: odd })),
      error: fc.oneof(fc.constant(undefined), odd),
      timings: odd,
    },
    { requiredKeys: [] },
  )
  const event = fc.oneof(
    { arbitrary: own.map(one => JSON.stringify(one)), weight: 4 },
    { arbitrary: foreign.map(one => JSON.stringify(one)), weight: 4 },
    { arbitrary: fc.constantFrom('[DONE]', '', '{'), weight: 1 },
    { arbitrary: fc.string(), weight: 1 },
  )

  it('is borne: generations begin and end once each, tokens come between, and nothing is left open', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), events => {
        const feed = new Feed().give(...events)
        const { read, ignored, unreadable } = feed.feed.counts
        expect(read + ignored + unreadable).toBe(events.filter(text => !text.startsWith('[DONE]')).length)
        feed.feed.end('shutdown', null, 5000)
        expect(feed.feed.open).toBe(0)
        const FINAL = ['done', 'interrupted', 'cancelled', 'failed']
        const ids = new Set(feed.told.map(({ generation }) => generation))
        for (const id of ids) {
          const own = feed.told.filter(({ generation }) => generation === id)
          expect(own[0]).toMatchObject({ type: 'neural_state', state: 'queued' })
          const finals = own.filter(one => one.type === 'neural_state' && FINAL.includes(one.state))
          expect(finals).toEqual([own.at(-1)])
          const indexes = own.flatMap(one => (one.type === 'token_activation' ? [one.index] : []))
          expect(indexes).toEqual(indexes.map((_, i) => i))
        }
      }),
      { numRuns: rounds(20_000) },
    )
  })
})
