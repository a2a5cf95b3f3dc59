/** Words of varied length: what an answer's tokens look like, the same in every run. */
const WORDS =
  ' The| model| reads| a| stream| of| tokens|,| one| by| one|,| and| shows| where| each| lands|.|\n\n'
    .split('|')
    .concat(' probability', ' é', ' 流', ' oscilloscope', ' "quoted"', ' 0', '.', '42')

/** Tokens in a stream. */
export const STREAM_TOKENS = 1000

export interface ChatStream {
  /** The whole answer, one event each: a token, or at the end the finish, the usage and `[DONE]`. */
  events: Buffer[]
  bytes: number
}

/**
 * The bytes of a streamed chat completion of 1,000 tokens, as LM Studio writes it. They are made here and not
 * recorded from the demo server, so that a change of the demo does not change what is measured; they are as
 * many to a token as the demo writes, within 2 %.
 */
export function chatStream({ logprobs }: { logprobs: boolean }): ChatStream {
  const events = Array.from({ length: STREAM_TOKENS }, (_, i) => {
    const content = word(i)
    const listed = logprobs ? { content: [listedToken(i)] } : null
    return event([{ index: 0, delta: { role: 'assistant', content }, logprobs: listed, finish_reason: null }])
  })
  events.push(event([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }]))
  const usage = { prompt_tokens: 20, completion_tokens: STREAM_TOKENS, total_tokens: STREAM_TOKENS + 20 }
  events.push(event([], { usage }))
  events.push(Buffer.from('data: [DONE]\n\n'))
  return { events, bytes: events.reduce((sum, { length }) => sum + length, 0) }
}

/** The same bytes in chunks of `size`, as a socket gives them when they come faster than they are read. */
export function inChunks(events: readonly Buffer[], size: number): Buffer[] {
  const whole = Buffer.concat(events)
  const chunks: Buffer[] = []
  for (let at = 0; at < whole.length; at += size) chunks.push(whole.subarray(at, at + size))
  return chunks
}

function event(choices: object[], more: object = {}): Buffer {
  const chunk = {
    id: 'chatcmpl-6m1fvx3w2z0k8j5n4r7t9q',
    object: 'chat.completion.chunk',
    created: 1_790_000_000,
    model: 'qwen2.5-7b-instruct',
    system_fingerprint: 'qwen2.5-7b-instruct',
    choices,
    ...more,
  }
  return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`)
}

function listedToken(i: number): object {
  return { ...candidate(i, 0), top_logprobs: [0, 1, 2, 3, 4].map(rank => candidate(i, rank)) }
}

function candidate(i: number, rank: number): object {
  const token = word(i + 7 * rank)
  const logprob = -0.03125 - rank * 1.417_236_328_125 - (i % 97) / 128
  return { token, logprob, bytes: [...Buffer.from(token)] }
}

function word(i: number): string {
  return WORDS[(i * 31) % WORDS.length] as string
}
