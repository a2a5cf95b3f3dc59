import { describe, expect, test } from 'vitest'
import { SERVER_KINDS } from '../../bridge/demo/surface.ts'
import { send, textOf } from '../support/app.ts'
import { CHAT } from '../support/demo.ts'
import { RawExchange } from '../support/raw-exchange.ts'
import { useStage } from '../support/stage.ts'

const FAILURE = 'the model failed while it answered'
const SAY = 'fixed,say=so%20far%2C%20and%20on'

describe.each(SERVER_KINDS)('an answer of %s', kind => {
  const stage = useStage({ kind })

  /** How many bytes of an answer there are up to and with the first place that fits. */
  async function bytesThrough(directives: string, pattern: RegExp): Promise<number> {
    const body = await stage.direct(directives)
    const [, whole] = new RegExp(`^(.*?${pattern.source}.*?\\n\\n)`, 's').exec(body.toString()) ?? []
    if (whole === undefined) throw new Error(`nothing fits ${pattern} in ${body}`)
    return Buffer.byteLength(whole)
  }
  const seen = (generation: string) => stage.viewer.textOf(generation)

  test('is done with a finish and [DONE]', async () => {
    const { answer, last, complete } = await stage.take('', { max_tokens: 1 })
    expect([answer.isDone, complete]).toEqual([true, true])
    expect(last).toMatchObject({
      state: 'done',
      ending: 'length',
      error: null,
      tokens_processed: 1,
      // Nobody asked for usage, and only llama.cpp counts all the same.
      total_tokens: kind === 'llamacpp' ? expect.any(Number) : null,
      estimated: kind !== 'llamacpp',
    })
  })

  test.each(['no-done', 'no-done,crlf', 'no-done,cr', 'no-done,bom,split=3'])(
    'is done with a finish and no [DONE]: %s',
    async form => {
      const { answer, last } = await stage.take(`${SAY},${form}`)
      expect(answer.isDone).toBe(false)
      expect(last).toMatchObject({ state: 'done', ending: 'stop', error: null })
    },
  )

  test('is interrupted without a finish, and what came of it is shown', async () => {
    const { complete, last } = await stage.take(`${SAY},no-finish`)
    expect(complete).toBe(true)
    expect(last).toMatchObject({
      state: 'interrupted',
      ending: 'truncated',
      error: { kind: 'connection', retryable: true },
    })
    expect(seen(last.generation)).toBe('so far, and on')
  })

  test.each(['empty', 'empty,no-done'])(
    'is done and empty where it ends well with no content: %s',
    async way => {
      const { last } = await stage.take(way)
      expect(last).toMatchObject({ state: 'done', ending: 'empty', tokens_processed: 0, ttft_ms: null })
    },
  )

  test.each([0, 2])('is failed in the server’s words by an error after %d tokens', async tokens => {
    for (const directive of ['error', 'error-done']) {
      const { answer, complete, last, status } = await stage.take(`${SAY},${directive}=${tokens}`)
      expect(complete).toBe(true)
      const isPlain = tokens === 0 && directive === 'error' && ['llamacpp', 'ollama'].includes(kind)
      expect(status).toBe(isPlain ? 500 : 200)
      if (isPlain) {
        expect(last).toMatchObject({ state: 'failed', ending: 'error' })
        expect(last.error?.message).toBe(`${answer.error.message} (HTTP 500)`)
      } else if (kind === 'ollama') {
        // It says nothing of it; [DONE] after that decides nothing.
        expect(answer.isDone).toBe(directive === 'error-done')
        expect(last).toMatchObject({ state: 'interrupted', ending: 'truncated' })
      } else {
        expect(answer.isDone).toBe(directive === 'error-done' || kind === 'vllm')
        expect(answer.error.message).toBe(FAILURE)
        expect(last).toMatchObject({
          state: 'failed',
          ending: 'error',
          error: { kind: 'unknown', message: FAILURE },
        })
      }
      expect(last.tokens_processed).toBe(tokens)
      expect(seen(last.generation)).toBe(['', '', 'so far'][tokens])
    }
  })

  test('keeps an error that was told when its connection breaks after it', async () => {
    const whole = await stage.direct(`${SAY},error=1`)
    for (const way of ['drop', 'cut']) {
      const { body, complete, last } = await stage.take(`${SAY},error=1,${way}=${whole.length}`)
      expect([body.equals(whole), complete]).toEqual([true, false])
      expect(last).toMatchObject(
        kind === 'ollama'
          ? { state: 'interrupted', ending: 'connection' }
          : { state: 'failed', error: { message: FAILURE } },
      )
    }
  })

  test.each(['drop', 'cut'])(
    'is interrupted by a connection that breaks, and broken for the app: %s',
    async way => {
      const at = await bytesThrough(SAY, / far/)
      const { body, complete, last } = await stage.take(`${SAY},${way}=${at}`)
      expect([body.length, complete]).toEqual([at, false])
      expect(last).toMatchObject({
        state: 'interrupted',
        ending: 'connection',
        error: { kind: 'connection', retryable: true },
      })
      expect(seen(last.generation)).toBe('so far')
    },
  )

  test.each(['drop', 'cut', 'end'])('is done where it is lost only after its finish: %s', async way => {
    const at = await bytesThrough(SAY, /"finish_reason":"stop"/)
    const { body, complete, last } = await stage.take(`${SAY},${way}=${at}`)
    expect([body.length, complete]).toEqual([at, way === 'end'])
    expect(last).toMatchObject({ state: 'done', ending: 'stop' })
  })

  test('is failed where JSON that is no completion answers a stream', async () => {
    const { last, body } = await stage.take('json')
    expect(JSON.parse(body.toString())).toEqual({ error: expect.any(String) })
    expect(last).toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('Unexpected endpoint') },
    })
  })

  test('is done where a whole completion answers a stream', async () => {
    const { last } = await stage.take(`${SAY},json=whole`)
    expect(last).toMatchObject({ state: 'done', ending: 'stop', estimated: false })
    expect(seen(last.generation)).toBe('so far, and on')
  })

  test.each([
    ['429=7s', 429, '7', 'send', true],
    ['500', 500, undefined, 'unknown', false],
    ['503=1500ms', 503, '2', 'unknown', true],
  ] as const)('is failed with its status by %s', async (directive, status, after, errorKind, retryable) => {
    for (const stream of [true, false]) {
      const answer = await stage.ask(directive, { stream })
      expect([answer.statusCode, answer.headers['retry-after']]).toEqual([status, after])
      const { error } = JSON.parse(await textOf(answer))
      const last = await stage.viewer.end(stream ? 0 : 1)
      expect(last).toMatchObject({
        state: 'failed',
        ending: 'error',
        error: { kind: errorKind, message: `${error.message} (HTTP ${status})`, retryable },
      })
    }
  })

  test('is reset, not ended, where it has no length and breaks', async () => {
    // An HTTP/1.0 app reads to the end of the connection: only a reset tells it that something is missing.
    const at = await bytesThrough(SAY, / far/)
    for (const way of ['drop', 'cut']) {
      const headers = { host: '127.0.0.1', 'x-demo': `${SAY},${way}=${at}` }
      const broken = new RawExchange(stage.url, { version: '1.0', headers, body: CHAT })
      expect(await broken.ended).toBe('reset')
    }
    await stage.viewer.end(1)
  })

  test('on a path that it does not have is no generation', async () => {
    const answer = await send(stage.url, { path: '/v1/nothing', body: {} })
    expect(answer.statusCode).toBe(kind === 'lmstudio' ? 200 : 404)
    await textOf(answer)
    expect(stage.viewer.entries).toEqual([])
  })
})
