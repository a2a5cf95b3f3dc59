import { expect, it } from 'vitest'
import type { AnswerStream } from '../../../bridge/demo/answer-stream.ts'
import { Answering } from '../../../bridge/demo/answering.ts'
import { createDemoModel } from '../../../bridge/demo/index.ts'
import { parseChatRequest } from '../../../bridge/demo/surfaces/chat-request.ts'
import { ChatWire } from '../../../bridge/demo/surfaces/chat-wire.ts'
import { CHAT } from '../../support/demo.ts'

it('forgets the alternatives of a stream when they have been told, and keeps those of a whole answer', async () => {
  const request = parseChatRequest({ ...CHAT, logprobs: true, top_logprobs: 5 }, 'demo')
  const model = createDemoModel()
  const sent: string[] = []
  const stream = {
    failsPlainly: false,
    open: () => {},
    send: (frames: { data: string }[]) => {
      sent.push(...frames.map(({ data }) => data))
      return null
    },
    close: async () => {},
  } as unknown as AnswerStream
  for (const isStreamed of [true, false]) {
    const answering = new Answering({
      model,
      asked: request.asked,
      faults: {},
      tokensPerSecond: Number.POSITIVE_INFINITY,
      zeroLogprob: -9999,
      begun: performance.now(),
      gone: new AbortController().signal,
    })
    const { outcome } = answering
    if (isStreamed) await answering.stream(new ChatWire('demo', request, outcome), stream)
    else await answering.gather()
    const tokens = outcome.choices[0]?.parts.flatMap(part => part.tokens) ?? []
    expect(tokens.length).toBeGreaterThan(20)
    expect(new Set(tokens.map(({ top }) => top.length))).toEqual(new Set([isStreamed ? 0 : 5]))
  }
  expect(JSON.parse(sent[3] ?? '').choices[0].logprobs.content[0].top_logprobs).toHaveLength(5)
})
