import { createParser } from 'eventsource-parser'
import type { Chunk } from './demo.ts'

/** One choice of a chat completion, put together. */
export interface ChatChoice {
  text: string
  reasoning: string
  /** Names and arguments of the calls. */
  calls: string
  /** Log-probability entries, as the answer has them. */
  entries: Chunk[]
  finish: string | null
}

export interface ChatAnswer {
  choices: ChatChoice[]
  usage: Chunk
  error: Chunk
  /** Whether `[DONE]` came. */
  isDone: boolean
}

/** What an app makes of the body of a chat completion, streamed or whole, however much of it came. */
export function readChat(body: Buffer): ChatAnswer {
  const answer: ChatAnswer = { choices: [], usage: null, error: null, isDone: false }
  const text = body.toString('utf8')
  if (text.startsWith('{')) take(answer, JSON.parse(text))
  else {
    for (const data of eventsOf(text)) {
      if (data === '[DONE]') answer.isDone = true
      else take(answer, JSON.parse(data))
    }
  }
  return answer
}

/** The data of each event that is complete. */
function eventsOf(text: string): string[] {
  const events: string[] = []
  createParser({ onEvent: ({ data }) => events.push(data) }).feed(text)
  return events
}

function take(answer: ChatAnswer, chunk: Chunk): void {
  answer.usage = chunk.usage ?? answer.usage
  answer.error = chunk.error ?? answer.error
  for (const { index, delta, message = delta, logprobs, finish_reason: finish } of chunk.choices ?? []) {
    answer.choices[index] ??= { text: '', reasoning: '', calls: '', entries: [], finish: null }
    const choice = answer.choices[index] as ChatChoice
    choice.text += message.content ?? ''
    choice.reasoning += message.reasoning_content ?? message.reasoning ?? ''
    for (const { function: call } of message.tool_calls ?? [])
      choice.calls += (call.name ?? '') + (call.arguments ?? '')
    choice.entries.push(...(logprobs?.content ?? []))
    choice.finish = finish ?? choice.finish
  }
}
