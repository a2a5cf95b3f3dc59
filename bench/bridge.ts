/** Bytes of an upstream's answer to token events, with nothing but the bridge's own work around it. */
import { createParser } from 'eventsource-parser'
import { Stream } from 'openai/streaming'
import { type Endpoint, endpointOf } from '../bridge/dialects/index.ts'
import { Exchange } from '../bridge/exchange.ts'
import type { GenerationEvent } from '../events/generation.ts'
import { createMetrics } from '../health/metrics.ts'
import { chatStream, inChunks, STREAM_TOKENS } from './chat-stream.ts'
import { type Bench, type Figure, figureOf } from './figure.ts'
import { type MicroTask, microRounds } from './micro-rounds.ts'

/** What a socket gives at most in one read. */
const READ_BYTES = 64 * 1024
/** The requirements: in tokens a second, of the floor, and against the peer. */
const REQUIRED = 100
const REQUIRED_OF_FLOOR = 0.75
const REQUIRED_TIMES_PEER = 3

export const bridge: Bench = { name: 'bridge', title: 'bytes to token events, one core', run }

interface Load {
  name: string
  chunks: Buffer[]
  note: string | null
}

async function run(): Promise<Figure[]> {
  const loads = [false, true].flatMap(logprobs => {
    const { events, bytes } = chatStream({ logprobs })
    const name = logprobs ? 'logprobs + 5' : 'plain'
    const note = `${Math.round(bytes / STREAM_TOKENS)} bytes a token`
    return [
      { name: `${name}, 64 KiB chunks`, chunks: inChunks(events, READ_BYTES), note },
      { name: `${name}, 1 token a chunk`, chunks: events, note: null },
    ]
  })
  const figures: Figure[] = []
  for (const load of loads) figures.push(...(await measure(load)))
  return figures
}

async function measure({ name, chunks, note }: Load): Promise<Figure[]> {
  const times = await microRounds({
    ours: bridgeTask(chunks),
    floor: floorTask(chunks),
    peer: peerTask(chunks),
  })
  const perSecond = (ms: number) => (STREAM_TOKENS * 1000) / ms
  const ratio = (of: readonly number[]) => times.ours.map((ms, round) => (of[round] as number) / ms)
  return [
    figureOf(name, times.ours.map(perSecond), {
      unit: 'tok/s',
      better: 'higher',
      target: REQUIRED,
      ...(note === null ? {} : { note }),
    }),
    figureOf('  floor: parser + JSON.parse', times.floor.map(perSecond), { unit: 'tok/s', better: 'higher' }),
    figureOf('  of the floor', ratio(times.floor), {
      unit: '×',
      better: 'higher',
      target: REQUIRED_OF_FLOOR,
    }),
    figureOf('  peer: openai’s decoder', times.peer.map(perSecond), { unit: 'tok/s', better: 'higher' }),
    figureOf('  times the peer', ratio(times.peer), {
      unit: '×',
      better: 'higher',
      target: REQUIRED_TIMES_PEER,
    }),
  ]
}

/** One whole answer through an exchange with the real meter, as the relay feeds it. */
function bridgeTask(chunks: readonly Buffer[]): MicroTask {
  const meter = createMetrics()
  const endpoint = endpointOf('POST', '/v1/chat/completions') as Endpoint
  const facts = endpoint.request.request({ model: 'qwen2.5-7b-instruct', stream: true })
  const models = ['qwen2.5-7b-instruct']
  return {
    run() {
      let tokens = 0
      let last: GenerationEvent | null = null
      const exchange = new Exchange({
        endpoint,
        facts,
        upstream: '127.0.0.1:1234',
        startedAt: performance.now(),
        meter,
        modelLabel: model => (model !== null && models.includes(model) ? model : 'other'),
        emit: event => {
          if (event.type === 'token_activation') tokens++
          last = event
        },
      })
      exchange.head(200, 'text/event-stream', performance.now())
      for (const chunk of chunks) exchange.bytes(chunk, performance.now())
      exchange.end(performance.now())
      const ended = last as GenerationEvent | null
      if (tokens !== STREAM_TOKENS || ended?.type !== 'neural_state' || ended.state !== 'done') {
        throw new Error(`the bridge told ${tokens} tokens of ${STREAM_TOKENS} and ended with ${ended?.type}`)
      }
    },
  }
}

/** The least that anyone who reads these bytes must do: decode, divide into events, parse the JSON. */
function floorTask(chunks: readonly Buffer[]): MicroTask {
  return {
    run() {
      let tokens = 0
      const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
      const parser = createParser({
        onEvent({ data }) {
          if (data === '[DONE]') return
          const { choices } = JSON.parse(data) as { choices: { delta: { content?: string } }[] }
          if (choices[0]?.delta.content !== undefined) tokens++
        },
      })
      for (const chunk of chunks) parser.feed(decoder.decode(chunk, { stream: true }))
      if (tokens !== STREAM_TOKENS) throw new Error(`the floor saw ${tokens} tokens of ${STREAM_TOKENS}`)
    },
  }
}

/** What an app has that reads the same bytes with OpenAI's client: from a response to parsed chunks. */
function peerTask(chunks: readonly Buffer[]): MicroTask {
  return {
    async run() {
      let tokens = 0
      const body = new ReadableStream({
        start(controller) {
          for (const chunk of chunks) controller.enqueue(chunk)
          controller.close()
        },
      })
      type Chunk = { choices: { delta: { content?: string } }[] }
      for await (const { choices } of Stream.fromSSEResponse<Chunk>(
        new Response(body),
        new AbortController(),
      )) {
        if (choices[0]?.delta.content !== undefined) tokens++
      }
      if (tokens !== STREAM_TOKENS) throw new Error(`the peer saw ${tokens} tokens of ${STREAM_TOKENS}`)
    },
  }
}
