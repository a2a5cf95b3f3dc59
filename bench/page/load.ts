/** What apps ask for while the page is measured. */
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { CANNED_MODEL } from '../canned.ts'
import { STREAM_TOKENS } from '../chat-stream.ts'

/** Says how many tokens a second the answer is written with; without it the answer comes at once. */
export const RATE_HEADER = 'x-bench-rate'

const AT_ONCE = 8

/**
 * Has so many tokens generated, in answers that come at once.
 *
 * @throws Error if one is not answered
 */
export async function fill(url: string, tokens: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  let left = tokens / STREAM_TOKENS
  const app = async () => {
    while (left-- > 0) await drained(await ask(url, agent))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, app))
  agent.destroy()
}

/** Streams that go on until they are ended, one answer after another. */
export class LiveLoad {
  readonly #url: string
  readonly #agent = new Agent({ keepAlive: false })
  readonly #each: number
  readonly #streams: Promise<void>[]
  readonly #open = new Set<IncomingMessage>()
  #ended = false

  /** @param perSecond tokens of all streams together */
  constructor(url: string, streams: number, perSecond: number) {
    this.#url = url
    this.#each = perSecond / streams
    this.#streams = Array.from({ length: streams }, () => this.#run())
  }

  /** @throws Error if one of them was not answered, or broke off */
  async end(): Promise<void> {
    this.#ended = true
    for (const response of this.#open) response.destroy()
    await Promise.all(this.#streams)
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      const response = await ask(this.#url, this.#agent, this.#each)
      this.#open.add(response)
      await drained(response).catch(error => {
        if (!this.#ended) throw error
      })
      this.#open.delete(response)
    }
  }
}

async function ask(url: string, agent: Agent, rate: number | null = null): Promise<IncomingMessage> {
  const sent = request(`${url}/v1/chat/completions`, {
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json', ...(rate === null ? {} : { [RATE_HEADER]: rate }) },
  })
  const messages = [{ role: 'user', content: 'What is an oscilloscope?' }]
  sent.end(JSON.stringify({ model: CANNED_MODEL, messages, stream: true, logprobs: true, top_logprobs: 5 }))
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`${url} answered with ${response.statusCode}`)
  return response
}

/** @throws Error if it breaks off */
async function drained(response: IncomingMessage): Promise<void> {
  response.resume()
  // One that is left has no end.
  await once(response, 'close')
  if (!response.complete) throw new Error('an answer broke off')
}
