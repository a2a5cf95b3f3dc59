import { describe, expect, test } from 'vitest'
import type { ServerKind } from '../../bridge/demo/surface.ts'
import { bytesOf, received, send } from '../support/app.ts'
import { rounds } from '../support/rounds.ts'
import { useStage } from '../support/stage.ts'

const SAID = `fixed,say=${encodeURIComponent('One é, 四 six')}`
const WAYS = ['drop', 'cut', 'end'] as const
const model = 'tokenscope-demo'
const messages = [{ role: 'user', content: 'Count' }]

/** A stream of each dialect, and what in it says that it is complete. */
const STREAMS: [kind: ServerKind, path: string, body: object, finish: RegExp][] = [
  ['vllm', '/v1/completions', { model, prompt: 'Count' }, /"finish_reason":"stop"/],
  ['lmstudio', '/v1/responses', { model, input: 'Count' }, /^event: response\.completed$/m],
  ['lmstudio', '/v1/messages', { model, messages, max_tokens: 90 }, /"stop_reason":"end_turn"/],
  ['lmstudio', '/api/v1/chat', { model, input: 'Count' }, /^event: chat\.end$/m],
  ['llamacpp', '/completion', { prompt: 'Count' }, /"stop":true/],
  ['ollama', '/api/chat', { model, messages }, /"done":true/],
  ['ollama', '/api/generate', { model, prompt: 'Count' }, /"done":true/],
]

// As for chat: whatever byte is the last, the ending is judged right, the app gets what was written, and a
// break is a break.
describe.each(STREAMS)('a stream of %s on %s', (kind, path, body, finish) => {
  const stage = useStage({ kind })
  const ask = (url: string, directives: string) =>
    send(url, {
      path,
      headers: { 'content-type': 'application/json', 'x-demo': directives },
      body: { stream: true, ...body },
    })

  test('that is cut or ended at any byte is told for what it is', async () => {
    const stream = await bytesOf(await ask(stage.demo.url, SAID))
    const isLines = path.startsWith('/api/') && kind === 'ollama'
    const total = rounds(stream.length, 50)
    for (let round = 0; round < total; round++) {
      const at = 1 + Math.floor((round * stream.length) / total)
      const way = WAYS[round % WAYS.length] as string
      const written = stream.subarray(0, at)
      const answer = await ask(stage.url, `${way}=${at},${SAID}`)
      const { body: got, complete } = await received(answer)
      const last = await stage.viewer.end(round)
      const context = `${way} at byte ${at} of ${stream.length}`
      expect([context, got.equals(written), complete]).toEqual([context, true, way === 'end'])
      const units = written.toString().split(isLines ? '\n' : '\n\n')
      const rest = units.pop() as string
      // The last line needs no end of its own where the answer ends.
      if (isLines && way === 'end' && isJson(rest)) units.push(rest)
      const isFinished = units.some(unit => finish.test(unit))
      expect([context, last.state]).toEqual([context, isFinished ? 'done' : 'interrupted'])
      if (!isFinished) expect(last.ending).toBe(way === 'end' ? 'truncated' : 'connection')
      const text = stage.viewer.textOf(last.generation)
      expect([context, 'One é, 四 six'.startsWith(text)]).toEqual([context, true])
      if (isFinished) expect(text).toBe('One é, 四 six')
    }
  })
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
