/**
 * What the canned upstream of the benches answers with (`canned-process.ts`), and how it is asked for: by a
 * header that crosses every proxy.
 */
import { createHash } from 'node:crypto'
import { stampedText } from './stamp.ts'

export const CANNED_MODEL = 'qwen2.5-7b-instruct'

/** Says what a stream does: `held NAME`, `flood NAME`, `short` or `endless`. */
export const CANNED_HEADER = 'x-bench'

/** Tokens of a `short` stream. */
export const SHORT_TOKENS = 5

const HEAD = {
  id: 'chatcmpl-6m1fvx3w2z0k8j5n4r7t9q',
  created: 1_790_000_000,
  model: CANNED_MODEL,
  system_fingerprint: CANNED_MODEL,
}
const USAGE = { prompt_tokens: 20, completion_tokens: SHORT_TOKENS, total_tokens: SHORT_TOKENS + 20 }

/** The body of a request, of the size that a first prompt has. */
export function requestBody({ stream }: { stream: boolean }): Buffer {
  const messages = [
    { role: 'system', content: 'You are a helpful assistant.' },
    { role: 'user', content: 'Say in one sentence what an oscilloscope shows.' },
  ]
  return Buffer.from(JSON.stringify({ model: CANNED_MODEL, messages, stream, temperature: 0.7 }))
}

/** A whole completion, as LM Studio answers to a request without `stream`. */
export function wholeAnswer(): Buffer {
  const message = { role: 'assistant', content: 'An oscilloscope shows how a voltage changes over time.' }
  const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }]
  return Buffer.from(JSON.stringify({ ...HEAD, object: 'chat.completion', choices, usage: USAGE }))
}

/** One token's event, stamped now; between 270 and 290 bytes, as LM Studio writes it. */
export function tokenEvent(index: number): Buffer {
  return Buffer.from(`${EVENT_BEGIN}${stampedText(index)}${EVENT_END}`, 'latin1')
}

/** One token's event with so many bytes of something else in it. */
export function paddedEvent(index: number, bytes: number): Buffer {
  const choices = [{ index: 0, delta: { content: ` ${index}` }, logprobs: null, finish_reason: null }]
  return chunkEvent(choices, { system_fingerprint: 'x'.repeat(bytes) })
}

/** The end of a stream: finish, usage and `[DONE]`. */
export function endEvents(): Buffer {
  const finish = chunkEvent([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }])
  return Buffer.concat([finish, chunkEvent([], { usage: USAGE }), Buffer.from('data: [DONE]\n\n')])
}

/** A whole stream of five tokens, the same each time. */
export function shortStream(): Buffer {
  const tokens = Array.from({ length: SHORT_TOKENS }, (_, i) => {
    const delta = { role: 'assistant', content: ` ${i}@${i}` }
    return chunkEvent([{ index: 0, delta, logprobs: null, finish_reason: null }])
  })
  return Buffer.concat([...tokens, endEvents()])
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function chunkEvent(choices: object[], more: object = {}): Buffer {
  const chunk = { ...HEAD, object: 'chat.completion.chunk', choices, ...more }
  return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`)
}

const [EVENT_BEGIN, EVENT_END] = chunkEvent([
  { index: 0, delta: { role: 'assistant', content: 'MARK' }, logprobs: null, finish_reason: null },
])
  .toString('latin1')
  .split('MARK') as [string, string]
