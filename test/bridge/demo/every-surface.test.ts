import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DIRECTIVE_NAMES, parseFaults } from '../../../bridge/demo/faults.ts'
import { Demo } from '../../support/demo.ts'
import { RawExchange } from '../../support/raw-exchange.ts'

let demo: Demo
beforeAll(async () => {
  demo = await new Demo().start()
})
afterAll(() => demo.stop())

const messages = [{ role: 'user', content: 'Tell me about rivers' }]
const model = 'tokenscope-demo'
const logprobs = { logprobs: true, top_logprobs: 2 }

const SURFACES: [path: string, body: object][] = [
  ['/v1/chat/completions', { messages, reasoning_effort: 'low', ...logprobs }],
  ['/lmstudio/v1/chat/completions', { messages }],
  ['/lmstudio/api/v1/chat', { model, input: 'Tell me about rivers', reasoning: 'on' }],
  ['/lmstudio/api/v0/chat/completions', { messages }],
  ['/v1/responses', { model, input: 'Tell me about rivers', include: ['message.output_text.logprobs'] }],
  ['/v1/messages', { model, messages, max_tokens: 300 }],
  ['/llamacpp/v1/chat/completions', { messages, return_progress: true, ...logprobs }],
  ['/llamacpp/completion', { prompt: 'Tell me about rivers', n_probs: 2 }],
  ['/ollama/api/chat', { model, messages, think: true, ...logprobs }],
  ['/ollama/api/generate', { model, prompt: 'Tell me about rivers' }],
  ['/ollama/v1/completions', { model, prompt: 'Tell me about rivers', logprobs: 2 }],
  ['/vllm/v1/chat/completions', { messages, n: 3, ...logprobs }],
  ['/vllm/v1/completions', { prompt: ['Rivers?', 'Music?'], logprobs: 2 }],
]

/** A value for each directive that needs one. */
const VALUES: Readonly<Record<string, string>> = {
  say: 'An%20owl%20%F0%9F%A6%89%20%E2%80%93%20and%0Aa%20line',
  tokens: '40',
  seed: '3',
  rate: '20000',
  'slow-load': '8ms',
  'slow-prefill': '8ms',
  'slow-headers': '4ms',
  silence: '8ms@3',
  drop: '300',
  cut: '300',
  end: '300',
  error: '5',
  'error-done': '5',
  split: '7',
  pings: '1ms',
  batch: '4',
  'half-characters': '2',
  429: '1s',
  503: '1s',
}
const DIRECTIVES = DIRECTIVE_NAMES.filter(name => name !== 'refuse').map(name =>
  VALUES[name] === undefined ? name : `${name}=${VALUES[name]}`,
)
/** Those that leave bytes which a reader of the format understands. */
const isReadable = (directive: string) => !/^(drop|cut|end|bom|cr|crlf)\b/.test(directive)

/** The JSON texts in a body, of lines or of SSE; sentinels left out. */
function jsonOf(body: string, type: string): string[] {
  if (type.includes('application/json')) return [body]
  if (type.includes('ndjson')) return body.split('\n').filter(line => line !== '')
  return [...body.matchAll(/^data: (.*)$/gm)]
    .map(([, data]) => data as string)
    .filter(data => data !== '[DONE]')
}

describe.each(SURFACES)('%s', (path, body) => {
  it.each(DIRECTIVES)('bears %s, streamed and whole', async directive => {
    expect(parseFaults(directive)).not.toEqual({})
    for (const stream of [true, false]) {
      const exchange = new RawExchange(demo.url, {
        path,
        headers: { 'x-demo': `rate=max,${directive}`.replace(/^rate=max,rate/, 'rate') },
        body: { ...body, stream },
      })
      expect(await exchange.ended).toBe(directive.startsWith('drop') ? 'reset' : 'fin')
      const [status] = /\d{3}(?= )/.exec(exchange.head) ?? []
      // What is not streamed tells an error by its status.
      const isFailed = !stream && directive.startsWith('error')
      const isStatus = /^(429|500|503)/.test(directive)
      expect(status).toBe(isStatus ? directive.slice(0, 3) : isFailed ? '500' : '200')
      if (!isReadable(directive)) continue
      const texts = jsonOf(exchange.body.toString(), exchange.head)
      expect(texts.length).toBeGreaterThan(0)
      for (const text of texts) expect(JSON.parse(text)).toBeTypeOf('object')
      if (directive.startsWith('say')) expect(texts.join('')).toContain('🦉')
    }
    while (demo.server.active > 0) await setImmediate()
  })
})
