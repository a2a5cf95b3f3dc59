import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Ask } from '../../bridge/ask.ts'
import { noTapes, type TapedRequest, type Tapes } from '../../bridge/tape.ts'
import { TapedAnswer } from '../../bridge/taped-answer.ts'
import type { AnswerListener } from '../../bridge/transport.ts'

const HEAD = { status: 200, statusText: 'OK', headers: ['X-Twice', 'a', 'X-Twice', 'b'] }

function askOf(body: Ask['body']): Ask {
  return {
    method: 'POST',
    target: '/v1/chat/completions?x=1',
    path: '/v1/chat/completions',
    headers: ['Authorization', 'Bearer key', 'X-Twice', '1', 'X-Twice', '2'],
    body,
    endpoint: null,
    facts: null,
    model: null,
    only: null,
    parent: null,
    caller: 'test',
    priority: 0,
  }
}

/** Who waits for an answer and who records it, and what they were told in which order. */
class Scene {
  readonly told: string[] = []
  readonly requests: TapedRequest[] = []
  readonly faults: unknown[] = []
  readonly abort = new AbortController()
  /** Whether the listener can take more. */
  more = true
  throwsAt = ''
  readonly answer: TapedAnswer
  readonly listener: AnswerListener

  constructor(body: Ask['body'] = null, tapes: Tapes = this.#tapes()) {
    this.answer = new TapedAnswer({
      tapes,
      ask: askOf(body),
      correlationId: 'c-1',
      startedAt: 42,
      generations: () => ['g_1'],
      signal: this.abort.signal,
      onFault: fault => this.faults.push(fault),
    })
    this.listener = this.answer.listening({
      head: head => void this.told.push(`app head ${head.status}`),
      chunk: bytes => {
        this.told.push(`app ${bytes}`)
        return this.more
      },
      end: () => void this.told.push('app end'),
      broken: error => void this.told.push(`app ${error.message}`),
    })
  }

  #tapes(): Tapes {
    const tell = (what: string, name = what) => {
      this.told.push(`tape ${what}`)
      if (this.throwsAt === name) throw new Error(`no ${name}`)
    }
    return {
      open: request => {
        this.requests.push(request)
        tell('open')
        return {
          head: (status, headers, readAt) => tell(`head ${status} ${headers} ${readAt}`, 'head'),
          bytes: (chunk, readAt) => tell(`${Buffer.from(chunk)} ${readAt}`, 'bytes'),
          end: outcome => tell(outcome, 'end'),
        }
      },
    }
  }
}

describe('a taped answer', () => {
  test('goes to who waits for it first, and to the tape as it came', () => {
    const { listener, answer, told } = new Scene()
    listener.head(HEAD, 50)
    expect(listener.chunk(Buffer.from('one'), 51)).toBe(true)
    listener.chunk(Buffer.from('two'), 52)
    listener.end(53)
    answer.over()
    expect(told).toEqual([
      ...['app head 200', 'tape open', 'tape head 200 X-Twice,a,X-Twice,b 50'],
      ...['app one', 'tape one 51', 'app two', 'tape two 52', 'app end', 'tape complete'],
    ])
  })

  test('is asked for once what was sent in the turn has gone', async () => {
    const { requests, told } = new Scene(Buffer.from('the body'))
    await Promise.resolve()
    expect(requests).toEqual([])
    await setImmediate()
    expect(told).toEqual(['tape open'])
    expect(requests).toEqual([
      {
        method: 'POST',
        target: '/v1/chat/completions?x=1',
        headers: ['Authorization', 'Bearer key', 'X-Twice', '1', 'X-Twice', '2'],
        body: Buffer.from('the body'),
        correlationId: 'c-1',
        startedAt: 42,
        generations: expect.any(Function),
      },
    ])
    expect(requests[0]?.generations()).toEqual(['g_1'])
  })

  test('has no body where that was not held', async () => {
    const streamed = new Scene(Readable.from(['much']))
    const none = new Scene(null)
    const empty = new Scene(Buffer.alloc(0))
    await setImmediate()
    expect([streamed, none, empty].map(({ requests }) => requests[0]?.body?.length ?? null)).toEqual([
      ...[null, null, 0],
    ])
  })

  test('passes on that no more can be taken', () => {
    const scene = new Scene()
    scene.listener.head(HEAD, 1)
    scene.more = false
    expect(scene.listener.chunk(Buffer.from('x'), 2)).toBe(false)
  })

  test('breaks, and is cancelled where somebody here wanted no more of it', () => {
    const broken = new Scene()
    broken.listener.head(HEAD, 1)
    broken.listener.broken(new Error('gone'), 2)
    broken.answer.over()
    expect(broken.told.slice(-2)).toEqual(['app gone', 'tape broken'])
    const cancelled = new Scene()
    cancelled.abort.abort()
    cancelled.listener.broken(new Error('gone'), 2)
    cancelled.answer.over()
    expect(cancelled.told).toEqual(['app gone', 'tape open', 'tape cancelled'])
  })

  test('that came to its end before it was cancelled is complete', () => {
    const { listener, answer, abort, told } = new Scene()
    listener.head(HEAD, 1)
    listener.end(2)
    abort.abort()
    answer.over()
    expect(told.at(-1)).toBe('tape complete')
  })

  test('is nobody’s concern where nothing is recorded', async () => {
    let asked = 0
    const tapes: Tapes = {
      open: request => {
        asked++
        return noTapes.open(request)
      },
    }
    const { listener, answer, told, faults } = new Scene(null, tapes)
    listener.head(HEAD, 1)
    listener.chunk(Buffer.from('x'), 2)
    await setImmediate()
    listener.end(3)
    answer.over()
    expect([asked, told, faults]).toEqual([1, ['app head 200', 'app x', 'app end'], []])
  })

  for (const where of ['open', 'head', 'bytes', 'end']) {
    test(`is whole for who waits for it where the tape throws at its ${where}`, () => {
      const scene = new Scene()
      scene.throwsAt = where
      const { listener, answer, told, faults } = scene
      listener.head(HEAD, 1)
      for (const piece of ['one', 'two']) expect(listener.chunk(Buffer.from(piece), 2)).toBe(true)
      listener.end(3)
      answer.over()
      const app = told.filter(line => line.startsWith('app'))
      expect(app).toEqual(['app head 200', 'app one', 'app two', 'app end'])
      // Told once, and nothing more of it is recorded.
      expect(faults).toEqual([new Error(`no ${where}`)])
      expect(told.filter(line => line.startsWith('tape'))).toHaveLength(
        ['open', 'head', 'bytes', 'end'].indexOf(where) + (where === 'end' ? 2 : 1),
      )
    })
  }
})
