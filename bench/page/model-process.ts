/**
 * The model server of the bench of the page, in a process of its own: answers of a thousand tokens with five
 * alternatives each, as LM Studio writes them, from bytes that are ready.
 */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pace } from '../../bridge/demo/pace.ts'
import { CANNED_MODEL } from '../canned.ts'
import { chatStream } from '../chat-stream.ts'
import { answer } from '../children.ts'
import { RATE_HEADER } from './load.ts'

const MODELS = JSON.stringify({ object: 'list', data: [{ id: CANNED_MODEL, object: 'model' }] })
const { events } = chatStream({ logprobs: true })
const whole = Buffer.concat(events)

const server = createServer((incoming, response) => {
  incoming.resume()
  incoming.on('end', () => {
    if (incoming.method !== 'POST') {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(MODELS)
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const rate = incoming.headers[RATE_HEADER]
    if (rate === undefined) response.end(whole)
    else void stream(response, Number(rate))
  })
})

/** Writes the answer token by token, until it is whole or nobody reads it any more. */
async function stream(response: ServerResponse, perSecond: number): Promise<void> {
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  const pace = new Pace(perSecond)
  for (const event of events) {
    await pace.next(gone.signal)?.catch(() => {})
    if (gone.signal.aborted) return
    response.write(event)
  }
  response.end()
}

answer({
  async listen() {
    server.listen(0, '127.0.0.1', 1024)
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
})
