import { request as httpRequest, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { rounds } from '../support/rounds.ts'
import { startScope } from '../support/scope.ts'
import { chunk, DONE, ScriptedUpstream } from '../support/scripted-upstream.ts'
import { Spectator } from '../support/spectator.ts'

const WORDS = ['One', ' two', ' drei', ' 四', ' 🎻', ' six']
const STREAM = Buffer.from(
  [
    chunk({ role: 'assistant', content: '' }),
    ...WORDS.map(content => chunk({ content })),
    chunk({}, { finish_reason: 'stop' }),
    DONE,
  ].join(''),
)
/** Where the event that says why it ended is complete. */
const FINISHED = STREAM.length - DONE.length

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

function ask(): Promise<{ body: Buffer; complete: boolean }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${scope.url}/v1/chat/completions`, { method: 'POST' }, answer => {
      void readAll(answer).then(resolve)
    })
    request.on('error', reject)
    request.end('{"stream":true,"messages":[]}')
  })
}

async function readAll(answer: IncomingMessage): Promise<{ body: Buffer; complete: boolean }> {
  const parts: Buffer[] = []
  answer.on('data', part => parts.push(part))
  answer.on('error', () => {})
  await new Promise(resolve => answer.on('close', resolve))
  return { body: Buffer.concat(parts), complete: answer.complete }
}

// Every way to lose an upstream at every kind of place: the ending is judged right, the app gets exactly what
// was written, a break is a break and an end an end, and the text shown is what was complete by then.
test('a stream that is cut or ended at any byte is told for what it is', async () => {
  const viewer = await Spectator.watch(scope.url)
  const total = rounds(STREAM.length * 2)
  for (let round = 0; round < total; round++) {
    const at = 1 + Math.floor((round * STREAM.length) / total)
    const cut = round % 2 === 0
    upstream.script = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(STREAM.subarray(0, at), () => (cut ? response.socket?.destroy() : response.end()))
    }
    const { body, complete } = await ask()
    const last = await viewer.end(round)
    const context = `${cut ? 'cut' : 'ended'} at byte ${at}`
    expect([context, body.equals(STREAM.subarray(0, at)), complete]).toEqual([context, true, !cut])
    expect([context, last.state, last.ending]).toEqual(
      at >= FINISHED ? [context, 'done', 'stop'] : [context, 'interrupted', cut ? 'connection' : 'truncated'],
    )
    const whole = STREAM.subarray(0, at).toString('utf8').split('\n\n').slice(0, -1)
    const text = whole.map(event => event.match(/"content":"([^"]*)"/)?.[1] ?? '').join('')
    expect([context, viewer.textOf(last.generation)]).toEqual([context, text])
  }
  expect((await fetch(`${scope.url}/healthz`)).status).toBe(200)
  viewer.close()
})
