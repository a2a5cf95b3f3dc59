/**
 * What Tokenscope holds on to: after many generations, and for apps that stop reading. Upstream, Tokenscope,
 * a viewer that reads along and the apps (this process) are four processes.
 */
import { once } from 'node:events'
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { CANNED_HEADER, requestBody, SHORT_TOKENS, shortStream } from './canned.ts'
import { Helper } from './children.ts'
import { type Bench, type Figure, figureOf } from './figure.ts'
import type { Memory } from './memory-reading.ts'

const FIRST = 10_000
const ALL = 100_000
/** Held memory is read so often, after as many more generations each time. */
const STEP = 10_000
const AT_ONCE = 50
const STALLED = 50
/** What is asked for, KiB. */
const STALLED_KIB = 256
/** What is asked for: at most so many times. */
const GROWTH = 1.1
/** Rounds of stalled clients. */
const ROUNDS = 3
/** So long must nothing have been written to all stalled streams for them to count as paused. */
const QUIET_MS = 1000
const PATIENCE_MS = 30_000
const KIB = 1024
const MIB = 1024 * KIB

export const memory: Bench = { name: 'memory', title: 'what is held on to', run }

async function run(): Promise<Figure[]> {
  await using cleanup = new AsyncDisposableStack()
  const start = (module: string): Helper => {
    const helper = new Helper(module)
    cleanup.defer(() => helper.end())
    return helper
  }
  const upstream = start('canned-process.ts')
  const direct = await upstream.ask<string>('listen')
  const tokenscope = start('tokenscope-process.ts')
  const url = await tokenscope.ask<string>('listen', `${direct},max=${2 * STALLED}`)
  const viewer = start('viewer-process.ts')
  await viewer.ask('watch', url)
  const figures = await manyGenerations(url, tokenscope, viewer)
  const pipe = start('pipe-process.ts')
  const pipeUrl = await pipe.ask<string>('listen', direct)
  return [...figures, ...(await stalledClients({ url, tokenscope, pipeUrl, pipe, upstream }))]
}

async function manyGenerations(url: string, tokenscope: Helper, viewer: Helper): Promise<Figure[]> {
  const begun = performance.now()
  const readings: Memory[] = []
  for (let done = 0; done < ALL; done += STEP) {
    await generate(url, STEP)
    readings.push(await tokenscope.ask<Memory>('memory'))
  }
  const seconds = (performance.now() - begun) / 1000
  const seen = await viewer.ask<number>('tokens')
  const first = readings[FIRST / STEP - 1] as Memory
  const last = readings.at(-1) as Memory
  const trend = (of: keyof Memory) => readings.map(reading => (reading[of] / MIB).toFixed(1)).join(' ')
  const ratio = (name: string, of: keyof Memory): Figure =>
    figureOf(name, [last[of] / first[of]], {
      unit: '×',
      better: 'lower',
      target: GROWTH,
      note: `MiB at every ${STEP.toLocaleString('en-GB')}: ${trend(of)}`,
    })
  const mib = (name: string, bytes: number): Figure =>
    figureOf(name, [bytes / MIB], { unit: 'MiB', better: 'lower' })
  return [
    ratio('held, 100,000 of 10,000', 'held'),
    mib('  held after 10,000', first.held),
    mib('  held after 100,000', last.held),
    ratio('RSS, 100,000 of 10,000', 'rss'),
    mib('  RSS after 10,000', first.rss),
    mib('  RSS after 100,000', last.rss),
    figureOf('  generations', [ALL / seconds], {
      unit: '/s',
      better: 'higher',
      note: `${SHORT_TOKENS} tokens each, ${AT_ONCE} at once; a viewer read ${seen.toLocaleString('en-GB')} tokens`,
    }),
  ]
}

/**
 * Short generations, several at once on connections that are kept.
 *
 * @throws Error if an answer is not what the upstream wrote
 */
async function generate(url: string, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  const expected = shortStream()
  let left = count
  const app = async () => {
    while (left-- > 0) {
      const response = await answerOf(ask(url, agent, 'short'))
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk as Buffer)
      if (response.statusCode !== 200 || !Buffer.concat(chunks).equals(expected)) {
        throw new Error(`an answer was another one, with ${response.statusCode}`)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, app))
  agent.destroy()
}

interface Stalled {
  held: number
  rss: number
  /** Bytes that the upstream could write for each client until it was paused. */
  written: number
}

async function stalledClients({
  url,
  tokenscope,
  pipeUrl,
  pipe,
  upstream,
}: Record<'url' | 'pipeUrl', string> & Record<'tokenscope' | 'pipe' | 'upstream', Helper>): Promise<
  Figure[]
> {
  const ours: Stalled[] = []
  const theirs: Stalled[] = []
  for (let i = 0; i < ROUNDS; i++) {
    ours.push(await stall(url, tokenscope, upstream))
    theirs.push(await stall(pipeUrl, pipe, upstream))
  }
  const kib = { unit: 'KiB', better: 'lower' } as const
  const of = (rounds: readonly Stalled[], what: keyof Stalled) => rounds.map(round => round[what] / KIB)
  const note = `${STALLED} clients that ask for a long stream and do not read it, in each of ${ROUNDS} rounds`
  return [
    figureOf('a stalled client, held', of(ours, 'held'), { ...kib, target: STALLED_KIB, note }),
    figureOf('  RSS', of(ours, 'rss'), { ...kib, note: 'pages that were free before are not in it' }),
    figureOf('  written before the pause', of(ours, 'written'), {
      ...kib,
      note: 'for each client; nearly all of it in buffers of the system',
    }),
    figureOf('  held by a bare pipe', of(theirs, 'held'), kib),
    figureOf('  RSS of a bare pipe', of(theirs, 'rss'), kib),
    figureOf('  written before the pipe paused', of(theirs, 'written'), kib),
  ]
}

/** @throws Error if the upstream is not paused */
async function stall(url: string, proxy: Helper, upstream: Helper): Promise<Stalled> {
  const before = await proxy.ask<Memory>('memory')
  const agent = new Agent({ keepAlive: false })
  const clients: ClientRequest[] = []
  for (let i = 0; i < STALLED; i++) {
    const sent = ask(url, agent, 'endless')
    clients.push(sent)
    // Paused until somebody reads, which nobody does.
    const response = await answerOf(sent)
    if (response.statusCode !== 200) throw new Error(`a stream began with ${response.statusCode}`)
  }
  const written = await untilPaused(upstream)
  const after = await proxy.ask<Memory>('memory')
  for (const client of clients) client.destroy()
  await untilGone(upstream)
  const each = (value: (memory: Memory) => number) => (value(after) - value(before)) / STALLED
  return { held: each(({ held }) => held), rss: each(({ rss }) => rss), written: written / STALLED }
}

/** Waits until nothing more is written; gives the bytes written by then. */
async function untilPaused(upstream: Helper): Promise<number> {
  let written = -1
  const patience = performance.now() + PATIENCE_MS
  while (performance.now() < patience) {
    const { streams, bytes } = await upstream.ask<{ streams: number; bytes: number }>('endless')
    if (streams !== STALLED) throw new Error(`${streams} of ${STALLED} streams are open`)
    if (bytes === written) return bytes
    written = bytes
    await new Promise(resolve => setTimeout(resolve, QUIET_MS))
  }
  throw new Error(`the upstream still writes after ${PATIENCE_MS / 1000} s`)
}

/** Waits until the upstream has seen that the clients went. */
async function untilGone(upstream: Helper): Promise<void> {
  const patience = performance.now() + PATIENCE_MS
  while ((await upstream.ask<{ streams: number }>('endless')).streams > 0) {
    if (performance.now() > patience) throw new Error('the upstream writes on to clients that went')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

function ask(url: string, agent: Agent, what: string): ClientRequest {
  const body = requestBody({ stream: true })
  const sent = request(`${url}/v1/chat/completions`, {
    method: 'POST',
    agent,
    headers: {
      'content-type': 'application/json',
      'content-length': body.length,
      [CANNED_HEADER]: what,
    },
  })
  // Its going is part of the measurement.
  sent.on('error', () => {})
  sent.end(body)
  return sent
}

async function answerOf(sent: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return response
}
