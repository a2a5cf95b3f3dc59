import { describe, expect, test } from 'vitest'
import { SERVER_KINDS, type ServerKind } from '../../bridge/demo/surface.ts'
import { send } from '../support/app.ts'
import { readChat } from '../support/chat-answer.ts'
import { rounds } from '../support/rounds.ts'
import { useStage } from '../support/stage.ts'

const SAID = `fixed,say=${encodeURIComponent('One é, 四 six')}`
const WAYS = ['drop', 'cut', 'end'] as const

// Every way to lose an upstream at every kind of place: the ending is judged right, the app gets exactly what
// was written, a break is a break and an end an end, and the text shown is what was complete by then.
describe.each<[ServerKind, string]>([
  ...SERVER_KINDS.map((kind): [ServerKind, string] => [kind, 'no-done,']),
  ['vllm', 'crlf,'],
  ['llamacpp', 'cr,bom,'],
])('a stream of %s with %s', (kind, form) => {
  const stage = useStage({ kind })

  test('that is cut or ended at any byte is told for what it is', async () => {
    const directives = `${form}${SAID}`
    const stream = await stage.direct(directives)
    const isFinished = (bytes: Buffer) => readChat(bytes).choices[0]?.finish === 'stop'
    expect(isFinished(stream)).toBe(true)
    const total = rounds(stream.length, 50)
    for (let round = 0; round < total; round++) {
      const at = 1 + Math.floor((round * stream.length) / total)
      const way = WAYS[round % WAYS.length] as string
      const written = stream.subarray(0, at)
      const { body, complete, last } = await stage.take(`${way}=${at},${directives}`)
      const context = `${way} at byte ${at}`
      expect([context, body.equals(written), complete]).toEqual([context, true, way === 'end'])
      expect([context, last.state, last.ending]).toEqual(
        isFinished(written)
          ? [context, 'done', 'stop']
          : [context, 'interrupted', way === 'end' ? 'truncated' : 'connection'],
      )
      const text = readChat(written).choices[0]?.text ?? ''
      expect([context, stage.viewer.textOf(last.generation)]).toEqual([context, text])
    }
    const health = await send(stage.url, { method: 'GET', path: '/healthz', headers: {} })
    expect(health.statusCode).toBe(200)
    health.resume()
  })
})
