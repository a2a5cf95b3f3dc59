import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { rounds } from '../support/rounds.ts'
import { startScope } from '../support/scope.ts'
import { chunk, DONE, ScriptedUpstream } from '../support/scripted-upstream.ts'
import { Spectator } from '../support/spectator.ts'

const WORKERS = 50

let upstream: ScriptedUpstream
let scope: Tokenscope

beforeAll(async () => {
  upstream = await new ScriptedUpstream().start()
  scope = await startScope({ upstreams: [upstream.url] })
})
afterAll(async () => {
  await scope.stop()
  await upstream.kill()
})

test('100 requests by 50 workers: none fails, and each viewer sees each answer once', async () => {
  upstream.script = async (_request, response, body) => {
    const { id } = JSON.parse(body.toString())
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (let i = 0; i < 20; i++) {
      response.write(chunk({ content: `${id}.${i} ` }))
      await new Promise(resolve => setImmediate(resolve))
    }
    response.end(chunk({}, { finish_reason: 'stop' }) + DONE)
  }
  const viewers = await Promise.all([1, 2, 3].map(() => Spectator.watch(scope.url)))
  const total = Math.max(100, rounds(2000))
  const answers = new Map<number, string>()
  let next = 0
  await Promise.all(
    Array.from({ length: WORKERS }, async () => {
      while (next < total) {
        const id = next++
        const answer = await fetch(`${scope.url}/v1/chat/completions`, {
          method: 'POST',
          body: JSON.stringify({ id, stream: true, messages: [] }),
        })
        expect(answer.status).toBe(200)
        answers.set(id, await answer.text())
      }
    }),
  )
  const textOf = (id: number) => Array.from({ length: 20 }, (_, i) => `${id}.${i} `).join('')
  for (let id = 0; id < total; id++) {
    const contents = [...(answers.get(id) as string).matchAll(/"content":"([^"]*)"/g)].map(([, text]) => text)
    expect(contents.join('')).toBe(textOf(id))
  }
  const expected = Array.from({ length: total }, (_, id) => textOf(id)).sort()
  for (const viewer of viewers) {
    await viewer.end(total - 1)
    expect(viewer.generations.map(id => viewer.textOf(id)).sort()).toEqual(expected)
    const seqs = viewer.entries.map(({ seq }) => seq)
    expect(seqs).toEqual(seqs.map((_, i) => i + 1))
    viewer.close()
  }
})
